"""What the report holds, in order: the tables and figures by catalog name, and the sentences beside them."""

from dataclasses import dataclass

TABLES = (
    "preflight_findings",
    "preflight_summary",
    "recordings",
    "frame_files",
    "recordings_set_aside",
    "cells",
    "tracks_set_aside",
    "samples",
    "samples_excluded",
    "splits",
    "leakage",
    "metrics",
    "comparisons",
    "attribution_scores",
    "background_swap",
    "shapley",
    "tree_shapley",
)
"""Tables that the report reads, by catalog name."""


@dataclass(frozen=True)
class SectionText:
    """Head of a section, how to read it, and what it does not show."""

    anchor: str
    title: str
    reads: str
    not_shown: str


@dataclass(frozen=True)
class FigureText:
    """Where a figure stands, how to read it, and what it does not show."""

    name: str
    section: str
    reads: str
    not_shown: str


SECTIONS = (
    SectionText(
        "preflight",
        "Before anything was cut",
        "Every recording was looked at first: its files, its tracks cell by cell, and some of its frames. An error is "
        "something that cannot be used as it is; a warning is used, and a person should look at it.",
        "What lies between the frames that were looked at (preflight.image_frames), and whether a track follows the "
        "right cell: a wrong link to a near neighbour moves no farther than a cell does.",
    ),
    SectionText(
        "data",
        "What went in",
        "These are the recordings and tracks that were used, the fates they end in, and everything that was left out.",
        "Whether the fates were annotated well: a wrong fate here is a wrong answer in every score below.",
    ),
    SectionText(
        "split",
        "How training and test were kept apart",
        "The model learns from the train part; when to stop and the second threshold are chosen on the validation "
        "part; every score on this page is of the test part. In a fair test no cell shares a recording, a lineage "
        "or a sister with training; where there is one recording only, its cells share it by necessity.",
        "Likeness that no table knows of, such as one day or one batch of medium behind all recordings.",
    ),
    SectionText(
        "training",
        "Training",
        "The loss falls on the train part; the weights are taken from the epoch that did best on the validation part.",
        "A score to rely on: the validation part chose the epoch, so its values are a little too good.",
    ),
    SectionText(
        "scores",
        "Scores",
        "Every interval comes from resampling whole groups, because cells of one group are alike.",
        "How much another training or another split would change them: intervals hold for this trained model. Nor how "
        "it does on another microscope, cell line or drug or, where all groups are lineages of one recording, on "
        "another recording.",
    ),
    SectionText(
        "timing",
        "How much of the track is needed",
        "Frames are taken away from the samples of the test part, and the same model is asked again.",
        "What a model trained on shortened tracks would reach.",
    ),
    SectionText(
        "explanations",
        "What the forecast rests on",
        "These figures describe the model, by several methods that can disagree.",
        "Causes of the fate: a model can rest on something that only goes along with it.",
    ),
    SectionText(
        "belief",
        "Which explanation to believe",
        "Every method is put to the test: whether the forecast follows when what it calls important is removed, and "
        "whether it notices another model.",
        "Truth about cells: a faithful explanation says what the model uses, not what kills a cell.",
    ),
    SectionText(
        "examples",
        "Example cells",
        "Chosen by rule, not by hand: for each outcome the surest and the least sure sample, among those the model "
        "got right and among those it got wrong, of all test samples whose attention was read. A gap means that "
        "there is no such sample.",
        "Typical cells: the rule picks the extremes.",
    ),
    SectionText(
        "settings",
        "Settings and versions",
        "All that is needed to make this page again from the same recordings; click a line to open it.",
        "The recordings themselves: the data digest tells whether the crops were the same. The parameters are those "
        "in force when this page was made: a stage that was run before with others, or not at all (the simulation, "
        "with your own recordings), is not told apart.",
    ),
)

