"""Nodes of the `reporting` pipeline."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.attribution import ExplanationSettings
from cellfate.attribution.pixels import attribute_pixels
from cellfate.crops.store import CropStore
from cellfate.metrics.settings import ScoreSettings
from cellfate.plots.filmstrip import draw_film_strips as draw_strips
from cellfate.prediction import TrainedModel
from cellfate.report import ReportSettings, build_film_strips, choose_examples
from cellfate.report import assemble_report as assemble
from cellfate.report.strip_panels import ExplanationTables


def draw_film_strips(
    crops: CropStore,
    samples: pd.DataFrame,
    predictions: pd.DataFrame,
    attention: pd.DataFrame,
    shapley: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    settings: ReportSettings,
) -> go.Figure:
    """Choose example cells by rule and draw their frames, what each pixel speaks for, and explanations under them."""
    examples = choose_examples(predictions, samples, attention)
    relevance = attribute_pixels(crops, examples, model, explanation)
    explained = ExplanationTables(attention, shapley, frame_features, relevance)
    return draw_strips(build_film_strips(crops, examples, explained, settings), settings.brightness_percentiles)


def assemble_report(
    model: TrainedModel, parameters: dict[str, Any], settings: ReportSettings, scores: ScoreSettings, **artefacts: Any
) -> str:
    """Assemble the page from the tables and figures of the run, given by catalog name."""
    return assemble(artefacts, model.config.model_dump(mode="json"), parameters, settings, scores)
