"""Nodes of the `reporting` pipeline."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.metrics.settings import ScoreSettings
from cellfate.plots.filmstrip import draw_film_strips as draw_strips
from cellfate.prediction import TrainedModel
from cellfate.report import ReportSettings, build_film_strips, choose_examples
from cellfate.report import assemble_report as assemble
from cellfate.sequences.store import CropStore


def draw_film_strips(
    crops: CropStore,
    samples: pd.DataFrame,
    predictions: pd.DataFrame,
    attention: pd.DataFrame,
    settings: ReportSettings,
) -> go.Figure:
    """Choose example cells by rule and draw their frames with the attention under them."""
    examples = choose_examples(predictions, samples, attention)
    strips = build_film_strips(crops, examples, attention, settings)
    return draw_strips(strips, settings.brightness_percentiles)


def assemble_report(
    model: TrainedModel, parameters: dict[str, Any], settings: ReportSettings, scores: ScoreSettings, **artefacts: Any
) -> str:
    """Assemble the page from the tables and figures of the run, given by catalog name."""
    return assemble(artefacts, model.config.model_dump(mode="json"), parameters, settings, scores)
