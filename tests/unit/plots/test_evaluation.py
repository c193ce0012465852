"""Figures of the evaluation hold the numbers of their tables, carry n, and survive tables with little in them."""

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest

from cellfate.metrics import (
    MaskingSettings,
    ScoreSettings,
    compare_predictors,
    count_confusions,
    measure_calibration,
    score_masking,
    score_predictions,
    trace_curves,
)
from cellfate.metrics.masking import list_points
from cellfate.plots.evaluation import plot_comparisons, plot_confusion, plot_dose_scores, plot_scores
from cellfate.plots.evaluation_curves import plot_masking, plot_precision_recall, plot_reliability, plot_roc
from cellfate.plots.words import order_doses
from tests.unit.metrics.tables import make_predictions, simulate

FEW = ScoreSettings(n_resamples=100)
MASKING = MaskingSettings(remove_last_frames=(0, 10), keep_last_frames=(5,))


@pytest.fixture(scope="module")
def tables():
    samples, p = simulate(n=160, n_groups=8)
    validation = samples.assign(sample_id="v" + samples["sample_id"])
    known = pd.concat([samples, validation])
    model = pd.concat([make_predictions(samples, p), make_predictions(validation, p, part="validation")])
    dose = make_predictions(samples, np.where(samples["dose"] == "Low", 0.45, 0.55), predictor="dose")
    forecasts = (model, dose, known)
    masked = pd.concat(
        [
            make_predictions(samples, p)[["sample_id", "fold", "p_apoptosis", "p_mitosis"]].assign(
                experiment=experiment, k_frames=k_frames
            )[samples["n_frames"].to_numpy() > (k_frames if experiment == "remove_last" else 0)]
            for experiment, k_frames in list_points(MASKING)
        ]
    )
    return {
        "metrics": score_predictions(*forecasts, FEW),
        "comparisons": compare_predictors(*forecasts, FEW),
        "confusion": count_confusions(*forecasts),
        "calibration": measure_calibration(*forecasts, FEW),
        "curves": trace_curves(*forecasts),
        "masking": score_masking(masked, known, MASKING, FEW),
    }


def _draw_all(tables):
    return {
        "scores": plot_scores(tables["metrics"]),
        "comparisons": plot_comparisons(tables["comparisons"]),
        "confusion": plot_confusion(tables["confusion"]),
        "doses": plot_dose_scores(tables["metrics"]),
        "roc": plot_roc(tables["curves"], tables["metrics"]),
        "precision": plot_precision_recall(tables["curves"], tables["metrics"]),
        "reliability": plot_reliability(tables["calibration"]),
        "masking": plot_masking(tables["masking"]),
    }


def _axis_titles(figure):
    return [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()) if axis.title.text]


def test_every_figure_names_its_axes_and_carries_n_and_survives_json(tables):
    for name, figure in _draw_all(tables).items():
        assert "n = " in figure.layout.title.text, name
        assert _axis_titles(figure), name
        assert pio.from_json(figure.to_json()).layout.title.text == figure.layout.title.text, name


def test_every_figure_survives_tables_without_rows(tables):
    for name, figure in _draw_all({key: table.iloc[:0] for key, table in tables.items()}).items():
        assert "n = 0" in figure.layout.title.text, name


def test_scores_and_their_intervals_are_those_of_the_table(tables):
    metrics = tables["metrics"]
    row = metrics[
        (metrics["predictor"] == "cellfate") & (metrics["metric"] == "auroc") & (metrics["condition"] == "all")
    ].iloc[0]
    dot = next(t for t in plot_scores(metrics).data if t.xaxis == "x2" and t.y[0] == "Model")
    assert dot.x[0] == row["estimate"]
    assert dot.x[0] + dot.error_x.array[0] == pytest.approx(row["high"])
    assert dot.x[0] - dot.error_x.arrayminus[0] == pytest.approx(row["low"])


def test_the_confusion_matrix_has_a_panel_a_threshold_and_rows_that_add_up(tables):
    heatmaps = plot_confusion(tables["confusion"]).data
    assert len(heatmaps) == 2
    for heatmap in heatmaps:
        np.testing.assert_allclose(np.asarray(heatmap.z).sum(axis=1), 1)


def test_masking_prints_the_samples_of_each_outcome_at_every_point(tables):
    figure = plot_masking(tables["masking"])
    printed = [trace for trace in figure.data if trace.mode == "text"]
    assert len(printed) == 8  # 2 experiments x 2 cohorts x 2 outcomes
    curves = tables["masking"]
    rows = curves[
        (curves["experiment"] == "remove_last")
        & (curves["cohort"] == "shrinking")
        & (curves["metric"] == "recall")
        & (curves["outcome"] == "apoptosis")
    ]
    assert [str(n) for n in rows["n_samples"]] in [list(trace.text) for trace in printed]


def test_the_dotted_line_of_shortened_inputs_is_chance_for_so_many_outcomes(tables):
    curves = tables["masking"]
    of_third = curves[curves["outcome"] == "mitosis"].assign(outcome="none")
    for shown, chance in ((curves, 1 / 2), (pd.concat([curves, of_third]), 1 / 3)):
        assert {line.y0 for line in plot_masking(shown).layout.shapes} == {chance}


def test_the_dotted_lines_by_dose_are_chance_for_so_many_outcomes(tables):
    scores = tables["metrics"]
    of_third = scores[scores["outcome"] == "mitosis"].assign(outcome="none")
    for shown, chance in ((scores, 1 / 2), (pd.concat([scores, of_third]), 1 / 3)):
        assert [line.y0 for line in plot_dose_scores(shown).layout.shapes] == [chance, 1 / 2]


def test_only_the_model_is_drawn_at_first_in_the_reliability_figure(tables):
    shown = {t.name: t.visible for t in plot_reliability(tables["calibration"]).data if t.name}
    assert shown == {"Model, apoptosis": True, "Dose, apoptosis": "legendonly"}


def test_doses_stand_from_low_to_high():
    assert order_doses(["Unknown", "High", "x", "Control", "Low"]) == ["Control", "Low", "High", "Unknown", "x"]
