"""The page of the scenarios with a known answer, and the same as lines for a terminal."""

from typing import Final

import pandas as pd

from cellfate.core.attribution_thresholds import FEW_EXPLAINED
from cellfate.core.fates import APOPTOSIS
from cellfate.core.predictors import CLASSIFIER, MEASUREMENTS, ON_OTHER_BACKGROUND, name_predictor
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    FEW_GROUPS,
    READINGS,
    capitalise,
    list_words,
    name_method,
    name_score,
    show_difference,
    show_number,
    show_score,
)
from cellfate.plots.attribution_scores import plot_attribution_scores
from cellfate.report.belief import (
    ABOUT,
    PASSES,
    is_at_chance,
    judge_methods,
    tabulate_attribution_scores,
    tabulate_reasons,
    tabulate_verdicts,
    write_attribution_score,
    write_belief,
)
from cellfate.report.page import ReportFigure, ReportPage, ReportPart, ReportSection, ReportTable, render_page
from cellfate.report.tables import as_report_table

AT_CHANCE: Final = "none: the model is at chance"
PLANTED: Final = {
    "null": "Nothing predicts the fate: a score above chance would be a leak, and no explanation means anything.",
    "p53_early": "The rate at which p53 rises 12 to 8 h before the event decides.",
    "cell_cycle_mid": "The cell-cycle reporter in the four hours after the drug decides, and at no other time.",
    "morphology_late": "Only the shape of the nucleus in the last 2 h that the model sees decides.",
    "two_windows": "In half of the cells p53 decides (6.5 to 2.5 h before), in the others the cell cycle (12 to 8 h).",
    "own_hours": "The cell cycle decides in four hours that differ from cell to cell (13.5 to 1.5 h before).",
    "length_shortcut": "Cells that live longer die, nothing in an image tells: track length is the score to match.",
    "background_shortcut": "Debris beside the cell goes with apoptosis: on other surroundings only chance is left.",
    "sister_coupled": "Sisters share their fate for a reason no image shows: with recordings held out, chance.",
    "real_brightness_dip": "Half of the cells are dimmed in some hours, each in its own; they get apoptosis.",
    "real_texture_window": "In half of the cells the grain is changed in some hours, each in its own; the mean stays.",
    "real_neighbour_visit": "Beside half of the cells another one lies in some hours, each in its own.",
    "real_size": "No pixel is altered: larger cells get apoptosis. Area is to be named; it has no hours of its own.",
    "real_null": "No pixel is altered, outcomes are permuted within blocks of time: nothing should pass.",
}
"""What is planted in each scenario, and what should come of it."""
SHOWN_PLANTED: Final = ("window_auroc", "window_precision", "channel_hit")
"""Scores against what was planted, each a table scenario by method."""


def assemble_known_answer_page(
    planted_scores: pd.DataFrame,
    metrics: pd.DataFrame,
    comparisons: pd.DataFrame,
    background_swap: pd.DataFrame,
    pixels: pd.DataFrame,
) -> str:
    """Put the page together: scenario by scenario what is planted, how the model does, and what each method finds.

    Parameters
    ----------
    planted_scores
        Table `AttributionScores` with a column `scenario`, planted scores included.
    metrics, comparisons, background_swap
        Tables `Metrics`, `Comparisons` and `Metrics` with a column `scenario`.
    pixels
        Table `Recordings` of the study whose pixels the scenarios real_* alter.

    Returns
    -------
    str
        One HTML document that needs no other file and no network.
    """
    scenarios = list(dict.fromkeys(planted_scores["scenario"]))
    planted = (tabulate_planted(planted_scores, score) for score in SHOWN_PLANTED)
    overview = ReportSection(
        "overview",
        "Do explanations find what was planted, and nothing where nothing was?",
        "Every fate here is simulated, or invented by a rule, so that what decides it, and when, is known. Scores of "
        f"planted hours and channels are over cells whose forecast is right. {write_pixels(pixels)}",
        (ReportPart(tables=(tabulate_overview(planted_scores, metrics, background_swap), *planted)),),
    )
    told = (planted_scores, metrics, comparisons)
    sections = [_write_scenario(name, *(table[table["scenario"] == name] for table in told)) for name in scenarios]
    title = "Explanations of recordings whose answer is known"
    return render_page(ReportPage(title, sections=(overview, *sections)))


def write_pixels(pixels: pd.DataFrame) -> str:
    """Say whose pixels the scenarios real_* alter, in one sentence."""
    first, n = pixels.iloc[0], len(pixels)
    named = f"recording {first['recording_id']}" if n == 1 else f"{n} recordings, such as {first['recording_id']},"
    channels = list_words(str(first["channels"]).split("|"))
    return (
        f"The scenarios real_* take their pixels from {named} of the study in pixels_root ({channels}; "
        f"{first['frame_interval_min']:g} min a frame; source '{first['source']}')."
    )


def tabulate_planted(planted_scores: pd.DataFrame, score: str) -> ReportTable:
    """List scenarios by methods: one score against what was planted, with its interval."""
    rows = planted_scores[(planted_scores["score"] == score) & planted_scores["value"].notna()]
    shown = rows.assign(text=[write_attribution_score(row) for row in rows.to_dict("records")])
    wide = shown.pivot_table(index="scenario", columns="method", values="text", aggfunc="first")
    scenarios, methods = (list(dict.fromkeys(rows[name])) for name in ("scenario", "method"))
    table = wide.loc[scenarios, methods].rename(columns=name_method).reset_index().fillna("")
    return as_report_table(table, f"{name_score(score)}: scenario by method, mean over cells [interval]")


