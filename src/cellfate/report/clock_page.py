"""The page of the fate clock put together from tables and figures."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.metrics.settings import ScoreSettings
from cellfate.report import belief, clock_contents, clock_headline, clock_tables, tables
from cellfate.report.assemble import build_sections, name_unit, tabulate_settings
from cellfate.report.page import ReportPage, ReportTable, render_page
from cellfate.report.settings import ReportSettings


def assemble_clock_report(
    artefacts: Mapping[str, pd.DataFrame | go.Figure],
    model: Mapping[str, Any],
    parameters: Mapping[str, Any],
    settings: ReportSettings,
    scores: ScoreSettings,
) -> str:
    """Put the page of the fate clock together.

    Parameters
    ----------
    artefacts
        Tables and figures by catalog name: all of `clock_contents.TABLES`, and figures of `clock_contents.FIGURES`;
        a figure that is not given is left out.
    model
        The model folder's `config.json`; `follow_up` holds the fields of `FollowUpSettings`.
    parameters
        All parameters of the run, as nested mappings.
    settings
        How the page is made.
    scores
        How the scores were made; their confidence is written beside every interval.

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
    figures = {name: item for name, item in artefacts.items() if isinstance(item, go.Figure)}
    missing = [name for name in clock_contents.TABLES if name not in found]
    if missing:
        raise InputError(
            f"The page of the fate clock lacks the table {missing[0]!r}; run the fate_clock pipeline first."
        )
    follow_up = FollowUpSettings.model_validate(model["follow_up"])
    metrics, comparisons = found["incidence_metrics"], found["incidence_comparisons"]
    unit = name_unit(found["follow_ups"])
    tables_of = _tabulate(found, model, parameters, settings, follow_up)
    page = ReportPage(
        title=settings.title,
        question=clock_headline.ask_question(follow_up),
        scores=clock_headline.write_scores(metrics, follow_up, scores.confidence),
        sentences=clock_headline.write_headline(metrics, comparisons, follow_up, unit, scores.confidence),
        beside=clock_headline.tabulate_beside(metrics, comparisons, follow_up),
        sections=build_sections(clock_contents.SECTIONS, clock_contents.FIGURES, tables_of, figures, _read(found)),
    )
    return render_page(page)


def _tabulate(
    found: Mapping[str, pd.DataFrame],
    model: Mapping[str, Any],
    parameters: Mapping[str, Any],
    settings: ReportSettings,
    follow_up: FollowUpSettings,
) -> dict[str, tuple[ReportTable, ...]]:
    """Tables by anchor of their section."""
    follow_ups, metrics = found["follow_ups"], found["incidence_metrics"]
    left_out = "What was not followed, counted by reason"
    return {
        "data": (
            tables.count_fates(follow_ups, "Cells that were followed, by dose and fate (cells)"),
            clock_tables.tabulate_clock_parts(follow_ups, found["clock_splits"], found["landmarks"]),
            tables.tabulate_excluded(found["follow_ups_excluded"], settings.longest_table, left_out),
        ),
        "scores": (
            clock_tables.tabulate_clock_scores(metrics),
            clock_tables.tabulate_clock_doses(metrics, follow_up.headline_h),
        ),
        "commitment": (clock_tables.tabulate_commitments(found["commitment_summary"], follow_up.events),),
        "explanations": belief.tabulate_rests_on(found["clock_shapley"], found["clock_tree_shapley"]),
        "belief": (belief.tabulate_attribution_scores(found["clock_attribution_scores"]),),
        "settings": tabulate_settings(model, parameters),
    }


def _read(found: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Say what was found, by anchor of its section."""
    shapley, scores = found["clock_shapley"], found["clock_attribution_scores"]
    if shapley.empty:
        return {"explanations": "Nothing was explained: no test cell has a landmark with a known answer."}
    explained, n_cells = shapley["explained_outcome"].iloc[0], shapley["sample_id"].nunique()
    return {
        "explanations": f"Here it is {explained}, in {n_cells:,} test cells.",
        "belief": belief.write_belief(scores),
    }
