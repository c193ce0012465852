from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED, cumulative_incidence, expected_time_h, label_bins

TWO_BINS = [[[0.1, 0.2], [0.3, 0.4]]]  # nothing happens by the end of a bin with probability .7, then .7 * .3


def label_by_loop(time_min, event, watchable_min, edges_min):
    """Labels of one landmark; all times in whole minutes, so that no tolerance is needed."""
    labels = []
    for lower, upper in pairwise(edges_min):
        if watchable_min < upper:
            labels.append(UNOBSERVED)
        elif event and lower < time_min <= upper:
            labels.append(event)
        elif event:
            labels.append(EVENT_FREE if time_min > upper else UNOBSERVED)
        else:
            labels.append(EVENT_FREE if time_min >= upper else UNOBSERVED)
    return labels


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2), st.integers(0, 20)), min_size=1, max_size=20),
    st.sampled_from([1, 3, 5, 7, 10, 20, 30]),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(1, 8),
)
def test_labels_are_those_of_a_loop_over_landmarks_and_bins(watched, interval_min, guard, width, n_bins):
    edges_min = [20 * (guard + width * k) for k in range(n_bins + 1)]
    frames, events, on = zip(*watched, strict=True)
    ends = [frame + more for frame, more in zip(frames, on, strict=True)]
    hours, watchable = ([frame * (interval_min / 60) for frame in column] for column in (frames, ends))
    labels = label_bins(hours, events, watchable, [edge / 60 for edge in edges_min])
    expected = [
        label_by_loop(frame * interval_min, event, end * interval_min, edges_min)
        for frame, event, end in zip(frames, events, ends, strict=True)
    ]
    assert labels.tolist() == expected


def test_a_censored_cell_tells_nothing_of_the_bin_it_was_lost_in_and_an_event_all_of_its_own():
    edges = [1.0, 2.0, 3.0, 4.0]
    assert label_bins([2.5, 2.5, 3.0, 3.0, 0.5], [0, 2, 0, 1, 1], [9.0] * 5, edges).tolist() == [
        [EVENT_FREE, UNOBSERVED, UNOBSERVED],
        [EVENT_FREE, 2, UNOBSERVED],
        [EVENT_FREE, EVENT_FREE, UNOBSERVED],
        [EVENT_FREE, 1, UNOBSERVED],
        [UNOBSERVED, UNOBSERVED, UNOBSERVED],  # an event before the guard is none of these bins'
    ]


def test_a_bin_that_the_recording_does_not_reach_the_end_of_is_not_known_with_an_event_or_without():
    edges = [0.0, 1.0, 2.0]
    assert label_bins([1.5, 1.5, 1.9], [1, 0, 0], [1.9, 1.9, 1.9], edges).tolist() == [[EVENT_FREE, UNOBSERVED]] * 3


def test_hazards_are_the_true_ones_up_to_the_very_end_of_the_recording():
    # Constant hazards of .02 and .05 a frame of half an hour; landmarks lie up to 6 h before the last frame. In the
    # last hours too, what is known of a bin tells its hazard: without the rule mostly events were known there.
    rng = np.random.default_rng(1)
    n, edges = 60_000, [0.0, 1.0, 2.0, 3.0, 4.0]
    left = rng.integers(0, 13, n)  # frames from the landmark to the recording's last
    event_frame = rng.geometric(0.07, n)
    event = np.where(event_frame <= left, np.where(rng.random(n) < 2 / 7, 1, 2), 0)
    labels = label_bins(np.minimum(event_frame, left) / 2, event, left / 2, edges)
    expected = (1 - 0.93**2) * np.array([2, 5]) / 7  # of two frames
    for near_the_end in (left >= 0, left < 8):
        for k, upper in enumerate(edges[1:]):
            known = labels[near_the_end & (labels[:, k] != UNOBSERVED), k]
            assert len(known) > 500 or upper == 4
            shares = [np.mean(known == number) for number in (1, 2)] if len(known) else expected
            np.testing.assert_allclose(shares, expected, atol=4 * np.sqrt(0.1 / max(1, len(known))))


def test_incidence_of_exactly_one_passes():
    # In 609 of 2000 such groups the sum of floats passed 1 by its rounding, and the table was refused.
    rng = np.random.default_rng(0)
    for _ in range(2000):
        counts = rng.integers(1, 9, rng.integers(2, 12))
        hazards = counts / np.cumsum(counts[::-1])[::-1]  # everybody has the event, the last ones in the last bin
        incidence = cumulative_incidence(hazards[None, :, None])
        assert incidence.max() <= 1
        assert incidence[0, -1, 0] == pytest.approx(1)


def test_incidence_by_hand():
    expected = [[[0.1, 0.2], [0.1 + 0.7 * 0.3, 0.2 + 0.7 * 0.4]]]
    np.testing.assert_allclose(cumulative_incidence(TWO_BINS), expected)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3), st.integers(0, 1000))
def test_incidence_never_falls_and_leaves_the_product_of_surviving(n, k, e, seed):
    hazards = np.random.default_rng(seed).dirichlet(np.ones(e + 1), (n, k))[..., 1:]
    incidence = cumulative_incidence(hazards)
    assert (np.diff(incidence, axis=1) >= 0).all()
    np.testing.assert_allclose(1 - incidence.sum(axis=2), np.cumprod(1 - hazards.sum(axis=2), axis=1), atol=1e-12)


def test_expected_time_by_hand():
    free = [1.0, 0.7, 0.21]  # at 1, 2 and 4 h
    by_hand = 1 + (free[0] + free[1]) / 2 * 1 + (free[1] + free[2]) / 2 * 2
    np.testing.assert_allclose(expected_time_h(cumulative_incidence(TWO_BINS), [1, 2, 4]), [by_hand])
    np.testing.assert_allclose(expected_time_h(np.zeros((1, 2, 2)), [1, 2, 4]), [4])
