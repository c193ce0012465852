"""Scores of incidence with lost cells: by hand, against scikit-survival and scikit-learn, against the truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sksurv.metrics import brier_score, cumulative_dynamic_auc
from sksurv.util import Surv

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import IncidenceMetrics
from cellfate.metrics import ScoreSettings
from cellfate.metrics.incidence_scoring import score_incidence
from tests.unit.metrics.incidence_tables import FIVE_H, FOLLOW_UP, forecast, list_landmarks, simulate

FEW = ScoreSettings(n_resamples=100)
METRICS = ["auroc", "average_precision", "brier", "calibration_slope", "calibration_error"]
ONE_EVENT = FollowUpSettings(events=("apoptosis",), report_h=(2.0, 5.0, 10.0), headline_h=5.0)


def _score(incidence, landmarks, follow_up=FOLLOW_UP, scores=FEW, references=None):
    return score_incidence(
        incidence, incidence.iloc[:0] if references is None else references, landmarks, follow_up, scores
    )


def _pick(table, metric, outcome="apoptosis", within_h=5.0, condition="all", predictor="clock"):
    keys = {"metric": metric, "outcome": outcome, "within_h": within_h, "condition": condition, "predictor": predictor}
    rows = table[(table[list(keys)] == pd.Series(keys)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_scores_by_hand():
    # Of 5 watchable landmarks one is lost at 2 h, when 4 have had no event: G(2) = 3/4. Known: the death at 1 h weighs
    # 1, the division at 3 h and the two without an event by 5 h (one of them seen at exactly 5 h) weigh 4/3.
    # The sixth is not watchable for 5 h.
    landmarks = list_landmarks(
        [1, 2, 3, 5, 8, 1],
        ["apoptosis", "censored", "mitosis", "censored", "apoptosis", "apoptosis"],
        groups=[0, 0, 0, 1, 1, 1],
        watchable_h=[9, 9, 9, 5, 9, 4],
    )
    p = np.array([[0.5, 0.1], [0.9, 0.1], [0.7, 0.2], [0.5, 0.3], [0.2, 0.2], [0.9, 0.0]])[:, None]
    table = _score(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H)
    # Apoptosis: .5 against .7 (lost), .5 (tied), .2 (won), each weighing the same.
    assert _pick(table, "auroc")["estimate"] == pytest.approx(1.5 / 3)
    # The only positive is called with .7 and one of .5: 1 of 1 + 4/3 + 4/3.
    assert _pick(table, "average_precision")["estimate"] == pytest.approx(1 / (1 + 8 / 3))
    squared = 0.5**2 + 4 / 3 * (0.7**2 + 0.5**2 + 0.2**2)
    assert _pick(table, "brier")["estimate"] == pytest.approx(squared / 5)
    # Mitosis: .2 against .1 (weight 1), .3 and .2 (weight 4/3 each).
    assert _pick(table, "auroc", "mitosis")["estimate"] == pytest.approx((1 + 4 / 3 / 2) / (1 + 8 / 3))
    row = _pick(table, "auroc")
    assert (row["n_samples"], row["n_events"], row["n_groups"], row["n_cells"]) == (4, 1, 2, 4)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_one_event_scores_equal_scikit_survival(seed):
    # Events on whole frames, cells lost a moment after a frame: no cell is lost at the very time of an event.
    landmarks, truth = simulate(seed=seed)
    lost = landmarks["fate"] != "apoptosis"
    landmarks = landmarks.assign(watchable_h=1e6, time_h=landmarks["time_h"] + 1e-3 * lost)
    truth = np.round(truth, 2)  # ties
    _assert_equal_to_scikit_survival(landmarks, truth, landmarks["time_h"])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_cells_lost_at_the_frame_of_an_event_were_seen_to_have_none_by_then(seed):
    # The one difference to scikit-survival: it takes the chance of being watched after the losses of the event's own
    # frame. Losses entered a moment later, the two are equal again, also for a cell last seen at the horizon itself.
    landmarks, truth = simulate(seed=seed)
    landmarks = landmarks.assign(watchable_h=1e6)
    lost = (landmarks["fate"] != "apoptosis").to_numpy()
    assert set(landmarks["time_h"][lost]) & set(landmarks["time_h"][~lost])
    _assert_equal_to_scikit_survival(landmarks, truth, landmarks["time_h"] + 1e-3 * lost)


def _assert_equal_to_scikit_survival(landmarks, truth, their_time):
    table = _score(forecast(landmarks, truth), landmarks, ONE_EVENT, ScoreSettings(n_resamples=100))
    theirs = Surv.from_arrays(landmarks["fate"] == "apoptosis", their_time)
    p_nh = truth[:, :, 0]
    times = np.array(ONE_EVENT.report_h)
    # Its tolerance of ties, 1e-8, is below what probabilities differ by here.
    aurocs = [cumulative_dynamic_auc(theirs, theirs, p_nh[:, h], [t])[0][0] for h, t in enumerate(times)]
    briers = brier_score(theirs, theirs, 1 - p_nh, times)[1]
    for within_h, auroc, brier in zip(times, aurocs, briers, strict=True):
        assert _pick(table, "auroc", within_h=within_h)["estimate"] == pytest.approx(auroc, abs=1e-10)
        assert _pick(table, "brier", within_h=within_h)["estimate"] == pytest.approx(brier, abs=1e-10)


def test_without_censoring_scores_are_the_unweighted_ones():
    landmarks, truth = simulate(censored=False, seed=2)
    table = IncidenceMetrics.validate(_score(forecast(landmarks, truth), landmarks))
    conditions = {"all": np.ones(300, bool), **{d: (landmarks["dose"] == d).to_numpy() for d in ("High", "Low")}}
    assert set(table["condition"]) == set(conditions)
    for condition, kept in conditions.items():
        for h, within_h in enumerate(FOLLOW_UP.report_h):
            for e, event in enumerate(FOLLOW_UP.events):
                happened = ((landmarks["fate"] == event) & (landmarks["time_h"] <= within_h + 1e-6))[kept]
                p = truth[kept, h, e]
                expected = {
                    "auroc": reference.roc_auc_score(happened, p),
                    "average_precision": reference.average_precision_score(happened, p),
                    "brier": reference.brier_score_loss(happened, p),
                }
                for metric, value in expected.items():
                    row = _pick(table, metric, event, within_h, condition)
                    assert row["estimate"] == pytest.approx(value, abs=1e-12)
                    assert (row["n_samples"], row["n_events"]) == (kept.sum(), happened.sum())


def test_weights_recover_the_scores_that_full_watching_would_give():
    landmarks, truth = simulate(n=20_000, seed=3)
    watched = landmarks.assign(time_h=landmarks["true_h"], fate=landmarks["true_fate"], watchable_h=1e6)
    weighted = _score(forecast(landmarks, truth), landmarks)
    full = _score(forecast(watched, truth), watched)
    merged = weighted.merge(full, on=["predictor", "metric", "outcome", "condition", "within_h"])
    # About 2000 events known by 10 h: standard errors of at most .02, of the slope .05.
    far = (merged["estimate_x"] - merged["estimate_y"]).abs()
    assert far[merged["metric"] != "calibration_slope"].max() < 0.04
    assert far.max() < 0.12
    lost = 1 - _pick(weighted, "auroc", within_h=10.0)["n_samples"] / 20_000
    assert lost > 0.4
    slopes = weighted[(weighted["metric"] == "calibration_slope") & (weighted["condition"] == "all")]["estimate"]
    np.testing.assert_allclose(slopes, 1, atol=0.1)


def test_every_predictor_event_horizon_and_dose_has_its_rows_and_an_interval():
    landmarks, truth = simulate()
    rough = np.round(truth, 1)
    table = _score(
        forecast(landmarks, truth), landmarks, references=forecast(landmarks, rough, predictor="handcrafted_and_age")
    )
    IncidenceMetrics.validate(table)
    assert len(table) == 2 * 3 * 3 * 2 * len(METRICS)
    assert table["metric"].unique().tolist() == METRICS
    assert ((table["low"] <= table["estimate"] + 0.2) & (table["low"] < table["high"])).all()
    by_condition = table[table["metric"] == "auroc"].groupby(["predictor", "outcome", "within_h", "condition"])
    low, high, both = (by_condition["n_samples"].first().xs(c, level="condition") for c in ("Low", "High", "all"))
    assert (low + high == both).all()


def test_one_dose_is_not_shown_twice():
    landmarks, truth = simulate(doses=("Control",))
    assert set(_score(forecast(landmarks, truth), landmarks)["condition"]) == {"all"}


def test_undefined_scores_are_nan_with_a_warning():
    landmarks = list_landmarks([1, 2, 8, 9], ["mitosis", "mitosis", "censored", "censored"], [0, 0, 1, 1])
    p = np.array([[0.1, 0.8], [0.1, 0.3], [0.2, 0.5], [0.3, 0.2]])[:, None]
    with pytest.warns(UserWarning, match=r"undefined and stay NaN: auroc of apoptosis within 5 h \(clock, all\)"):
        table = _score(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H)
    for metric in ("auroc", "average_precision", "calibration_slope"):
        assert np.isnan(_pick(table, metric)["estimate"])
    assert _pick(table, "brier")["estimate"] == pytest.approx((0.01 + 0.01 + 0.04 + 0.09) / 4)
    assert _pick(table, "auroc", "mitosis")["estimate"] == pytest.approx(3 / 4)


def test_a_horizon_beyond_every_recording_has_rows_that_say_so():
    landmarks = list_landmarks([1, 2, 3, 3], ["mitosis", "apoptosis", "censored", "censored"], [0, 0, 1, 1], 3.0)
    with pytest.warns(UserWarning, match="10 scores of incidence are undefined"):
        table = _score(forecast(landmarks, np.full((4, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H)
    assert table["estimate"].isna().all()
    assert (table[["n_samples", "n_events", "n_groups", "n_cells"]] == 0).all(axis=None)
    IncidenceMetrics.validate(table)


def test_no_test_landmark_is_an_empty_table():
    landmarks, truth = simulate(n=20)
    assert IncidenceMetrics.validate(_score(forecast(landmarks, truth, part="validation"), landmarks)).empty
