"""The report put together from tables and figures."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.words import READINGS, capitalise, list_words, name_question
from cellfate.metrics.settings import ScoreSettings
from cellfate.plots.theme import is_empty
from cellfate.prediction.settings import AlarmSettings
from cellfate.report import belief, contents, headline, leaks, tables
from cellfate.report.added_value import tabulate_added_value, write_added_value
from cellfate.report.alarms import tabulate_alarms, write_alarms
from cellfate.report.blending import tabulate_weights
from cellfate.report.checklist import CHECKLIST_LINKS
from cellfate.report.conditions import CONDITION_TABLES, tell_conditions
from cellfate.report.labels import tell_labels
from cellfate.report.losses import tabulate_losses, tabulate_sensitivity
from cellfate.report.page import ReportFigure, ReportPage, ReportPart, ReportSection, ReportTable, render_page
from cellfate.report.prediction_sets import tell_sets
from cellfate.report.provenance import list_versions
from cellfate.report.published import tabulate_reproduction
from cellfate.report.seeds import tabulate_seeds, write_seeds, write_trained
from cellfate.report.settings import ReportSettings
from cellfate.report.temperatures import tabulate_temperatures
from cellfate.report.texts import FigureText
from cellfate.report.training import write_training
from cellfate.report.transfer import describe_test, tabulate_transfer, write_transfer

Place = tuple[str, str]
"""Anchor of a section, and the question or reading that a part of it is of (`FigureText.of`)."""
Tables = Mapping[str, pd.DataFrame]
_ANSWERED_BY: Final = {"which_fate": "classifier", "within_hours": "clock"}
"""Reading whose training matters most to each question."""
_OWNERS: Final = ("", "which_fate", "within_hours", *READINGS)


def assemble_report(
    artefacts: Mapping[str, pd.DataFrame | go.Figure],
    models: Mapping[str, Mapping[str, Any]],
    parameters: Mapping[str, Any],
    settings: ReportSettings,
    scores: ScoreSettings,
    follow_up: FollowUpSettings,
    alarm: AlarmSettings,
) -> str:
    """Put the report together.

    Parameters
    ----------
    artefacts
        Tables and figures by catalog name: all of `contents.TABLES`, and figures of `contents.FIGURES` and
        `contents.OPENINGS`; a figure that is not given, or has nothing to show, is left out.
    models
        The `config.json` of each model folder, by reading.
    parameters
        Parameters of the study, as nested mappings or settings.
    settings
        How the page is made.
    scores
        How the scores were made; their confidence is written once.
    follow_up
        Guard, horizons, and the events that are shown.
    alarm
        When an alarm is raised.

    Returns
    -------
    str
        One HTML document that needs no other file and no network. It holds no date: the same inputs give the same page.

    Raises
    ------
    InputError
        If a table is missing.
    """
    found = {name: item for name, item in artefacts.items() if isinstance(item, pd.DataFrame)}
    missing = [name for name in contents.TABLES if name not in found]
    if missing:
        raise InputError(f"The report lacks the table {missing[0]!r}; run the pipelines that come before `reporting`.")
    figures = {name: item for name, item in artefacts.items() if isinstance(item, go.Figure) and not is_empty(item)}
    trained = {reading: _say_training(reading, found, models) for reading in READINGS}
    caveats = {question: trained[reading] for question, reading in _ANSWERED_BY.items()}
    at_chance = {reading: _is_at_chance(found, reading) for reading in READINGS}
    parts = {
        **_say_scores(found, follow_up, models),
        ("alarms", "within_hours"): _say_alarms(found["alarm_summary"], follow_up, alarm),
        **_say_explanations(found, at_chance),
        **_say_study(found, settings),
        **{("training", reading): ReportPart(sentences=said) for reading, said in trained.items()},
        ("trust", "within_hours"): _say_transfer(found, follow_up.headline_h),
        ("added", "within_hours"): _say_added(found, models.get("clock", {})),
        ("incidence", ""): tell_conditions(*(found[name] for name in CONDITION_TABLES)),
        ("published", ""): tabulate_reproduction(found["reproduction"]),
        ("settings", ""): ReportPart(tables=_tabulate_settings(models, parameters)),
    }
    cells = (found["follow_ups"], found["landmarks"], found["splits"])
    counted = headline.write_counted(*cells, name_unit(found["follow_ups"]), scores.confidence)
    page = ReportPage(
        title=settings.title,
        primary=headline.write_primary(found["metrics"], found["comparisons"]),
        answers=headline.write_answers(
            found["questions"], found["metrics"], found["comparisons"], follow_up, caveats, _shows_images(found)
        ),
        counted=f"{counted} {write_trained(found['seed_scores'])}",
        opening=_choose_opening(figures, at_chance),
        sections=build_sections(parts, figures, follow_up.headline_h, _shows_images(found)),
        links=CHECKLIST_LINKS,
    )
    return render_page(page)


def _shows_images(found: Tables) -> bool:
    return bool(found["recordings"]["height_px"].gt(0).any())


def name_unit(cells: pd.DataFrame) -> str:
    """Name what a group of cells is: "recording" or "lineage" where every group is one, else "group"."""
    if (cells["group_id"] == cells["recording_id"]).all():
        return "recording"
    owners = cells["group_id"].astype(str).str.rsplit(":", n=1).str[0]
    return "lineage" if (owners == cells["recording_id"]).all() else "group"


def build_sections(
    parts: Mapping[Place, ReportPart], figures: Mapping[str, go.Figure], headline_h: float, images: bool = True
) -> tuple[ReportSection, ...]:
    """Put sentences, tables and figures under their sections; what has nothing to show is left out.

    Parameters
    ----------
    parts
        Sentences and tables by section and owner.
    figures
        Figures by catalog name.
    headline_h
        Hours of the headline, for the heads of parts.
    images
        Whether cells have images; else figures that show some are told otherwise.

    Returns
    -------
    tuple of ReportSection
        In the order of `contents.SECTIONS`. A sentence beside a figure is written at the first figure it is true of.
    """
    written: set[str] = set()
    sections = []
    for section in contents.SECTIONS:
        made = []
        for owner in _OWNERS:
            part = parts.get((section.anchor, owner), ReportPart())
            texts = [text for text in contents.FIGURES if (text.section, text.of) == (section.anchor, owner)]
            drawn = tuple(_caption(text, figures, written, images) for text in texts if text.name in figures)
            if part.sentences or part.tables or drawn:
                made.append(ReportPart(_head(owner, headline_h), part.sentences, part.tables, drawn, section.folded))
        sections += [ReportSection(section.anchor, section.title, section.reads, tuple(made))] if made else []
    return tuple(sections)


def _caption(text: FigureText, figures: Mapping[str, go.Figure], written: set[str], images: bool) -> ReportFigure:
    """Give a figure the sentences that were not written before, and remember them."""
    reads = text.reads if images or not text.of_tables else text.of_tables
    fresh = [sentence if sentence not in written else "" for sentence in (reads, text.not_shown)]
    written.update(fresh)
    return ReportFigure(text.name, figures[text.name], *fresh)


def _head(owner: str, headline_h: float) -> str:
    questions = {"which_fate": None, "within_hours": headline_h}
    return capitalise(name_question(questions[owner])) if owner in questions else READINGS.get(owner, "")


def _choose_opening(figures: Mapping[str, go.Figure], at_chance: Mapping[str, bool]) -> ReportFigure | None:
    """Choose the first opening figure there is, that of a model at chance last; say what such a picture is worth."""
    there = [name for name in contents.OPENINGS if name in figures]
    ordered = sorted(there, key=lambda name: at_chance[name.split("_")[0]])
    if not ordered:
        return None
    reading = ordered[0].split("_")[0]
    titles = [str(axis.title.text).split("<br>")[0] for axis in figures[ordered[0]].select_yaxes()]
    under = [words for title, words in contents.OPENING_READS.items() if title in titles]
    panels = f"; under them {list_words(under)}" if under else ""
    reads = f"{READINGS[reading]}. Frames up to the landmark{panels}."
    limit = belief.NOTHING_TO_EXPLAIN if at_chance[reading] else contents.OPENING_NOT_SHOWN
    return ReportFigure(ordered[0], figures[ordered[0]], reads, limit)


def _is_at_chance(found: Tables, reading: str) -> bool:
    shapley = found[f"{reading}_shapley"]
    if shapley.empty:
        return False
    return belief.is_at_chance(found["metrics"], belief.EXPLAINED[reading], str(shapley["explained_outcome"].iloc[0]))


def _say_training(reading: str, found: Tables, models: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    settings = models.get(reading, {}).get("training", {})
    return write_training(reading, found[f"{reading}_history"], found["splits"], settings)


def _say_scores(
    found: Tables, follow_up: FollowUpSettings, models: Mapping[str, Mapping[str, Any]]
) -> dict[Place, ReportPart]:
    """Scores in numbers of each question, what is blended, the temperatures, and the calls of cells."""
    weights = tabulate_weights(models.get("clock", {}).get("blend_weights", {}))
    metrics, comparisons, seeds = found["metrics"], found["comparisons"], found["seed_scores"]
    parts = {("scores", ""): ReportPart(sentences=write_seeds(seeds))}
    lost = (tabulate_losses(found["losses"]), tabulate_sensitivity(found["loss_sensitivity"]))
    for owner, within_h in (("which_fate", None), ("within_hours", follow_up.headline_h)):
        beside, scored = (
            tables.tabulate_beside(metrics, comparisons, within_h, _shows_images(found)),
            tables.tabulate_scores(metrics, within_h),
        )
        made = (beside, scored, tabulate_seeds(seeds, within_h), *(() if within_h is None else (weights, *lost)))
        parts["scores", owner] = ReportPart(tables=tuple(table for table in made if table is not None))
        tempered = None if within_h else tabulate_temperatures(models.get("classifier", {}).get("members", ()))
        calibrated = (tables.tabulate_calibration(metrics, within_h), tempered)
        sets = tell_sets(found["prediction_sets"], found["splits"], name_unit(found["follow_ups"]), within_h)
        listed = (*(table for table in calibrated if table is not None), *sets.tables)
        parts["calibration", owner] = ReportPart(sentences=sets.sentences, tables=listed)
    calls = tables.tabulate_commitments(found["commitment_summary"], follow_up.events)
    parts["timing", "within_hours"] = ReportPart(tables=() if calls is None else (calls,))
    return parts


def _say_alarms(summary: pd.DataFrame, follow_up: FollowUpSettings, alarm: AlarmSettings) -> ReportPart:
    listed = tabulate_alarms(summary)
    return ReportPart(sentences=write_alarms(summary, follow_up, alarm), tables=() if listed is None else (listed,))


def _say_transfer(found: Tables, headline_h: float) -> ReportPart:
    """Say whether forecasts can be taken at their word on cells like those that tested."""
    to = describe_test(found["splits"], found["follow_ups"], found["leakage"])
    table = tabulate_transfer(found["transfer"], headline_h)
    sentences = write_transfer(found["transfer"], to, headline_h)
    return ReportPart(sentences=sentences, tables=() if table is None else (table,))


def _say_added(found: Tables, clock: Mapping[str, Any]) -> ReportPart:
    """Say what the images add."""
    table = tabulate_added_value(found["added_value"])
    sentences = write_added_value(found["added_value"], clock)
    return ReportPart(sentences=sentences, tables=() if table is None else (table,))


def _say_explanations(found: Tables, at_chance: Mapping[str, bool]) -> dict[Place, ReportPart]:
    """Say what each reading rests on, and which explanation of it to believe: the verdicts of both in one table."""
    parts, judged = {}, {}
    for reading in READINGS:
        shapley, trees, scored, explained = (found[f"{reading}_{name}"] for name in contents.EXPLANATION_TABLES)
        said: tuple[str, ...] = (belief.NOTHING_TO_EXPLAIN,) if at_chance[reading] else ()
        if len(shapley):
            said = (belief.write_explained(shapley, explained), *said)
        parts["explanations", reading] = ReportPart(
            sentences=said, tables=belief.tabulate_rests_on(shapley, trees, explained)
        )
        tabulated: tuple[ReportTable, ...] = ()
        if scored["value"].notna().any():
            judged[reading] = scored
            tabulated = (belief.tabulate_reasons(scored), belief.tabulate_attribution_scores(scored))
        if reading == "classifier" and len(found["background_swap"]):
            tabulated += (belief.tabulate_background_swap(found["background_swap"]),)
        parts["belief", reading] = ReportPart(tables=tabulated)
    if judged:
        said = tuple(
            f"{READINGS[reading]}: {belief.write_belief(scored, at_chance[reading])}"
            for reading, scored in judged.items()
        )
        verdicts = belief.tabulate_verdicts({READINGS[reading]: scored for reading, scored in judged.items()})
        parts["belief", ""] = ReportPart(sentences=said, tables=(verdicts,))
    return parts


def _say_study(found: Tables, settings: ReportSettings) -> dict[Place, ReportPart]:
    """Say what went in and how it was parted."""
    left_out = [found[f"{name}_set_aside"] for name in ("recordings", "tracks", "cells")]
    findings, longest = found["preflight_findings"], settings.longest_table
    asked = found["cells"], found["splits"], found["label_findings"], found["label_agreement"]
    labelled = tell_labels(*asked, longest)
    return {
        ("data", ""): ReportPart(
            sentences=labelled.sentences,
            tables=(
                tables.tabulate_recordings(found["recordings"], found["frame_files"], found["cells"]),
                tables.tabulate_fates(found["cells"], found["recordings"], found["follow_ups"], found["landmarks"]),
                tables.tabulate_left_out(left_out, longest),
                *labelled.tables,
            ),
        ),
        ("preflight", ""): ReportPart(
            sentences=(tables.write_preflight(findings, found["preflight_summary"]),),
            tables=(tables.tabulate_findings(findings), tables.list_findings(findings, longest)),
        ),
        ("split", ""): _say_split(found),
    }


def _say_split(found: Tables) -> ReportPart:
    """Say how cells were parted, what stands on both sides, and whether sisters end alike."""
    leakage, sisters = found["leakage"], found["sister_concordance"]
    parts = tables.tabulate_parts(found["follow_ups"], found["landmarks"], found["splits"])
    listed = (parts, leaks.tabulate_leakage(leakage), leaks.tabulate_sisters(sisters))
    return ReportPart(
        sentences=(leaks.write_leakage(leakage), leaks.write_sisters(sisters, leakage)),
        tables=tuple(table for table in listed if table is not None),
    )


def _tabulate_settings(
    models: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, Any]
) -> tuple[ReportTable, ...]:
    """List parameters, the settings of the model folders and versions, folded away."""
    folders = (
        tables.tabulate_mapping(config, f"{READINGS.get(reading, reading)}: the model folder", ("Setting", "Value"))
        for reading, config in models.items()
    )
    flat = tables.flatten(parameters)
    read = {name: flat[name] for name in sorted(flat)}  # their order in the configuration differs from run to run
    caption = "Every parameter of the study, seeds included"
    return (
        tables.tabulate_mapping(read, caption, ("Parameter", "Value")),
        *folders,
        tables.tabulate_mapping(list_versions(), "Versions", ("Package", "Version")),
    )
