import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.statistics.thresholds import choose_threshold


@pytest.mark.parametrize(
    ("values", "positive", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0.5),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], 0.25),
        ([0.1, 0.2, 0.3, 0.9], [0, 1, 1, 1], 0.15),
        ([0.4, 0.4, 0.4], [0, 1, 1], np.nan),
        ([0.1, 0.9], [1, 1], np.nan),
    ],
)
def test_thresholds_by_hand(values, positive, expected):
    assert choose_threshold(np.array(values), np.array(positive, bool)) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=12))
def test_no_threshold_is_better(cells):
    probability, positive = (np.array(column) for column in zip(*cells, strict=True))
    if positive.all() or not positive.any() or len(set(probability)) < 2:
        return

    def score(threshold):
        called = probability >= threshold
        return called[positive].mean() - called[~positive].mean()

    # one that calls all or none positive is not asked for, so the others lie between the extremes
    others = np.unique(probability)[1:]
    assert score(choose_threshold(probability, positive)) >= max(map(score, others)) - 1e-9
