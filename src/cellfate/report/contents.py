"""What the report holds, in order: tables and figures by catalog name, and the sentences beside them."""

from dataclasses import replace
from typing import Final

from cellfate.report.conditions import CONDITION_TABLES
from cellfate.report.texts import FigureText, SectionText

EXPLANATION_TABLES: Final = ("shapley", "tree_shapley", "attribution_scores", "explained_landmarks")
"""Tables of each reading that its explanations are told from: `classifier_shapley`, `clock_shapley` and so on."""
READING_TABLES: Final = (*EXPLANATION_TABLES, "history")
"""Tables of each reading that the report reads."""
TABLES: Final = (
    "questions",
    "metrics",
    "comparisons",
    "seed_scores",
    "added_value",
    "losses",
    "loss_sensitivity",
    "commitment_summary",
    "alarm_summary",
    "prediction_sets",
    "transfer",
    "background_swap",
    *CONDITION_TABLES,
    *(f"{reading}_{name}" for reading in ("classifier", "clock") for name in READING_TABLES),
    "recordings",
    "frame_files",
    "cells",
    "recordings_set_aside",
    "tracks_set_aside",
    "cells_set_aside",
    "follow_ups",
    "landmarks",
    "splits",
    "leakage",
    "sister_concordance",
    "preflight_findings",
    "preflight_summary",
    "label_findings",
    "label_agreement",
    "reproduction",
)
"""Tables that the report reads, by catalog name."""

OPENINGS: Final = ("clock_opening_figure", "classifier_opening_figure")
"""One cell of each reading; the first that has something to say stands at the top of the report."""
OPENING_READS: Final = {
    "forecast": "the forecast made at each frame",
    "attention": "the share of the attention of each frame",
    "Shapley": "Shapley values of channels and hours (red speaks for what is explained, blue against it)",
    "Occlusion": "what the forecast loses without a window",
    "reporters": "the reporters",
}
OPENING_NOT_SHOWN: Final = "A typical cell. It is the surest right forecast, chosen by rule. Others stand below."
"""What each panel under the frames of the opening figure holds, by the first word of its title; its limits."""


SECTIONS: Final = (
    SectionText(
        "scores",
        "How good are the forecasts?",
        "Every score is of the test part. The intervals hold for the trained models: how much another training, "
        "another split, microscope, cell line or drug would change them is not in them.",
    ),
    SectionText(
        "added",
        "What do the images add?",
        "To what is known without them. Three predictors are fitted alike: on that context, on measurements too, on "
        "the network's forecast too. The gain in log-likelihood is the one test.",
    ),
    SectionText(
        "calibration",
        "Can the probabilities be taken at their word?",
        "Forecasts are put into bins of equal size. In each, the mean forecast is held against the share of cells that "
        "met the event, censored cells accounted for (Aalen-Johansen).",
    ),
    SectionText(
        "trust",
        "How far can they be trusted elsewhere?",
        "A verdict only where a whole interval says it, and from 20 groups on.",
    ),
    SectionText(
        "alarms",
        "How often is an alarm right?",
        "An alarm says that somebody should act on this cell now. It is right if that event follows in time. "
        "Cells lost before are made up for by weights; every frame of the test cells is read.",
    ),
    SectionText(
        "timing",
        "How early is the fate clear?",
        "These figures look back from an end that is known. How early one can decide in a cell that is watched now, "
        "the section before says.",
    ),
    SectionText(
        "incidence",
        "What became of the cells, by dose?",
        "First what was observed, without a model; then the share that was forecast. Doses often stand in different "
        "recordings, and few of them: a difference between doses can be one between recordings.",
    ),
    SectionText(
        "explanations",
        "What does a forecast rest on?",
        "Attributions of the log odds of one outcome, at one landmark of a test cell. They describe the model, not the "
        "cause of a fate, and the methods can disagree: the next section tests them.",
    ),
    SectionText(
        "belief",
        "Which explanation can be believed?",
        "About the model: as the most important parts are removed and put back, the forecast follows faster than in "
        "random orders. About this cell: faster too than in the orders of other cells.",
        folded="The tests in figures",
    ),
    SectionText(
        "examples",
        "Example cells",
        "Chosen by rule among the explained test cells: for each outcome the surest forecast that was right, and the "
        "surest that was wrong. These are extremes, not typical cells.",
    ),
    SectionText(
        "data",
        "Recordings and cells",
        "What was used, and what was left out. A fate annotated wrongly here is a wrong answer in every score.",
    ),
    SectionText(
        "preflight",
        "Checks before anything was used",
        "An error cannot be used as it is; a warning is used, and a person should look at it. The gravest come first. "
        "A wrong link to a near neighbour is not found: it moves no farther than a cell does.",
    ),
    SectionText(
        "split",
        "How training and test were kept apart",
        "What no table knows of, a day or a batch of medium, can still be shared.",
    ),
    SectionText(
        "training",
        "Training",
        "The weights are those of the epoch that did best on the validation part, so validation values are a little "
        "too good.",
    ),
    SectionText(
        "published",
        "What was published, and what this study says",
        "From arXiv:2603.16562, on other cells.",
    ),
    SectionText(
        "settings",
        "Settings and versions",
        "What it takes to make this report again. The parameters are those in force when it was made: a stage that was "
        "run earlier with others is not told apart.",
    ),
)

