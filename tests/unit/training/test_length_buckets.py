"""Properties of batches bounded by frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.training.length_buckets import length_bucketed_batches

LENGTHS = st.lists(st.integers(1, 60), min_size=0, max_size=80)


@given(lengths=LENGTHS, most=st.integers(1, 200), seed=st.none() | st.integers(0, 9))
def test_each_sequence_once_within_the_bound(lengths: list[int], most: int, seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    batches = length_bucketed_batches(lengths, most, rng)
    assert sorted(np.concatenate([*batches, []]).astype(int).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) > 0
        assert sum(lengths[i] for i in batch) <= most or len(batch) == 1  # a longer sequence stands alone


@given(lengths=LENGTHS, most=st.integers(60, 200))
def test_batches_are_as_full_as_the_order_allows(lengths: list[int], most: int) -> None:
    batches = length_bucketed_batches(lengths, most)
    sizes = [[lengths[i] for i in batch] for batch in batches]
    assert [length for batch in sizes for length in batch] == sorted(lengths)
    for batch, following in pairwise(sizes):
        assert sum(batch) + following[0] > most


def test_a_batch_holds_like_lengths() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 100, 500)
    batches = length_bucketed_batches(lengths, 400, rng)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert (
        1 - lengths.sum() / padded < 0.12
    )  # padding with lengths that differ by up to 10 %; unsorted it is about half


def test_the_generator_shuffles_and_is_reproducible() -> None:
    lengths = np.arange(1, 60)
    first, again = (length_bucketed_batches(lengths, 90, np.random.default_rng(4)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one, other)
    longest = [lengths[batch].max() for batch in first]
    assert longest != sorted(longest)


def test_weights_draw_with_replacement() -> None:
    lengths = np.full(1000, 5)
    weights = np.where(np.arange(1000) < 100, 9.0, 1.0)  # a tenth of the sequences has half of the weight
    batches = length_bucketed_batches(lengths, 50, np.random.default_rng(0), weights)
    drawn = np.concatenate(batches)
    assert len(drawn) == 1000
    assert (drawn < 100).mean() == pytest.approx(0.5, abs=0.05)  # three standard errors of 1000 draws
    never = length_bucketed_batches([5, 5, 5], 50, np.random.default_rng(0), [1.0, 0.0, 1.0])
    assert 1 not in np.concatenate(never)


def test_weights_need_a_generator() -> None:
    with pytest.raises(ValueError, match="weights were given without rng"):
        length_bucketed_batches([1, 2], 5, None, [1.0, 1.0])