FIGURES: tuple[FigureText, ...] = (
    FigureText(
        "preflight_figure",
        "preflight",
        "Above, a column is a recording and a row a check; the darker, the more findings. Below, focus and spread are "
        "shares of the recording's own median, so a frame far below 1 is blurred or dark beside the others.",
        "Whether a recording is sharp or bright enough: it is held against itself and the other recordings only.",
    ),
    FigureText(
        "training_figure",
        "training",
        "Each colour is a fold; the dot marks the epoch whose weights were kept.",
        "How the model does on the test part, which has no say in training.",
    ),
    FigureText(
        "scores_figure",
        "scores",
        "Each dot is a score on the test part, its line the interval; dotted lines are what knowing nothing would "
        "give.",
        "Whether two predictors differ: intervals may overlap while the paired difference excludes zero.",
    ),
    FigureText(
        "comparisons_figure",
        "scores",
        "Each dot is the model's score minus that of a baseline on the same samples; a line that crosses zero means "
        "that the two cannot be told apart here. A lower Brier score is better, so there the model's side is the "
        "left.",
        "Why one predictor is better than another.",
    ),
    FigureText(
        "confusion_figure",
        "scores",
        "Rows are what followed, columns what was called; the shares of a row add up to 1, the diagonal is recall.",
        "How sure the calls were.",
    ),
    FigureText(
        "dose_scores_figure",
        "scores",
        "The same scores among cells of one dose only; within doses is what is left when the dose is known.",
        "Differences between doses where intervals are wide: few groups stand behind each dose.",
    ),
    FigureText(
        "roc_figure",
        "scores",
        "Each line follows one predictor over all thresholds; the further up and left, the better it ranks.",
        "What a rare outcome costs in false alarms; the next figure does.",
    ),
    FigureText(
        "precision_recall_figure",
        "scores",
        "Of all that is called positive, the share that is (precision), against the share of positives found (recall).",
        "Another prevalence: where the outcome is rarer, precision is lower for the same model.",
    ),
    FigureText(
        "reliability_figure",
        "scores",
        "On the diagonal a forecast of .8 comes true in 8 of 10 samples; below it forecasts are too high. Click the "
        "legend to add the baselines.",
        "How well samples are told apart: a forecast that is always the mean lies on the diagonal too.",
    ),
    FigureText(
        "masking_figure",
        "timing",
        "Left, frames are removed from the end; right, only the last frames are kept. Above stand the same samples "
        "at every point; below, short tracks drop out on the way. Watch the recall of both outcomes: balanced "
        "accuracy alone hides a model that calls everything one outcome.",
        "How far ahead the event can be foretold in a cell that is watched now: the end of these tracks was chosen "
        "by knowing when the event came.",
    ),
    FigureText(
        "reporter_series_figure",
        "explanations",
        "What was measured on the cells themselves, without the model: median and quartiles over cells at each hour; "
        "an outcome is not drawn where it has fewer than five cells.",
        "Single cells, and what the model made of this.",
    ),
    FigureText(
        "feature_association_figure",
        "explanations",
        "Without the model: how well each feature alone, in each hour, tells the outcomes apart. .5 is chance; a band "
        "that leaves it says that this hour tells something. Click the legend to add a dose.",
        "Whether the model uses it; and with many features and hours some bands leave .5 by chance.",
    ),
    FigureText(
        "attention_figure",
        "explanations",
        "Share of the pooling attention at each hour, median and quartiles over cells, not rescaled; the dotted "
        "lines are what an even spread would give.",
        "Importance: frames are mixed before the pooling, so attention at an hour can carry what was seen at another.",
    ),
    FigureText(
        "attention_cells_figure",
        "explanations",
        "One row a cell, the longest at the top; dark is where the pooling attention is more than an even spread over "
        "the frames of that cell would give.",
        "Importance, as above; and the rows of a cell are not comparable with its forecast.",
    ),
    FigureText(
        "occlusion_figure",
        "explanations",
        "Log odds that the forecast loses when the pixels of a time window or a channel are blanked; 0 means not "
        "needed.",
        "What several inputs say alike: blank one and the other still says it, so both can look unneeded.",
    ),
    FigureText(
        "shapley_figure",
        "explanations",
        "The log odds of a forecast shared out over windows and channels, so that all parts add up to the whole; "
        "above the mean size, below the mean with its sign.",
        "Mechanism; and few cells are drawn, because this is slow to compute.",
    ),
    FigureText(
        "attribution_scores_figure",
        "belief",
        "Each row is a method, each column a score; blue is good. Hover for intervals and for why a field is empty.",
        "How a method does on other recordings; pipeline known_answer shows it where the answer is planted.",
    ),
    FigureText(
        "faithfulness_figure",
        "belief",
        "Left, a good method makes the forecast fall faster than random orders do; right, it makes it rise faster.",
        "Forecasts of real inputs: a sample with parts blanked is one that no microscope gives.",
    ),
    FigureText(
        "randomised_weights_figure",
        "belief",
        "From left to right more of the network is noise; a line that stays up does not speak of what was learnt.",
        "Whether the values are right: a method can notice every change and still point elsewhere.",
    ),
    FigureText(
        "agreement_figure",
        "belief",
        "1: two methods put the hours (and channels) of a cell into the same order; 0: they have nothing in common.",
        "Which of two methods that disagree is right.",
    ),
    FigureText(
        "effect_sizes_figure",
        "explanations",
        "Right of 0 a feature is larger in the frames of most attention than in the cell's other frames; a filled "
        "dot is more than attention of other cells gives.",
        "Direction of cause; and features that change with time differ from late frames whatever the model does.",
    ),
    FigureText(
        "film_strips",
        "examples",
        "Time runs from left to right and ends at the last frame the model was given. A channel has one brightness "
        "scale in all cells. Rows named `for`: red pixels speak for the explained outcome, blue ones against it "
        "(gradient times input). Under them: attention, its mean dotted; Shapley values of each channel; and how "
        "bright the cell is in each channel, 0 and 1 the usual ends over all cells.",
        "What the model saw in a frame: much attention on a bright frame is no proof that its brightness mattered, and "
        "the colours of pixels are a first-order estimate.",
    ),
)