def tabulate_overview(
    planted_scores: pd.DataFrame, metrics: pd.DataFrame, background_swap: pd.DataFrame
) -> ReportTable:
    """List a row a scenario: the classifier's balanced accuracy, with other surroundings, and the methods that pass."""
    rows = []
    for name, part in planted_scores.groupby("scenario", sort=False):
        verdicts = judge_methods(part)
        n_groups = int(part["n_groups"].max())
        nothing = f"too few groups ({n_groups}) to tell" if n_groups < FEW_EXPLAINED else "none"
        at_chance = _is_at_chance(metrics[metrics["scenario"] == name])
        passing = {about: map(name_method, verdicts.loc[verdicts[about] == PASSES, "method"]) for about in ABOUT}
        believed = {
            f"pass {words}": AT_CHANCE if at_chance else ", ".join(passing[about]) or nothing
            for about, words in ABOUT.items()
        }
        rows.append(
            {
                "scenario": name,
                "balanced accuracy": _accuracy(metrics[metrics["scenario"] == name], CLASSIFIER),
                "measurements": _accuracy(metrics[metrics["scenario"] == name], MEASUREMENTS),
                "track length alone": _accuracy(metrics[metrics["scenario"] == name], "track_length"),
                "other surroundings": _accuracy(
                    background_swap[background_swap["scenario"] == name], ON_OTHER_BACKGROUND
                ),
                **believed,
            }
        )
    return as_report_table(pd.DataFrame(rows), "Scenarios: balanced accuracy (interval), chance .5")


def _accuracy(metrics: pd.DataFrame, predictor: str) -> str:
    """Write a predictor's balanced accuracy with its interval."""
    rows = metrics[(metrics["predictor"] == predictor) & (metrics["metric"] == "balanced_accuracy")]
    rows = rows[rows["condition"] == EVERYTHING]
    if rows.empty:
        return ""
    return show_score(*rows[["estimate", "low", "high"]].to_numpy(float)[0])


def _write_scenario(
    name: str, planted_scores: pd.DataFrame, metrics: pd.DataFrame, comparisons: pd.DataFrame
) -> ReportSection:
    """One scenario: its table, its figure, and what to think of it."""
    figure = ReportFigure(
        f"scores-{name}", plot_attribution_scores(planted_scores), "Hover for intervals and for why a field is empty."
    )
    part = ReportPart(
        sentences=(write_belief(planted_scores, _is_at_chance(metrics)),),
        tables=(
            tabulate_verdicts({READINGS[CLASSIFIER]: planted_scores}),
            tabulate_reasons(planted_scores),
            tabulate_attribution_scores(planted_scores),
            tabulate_differences(comparisons),
        ),
        figures=(figure,),
    )
    return ReportSection(name, name, PLANTED.get(name, "A scenario of your own."), (part,))


def _is_at_chance(metrics: pd.DataFrame) -> bool:
    return is_at_chance(metrics, CLASSIFIER, APOPTOSIS)


def tabulate_differences(comparisons: pd.DataFrame) -> ReportTable:
    """List the classifier's balanced accuracy minus that of each reference."""
    rows = comparisons[(comparisons["predictor"] == CLASSIFIER) & (comparisons["metric"] == "balanced_accuracy")]
    frame = pd.DataFrame(
        {
            "reference": [name_predictor(name) for name in rows["reference"]],
            "classifier minus it": [
                show_difference(*row) for row in rows[["difference", "low", "high"]].to_numpy(float)
            ],
            "told apart": [
                f"too few groups ({n})" if n < FEW_GROUPS else "yes" if low > 0 or high < 0 else "no"
                for n, low, high in rows[["n_event_groups", "low", "high"]].itertuples(index=False)
            ],
        }
    )
    return as_report_table(frame, "Balanced accuracy, paired differences", folded=True)


def print_known_answer(planted_scores: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Write `print_scenario` of every scenario, as column `scenario` of both tables says."""
    blocks = []
    for name, part in planted_scores.groupby("scenario", sort=False):
        table = print_scenario(part, metrics[metrics["scenario"] == name])
        blocks.append(f"{name}: {PLANTED.get(str(name), '')}\n{table}")
    return "\n\n".join(blocks)


def print_scenario(planted_scores: pd.DataFrame, metrics: pd.DataFrame) -> str:
    """Write the table score by method of one scenario as plain text, with both verdicts where its model has learnt."""
    wide = planted_scores.pivot_table(index="score", columns="method", values="value", sort=False, dropna=False)
    shown = wide.loc[wide.notna().any(axis=1), wide.notna().any()]
    shown = shown.map(lambda value: "-" if pd.isna(value) else show_number(value))
    verdicts = judge_methods(planted_scores).set_index("method")
    for about, words in ABOUT.items():
        shown.loc[capitalise(words)] = "at chance" if _is_at_chance(metrics) else verdicts[about]
    return shown.rename(index=name_score, columns=name_method).rename_axis(index=None, columns=None).to_string()