_SCORES = (
    FigureText(
        "scores_figure",
        "scores",
        "Lines are intervals; dotted is what one and the same forecast for all would reach.",
        "Whether two predictors differ: their intervals can overlap while the paired difference excludes zero.",
    ),
    FigureText(
        "comparisons_figure",
        "scores",
        "Paired differences on the same landmarks; a line across zero means that the two are not told apart. Filled: "
        "the highest reference without measurements. With many lines, one in twenty excludes zero by chance.",
    ),
    FigureText(
        "curves_figure",
        "scores",
        "Left, the share of cells with the outcome that are found against the share of others that are called too; "
        "right, of those called, the share that has it. Dotted is no knowledge.",
        "A study in which the outcome is rarer: there precision is lower for the same model.",
    ),
    FigureText(
        "doses_figure",
        "scores",
        "The same scores among cells of one dose; the mean within doses is what is left when the dose is known.",
    ),
    FigureText(
        "calibration_figure",
        "calibration",
        "On the dotted line a forecast of .3 comes true for 3 cells in 10; below it forecasts are too high. A slope "
        "under 1: too sure; an intercept over 0, or more observed than expected: too low on the whole. Brier skill: "
        "what is saved of the error of one forecast for all. Click the legend for other predictors.",
        "How well cells are told apart: one forecast for all lies on the line too.",
    ),
)
"""Figures of each question."""

_EXPLANATIONS = (
    FigureText(
        "shapley_figure",
        "explanations",
        "Log odds of the forecast shared out over channels and hours, so that the parts add up; above the mean size, "
        "below the mean with its sign.",
    ),
    FigureText("common_values_figure", "explanations", "Mean over cells, apart by forecast."),
    FigureText("own_values_figure", "explanations", "Values less the mean of other cells of that forecast."),
    FigureText(
        "occlusion_figure",
        "explanations",
        "Log odds that the forecast loses without a time window or a channel.",
        "What two inputs say alike: without one, the other still says it.",
    ),
    FigureText(
        "attention_figure",
        "explanations",
        "Share of the attention at each hour, median and quartiles over cells; dotted is an even spread.",
        "Importance: frames are mixed before they are pooled.",
    ),
    FigureText(
        "attention_cells_figure",
        "explanations",
        "One row a cell; dark is more attention than an even spread over its frames, gold less, white as much.",
    ),
    FigureText(
        "attribution_scores_figure",
        "belief",
        "Scores that a verdict rests on. Hover for intervals, and for why a field is empty.",
        "How a method does elsewhere; pipeline known_answer shows it where the answer is planted.",
    ),
    FigureText(
        "faithfulness_figure",
        "belief",
        "A good method beats random orders.",
        "Real inputs: no microscope gives a cell with parts blanked.",
    ),
    FigureText(
        "randomised_weights_figure",
        "belief",
        "From left to right more of one network is random; a line that stays up does not speak of what was learnt.",
    ),
    FigureText(
        "agreement_figure",
        "belief",
        "1: two methods put the parts of a cell into the same order; 0: they have nothing in common.",
        "Which of two methods that disagree is right.",
    ),
    FigureText(
        "examples_figure",
        "examples",
        "Time ends at the landmark. Rows that end in 'for': red pixels speak for the explained outcome, blue ones "
        "against it (gradient times input). Maps: red channels and hours speak for it. One brightness scale serves all "
        "cells; 0 and 1 of the reporters are the usual ends over all cells.",
        of_tables="Time ends at the landmark. Maps: red columns and hours speak for the explained outcome, blue ones "
        "against it. 0 and 1 of the reporters are the usual ends over all cells.",
    ),
)
"""Figures of each reading."""


