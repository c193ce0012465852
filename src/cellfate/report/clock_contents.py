"""What the page of the fate clock holds, in order: tables and figures by catalog name, and the words beside them."""

from cellfate.report.contents import FigureText, SectionText

TABLES = (
    "follow_ups",
    "follow_ups_excluded",
    "landmarks",
    "clock_splits",
    "incidence_metrics",
    "incidence_comparisons",
    "commitment_summary",
    "clock_shapley",
    "clock_tree_shapley",
    "clock_attribution_scores",
)
"""Tables that the page reads, by catalog name."""

SECTIONS = (
    SectionText(
        "data",
        "What went in",
        "Every tracked cell is followed to its end, also when that end was not seen (censored). At every frame that is "
        "shown the clock is asked anew; every few frames the answer is scored (a landmark). The last hours before the "
        "end of any track, the guard, are never shown. Cells that could not be followed are counted with the reason.",
        "Whether the fates were annotated well, and whether cells were lost for a reason that has to do with their "
        "fate: a dying cell that drifts out of view counts as censored, and the scores take its loss as chance.",
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
        "At each landmark of the test part: did the event follow within the horizon, and was it forecast? Landmarks "
        "whose answer was not seen are made up for by those like them that were (inverse-probability-of-censoring "
        "weights). Every interval comes from resampling whole groups, because cells of one group are alike.",
        "How much another training or another split would change them: intervals hold for this trained model. Nor how "
        "it does on another microscope, cell line or drug.",
    ),
    SectionText(
        "calibration",
        "Can the probabilities be taken at their word?",
        "Forecasts are put in bins from low to high; in each, the mean forecast stands against the share of cells that "
        "really met the event by then, with censored cells accounted for (Aalen-Johansen).",
        "Whether a single forecast is right, or whether cells are told apart well: the scores do that.",
    ),
    SectionText(
        "doses",
        "By dose",
        "First what really became of the cells at each dose, without any model; then the killed and the divided "
        "fraction that was forecast, beside the observed one.",
        "What the drug does: doses often stand in different recordings, and few of them, so that a difference can be "
        "one between recordings.",
    ),
    SectionText(
        "commitment",
        "Since when was it clear?",
        "A cell is committed from the first frame after which its call never changes again. The call is the event "
        "whose forecast is over a threshold that was chosen on the validation part.",
        "When the cell itself decided: only when the clock could tell, with this threshold and what these images show.",
    ),
    SectionText(
        "explanations",
        "What the forecast rests on",
        "The log odds of an event within some hours, as the network forecasts them at one landmark of a test cell, are "
        "shared out over the channels and hours it was shown; `mask` is the outline of the cell. The age of the cell, "
        "which the network is told, is kept as it is and gets no share.",
        "The ensemble: its boosting is explained by the table of features alone. And causes of the fate: a model can "
        "rest on something that only goes along with it.",
    ),
    SectionText(
        "belief",
        "Which explanation to believe",
        "Every method is put to the test: whether the forecast follows when what it calls important is removed, and "
        "whether it notices a network of random weights.",
        "Whether it notices a clock that was trained on permuted fates: none was trained. And truth about cells: a "
        "faithful explanation says what the network uses, not what kills a cell.",
    ),
    SectionText(
        "examples",
        "Example cells",
        "Chosen by rule, not by hand, at the last frame shown of each test cell: for each event the surest forecast "
        "among the cells that were called right and among those that were called wrong; of the censored cells the one "
        "surest to meet no event and the one surest to meet one. A gap means that there is no such cell.",
        "Typical cells: the rule picks the extremes.",
    ),
    SectionText(
        "settings",
        "Settings and versions",
        "All that is needed to make this page again from the same recordings; click a line to open it.",
        "The recordings themselves: the data digest tells whether the crops were the same. The parameters are those in "
        "force when this page was made: a stage that was run before with others is not told apart.",
    ),
)

