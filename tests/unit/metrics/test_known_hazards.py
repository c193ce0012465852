"""Forecasts against a known truth: lines, errors and commitments worked by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cellfate.core.errors import InputError
from cellfate.metrics import ScoreSettings
from cellfate.metrics.commitments import find_commitments
from cellfate.metrics.known_hazards import fit_line, score_against_truth
from tests.unit.metrics.tables import FIVE_H, landmarks_of, make_follow_ups, make_traces

FEW = ScoreSettings(n_resamples=100)


def _tables(cells, traces, truth):
    """Forecasts, truth, landmarks and follow-ups of test cells; both events occur, among cells of training too."""
    follow_ups = make_follow_ups([*cells, ("u", 90, "apoptosis", 12), ("u", 91, "mitosis", 12)])
    return make_traces(traces), make_traces(truth, "truth"), landmarks_of(follow_ups), follow_ups


def _score(forecasts, truth, landmarks, follow_ups, scores=FEW):
    commitments = find_commitments(forecasts, follow_ups, FIVE_H)
    return score_against_truth(forecasts, truth, commitments, landmarks, follow_ups, FIVE_H, scores)


def _pick(entries, outcome, predictor="network"):
    (entry,) = [e for e in entries if e["outcome"] == outcome and e["predictor"] == predictor]
    return entry


def _halved(traces):
    """Truth that is half the forecast plus .1, of both events."""
    return {key: tuple([0.1 + p / 2 for p in trace] for trace in pair) for key, pair in traces.items()}


def test_lines_and_errors_by_hand():
    cells = [("r", 1, "apoptosis", 7), ("s", 2, "censored", 40)]
    traces = {("r", 1): ([0.2, 0.4, 0.6], [0.1, 0.1, 0.1]), ("s", 2): ([0.0, 0.2], [0.1, 0.1])}
    found = _score(*_tables(cells, traces, _halved(traces)))
    json.dumps(found, allow_nan=False)
    apoptosis = _pick(found["incidence"], "apoptosis")
    assert apoptosis["calibration_slope"] == pytest.approx({"estimate": 0.5, "low": 0.5, "high": 0.5})
    assert apoptosis["calibration_intercept"]["estimate"] == pytest.approx(0.1)
    assert apoptosis["correlation"]["estimate"] == pytest.approx(1.0)
    # |forecast - truth| = |p / 2 - .1|: 0, .1, .2, .1, 0.
    assert apoptosis["mean_absolute_error"]["estimate"] == pytest.approx(0.08)
    counts = {name: apoptosis[name] for name in ("n_forecasts", "n_cells", "n_groups", "n_landmarks", "n_events")}
    # Cell 1 is at most 3.5 h before its death, cell 2 is watched for 18 h more: every outcome is known.
    assert counts == {"n_forecasts": 5, "n_cells": 2, "n_groups": 2, "n_landmarks": 5, "n_events": 3}
    # A forecast that never changes has no slope and no correlation, but an error.
    mitosis = _pick(found["incidence"], "mitosis")
    assert mitosis["calibration_slope"] == {"estimate": None, "low": None, "high": None}
    assert mitosis["correlation"]["estimate"] is None
    assert mitosis["mean_absolute_error"]["estimate"] == pytest.approx(0.05)
    assert mitosis["auroc"]["estimate"] is None


def test_the_logit_slope_by_hand_clips_what_is_sure():
    # Forecasts 0 and .5 have logits -log 99 (clipped to .01) and 0; truths .1 and .5 have -log 9 and 0.
    cells = [("r", 1, "censored", 40)]
    found = _score(*_tables(cells, {("r", 1): ([0.0, 0.5], [0, 0])}, {("r", 1): ([0.1, 0.5], [0, 0])}))
    estimate = _pick(found["incidence"], "apoptosis")["logit_slope"]["estimate"]
    assert estimate == pytest.approx(np.log(9) / np.log(99))


def test_auroc_stands_beside_that_of_the_truth_at_landmarks_of_a_known_outcome():
    rng = np.random.default_rng(5)
    fates = ["apoptosis", "mitosis", "censored"] * 4
    cells = [(f"r{i % 4}", i, fate, int(rng.integers(13, 40))) for i, fate in enumerate(fates)]
    p = rng.random((12, 2, 2, 10)) / 2
    traces, truth = ({c[:2]: tuple(p[i, kind]) for i, c in enumerate(cells)} for kind in (0, 1))
    found = _score(*_tables(cells, traces, truth))
    known = [
        (p[i, 0, 0, t], p[i, 1, 0, t], fate == "apoptosis" and (end - t) / 2 <= 5)
        for i, (_, _, fate, end) in enumerate(cells)
        for t in range(10)
        if fate != "censored" or (end - t) / 2 >= 5
    ]
    forecasts, truths, died = zip(*known, strict=True)
    apoptosis = _pick(found["incidence"], "apoptosis")
    assert apoptosis["n_landmarks"] == len(known) < 120
    assert apoptosis["n_events"] == sum(died)
    assert apoptosis["auroc"]["estimate"] == pytest.approx(roc_auc_score(died, forecasts))
    assert apoptosis["auroc_of_truth"]["estimate"] == pytest.approx(roc_auc_score(died, truths))


def _commitment_tables():
    """Truth and forecast of six cells; frames are half an hour."""
    low, dies, divides = [0.0] * 6, 0.6, 0.7

    def from_frame(frame, p):
        return [0.0] * frame + [p] * (6 - frame)

    truth = {
        ("r", 1): (from_frame(1, dies), low),
        ("r", 2): (from_frame(1, dies), low),
        ("s", 3): (from_frame(2, dies), low),
        ("s", 4): (low, from_frame(0, divides)),
        ("s", 5): (low, from_frame(0, divides)),
        ("t", 6): (low, low),
    }
    traces = {
        ("r", 1): (from_frame(3, dies), low),  # 1 h later: still close
        ("r", 2): (from_frame(4, dies), low),  # 1.5 h later
        ("s", 3): (from_frame(2, dies), low),  # at the same frame
        ("s", 4): (low, low),  # never
        ("s", 5): (from_frame(0, dies), low),  # to the other event
        ("t", 6): (from_frame(0, dies), low),  # the truth does not commit itself
    }
    return [(recording, cell, "apoptosis", 12) for recording, cell in truth], traces, truth


def test_commitments_against_the_truth_by_hand():
    cells, traces, truth = _commitment_tables()
    found = _score(*_tables(cells, traces, truth))["commitments"]
    counts = ("n_cells", "n_groups", "n_same_event", "n_other_event", "n_never_called")
    everything, died, divided = (_pick(found, outcome) for outcome in ("all", "apoptosis", "mitosis"))
    assert [everything[name] for name in counts] == [5, 2, 3, 1, 1]
    assert [died[name] for name in counts] == [3, 2, 3, 0, 0]
    assert [divided[name] for name in counts] == [2, 1, 0, 1, 1]
    assert everything["share_within_1h"]["estimate"] == pytest.approx(2 / 5)
    assert died["share_within_1h"] == pytest.approx({"estimate": 2 / 3, "low": 0.5, "high": 1.0})
    assert divided["share_within_1h"] == {"estimate": 0.0, "low": None, "high": None}  # one group
    assert died["median_difference_h"]["estimate"] == pytest.approx(1.0)  # of 1, 1.5 and 0
    assert divided["median_difference_h"]["estimate"] is None


def test_true_frames_that_were_not_forecast_are_left_out():
    cells, traces, truth = _commitment_tables()
    longer = {key: ([*a, 0.0, 0.0], [*m, 0.0, 0.0]) for key, (a, m) in truth.items()}
    assert _score(*_tables(cells, traces, longer)) == _score(*_tables(cells, traces, truth))


def test_each_predictor_is_scored_by_itself():
    cells, traces, truth = _commitment_tables()
    forecasts, true_forecasts, landmarks, follow_ups = _tables(cells, traces, truth)
    both = pd.concat([forecasts, make_traces(truth, "blend")], ignore_index=True)
    found = _score(both, true_forecasts, landmarks, follow_ups)
    assert _pick(found["incidence"], "mitosis", "blend")["calibration_slope"]["estimate"] == pytest.approx(1)
    assert _pick(found["commitments"], "all", "blend")["share_within_1h"]["estimate"] == 1
    assert _pick(found["commitments"], "all", "network") == _pick(
        _score(forecasts, true_forecasts, landmarks, follow_ups)["commitments"], "all"
    )


def test_a_missing_truth_or_commitment_is_an_error():
    cells, traces, truth = _commitment_tables()
    forecasts, true_forecasts, landmarks, follow_ups = _tables(cells, traces, truth)
    commitments = find_commitments(forecasts, follow_ups, FIVE_H)
    with pytest.raises(InputError, match="cell 6 of recording 't' at frame 5 is missing"):
        score_against_truth(forecasts, true_forecasts.iloc[:-1], commitments, landmarks, follow_ups, FIVE_H, FEW)
    with pytest.raises(InputError, match="no row of predictor 'network' for cell 1 of recording 'r'"):
        score_against_truth(forecasts, true_forecasts, commitments.iloc[1:], landmarks, follow_ups, FIVE_H, FEW)


def test_lines_of_resamples_are_those_of_the_repeated_points():
    rng = np.random.default_rng(2)
    x, y, groups = rng.random(30), rng.random(30), rng.integers(4, size=30)
    counts = np.array([[1, 1, 1, 1], [0, 2, 1, 1], [4, 0, 0, 0]], dtype=float)
    line = fit_line(x, y, groups, counts)
    for row, drawn in enumerate(counts.astype(int)):
        xs, ys = (np.repeat(values, drawn[groups]) for values in (x, y))
        slope, intercept = np.polyfit(xs, ys, 1)
        assert line.slope[row] == pytest.approx(slope)
        assert line.intercept[row] == pytest.approx(intercept)
        assert line.correlation[row] == pytest.approx(np.corrcoef(xs, ys)[0, 1])
    flat = fit_line(np.where(groups == 0, 0.1, x), y, groups, counts)
    assert np.isnan(flat.slope).tolist() == [False, False, True]


@st.composite
def _truths(draw):
    p = st.floats(0, 0.5)
    lengths = [draw(st.integers(1, 6)) for _ in range(draw(st.integers(1, 5)))]
    return [[(draw(p), draw(p)) for _ in range(length)] for length in lengths]


@settings(max_examples=15, deadline=None)
@given(traces=_truths(), seed=st.integers(0, 100))
def test_the_truth_as_forecast_is_perfect_in_any_order_of_rows(traces, seed):
    fates = ["apoptosis", "mitosis", "censored"]
    cells = [(f"r{i % 2}", i, fates[i % 3], 14 + i) for i in range(len(traces))]
    truth = {cell[:2]: tuple(zip(*trace, strict=True)) for cell, trace in zip(cells, traces, strict=True)}
    tables = _tables(cells, truth, truth)
    found = _score(*tables)
    for entry in found["incidence"]:
        for name in ("calibration_slope", "logit_slope", "correlation"):
            assert entry[name]["estimate"] is None or entry[name]["estimate"] == pytest.approx(1)
        assert entry["mean_absolute_error"]["estimate"] == 0
        assert entry["auroc"] == entry["auroc_of_truth"]
    for entry in found["commitments"]:
        assert entry["n_never_called"] == entry["n_other_event"] == 0
        assert entry["share_within_1h"]["estimate"] == (1 if entry["n_cells"] else None)
        assert entry["median_difference_h"]["estimate"] == (0 if entry["n_cells"] else None)
    mixed = _score(*(table.sample(frac=1, random_state=seed) for table in tables))
    assert _flat(mixed) == pytest.approx(_flat(found), nan_ok=True)


def _flat(found):
    """Every number of the scores under its name."""
    numbers = {}
    for part in ("incidence", "commitments"):
        for entry in found[part]:
            for name, value in entry.items():
                values = value if isinstance(value, dict) else {"": value}
                for bound, number in values.items():
                    if not isinstance(number, str):
                        numbers[part, entry["outcome"], name, bound] = np.nan if number is None else number
    return numbers
