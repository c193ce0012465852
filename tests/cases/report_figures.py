"""Every figure of the report, drawn from the tables of a case."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import EVENTS
from cellfate.crops.store import CellSequence
from cellfate.plots import (
    added_value,
    alarms,
    attention,
    attribution_scores,
    attributions,
    cells,
    curves,
    features,
    incidence,
    masking,
    scores,
    transfer,
)
from cellfate.plots.common_values import plot_common_values, plot_own_values
from cellfate.plots.families import plot_families
from cellfate.plots.training import plot_training
from cellfate.report import ReportSettings, StripTables, choose_examples, draw_examples
from tests.cases.score_tables import HEADLINE_H


class AnyStore:
    """Stands in for a crop store: every frame that is asked for but number 4, filled with its number."""

    channels = ("circadian", "p53")

    def read(
        self, recording_id: str, cell_id: int, first_frame: int | None = None, last_frame: int | None = None
    ) -> CellSequence:
        numbers = np.array([n for n in range(first_frame or 0, (last_frame or 0) + 1) if n != 4], dtype=np.int64)
        frames = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 2, 6, 6)).astype(np.uint16)
        zeros, inside = np.zeros(len(numbers), dtype=np.int64), np.ones((len(numbers), 6, 6), dtype=bool)
        return CellSequence(frames, None, inside, numbers, zeros, zeros, recording_id, cell_id, self.channels, 30.0)


def draw_all(tables: Mapping[str, pd.DataFrame]) -> dict[str, go.Figure]:
    """Draw what the tables of a case allow: all figures of `report.contents` but those of the preflight."""
    drawn = {}
    for question, hours in (("which_fate", None), ("within_hours", HEADLINE_H)):
        drawn |= {
            f"{question}_scores_figure": scores.plot_scores(tables["metrics"], hours),
            f"{question}_comparisons_figure": scores.plot_comparisons(tables["comparisons"], hours),
            f"{question}_doses_figure": scores.plot_dose_scores(tables["metrics"], hours),
            f"{question}_curves_figure": curves.plot_operating_curves(tables["operating_curves"], hours),
            f"{question}_calibration_figure": curves.plot_calibration(tables["calibration"], tables["metrics"], hours),
        }
    for reading, hours in (("classifier", None), ("clock", HEADLINE_H)):
        drawn |= _draw_reading(tables, reading, hours)
    return drawn | {
        "confusion_figure": curves.plot_confusion(tables["confusion"]),
        "masking_figure": masking.plot_masking(tables["masking_curves"]),
        "forecast_heatmap_figure": cells.plot_forecast_heatmap(
            tables["forecasts"], tables["follow_ups"], HEADLINE_H, EVENTS
        ),
        "commitments_figure": cells.plot_commitments(tables["commitments"], tables["shuffled_commitments"], EVENTS),
        "families_figure": _draw_families(tables),
        "transfer_figure": transfer.plot_transfer(tables["transfer"], HEADLINE_H),
        "added_value_figure": added_value.plot_added_value(tables["added_value"], HEADLINE_H),
        "alarms_figure": alarms.plot_alarms(
            tables["alarms"], tables["forecasts"], tables["follow_ups"], HEADLINE_H, EVENTS
        ),
        "alarm_curves_figure": alarms.plot_alarm_curves(tables["alarm_summary"], HEADLINE_H),
        "net_benefit_figure": alarms.plot_net_benefit(tables["net_benefit"]),
        "conditions_figure": incidence.plot_conditions(tables["condition_incidence"]),
        "dose_response_figure": incidence.plot_dose_response(tables["dose_response"], tables["condition_summary"]),
        "dose_incidence_figure": incidence.plot_dose_incidence(tables["dose_incidence"]),
        "reporter_series_figure": features.plot_reporter_series(tables["frame_features"], tables["landmarks"]),
    }


def _draw_families(tables: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Take the first three cells of each recording for a mother and her daughters."""
    listed = tables["follow_ups"].assign(number=tables["follow_ups"].groupby("recording_id").cumcount())
    cells = listed[listed["number"] < 3].copy()
    mothers = cells.groupby("recording_id")["cell_id"].transform("first")
    cells["parent_id"] = mothers.where(cells["number"] > 0).astype("Int64")
    intervals = cells.drop_duplicates("recording_id")[["recording_id", "frame_interval_min"]]
    family = cells.drop(columns="frame_interval_min").assign(lineage_id=cells["recording_id"] + ":1")
    return plot_families(tables["forecasts"], family, intervals, HEADLINE_H, EVENTS)


def _draw_reading(tables: Mapping[str, pd.DataFrame], reading: str, hours: float | None) -> dict[str, go.Figure]:
    own = {name.removeprefix(f"{reading}_"): table for name, table in tables.items() if name.startswith(reading)}
    explained = own["explained_landmarks"]
    under = StripTables(tables["forecasts"], own["attention"], own["shapley"], tables["frame_features"])
    examples = choose_examples(tables["forecasts"], explained, hours)
    strips, opening = draw_examples(AnyStore(), examples, under, ReportSettings())  # type: ignore[arg-type]
    figures = {
        "attention": attention.plot_attention(own["attention"], explained),
        "attention_cells": attention.plot_attention_cells(own["attention"], explained),
        "occlusion": attributions.plot_occlusion(own["occlusion"], explained),
        "shapley": attributions.plot_shapley(own["shapley"], explained),
        **{
            name: plot(own["shapley"], own["attributions"], explained)
            for name, plot in (("common_values", plot_common_values), ("own_values", plot_own_values))
        },
        "attribution_scores": attribution_scores.plot_attribution_scores(own["attribution_scores"]),
        "faithfulness": attribution_scores.plot_faithfulness(own["faithfulness_curves"]),
        "agreement": attribution_scores.plot_agreement(own["attribution_agreement"]),
        "randomised_weights": attribution_scores.plot_randomised_weights(own["randomised_weights"]),
        "history": plot_training(own["history"]),
        "examples": strips,
        "opening": opening,
    }
    return {f"{reading}_{name}_figure": figure for name, figure in figures.items()}
