"""Batches made ahead are the same batches, in order, whatever the number of threads."""

import pickle
import threading

import numpy as np
import pytest

from cellfate.training.loading import BatchLoader
from tests.cases.trainings import tiny_clock_training, tiny_training, trainable_study


def numbered(number):
    return {"number": np.array([number])}


def numbers_of(loader):
    return [int(batch["number"]) for batch in loader]


@pytest.mark.parametrize("n_threads", [0, 1, 3, 20])
def test_batches_come_in_order_and_the_done_ones_do_not(n_threads):
    loader = BatchLoader(numbered, 7, n_done=2, n_threads=n_threads)
    assert len(loader) == 7
    assert numbers_of(loader) == numbers_of(loader) == [2, 3, 4, 5, 6]


def test_so_many_are_made_ahead_and_no_more():
    made, enough = [], threading.Event()

    def make(number):
        made.append(number)
        if number == 2:
            enough.set()
        return numbered(number)

    batches = iter(BatchLoader(make, 9, n_threads=2))
    assert made == []
    next(batches)
    assert enough.wait(timeout=30)
    batches.close()
    assert sorted(made) == [0, 1, 2]


@pytest.mark.parametrize("n_threads", [0, 2])
def test_what_goes_wrong_in_a_thread_is_raised_where_the_batch_is_asked_for(n_threads):
    def make(number):
        if number == 3:
            raise ValueError("chunk 3 is damaged")
        return numbered(number)

    batches = iter(BatchLoader(make, 9, n_threads=n_threads))
    assert [int(next(batches)["number"]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="chunk 3 is damaged"):
        next(batches)


@pytest.mark.parametrize("make", [tiny_training, tiny_clock_training])
def test_weights_are_the_same_with_any_number_of_threads(tmp_path, make):
    study = trainable_study(tmp_path / "study", scheme="grouped_holdout")
    small = {"max_frames_per_batch": 20, "encoder_rate": 1.0}
    alone, *others = (
        study.fit(make(tmp_path / str(threads), loading_threads=threads, **small))[0] for threads in (0, 1, 4)
    )
    for other in others:
        np.testing.assert_equal(other.weights, alone.weights)


def test_what_is_kept_in_memory_does_not_travel_to_another_process(tmp_path):
    data = trainable_study(tmp_path).open_folds(tiny_training(tmp_path))[0]
    empty = len(pickle.dumps(data.train.reader))
    data.train.batch(np.arange(len(data.train)))
    copy = pickle.loads(pickle.dumps(data.train.reader))
    assert len(pickle.dumps(data.train.reader)) == empty
    assert copy._bytes_left == tiny_training(tmp_path).cache_limit_mb * 2**20
    cell = data.train.cells.iloc[0]
    key = (cell["recording_id"], cell["cell_id"], cell["first_frame"], cell["last_frame"])
    np.testing.assert_array_equal(copy.read(*key).frames_tchw, data.train.reader.read(*key).frames_tchw)
