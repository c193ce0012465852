"""Figures of scores hold the numbers of their tables, of either question."""

import re

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.curves import plot_calibration, plot_confusion, plot_operating_curves
from cellfate.plots.masking import plot_masking
from cellfate.plots.scores import find_chance, plot_comparisons, plot_dose_scores, plot_scores
from cellfate.plots.theme import is_empty, write_counts
from tests.cases.report_tables import report_case
from tests.cases.score_tables import HEADLINE_H


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def dots(figure, name, axis):
    return next(t for t in figure.data if t.legendgroup == name and t.mode == "markers" and t.xaxis == axis)


def heads(figure):
    return [note.text for note in figure.layout.annotations]


def one_line(figure):
    return figure.layout.title.text.replace("</span><br><span style='font-size:12px'>", " ")


def test_scores_of_which_fate_have_a_row_a_predictor_and_their_intervals(tables):
    figure = plot_scores(tables["metrics"])
    assert list(figure.layout.yaxis.ticktext) == [
        "Classifier",
        "Blend",
        "Boosting taught the fate",
        "Track length",
        "Dose",
    ]
    found = dots(figure, "", "x2")  # AUROC
    rows = tables["metrics"].query("within_h.isna() and metric == 'auroc' and outcome == 'apoptosis'")
    assert list(found.x) == rows[rows["condition"] == "all"]["estimate"].to_list()
    assert found.x[0] + found.error_x.array[0] == pytest.approx(0.91)
    assert found.x[0] - found.error_x.arrayminus[0] == pytest.approx(0.82)
    assert "12 cells in 30 groups (5 apoptosis, 7 mitosis)" in figure.layout.title.text
    assert not any(trace.showlegend for trace in figure.data)


def test_of_hours_the_headline_is_drawn_first_and_others_on_a_click(tables):
    figure = plot_scores(tables["metrics"], HEADLINE_H)
    shown = {t.legendgroup: t.visible for t in figure.data if t.mode == "markers"}
    assert shown == {"within 2 h": "legendonly", "within 5 h": True, "within 10 h": "legendonly"}
    assert "(150 followed by apoptosis, 300 followed by mitosis)" in one_line(figure)
    assert heads(figure) == ["Apoptosis"] * 3 + ["Mitosis"] * 3
    found = dots(figure, "within 5 h", "x4")
    rows = tables["metrics"].query("within_h == 5 and metric == 'auroc' and outcome == 'mitosis'")
    assert list(found.x) == rows[rows["condition"] == "all"]["estimate"].to_list()


def test_the_dotted_lines_are_one_forecast_for_all(tables):
    figure = plot_scores(tables["metrics"], HEADLINE_H)
    lines = {t.xaxis: t.x[0] for t in figure.data if t.mode == "lines" and t.legendgroup == "within 5 h"}
    # 150 and 300 of 1200 landmarks
    assert lines == {"x": 0.5, "x2": 0.125, "x3": 0.125 * 0.875, "x4": 0.5, "x5": 0.25, "x6": 0.1875}


def test_of_all_outcomes_no_share_is_known(tables):
    rows = tables["metrics"].query("within_h.isna() and metric == 'brier'")
    assert find_chance("brier", rows) is None
    assert find_chance("balanced_accuracy", rows) == 0.5


def test_differences_stand_at_their_reference_and_the_best_without_images_is_filled(tables):
    figure = plot_comparisons(tables["comparisons"], HEADLINE_H)
    assert list(figure.layout.yaxis.ticktext) == ["Network", "Boosting", "Track age and time", "Dose"]
    found = dots(figure, "Blend, within 5 h", "x")
    assert list(np.round(found.y).astype(int)) == [0, 1, 2, 3]
    rows = tables["comparisons"].query("within_h == 5 and metric == 'auroc' and outcome == 'apoptosis'")
    assert list(found.x) == rows["difference"].to_list()
    assert [colour == "white" for colour in found.marker.color] == [True, True, False, True]
    other_hours = tables["comparisons"].assign(n_landmarks=tables["comparisons"]["n_landmarks"] + 700)
    longer = pd.concat([other_hours.query("within_h == 2"), tables["comparisons"].query("within_h == 5")])
    assert write_counts(tables["comparisons"].query("within_h == 5")) in one_line(plot_comparisons(longer, 5.0))
    assert "left of 0: better" in figure.layout.xaxis3.title.text
    assert "right of 0: better" in figure.layout.xaxis.title.text


def test_both_models_are_held_against_the_references_and_each_other(tables):
    figure = plot_comparisons(tables["comparisons"])
    assert [t.name for t in figure.data if t.showlegend is None] == ["Classifier", "Blend"]
    assert len(dots(figure, "Classifier", "x").x) == 4
    classifier_minus_blend = dots(figure, "Classifier", "x").x[0]
    assert classifier_minus_blend == pytest.approx(-dots(figure, "Blend", "x").x[0])


