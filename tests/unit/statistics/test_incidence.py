from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED, cumulative_incidence, expected_time_h, label_bins
from cellfate.statistics.tabulating import tabulate_incidence

TWO_BINS = [[[0.1, 0.2], [0.3, 0.4]]]  # nothing happens by the end of a bin with probability .7, then .7 * .3
KEYS = {"predictor": "clock", "scheme": "s", "fold": 0, "part": "test", "recording_id": "00"}


def label_by_loop(time_min, event, edges_min):
    """Labels of one landmark; all times in whole minutes, so that no tolerance is needed."""
    labels = []
    for lower, upper in pairwise(edges_min):
        if event and lower < time_min <= upper:
            labels.append(event)
        elif event:
            labels.append(EVENT_FREE if time_min > upper else UNOBSERVED)
        else:
            labels.append(EVENT_FREE if time_min >= upper else UNOBSERVED)
    return labels


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=20),
    st.sampled_from([1, 3, 5, 7, 10, 20, 30]),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(1, 8),
)
def test_labels_are_those_of_a_loop_over_landmarks_and_bins(watched, interval_min, guard, width, n_bins):
    edges_min = [20 * (guard + width * k) for k in range(n_bins + 1)]
    times = [frames * interval_min for frames, _ in watched]
    events = [event for _, event in watched]
    labels = label_bins([frames * (interval_min / 60) for frames, _ in watched], events, [e / 60 for e in edges_min])
    expected = [label_by_loop(time, event, edges_min) for time, event in zip(times, events, strict=True)]
    assert labels.tolist() == expected


def test_a_censored_cell_tells_nothing_of_the_bin_it_was_lost_in_and_an_event_all_of_its_own():
    edges = [1.0, 2.0, 3.0, 4.0]
    assert label_bins([2.5, 2.5, 3.0, 3.0, 0.5], [0, 2, 0, 1, 1], edges).tolist() == [
        [EVENT_FREE, UNOBSERVED, UNOBSERVED],
        [EVENT_FREE, 2, UNOBSERVED],
        [EVENT_FREE, EVENT_FREE, UNOBSERVED],
        [EVENT_FREE, 1, UNOBSERVED],
        [UNOBSERVED, UNOBSERVED, UNOBSERVED],  # an event before the guard is none of these bins'
    ]


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


def test_a_table_has_one_row_a_landmark_and_hour_of_the_report():
    keys = pd.DataFrame({**KEYS, "cell_id": [1, 2], "frame": [7, 9]}, index=[5, 3])
    hazards = [*TWO_BINS, [[0.5, 0.0], [0.0, 0.5]]]
    table = tabulate_incidence(keys, hazards, ["apoptosis", "mitosis"], [1.0, 2.0, 3.0], [2.0, 3.0])
    expected = pd.DataFrame(
        {
            **KEYS,
            "cell_id": [1, 1, 2, 2],
            "frame": [7, 7, 9, 9],
            "within_h": [2.0, 3.0, 2.0, 3.0],
            "p_apoptosis": [0.1, 0.31, 0.5, 0.5],
            "p_mitosis": [0.2, 0.48, 0.0, 0.25],
            "p_none": [0.7, 0.21, 0.5, 0.25],
            "expected_h": [1 + 0.85 + 0.455, 1 + 0.85 + 0.455, 1 + 0.75 + 0.375, 1 + 0.75 + 0.375],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_an_hour_of_the_report_is_that_of_the_nearest_edge():
    keys = pd.DataFrame({**KEYS, "cell_id": [1], "frame": [7]})
    edges = [0.1 * k for k in range(4)]  # the last is 0.30000000000000004
    table = tabulate_incidence(keys, [[[0.5], [0.5], [0.5]]], ["mitosis"], edges, [0.3])
    assert table["p_mitosis"].tolist() == [pytest.approx(0.875)]