FIGURES: tuple[FigureText, ...] = (
    FigureText(
        "clock_history_figure",
        "training",
        "Each colour is a fold; the dot marks the epoch whose weights were kept. Dotted is the train part, solid the "
        "validation part.",
        "How the clock does on the test part, which has no say in training.",
    ),
    FigureText(
        "incidence_metrics_figure",
        "scores",
        "AUROC: how often a landmark with the event got a higher forecast than one without it. Average precision: the "
        "share of true alarms, over all ways to set the alarm; it suffers when the event is rare. Brier score: mean "
        "squared error of the forecast; lower is better. Dotted is what one and the same forecast for all would give.",
        "Whether two predictors differ: intervals may overlap while the paired difference excludes zero.",
    ),
    FigureText(
        "incidence_comparisons_figure",
        "scores",
        "Each dot is the score of the ensemble or the clock minus that of the reference named on the left, on the same "
        "landmarks; a line that crosses zero means that the two cannot be told apart here. Of the Brier score, less is "
        "better. Click the legend for other horizons.",
        "Why one predictor is better than another; and with many lines, one in twenty excludes zero by chance.",
    ),
    FigureText(
        "incidence_calibration_figure",
        "calibration",
        "On the dotted line a forecast of .3 comes true for 3 cells in 10; below it forecasts are too high. Click the "
        "legend to add the other predictors.",
        "Forecasts at other horizons, and rare high forecasts: the last bin holds all of them together.",
    ),
    FigureText(
        "observed_incidence_figure",
        "doses",
        "The height of a curve is the share of cells that had met the event by then; cells lost on the way count as "
        "long as they were watched. The numbers below say how many still were: where few, a step is few cells.",
        "Anything about the clock: no forecast is in this figure. Nor what would happen if the other event did not "
        "exist: a cell that divides can no longer die here.",
    ),
    FigureText(
        "dose_incidence_figure",
        "doses",
        "A bar is what was observed, its line the interval; a dot is the mean forecast over the same cells, made at "
        "the first landmark of each. A dot no higher and no lower than the line agrees with what was seen.",
        "Whether the right cells were named: a forecast can have the right mean and be wrong about every cell.",
    ),
    FigureText(
        "incidence_heatmap_figure",
        "commitment",
        "One row is one cell, its event at the right edge; the darker, the surer the clock was that the event comes "
        "within the horizon. Where it tells the fate, the cells that met this event turn dark towards the right and "
        "those that met the other stay light. Grey: nothing was forecast.",
        "False alarms in cells that met no event: only cells whose fate was seen can be aligned at it.",
    ),
    FigureText(
        "commitments_figure",
        "commitment",
        "At 3 h before the event the curve shows which share of the cells had been called right by then and for good; "
        "the earlier it rises, the earlier the fate was clear. It does not reach 1, where some are never called "
        "right; their number stands below.",
        "How early one can know in a cell that is watched now: curves count back from an event that is known "
        "afterwards. And calls within the horizon cannot, if they are honest, come much earlier than the horizon.",
    ),
    FigureText(
        "clock_shapley_figure",
        "explanations",
        "Above the mean size of the share of each channel in each time window, below the mean with its sign; all parts "
        "of a cell add up to the difference between its forecast and that from blank frames.",
        "Mechanism; and hours before those that are shown: the network does not look further back.",
    ),
    FigureText(
        "clock_attribution_scores_figure",
        "belief",
        "Each row is a method, each column a score; blue is good. Hover for intervals and for why a field is empty.",
        "How a method does on other recordings; pipeline known_answer shows it for the classifier where the answer is "
        "planted.",
    ),
    FigureText(
        "clock_faithfulness_figure",
        "belief",
        "Left, a good method makes the forecast fall faster than random orders do; right, it makes it rise faster.",
        "Forecasts of real inputs: a cell with parts blanked is one that no microscope gives.",
    ),
    FigureText(
        "clock_strips",
        "examples",
        "Time runs from left to right and ends at the last frame that was shown; the curves are the forecast, made at "
        "each frame, of each event within the horizon and of none. Dotted: the threshold of the called event; the "
        "upright line: the frame from which the call stays. A channel has one brightness scale in all cells.",
        "What in the images moved the forecast.",
    ),
)
