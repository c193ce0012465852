"""The report put together from tables and figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.predictors import MODEL
from cellfate.metrics.settings import ScoreSettings
from cellfate.report import belief, contents, headline, tables
from cellfate.report.page import ReportFigure, ReportPage, ReportSection, ReportTable, render_page
from cellfate.report.provenance import list_versions
from cellfate.report.settings import ReportSettings


def assemble_report(
    artefacts: Mapping[str, pd.DataFrame | go.Figure],
    model: Mapping[str, Any],
    parameters: Mapping[str, Any],
    settings: ReportSettings,
    scores: ScoreSettings,
) -> str:
    """Put the report together.

    Parameters
    ----------
    artefacts
        Tables and figures by catalog name: all of `contents.TABLES` and the figures of `contents.FIGURES`.
    model
        The model folder's `config.json`: outcomes, channels, sample settings, data digest.
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
    """
    found = {name: item for name, item in artefacts.items() if isinstance(item, pd.DataFrame)}
    figures = {name: item for name, item in artefacts.items() if isinstance(item, go.Figure)}
    outcomes = tuple(model["outcomes"])
    metrics, comparisons = found["metrics"], found["comparisons"]
    tables_of = {
        "preflight": (
            tables.tabulate_findings(found["preflight_findings"]),
            tables.list_findings(found["preflight_findings"], settings.longest_table),
        ),
        "data": _tabulate_data(found, settings),
        "split": (tables.tabulate_parts(found["samples"], found["splits"], found["leakage"]),),
        "scores": _tabulate_scores(metrics, outcomes),
        "explanations": belief.tabulate_rests_on(found["shapley"], found["tree_shapley"]),
        "belief": (
            belief.tabulate_attribution_scores(found["attribution_scores"]),
            belief.tabulate_background_swap(found["background_swap"]),
        ),
        "settings": tabulate_settings(model, parameters),
    }
    reads = {
        "preflight": tables.write_preflight(found["preflight_findings"], found["preflight_summary"]),
        "belief": belief.write_belief(found["attribution_scores"], belief.is_at_chance(metrics)),
    }
    page = ReportPage(
        title=settings.title,
        question=headline.ask_question(outcomes, dict(model["samples"])),
        scores=headline.write_scores(metrics, outcomes, scores.confidence, share_positive(found, outcomes)),
        sentences=headline.write_headline(metrics, comparisons, outcomes, name_unit(found["cells"]), scores.confidence),
        beside=headline.tabulate_beside(metrics, comparisons, outcomes, list(metrics["predictor"].unique())),
        sections=build_sections(contents.SECTIONS, contents.FIGURES, tables_of, figures, reads),
    )
    return render_page(page)


def share_positive(found: Mapping[str, pd.DataFrame], outcomes: Sequence[str]) -> float:
    """Compute the share of test samples that have the positive outcome; NaN without test samples."""
    tested = found["splits"].query("part == 'test'")["sample_id"]
    samples = found["samples"]
    outcome = samples.loc[samples["sample_id"].isin(tested), "outcome"].dropna()
    return float((outcome == outcomes[0]).mean()) if len(outcome) else float("nan")


def name_unit(cells: pd.DataFrame) -> str:
    """Name what a group of cells is: "recording" or "lineage" where every group is one, else "group"."""
    if (cells["group_id"] == cells["recording_id"]).all():
        return "recording"
    owners = cells["group_id"].astype(str).str.rsplit(":", n=1).str[0]
    return "lineage" if (owners == cells["recording_id"]).all() else "group"


def build_sections(
    sections: Sequence[contents.SectionText],
    texts: Sequence[contents.FigureText],
    tables_of: Mapping[str, tuple[ReportTable, ...]],
    figures: Mapping[str, go.Figure],
    found_by: Mapping[str, str] | None = None,
) -> tuple[ReportSection, ...]:
    """Put tables and figures under their sections, each figure with its sentences; a figure not given is left out.

    Parameters
    ----------
    sections, texts
        What the page holds, in order.
    tables_of
        Tables by anchor of their section.
    figures
        Figures by catalog name.
    found_by
        What was found, by anchor of its section; it stands after how to read the section.
    """
    found = found_by or {}
    return tuple(
        ReportSection(
            anchor=section.anchor,
            title=section.title,
            reads=f"{section.reads} {found[section.anchor]}" if section.anchor in found else section.reads,
            not_shown=section.not_shown,
            tables=tables_of.get(section.anchor, ()),
            figures=tuple(
                ReportFigure(text.name, figures[text.name], text.reads, text.not_shown)
                for text in texts
                if text.section == section.anchor and text.name in figures
            ),
        )
        for section in sections
    )


def _tabulate_data(found: Mapping[str, pd.DataFrame], settings: ReportSettings) -> tuple[ReportTable, ...]:
    return (
        tables.tabulate_recordings(found["recordings"], found["frame_files"], found["cells"]),
        tables.tabulate_fates(found["cells"], found["recordings"]),
        tables.tabulate_set_aside(found["recordings_set_aside"], found["tracks_set_aside"], settings.longest_table),
        tables.tabulate_excluded(found["samples_excluded"], settings.longest_table),
    )


def _tabulate_scores(metrics: pd.DataFrame, outcomes: Sequence[str]) -> tuple[ReportTable, ...]:
    leading = headline.headline_metrics(outcomes)
    return (
        tables.tabulate_doses(metrics, MODEL, leading),
        tables.tabulate_scores(metrics, MODEL),
    )


def tabulate_settings(model: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[ReportTable, ...]:
    """List parameters, the model folder's settings and versions, folded away."""
    return (
        tables.tabulate_mapping(dict(parameters), "Every parameter, seeds included", ("Parameter", "Value")),
        tables.tabulate_mapping(dict(model), "The model folder's settings", ("Setting", "Value")),
        tables.tabulate_mapping(list_versions(), "Versions", ("Package", "Version")),
    )
