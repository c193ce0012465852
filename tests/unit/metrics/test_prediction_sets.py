"""Prediction sets of tested groups and of new cells: thresholds by hand, sentences where they are refused."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.tables import PredictionSets, SetThresholds
from cellfate.metrics.prediction_sets import calibrate_sets, score_sets
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.prediction_sets import add_sets
from cellfate.prediction.settings import PredictionSetSettings
from tests.unit.metrics.tables import FIVE_H, FOLLOW_UP, forecast, simulate_hazards, watched

FEW = ScoreSettings(n_resamples=100)
SETS = PredictionSetSettings()
N = 10


def ten_groups(doses=None):
    """Ten groups of one landmark each; in group g apoptosis, which came, was forecast at .9 - g / 20."""
    landmarks = watched([1] * N, ["apoptosis"] * (N - 1) + ["mitosis"], groups=np.arange(N), doses=doses)
    p = np.stack([0.9 - np.arange(N) / 20, np.full(N, 0.05)], axis=1)[:, None]
    return forecast(landmarks, p, FIVE_H, predictor="blend"), landmarks


def test_each_tested_group_has_the_threshold_of_the_others_and_new_cells_that_of_all():
    table = SetThresholds.validate(calibrate_sets(*ten_groups(), FIVE_H, SETS))
    found = table.set_index("group_id")["threshold"]
    # Nine others: the largest score is the threshold. 1 - .05 of the one that divided; without it 1 - (.9 - 8 / 20).
    assert found.drop(found.index[-1]).tolist()[:-1] == pytest.approx([0.95] * (N - 1))
    assert found.iloc[N - 1] == pytest.approx(0.5)
    # Of all ten, the tenth largest of eleven: .95 again.
    assert table[table["group_id"].isna()]["threshold"].tolist() == pytest.approx([0.95])
    assert table["n_groups"].tolist() == [N - 1] * N + [N]
    assert table["reason"].isna().all()


def test_it_is_counted_how_often_sets_hold_what_came_by_dose_and_outcome():
    given = ten_groups(doses=["High"] * 5 + ["Low"] * 5)
    thresholds = calibrate_sets(*given, FIVE_H, SETS)
    table = PredictionSets.validate(score_sets(*given, FIVE_H, thresholds, FEW))
    found = table.set_index(["condition", "outcome"])
    assert found.loc[("all", "all"), "share_held"] == pytest.approx(0.9)  # not the one that divided
    assert found.loc[("all", "mitosis"), "share_held"] == 0
    assert found.loc[("Low", "all"), ["share_held", "n_groups"]].tolist() == [pytest.approx(0.8), 5]
    assert found.loc[("High", "mitosis"), "reason"] == "no landmark with mitosis here"
    # At .95 everything of probability .05 or more is in: mitosis always, none from .05 on.
    assert found.loc[("High", "all"), "mean_size"] == pytest.approx(np.mean([3, 3, 3, 3, 3]))


def test_with_too_few_groups_there_is_no_set_and_the_reason_is_told(caplog):
    landmarks = watched([1] * 9, ["apoptosis"] * 9, groups=np.arange(9))
    given = forecast(landmarks, np.full((9, 1, 2), 0.3), FIVE_H, predictor="blend"), landmarks
    thresholds = calibrate_sets(*given, FIVE_H, SETS)
    assert "no prediction sets of tested cells: 8 groups with a known answer" in caplog.text
    assert "of new cells" not in caplog.text  # all nine calibrate theirs
    assert "takes 9" in caplog.text
    assert thresholds["threshold"].notna().tolist() == [False] * 9 + [True]
    table = score_sets(*given, FIVE_H, thresholds, FEW)
    assert table["share_held"].isna().all()
    assert table["reason"].str.contains("takes 9").all()


def test_groups_without_a_known_landmark_calibrate_nothing():
    landmarks = watched([1] * 12, ["apoptosis"] * 9 + ["censored"] * 3, groups=np.arange(12))
    given = forecast(landmarks, np.full((12, 1, 2), 0.3), FIVE_H, predictor="blend"), landmarks
    table = calibrate_sets(*given, FIVE_H, SETS)
    assert sorted(table["n_groups"]) == [8] * 9 + [9] * 4
    assert (table["threshold"].notna() == (table["n_groups"] == 9)).all()


def test_other_predictors_have_no_sets_and_without_forecasts_tables_are_empty():
    forecasts, landmarks = ten_groups()
    table = calibrate_sets(forecasts.assign(predictor="dose"), landmarks, FIVE_H, SETS)
    assert SetThresholds.validate(table).empty
    assert PredictionSets.validate(score_sets(forecasts.iloc[:0], landmarks, FIVE_H, table, FEW)).empty


def test_forecasts_of_new_groups_get_the_threshold_of_all_and_tested_ones_their_own():
    thresholds = pd.DataFrame(
        [("blend", 5.0, "a", 0.3), ("blend", 5.0, None, 0.6), ("blend", np.nan, None, np.nan)],
        columns=["predictor", "within_h", "group_id", "threshold"],
    )
    forecasts = pd.DataFrame(
        [("blend", "r", 1, 5.0), ("blend", "s", 1, 5.0), ("blend", "s", 1, np.nan), ("classifier", "s", 1, np.nan)],
        columns=["predictor", "recording_id", "cell_id", "within_h"],
        index=[4, 7, 1, 0],
    ).assign(p_apoptosis=0.5, p_mitosis=0.4, p_none=[0.1, 0.1, 0.0, 0.0])
    groups = pd.DataFrame({"recording_id": ["r", "s"], "cell_id": 1, "group_id": ["a", "b"]})
    told = add_sets(forecasts, groups, thresholds)
    assert told["prediction_set"].tolist()[:2] == ["apoptosis", "apoptosis or mitosis"]
    assert told["undecided"].tolist()[:2] == [False, True]
    assert told[["prediction_set", "undecided"]].iloc[2:].isna().all(axis=None)
    assert told.index.tolist() == [4, 7, 1, 0]


def test_a_new_group_with_the_name_of_a_tested_one_has_the_threshold_of_new_cells_where_these_alone_are_given():
    thresholds = pd.DataFrame(
        {"predictor": "blend", "within_h": 5.0, "group_id": ["a", None], "threshold": [np.nan, 0.6]}
    )
    forecasts = pd.DataFrame({"predictor": ["blend"], "recording_id": "a", "cell_id": 1, "within_h": 5.0})
    forecasts = forecasts.assign(p_apoptosis=0.5, p_mitosis=0.4, p_none=0.1)
    groups = pd.DataFrame({"recording_id": ["a"], "cell_id": 1, "group_id": "a"})
    of_new = thresholds[thresholds["group_id"].isna()]
    assert add_sets(forecasts, groups, thresholds)["prediction_set"].isna().all()
    assert add_sets(forecasts, groups, of_new)["prediction_set"].tolist() == ["apoptosis or mitosis"]


def test_which_fate_never_leaves_none_open():
    thresholds = pd.DataFrame({"predictor": ["blend"], "within_h": [np.nan], "group_id": [None], "threshold": [1.0]})
    forecasts = pd.DataFrame({"predictor": ["blend"], "recording_id": "r", "cell_id": 1, "within_h": np.nan})
    told = forecasts.assign(p_apoptosis=0.9, p_mitosis=0.1, p_none=0.0)
    groups = pd.DataFrame({"recording_id": ["r"], "cell_id": 1, "group_id": "a"})
    assert add_sets(told, groups, thresholds)["prediction_set"].tolist() == ["apoptosis or mitosis"]


def test_sets_hold_the_truth_at_the_level_where_forecasts_are_wrong_and_cells_are_lost():
    shares = []
    for seed in range(40):
        landmarks, incidence = simulate_hazards(n=400, n_groups=20, seed=seed, knows=0.3)
        given = forecast(landmarks, incidence, FOLLOW_UP, predictor="blend"), landmarks
        table = score_sets(*given, FOLLOW_UP, calibrate_sets(*given, FOLLOW_UP, SETS), FEW)
        shares.append(table[(table["condition"] == "all") & (table["outcome"] == "all")]["share_held"].iloc[0])
    assert np.mean(shares) >= 0.9 - 2 * np.std(shares) / np.sqrt(40)
    assert np.mean(shares) < 0.97
