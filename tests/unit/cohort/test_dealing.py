"""Dealing against the best of all possible deals."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cellfate.cohort.dealing import deal_units

SHARES = np.array([0.6, 0.15, 0.25])


def distance(parts: np.ndarray, counts: np.ndarray) -> tuple[int, float]:
    """Parts that lack stratum 1, and the squared distance of all strata from their shares."""
    shares = np.stack([counts[parts == part].sum(axis=0) for part in range(3)]) / np.maximum(counts.sum(axis=0), 1)
    return int((shares[:, 1] == 0).sum()), float(np.square(shares - SHARES[:, None]).sum())


@pytest.mark.parametrize("seed", range(5))
def test_small_deals_are_as_good_as_can_be(seed: int) -> None:
    counts = np.random.default_rng(seed).poisson(2, (7, 5))
    needed = np.arange(5) == 1
    dealt = deal_units(counts, SHARES, needed, np.random.default_rng(seed))
    best = min(distance(np.array(parts), counts) for parts in product(range(3), repeat=7))
    assert distance(dealt, counts) == pytest.approx(best, abs=1e-9)  # the sums are added in another order


def test_a_needed_stratum_reaches_every_part() -> None:
    counts = np.ones((9, 2), dtype=int)
    counts[3:, 1] = 0  # three of nine units hold the rare stratum: by its shares, validation would get none
    parts = deal_units(counts, SHARES, np.array([False, True]), np.random.default_rng(0))
    assert sorted(parts[:3].tolist()) == [0, 1, 2]


def test_many_units_keep_their_shares() -> None:
    counts = np.random.default_rng(0).poisson(3, (3000, 4))
    parts = deal_units(counts, SHARES, np.ones(4, dtype=bool), np.random.default_rng(0))
    held = np.stack([counts[parts == part].sum(axis=0) for part in range(3)]) / counts.sum(axis=0)
    assert held == pytest.approx(np.repeat(SHARES[:, None], 4, axis=1), abs=0.01)


def test_nothing_given_is_changed() -> None:
    counts = np.ones((5, 2), dtype=int)
    deal_units(counts, SHARES, np.array([True, False]), np.random.default_rng(0))
    assert_array_equal(counts, 1)
