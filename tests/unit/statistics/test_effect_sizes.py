"""Effect sizes by hand and by counting pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellfate.statistics.effect_sizes import cliffs_delta, cohens_d, rank_correlation, separation


def counted(values: np.ndarray, mask: np.ndarray) -> float:
    """Cliff's delta by counting pairs."""
    known = ~np.isnan(values)
    inside, outside = values[mask & known], values[~mask & known]
    pairs = np.sign(inside[:, None] - outside[None, :])
    return float(pairs.mean()) if pairs.size else float("nan")


def test_by_hand() -> None:
    values = np.array([1.0, 2, 3, 4, 2])
    mask = np.array([False, True, False, True, False])
    # in {2, 4} against out {1, 3, 2}: 2 beats 1, loses to 3, ties 2; 4 beats all: (1 - 1 + 0 + 3) / 6
    assert cliffs_delta(values[:, None], mask[None])[0, 0] == pytest.approx(3 / 6)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, np.nan]), st.booleans()), min_size=1, max_size=12))
def test_is_the_count_of_pairs(frames: list[tuple[float, bool]]) -> None:
    values, mask = (np.array(column) for column in zip(*frames, strict=True))
    found = cliffs_delta(values[:, None].astype(float), mask[None])[0, 0]
    assert found == pytest.approx(counted(values, mask), nan_ok=True)


def test_many_masks_and_features_are_each_alone() -> None:
    rng = np.random.default_rng(0)
    values, masks = rng.normal(size=(15, 3)), rng.random((4, 15)) < 0.3
    values[4, 1] = np.nan
    table = cliffs_delta(values, masks)
    expected = [[counted(values[:, f], mask) for f in range(3)] for mask in masks]
    np.testing.assert_allclose(table, expected)


def test_delta_times_the_pairs_is_whole() -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros(50, dtype=bool)
    mask[:5] = True
    pairs = cliffs_delta(rng.normal(size=(50, 1)), mask[None]) * 5 * 45
    np.testing.assert_allclose(pairs, np.round(pairs), atol=1e-9)


def test_cohens_d_by_hand() -> None:
    # means 5 and 2; pooled variance (2 * 4 + 3 * 2 / 3) / 4 ... in {3, 5, 7} has 4, out {1, 2, 3} has 1: (8 + 2) / 4
    assert cohens_d(np.array([3.0, 5, 7]), np.array([1.0, 2, 3])) == pytest.approx(3 / np.sqrt(2.5))
    assert np.isnan(cohens_d(np.array([1.0, 1]), np.array([1.0, 1])))


def test_separation_and_rank_correlation_by_hand() -> None:
    # 2 beats 1 and ties 2, 3 beats both: 3.5 of 4 pairs
    assert separation(np.array([1.0, 2, 2, 3]), np.array([False, False, True, True])) == pytest.approx(3.5 / 4)
    assert np.isnan(separation(np.array([1.0, 2]), np.array([True, True])))
    assert rank_correlation(np.array([1.0, 2, 9]), np.array([0.1, 0.3, 0.2])) == pytest.approx(0.5)
    assert np.isnan(rank_correlation(np.array([1.0, 1, 1]), np.array([1.0, 2, 3])))
    assert np.isnan(rank_correlation(np.array([1.0, 2]), np.array([1.0, 2])))
