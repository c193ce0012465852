"""Properties of batches bounded by frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellfate.training.batch_plans import length_buckets, mixed_batches

LENGTHS = st.lists(st.integers(1, 60), min_size=0, max_size=80)


@pytest.mark.parametrize(
    "part", [length_buckets, mixed_batches, lambda lengths, most, _: length_buckets(lengths, most)]
)
@given(lengths=LENGTHS, most=st.integers(1, 200), seed=st.integers(0, 9))
def test_each_cell_stands_once_within_the_bound(part, lengths, most, seed):
    batches = part(np.array(lengths, dtype=np.int64), most, np.random.default_rng(seed))
    assert sorted(np.concatenate([*batches, []]).astype(int).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) > 0
        assert sum(lengths[i] for i in batch) <= most or len(batch) == 1  # a longer one stands alone


@pytest.mark.parametrize("part", [mixed_batches, lambda lengths, most, _: length_buckets(lengths, most)])
@given(lengths=LENGTHS, most=st.integers(60, 200))
def test_batches_are_as_full_as_the_order_allows(part, lengths, most):
    batches = part(np.array(lengths, dtype=np.int64), most, np.random.default_rng(0))
    sizes = [[lengths[i] for i in batch] for batch in batches]
    assert all(sum(batch) + following[0] > most for batch, following in pairwise(sizes))


def test_without_random_numbers_the_shortest_come_first():
    lengths = np.random.default_rng(1).integers(1, 60, 50)
    batches = length_buckets(lengths, 100)
    assert lengths[np.concatenate(batches)].tolist() == sorted(lengths.tolist())


def test_a_length_bucket_holds_like_lengths():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 100, 500)
    batches = length_buckets(lengths, 400, rng)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert 1 - lengths.sum() / padded < 0.12  # lengths that differ by up to 10 %; unsorted it is about half


@pytest.mark.parametrize("part", [length_buckets, mixed_batches])
def test_the_generator_shuffles_and_is_reproducible(part):
    lengths = np.arange(1, 60)
    first, again = (part(lengths, 90, np.random.default_rng(4)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    longest = [lengths[batch].max() for batch in first]
    assert longest != sorted(longest)


def test_mixed_batches_hold_cells_of_all_lengths():
    lengths = np.arange(1, 61)
    assert max(np.ptp(lengths[batch]) for batch in mixed_batches(lengths, 90, np.random.default_rng(4))) > 20
