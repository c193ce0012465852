"""Forecasts joined with landmarks: order, what is left out, what is refused."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.metrics.incidence_forecasts import read_incidence
from tests.unit.metrics.incidence_tables import FOLLOW_UP, forecast, simulate


def _read(incidence, landmarks, references=None, follow_up=FOLLOW_UP):
    return read_incidence(incidence, incidence.iloc[:0] if references is None else references, landmarks, follow_up)


def test_predictors_line_up_whatever_the_order_of_their_rows():
    landmarks, truth = simulate(n=60)
    shuffled = forecast(landmarks, truth, predictor="dose").sample(frac=1, random_state=1)
    clock, dose = _read(forecast(landmarks, truth), landmarks.sample(frac=1, random_state=2), shuffled)
    assert (clock.predictor, dose.predictor) == ("clock", "dose")
    ordered = landmarks.sort_values(["recording_id", "cell_id"])
    for forecasts in (clock, dose):
        assert forecasts.sample_ids_n.tolist() == ordered["sample_id"].tolist()
        np.testing.assert_allclose(forecasts.incidence_nhe, truth[ordered.index])
        np.testing.assert_array_equal(forecasts.time_n, ordered["time_h"])
        np.testing.assert_array_equal(forecasts.watchable_n, ordered["watchable_h"])
        assert forecasts.dose_n.tolist() == ordered["dose"].tolist()
        names = np.array(["censored", "apoptosis", "mitosis"])[forecasts.event_n]
        assert names.tolist() == ordered["fate"].tolist()
        assert len(set(zip(forecasts.groups_n, ordered["group_id"], strict=True))) == forecasts.n_groups == 12


def test_only_test_parts_landmarks_and_reported_horizons_are_read():
    landmarks, truth = simulate(n=40)
    test = forecast(landmarks, truth)
    other_frames = test.assign(frame=7)
    other_horizon = test[test["within_h"] == 5].assign(within_h=6.0)
    validation = forecast(landmarks, truth * 0.5, part="validation", fold=1)
    few = landmarks.iloc[5:25]
    (forecasts,) = _read(pd.concat([validation, test, other_frames, other_horizon]), few)
    assert set(forecasts.sample_ids_n) == set(few["sample_id"])
    (short,) = _read(test, landmarks, follow_up=FollowUpSettings(report_h=(5.0,), headline_h=5.0))
    assert short.incidence_nhe.shape == (40, 1, 2)
    assert _read(validation, landmarks) == []


def test_folds_are_pooled():
    landmarks, truth = simulate(n=40)
    halves = [forecast(landmarks.iloc[s], truth[s], fold=f) for f, s in enumerate((slice(0, 20), slice(20, 40)))]
    (forecasts,) = _read(pd.concat(halves), landmarks)
    assert len(forecasts.sample_ids_n) == 40


def test_an_event_that_is_not_forecast_ends_the_watching():
    landmarks, truth = simulate(n=40)
    only = FollowUpSettings(events=("mitosis",), report_h=FOLLOW_UP.report_h, headline_h=5.0)
    (forecasts,) = _read(forecast(landmarks, truth), landmarks, follow_up=only)
    ordered = landmarks.sort_values(["recording_id", "cell_id"])
    assert forecasts.incidence_nhe.shape == (40, 3, 1)
    np.testing.assert_array_equal(forecasts.event_n == 1, ordered["fate"] == "mitosis")


def test_some_landmarks_can_be_selected():
    landmarks, truth = simulate(n=40)
    (forecasts,) = _read(forecast(landmarks, truth), landmarks)
    kept = forecasts.dose_n == "Low"
    selected = forecasts.select(kept)
    assert selected.n_groups == 6
    np.testing.assert_array_equal(selected.incidence_nhe, forecasts.incidence_nhe[kept])
    assert set(selected.sample_ids_n) == set(landmarks.loc[landmarks["dose"] == "Low", "sample_id"])
    assert forecasts.select(np.zeros(40, bool)).n_groups == 0


def test_what_is_refused():
    landmarks, truth = simulate(n=20)
    good = forecast(landmarks, truth)
    first = good.iloc[[0]]
    with pytest.raises(InputError, match="'clock' has 2 forecasts of landmark 'r0:0:0' within 2 h in the test parts"):
        _read(pd.concat([good, first.assign(fold=1)]), landmarks)
    with pytest.raises(InputError, match="'clock' has no forecast of landmark 'r0:0:0' within 2 h"):
        _read(good.iloc[1:], landmarks)
    with pytest.raises(InputError, match="landmark 'r0:0:0' the probability nan, expected 0 to 1"):
        _read(pd.concat([first.assign(p_mitosis=np.nan), good.iloc[1:]]), landmarks)
    with pytest.raises(InputError, match=r"the probability 1\.2, expected 0 to 1"):
        _read(pd.concat([first.assign(p_mitosis=1.2), good.iloc[1:]]), landmarks)
    with pytest.raises(InputError, match="lacks the column 'p_apoptosis'"):
        _read(good.drop(columns="p_apoptosis"), landmarks)


def test_inputs_are_not_changed():
    landmarks, truth = simulate(n=20)
    incidence = forecast(landmarks, truth)
    before = landmarks.copy(), incidence.copy()
    _read(incidence, landmarks)
    pd.testing.assert_frame_equal(landmarks, before[0])
    pd.testing.assert_frame_equal(incidence, before[1])