def _of(owner: str, texts: tuple[FigureText, ...]) -> tuple[FigureText, ...]:
    return tuple(replace(text, name=f"{owner}_{text.name}", of=owner) for text in texts)


FIGURES: Final[tuple[FigureText, ...]] = (
    *_of("which_fate", _SCORES),
    FigureText(
        "confusion_figure",
        "scores",
        "Rows: what came; columns: what was called; the diagonal is recall.",
        of="which_fate",
    ),
    *_of("within_hours", _SCORES),
    FigureText(
        "added_value_figure",
        "added",
        "Right of the dotted line something is added. Within the same time, only cells in the same hours of the "
        "recording are compared.",
        "What another network would add.",
        of="within_hours",
    ),
    FigureText(
        "alarms_figure",
        "alarms",
        "One row a cell, its end at the right edge; a line is the time in which it is forecast.",
        of="within_hours",
    ),
    FigureText(
        "alarm_curves_figure",
        "alarms",
        "Left, how many events are caught, and how many false alarms that takes; right, how sure an alarm is. A low "
        "threshold can catch less: it goes off too early, and is armed anew only once the forecast has fallen.",
        of="within_hours",
    ),
    FigureText(
        "net_benefit_figure",
        "alarms",
        "What acting on the forecasts is worth to whoever thinks a false alarm t / (1 - t) times as bad as a missed "
        "event. Under the dashed line, or under 0, they do harm.",
        "Cells: every frame counts, and a cell has many.",
        of="within_hours",
    ),
    FigureText("transfer_figure", "trust", of="within_hours"),
    FigureText(
        "masking_figure",
        "timing",
        "Frames are taken away and the same model is asked again: left the last ones, right all but the last. Of all "
        "cells, short tracks drop out. Numbers count cells.",
        "What a model trained on shortened tracks would reach.",
        of="which_fate",
    ),
    FigureText(
        "forecast_heatmap_figure",
        "timing",
        "One row a cell, its event at the right edge. Where the fate is told, cells with this event turn dark towards "
        "the right and those with the other stay light.",
        "False alarms in cells that met no event.",
        of="within_hours",
    ),
    FigureText(
        "commitments_figure",
        "timing",
        "The share of cells whose call was right from that hour on and stayed so. Only what lies above the dashed "
        "lines, the same calls in random order, is knowledge of time.",
        "How often a call is right as it is made: alarms say that.",
        of="within_hours",
    ),
    FigureText("families_figure", "timing", of="within_hours"),
    FigureText(
        "conditions_figure",
        "incidence",
        "Share of cells that had met the event; lost cells count as long as they were watched. The numbers below count "
        "those still watched.",
        "What would happen without the other event: a cell that divides can no longer die here.",
    ),
    FigureText("dose_response_figure", "incidence"),
    FigureText(
        "dose_incidence_figure",
        "incidence",
        "Bars are observed, with intervals; dots are mean forecasts, made at the first landmark of the same cells.",
        "Whether the right cells were named.",
    ),
    FigureText(
        "reporter_series_figure",
        "explanations",
        "Measured on the cells, without a model: median and quartiles, where at least five cells are.",
    ),
    FigureText(
        "feature_association_figure",
        "explanations",
        "How well each feature alone tells the outcomes apart in each hour, without a model; .5 is chance. Click the "
        "legend for a dose.",
        "Whether the model uses it; with many features and hours some bands leave .5 by chance.",
    ),
    *_of("classifier", _EXPLANATIONS),
    FigureText(
        "effect_sizes_figure",
        "explanations",
        "Right of 0 a feature is larger in the frames of most attention. Filled is what masks of other cells do not "
        "give; all panels are corrected together. Hover for the numbers.",
        "Cause: features that change with time differ from late frames whatever the model does.",
        of="classifier",
    ),
    *_of("clock", _EXPLANATIONS),
    FigureText(
        "preflight_tracks_figure",
        "preflight",
        "Dots are cells in the colour of their fate, and should lie on cells of the image; a mouse on one shows its "
        "number. Dots beside the cells: swapped axes, another unit, or tracks of another recording.",
    ),
    FigureText(
        "preflight_figure",
        "preflight",
        "Above, findings by check and recording. Below, of images: focus and spread as shares of the recording's "
        "median; far below 1, a frame is blurred or dark beside the others.",
    ),
    FigureText("classifier_history_figure", "training", of="classifier"),
    FigureText("clock_history_figure", "training", of="clock"),
)
"""Every figure of the report but those of `OPENINGS`, in the order of the page."""