def test_scores_by_dose_are_of_the_leading_predictor(tables):
    figure = plot_dose_scores(tables["metrics"], HEADLINE_H)
    assert figure.layout.title.text.split("<br>")[1].count("Blend")
    assert [tick.split("<br>")[0] for tick in figure.layout.xaxis.ticktext] == ["Control", "Low", "High", "all"]
    fates = plot_dose_scores(tables["metrics"])
    names = ["Balanced accuracy", "Recall of apoptosis", "Recall of mitosis", "AUROC of apoptosis"]
    assert [t.name for t in fates.data] == names
    for drawn in (figure, fates):
        assert len({(t.marker.color, t.marker.symbol) for t in drawn.data}) == len(drawn.data)  # no two look alike
    assert [line.y0 for line in fates.layout.shapes] == [0.5, 0.5]
    of_one = tables["metrics"]["condition"].isin(["all", "within_dose", "High"])
    assert is_empty(plot_dose_scores(tables["metrics"][of_one]))


def test_operating_curves_have_a_row_an_event_and_of_fates_the_first(tables):
    assert len(list(plot_operating_curves(tables["operating_curves"]).select_xaxes())) == 2
    figure = plot_operating_curves(tables["operating_curves"], HEADLINE_H)
    assert len(list(figure.select_xaxes())) == 4
    assert "300 with apoptosis within 5 h against 900 others" in figure.layout.title.text.replace("</span><br>", " ")


def test_calibration_shows_both_models_first_and_what_was_observed(tables):
    shown = {t.name: t.visible for t in plot_calibration(tables["calibration"], tables["metrics"]).data if t.name}
    assert [name for name, visible in shown.items() if visible is True] == ["Classifier", "Blend"]
    figure = plot_calibration(tables["calibration"], tables["metrics"], HEADLINE_H)
    rows = tables["calibration"].query("predictor == 'network' and outcome == 'apoptosis' and within_h == 5")
    assert list(next(t for t in figure.data if t.name == "Network").y) == rows["observed"].to_list()
    assert "n = 1,200 landmarks" in figure.layout.title.text


def test_calibration_says_slope_and_intercept_of_the_leading_predictor(tables):
    metrics = tables["metrics"]
    slopes = metrics[metrics["metric"] == "brier"].assign(metric="calibration_slope", estimate=0.9, low=0.7, high=1.1)
    told = pd.concat([metrics, slopes, slopes.assign(metric="calibration_intercept", estimate=-0.2)])
    words = plot_calibration(tables["calibration"], told, HEADLINE_H).layout.title.text.replace("</span><br>", " ")
    words = " ".join(re.sub("<[^>]*>", " ", words).split())
    said = "calibration slope 0.90 (0.70 to 1.10) and calibration intercept -0.20 (0.70 to 1.10)."
    assert f"Blend. Apoptosis: {said} Mitosis: {said}" in words


def test_the_confusion_matrix_shows_classifier_and_clock_on_the_same_cells(tables):
    figure = plot_confusion(tables["confusion"])
    wanted = ["Classifier, likeliest outcome", "Classifier, tuned threshold", "Blend, likeliest outcome"]
    assert heads(figure) == wanted
    for heatmap in figure.data:
        np.testing.assert_allclose(np.asarray(heatmap.z).sum(axis=1), 1)
    assert "n = 12 cells" in figure.layout.title.text


def test_masking_prints_the_cells_of_each_outcome_and_chance(tables):
    figure = plot_masking(tables["masking_curves"])
    printed = [list(trace.text) for trace in figure.data if trace.mode == "text"]
    assert printed == [["5", "5", "5"], ["7", "7", "7"]] * 2 + [["5", "4", "3"], ["7", "6", "5"]] * 2
    assert {line.y0 for line in figure.layout.shapes} == {0.5}


def test_a_fixed_cohort_without_cells_is_left_out_with_a_sentence(tables):
    curves, is_fixed = tables["masking_curves"], tables["masking_curves"]["cohort"] == "fixed"
    emptied = curves.assign(n_landmarks=curves["n_landmarks"].mask(is_fixed, 0))
    figure = plot_masking(emptied)
    assert len(heads(figure)) == 2
    assert "same cells" not in " ".join(heads(figure))
    assert "there are no same cells to follow" in one_line(figure)
    assert any(trace.showlegend for trace in figure.data)
    assert is_empty(plot_masking(emptied.assign(n_landmarks=0)))
    assert "no same cells" not in one_line(plot_masking(curves))
