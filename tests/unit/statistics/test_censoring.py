"""Weights that make up for lost cells: by hand, and the identity with Aalen-Johansen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.statistics.aalen_johansen import aalen_johansen
from cellfate.statistics.censoring import list_outcomes
from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED

LONG = np.inf


def test_outcomes_and_weights_by_hand():
    # Scored are all but the last. Before 3 h one of 6 is lost at 1 h (the event at 1 h comes first: 1 of 5), one of
    # the 3 that had no event at 2 h: G(1-) = 1, G(2-) = 4/5, G(3-) = 4/5 * 2/3.
    time = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 9.0]
    event = [1, 0, 2, 0, 1, 0, 1]
    watchable = [9, 9, 9, 9, 9, 9, 2.9]
    outcomes = list_outcomes(time, event, watchable, 3.0)
    assert outcomes.event_n.tolist() == [1, UNOBSERVED, 2, UNOBSERVED, 1, EVENT_FREE, UNOBSERVED]
    expected = [1, 0, 1 / (4 / 5), 0, 1 / (4 / 5 * 2 / 3), 1 / (4 / 5 * 2 / 3), 0]
    np.testing.assert_allclose(outcomes.weights_n, expected)
    assert outcomes.scored_n.tolist() == [True] * 6 + [False]
    assert outcomes.weights_n.sum() == pytest.approx(6)


def test_the_horizon_itself_counts_whatever_floating_point_says():
    times = np.array([3 * 0.1, 0.3, 0.3 + 1e-9, 0.301])
    outcomes = list_outcomes(times, [1, 1, 0, 1], [0.3 - 1e-9] * 4, 0.3)
    assert outcomes.event_n.tolist() == [1, 1, EVENT_FREE, EVENT_FREE]
    np.testing.assert_allclose(outcomes.weights_n, 1)


def test_ends_with_the_recording_take_no_weight_from_anyone():
    # Cells that are watched to the last frame of the recording, beyond the horizon: nobody was lost before it.
    outcomes = list_outcomes([5.0, 6.0, 2.0], [0, 0, 1], [5.0, 6.0, 7.0], 5.0)
    np.testing.assert_allclose(outcomes.weights_n, 1)
    # A landmark that the recording cannot follow for 5 h is not scored, even though its event is seen.
    early = list_outcomes([5.0, 6.0, 2.0], [0, 0, 1], [5.0, 6.0, 4.0], 5.0)
    assert early.event_n.tolist() == [EVENT_FREE, EVENT_FREE, UNOBSERVED]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), within_h=st.sampled_from([1.0, 2.0, 3.0]))
def test_weighted_shares_are_the_aalen_johansen_estimate(seed, within_h):
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, 15, 80) / 3.0, rng.choice(3, 80, p=[0.3, 0.3, 0.4])
    watchable = time + rng.choice([0.0, 1.0, 4.0], 80)
    outcomes = list_outcomes(time, event, watchable, within_h, most_weight=np.inf)
    kept = outcomes.scored_n
    shares = [outcomes.weights_n[outcomes.event_n == e].sum() / kept.sum() for e in (1, 2)]
    np.testing.assert_allclose(shares, aalen_johansen(time[kept], event[kept], 2, within_h)[0, 0], atol=1e-12)
    if outcomes.event_n.tolist().count(EVENT_FREE):
        assert outcomes.weights_n.sum() == pytest.approx(kept.sum())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_without_censoring_every_weight_is_one(seed):
    rng = np.random.default_rng(seed)
    outcomes = list_outcomes(rng.integers(1, 30, 50) / 3.0, rng.integers(1, 3, 50), np.full(50, LONG), 4.0)
    np.testing.assert_array_equal(outcomes.weights_n, 1)
    assert (outcomes.event_n != UNOBSERVED).all()


def test_no_landmark_is_no_error():
    outcomes = list_outcomes([], [], [], 3.0)
    assert len(outcomes.event_n) == len(outcomes.weights_n) == 0


def test_a_condition_that_lost_enough_cells_has_weights_of_its_own_and_large_ones_are_cut():
    # a: 30 of 40 cells are lost at 1 h, each at two landmarks: G = 1/4. b and c lose one of 4 each: together 6/8.
    conditions = np.repeat(["a", "b", "c"], [80, 4, 4])
    cells = np.concatenate([np.repeat(np.arange(40), 2), np.arange(100, 108)])
    time = np.where(np.isin(cells, [*range(30), 100, 104]), 1.0, 9.0)
    outcomes = list_outcomes(time, np.zeros(88), np.full(88, LONG), 3.0, conditions, cells)
    assert outcomes.strata_n.tolist() == [1] * 80 + [0] * 8
    np.testing.assert_allclose(np.unique(outcomes.weights_n), [0, 8 / 6, 4])
    assert not outcomes.truncated_n.any()
    cut = list_outcomes(time, np.zeros(88), np.full(88, LONG), 3.0, conditions, cells, most_weight=3.0)
    assert (cut.weights_n.max(), cut.truncated_n.sum()) == (3.0, 20)
    # Landmarks of 29 lost cells are too few, however many they are.
    few = list_outcomes(np.where(cells == 0, 9.0, time), np.zeros(88), np.full(88, LONG), 3.0, conditions, cells)
    assert (few.strata_n == 0).all()
