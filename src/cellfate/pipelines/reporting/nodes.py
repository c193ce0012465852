"""Nodes of the `reporting` pipeline."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.attribution import ExplanationSettings
from cellfate.attribution.gradients import attribute_pixels
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.cohort.settings import FollowUpSettings
from cellfate.crops.store import CropStore
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.records import TrainedModel
from cellfate.prediction.settings import AlarmSettings
from cellfate.prediction.shown_frames import show_cells
from cellfate.report import ReportSettings, StripTables, choose_examples
from cellfate.report import assemble_report as assemble
from cellfate.report import draw_examples as draw
from cellfate.report.checklist import fill_checklist as fill
from cellfate.report.checklist import write_checklist_page
from cellfate.report.checklist_answers import Run
from cellfate.report.reproduction import StudyTables, reproduce


def draw_examples(
    explained_landmarks: pd.DataFrame,
    forecasts: pd.DataFrame,
    attention: pd.DataFrame,
    shapley: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_ups: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    follow_up: FollowUpSettings,
    settings: ReportSettings,
    crops: CropStore | None = None,
) -> tuple[go.Figure, go.Figure]:
    """Choose example cells of one reading by rule; draw them, and large the one that opens the report.

    Without images, crops None, what was measured is drawn alone. Pixels are attributed where the network reads some.
    """
    within_h = None if model.config.kind == "classifier" else explanation.horizon_h or follow_up.headline_h
    examples = choose_examples(forecasts, explained_landmarks, within_h)
    shown, relevance = show_cells(model, frame_features, follow_ups, crops), {}
    if shown is not None and model.config.architecture.sees_pixels:
        relevance = attribute_pixels(shown, examples, model, explanation)
    frames = shown if crops is None else crops
    assert frames is not None, "a model of cells without images reads columns"
    return draw(frames, examples, StripTables(forecasts, attention, shapley, frame_features, relevance), settings)


def compare_published(
    settings: ReportSettings,
    follow_up: FollowUpSettings,
    statistics: AttentionStatisticsSettings,
    **study: pd.DataFrame,
) -> pd.DataFrame:
    """Hold the published figures against this study."""
    return reproduce(StudyTables(**study), settings.published_tables, follow_up, statistics)


def fill_checklist(
    clock: TrainedModel, parameters: dict[str, Any], classifier: TrainedModel | None = None, **tables: pd.DataFrame
) -> tuple[pd.DataFrame, str]:
    """Answer the items of reporting checklists that the run can answer: the table, and the page."""
    checklist = fill(Run(tables, parameters, _describe(classifier, clock)))
    return checklist, write_checklist_page(checklist)


def gather_chapter(**artefacts: Any) -> dict[str, Any]:
    """Put together what one stage has to show: tables and figures by catalog name."""
    return artefacts


def assemble_report(
    clock: TrainedModel,
    parameters: dict[str, Any],
    settings: ReportSettings,
    scores: ScoreSettings,
    follow_up: FollowUpSettings,
    alarm: AlarmSettings,
    classifier: TrainedModel | None = None,
    **chapters: dict[str, Any],
) -> str:
    """Assemble the page from what the stages have to show."""
    artefacts = {name: item for chapter in chapters.values() for name, item in chapter.items()}
    return assemble(artefacts, _describe(classifier, clock), parameters, settings, scores, follow_up, alarm)


def _describe(*models: TrainedModel | None) -> dict[str, Any]:
    """Give the `config.json` of each model there is, by reading."""
    return {one.config.kind: one.config.model_dump(mode="json") for one in models if one is not None}
