"""Forecasts joined with what came: order, weights, what is left out, what is refused."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.metrics.forecasts import read_forecasts, require_same_landmarks
from tests.unit.metrics.tables import (
    FIVE_H,
    FOLLOW_UP,
    fated,
    forecast,
    half_die,
    say_which,
    simulate_hazards,
    watched,
)


def _read(forecasts, landmarks, follow_up=FOLLOW_UP):
    return read_forecasts(forecasts, landmarks, follow_up)


def test_predictors_line_up_whatever_the_order_of_their_rows():
    landmarks, truth = simulate_hazards(n=60)
    shuffled = forecast(landmarks, truth, predictor="dose").sample(frac=1, random_state=1)
    both = pd.concat([forecast(landmarks, truth), shuffled])
    asked = _read(both, landmarks.sample(frac=1, random_state=2))
    assert [(a.predictor, a.within_h) for a in asked] == [
        (predictor, hours) for predictor in ("network", "dose") for hours in FOLLOW_UP.report_h
    ]
    ordered = landmarks.sort_values(["recording_id", "cell_id"])
    for number, each in enumerate(asked):
        scored = ordered[ordered["watchable_h"] >= each.within_h - 1e-6]
        assert each.outcomes == ("apoptosis", "mitosis", "none")
        assert each.landmark_ids_n.tolist() == scored["landmark_id"].tolist()
        np.testing.assert_allclose(each.probabilities_nk[:, :2], truth[scored.index, number % 3])
        np.testing.assert_array_equal(each.time_n, scored["time_h"])
        assert each.dose_n.tolist() == scored["dose"].tolist()
        names = np.array(["censored", "apoptosis", "mitosis"])[each.event_n]
        assert names.tolist() == scored["fate"].tolist()
        assert len(set(zip(each.groups_n, scored["group_id"], strict=True))) == each.n_groups


def test_which_fate_comes_is_asked_at_last_landmarks_of_cells_that_met_one_and_all_of_it_is_known():
    landmarks = fated(["apoptosis", "mitosis", "censored", "mitosis", "mitosis"])
    landmarks["last"] = [True, True, True, True, False]
    (asked,) = _read(say_which(landmarks, [0.9, 0.2, 0.5, 0.6, 0.5]), landmarks)
    assert np.isnan(asked.within_h)
    assert asked.outcomes == asked.events == ("apoptosis", "mitosis")
    assert asked.truth_n.tolist() == [0, 1, 1]
    assert asked.calls().tolist() == [0, 1, 0]
    np.testing.assert_array_equal(asked.weights_n, 1.0)
    assert asked.known().landmark_ids_n.tolist() == asked.landmark_ids_n.tolist()


def test_both_questions_of_a_landmark_that_is_asked_both():
    landmarks = fated(["apoptosis", "mitosis"]).assign(regular=True, time_h=[1.5, 7.0])
    forecasts = pd.concat(
        [say_which(landmarks, [0.9, 0.2], "blend"), forecast(landmarks, np.full((2, 1, 2), 0.3), FIVE_H, "blend")]
    )
    which, within = _read(forecasts, landmarks, FIVE_H)
    assert which.truth_n.tolist() == [0, 1]
    assert within.truth_n.tolist() == [0, 2]  # the division comes after the 5 h


def test_weights_by_hand():
    # Before 5 h one of 5 is lost at 2 h, when 4 have had no event: G(2) = 3/4. The sixth is not watchable for 5 h.
    fates = ["apoptosis", "censored", "mitosis", "censored", "apoptosis", "apoptosis"]
    landmarks = watched([1, 2, 3, 5, 8, 1], fates, groups=[0, 0, 0, 1, 1, 1], watchable_h=[9, 9, 9, 5, 9, 4])
    (asked,) = _read(forecast(landmarks, np.full((6, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H)
    assert asked.truth_n.tolist() == [0, -1, 1, 2, 2]
    np.testing.assert_allclose(asked.weights_n, [1, 0, 4 / 3, 4 / 3, 4 / 3])
    known = asked.known()
    assert (len(known.truth_n), known.n_groups) == (4, 2)
    np.testing.assert_allclose(known.weights_n, [1, 4 / 3, 4 / 3, 4 / 3])


def test_an_event_that_is_not_shown_still_competes():
    # .447 of a thousand cells divide within 5 h; were the dying ones lost where they die, it would be .684.
    only = FollowUpSettings(events=("mitosis",), report_h=(5.0,), headline_h=5.0)
    landmarks = half_die()
    (asked,) = _read(forecast(landmarks, np.full((1000, 1, 2), 0.4), only), landmarks, only)
    assert asked.events == ("mitosis",)
    assert asked.outcomes == ("apoptosis", "mitosis", "none")
    weights = asked.weights_n
    assert weights[asked.truth_n == 1].sum() / weights.sum() == pytest.approx(0.447, abs=1e-12)


def test_late_landmarks_tell_nothing_of_what_comes():
    # Constant hazards up to the end of the recording: of landmarks in its last 5 h, only those with an event in time
    # could be known, so none is. Among all others the share with an event is that of the hazard.
    rng = np.random.default_rng(3)
    n, frame_h, hazard = 20_000, 1 / 3, 0.03
    left, event = rng.integers(0, 60, n), rng.geometric(hazard, n)
    fates = np.where(event <= left, "mitosis", "censored")
    landmarks = watched(np.minimum(event, left) * frame_h, fates, np.arange(n) % 20, left * frame_h)
    (asked,) = _read(forecast(landmarks, np.full((n, 1, 2), 0.1), FIVE_H), landmarks, FIVE_H)
    scored = landmarks.set_index("landmark_id").loc[asked.landmark_ids_n]
    assert scored["watchable_h"].min() == pytest.approx(5.0)
    for near in (scored["watchable_h"] < 8, scored["watchable_h"] >= 8):
        share = (asked.truth_n[near] == asked.position("mitosis")).mean()
        # 15 frames; 3 standard errors of 3000 landmarks
        assert share == pytest.approx(1 - (1 - hazard) ** 15, abs=0.027)


def test_a_cell_that_nobody_scored_is_not_asked():
    landmarks = watched([1, 9, 9], ["mitosis", "censored", "unscored"], [0, 0, 1])
    (asked,) = _read(forecast(landmarks, np.full((3, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H)
    assert len(asked.truth_n) == 2


def test_only_test_parts_landmarks_and_reported_hours_are_read():
    landmarks, truth = simulate_hazards(n=40, censored=False)
    test = forecast(landmarks, truth)
    other_frames = test.assign(frame=7)
    other_hours = test[test["within_h"] == 5].assign(within_h=6.0)
    validation = forecast(landmarks, truth * 0.5, part="validation", fold=1)
    few = landmarks.iloc[5:25]
    asked = _read(pd.concat([validation, test, other_frames, other_hours]), few)
    assert all(set(each.landmark_ids_n) == set(few["landmark_id"]) for each in asked)
    assert [each.within_h for each in _read(test, landmarks, FIVE_H)] == [5.0]
    assert _read(validation, landmarks) == []
    assert _read(test, landmarks.assign(regular=False)) == []


def test_folds_are_pooled():
    landmarks, truth = simulate_hazards(n=40, censored=False)
    halves = [forecast(landmarks.iloc[s], truth[s], fold=f) for f, s in enumerate((slice(0, 20), slice(20, 40)))]
    assert all(len(each.landmark_ids_n) == 40 for each in _read(pd.concat(halves), landmarks))


def test_some_landmarks_can_be_selected():
    landmarks, truth = simulate_hazards(n=40)
    asked = _read(forecast(landmarks, truth), landmarks)[0]
    kept = asked.dose_n == "Low"
    selected = asked.keep(kept)
    assert selected.n_groups == len(set(asked.groups_n[kept]))
    np.testing.assert_array_equal(selected.probabilities_nk, asked.probabilities_nk[kept])
    assert set(selected.dose_n) == {"Low"}
    assert asked.keep(np.zeros(len(kept), bool)).n_groups == 0


def test_an_event_of_which_nothing_is_forecast_competes_and_is_not_scored(caplog):
    landmarks, truth = simulate_hazards(n=40)
    forecasts = forecast(landmarks, truth, FIVE_H)
    unknown = forecasts.assign(p_none=1 - forecasts["p_mitosis"]).drop(columns="p_apoptosis")
    (asked,) = _read(unknown, landmarks, FIVE_H)
    assert "Cells end in apoptosis, which is not forecast" in caplog.text
    assert asked.outcomes == ("apoptosis", "mitosis", "none")
    assert (asked.probabilities_nk[:, 0] == 0).all()
    assert (asked.event_n == 1).any()
    # Beside another predictor that says something of it, its column is empty.
    both = pd.concat([unknown, forecasts.assign(predictor="dose")], ignore_index=True)
    network, dose = _read(both, landmarks, FIVE_H)
    np.testing.assert_array_equal(network.probabilities_nk, asked.probabilities_nk)
    assert (dose.probabilities_nk[:, 0] > 0).all()


def test_where_no_event_is_known_nothing_is_asked():
    landmarks, truth = simulate_hazards(n=20)
    assert _read(forecast(landmarks, truth), landmarks.assign(fate="censored")) == []


def test_what_is_refused():
    landmarks, truth = simulate_hazards(n=20, censored=False)
    good = forecast(landmarks, truth)
    first = good.iloc[[0]]
    with pytest.raises(InputError, match="within 2 h, forecasts landmark 'r0:0:0' in more than one test part"):
        _read(pd.concat([good, first.assign(fold=1)]), landmarks)
    with pytest.raises(InputError, match="within 2 h, has no forecast of landmark 'r0:0:0'"):
        _read(good.iloc[1:], landmarks)
    with pytest.raises(InputError, match="within 5 h, has no forecast of any landmark"):
        _read(good.assign(within_h=3.0), landmarks, FIVE_H)
    with pytest.raises(InputError, match=r"landmark 'r0:0:0' the probabilities .*nan"):
        _read(pd.concat([first.assign(p_mitosis=np.nan), good.iloc[1:]]), landmarks)
    with pytest.raises(InputError, match=r"expected each from 0 to 1 and a sum of 1"):
        _read(pd.concat([first.assign(p_mitosis=1.2), good.iloc[1:]]), landmarks)
    cells = fated(["apoptosis", "mitosis"])
    with pytest.raises(
        InputError, match=r"asked which fate comes, gives landmark 'r0:0:29' the probabilities \[0\.25, 0\.5\]"
    ):
        _read(say_which(cells, [0.5, 0.5]).assign(p_apoptosis=0.25, p_mitosis=0.5), cells)


def test_predictors_of_different_landmarks_are_told():
    landmarks, truth = simulate_hazards(n=40, censored=False)
    fewer = forecast(landmarks.iloc[1:], truth[1:], predictor="dose")
    asked = _read(pd.concat([forecast(landmarks, truth), fewer]), landmarks)
    with pytest.raises(InputError, match=r"'dose' and 'network' forecast different landmarks \('r0:0:0' is one of 1\)"):
        require_same_landmarks([each for each in asked if each.within_h == 5])


def test_inputs_are_not_changed():
    landmarks, truth = simulate_hazards(n=20)
    forecasts = forecast(landmarks, truth)
    before = landmarks.copy(), forecasts.copy()
    _read(forecasts, landmarks)
    pd.testing.assert_frame_equal(landmarks, before[0])
    pd.testing.assert_frame_equal(forecasts, before[1])
