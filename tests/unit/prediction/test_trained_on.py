"""Cells that a model has seen are known again by their pixels and tracks, never by their names."""

import hashlib
import logging
import struct
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cellfate.crops.digest import digest_cell, digest_cells, digest_data
from cellfate.prediction.trained_on import digest_seen, find_seen
from tests.cases.crop_stores import tiny_study

CELL = ["recording_id", "cell_id"]


def test_two_stores_of_other_pixels_share_no_cell(clock, tmp_path):
    other = tiny_study(tmp_path, channels=2, size=8, seed=1)
    one, new = digest_cells(clock.study.crops, clock.study.follow_ups), digest_cells(other.crops, other.follow_ups)
    assert one.is_unique
    assert not set(one) & set(new)
    assert one.str.fullmatch("[0-9a-f]{16}").all()


def test_neither_names_nor_numbers_nor_types_count_but_one_pixel_does(clock):
    sequence = clock.read()
    digest = digest_cell(sequence)
    renamed = replace(sequence, recording_id="other", cell_id=99, masks_thw=None)
    later = replace(sequence, frame_numbers_t=sequence.frame_numbers_t + 40)
    as_float = replace(sequence, frames_tchw=sequence.frames_tchw.astype(np.float64))
    cut = sequence.take(np.arange(4))
    assert {digest_cell(each) for each in (renamed, later, as_float, cut)} == {digest}
    touched = sequence.frames_tchw.copy()
    touched[1, 0, 2, 2] += 1
    gap = sequence.take(np.delete(np.arange(len(sequence.frame_numbers_t)), 1))
    filled = replace(gap, frame_numbers_t=np.arange(len(gap.frame_numbers_t)))
    moved = replace(gap, frame_numbers_t=np.insert(gap.frame_numbers_t[2:], 0, gap.frame_numbers_t[0] + [0, 1]))
    others = [replace(sequence, frames_tchw=touched), sequence.take(np.arange(1, 9)), gap, filled, moved]
    assert len({digest_cell(each) for each in others} | {digest}) == 6


def test_what_only_tests_was_not_seen(clock):
    """With folds every cell trains somewhere; the test cells of one holdout do not."""
    study = clock.study
    every = digest_seen(study.crops, study.follow_ups, study.splits)
    assert every == set(digest_cells(study.crops, study.follow_ups))
    holdout = study.splits[study.splits["fold"] == 0]
    tested = study.follow_ups.merge(holdout[holdout["part"] == "test"][CELL])
    assert every - digest_seen(study.crops, study.follow_ups, holdout) == set(digest_cells(study.crops, tested))


def test_a_model_holds_the_cells_it_was_given(classifier, clock):
    study = clock.study
    fated = study.follow_ups.query("fate != 'censored'")
    assert clock.model.trained_on == set(digest_cells(study.crops, study.follow_ups))
    assert classifier.model.trained_on == set(digest_cells(classifier.study.crops, fated))


def test_seen_cells_are_marked_and_counted_once(clock, tmp_path, caplog):
    """Ten of the training run under other names, among others of the same names."""
    seen = clock.study.follow_ups.iloc[:10]
    with caplog.at_level(logging.WARNING):
        marked = find_seen(clock.model, clock.study.crops, seen)
    assert marked["seen_in_training"].all()
    assert [record.getMessage()[:53] for record in caplog.records] == [
        "The fate clock was trained on 10 of these 10 cells: f"
    ]
    caplog.clear()
    other = tiny_study(tmp_path, channels=2, size=8, seed=5)
    marked = find_seen(clock.model, other.crops, other.follow_ups)
    assert not marked["seen_in_training"].any()
    pd.testing.assert_frame_equal(marked[CELL], other.follow_ups[CELL])
    assert not caplog.records


def test_the_digest_of_data_is_over_bytes_that_every_version_of_pandas_gives():
    table = pd.DataFrame({"name": ["a", None], "cell": pd.array([3, pd.NA], "Int64"), "size": [-0.0, 1.5]})
    said = b'[2, "name", "cell", "size"]' + b'["a", ""]' + struct.pack("<4d", 3, np.nan, 0.0, 1.5)
    assert digest_data(SimpleNamespace(digest="crops"), table) == hashlib.sha256(b"crops" + said).hexdigest()


@pytest.mark.parametrize("column", ["recording_id", "cell_id"])
def test_the_digest_of_data_does_not_depend_on_how_a_table_is_held(clock, column, tmp_path):
    study = clock.study
    study.landmarks.to_parquet(tmp_path / "landmarks.parquet")
    again = pd.read_parquet(tmp_path / "landmarks.parquet").astype({column: object})
    digest = digest_data(study.crops, study.landmarks, study.splits)
    assert digest == digest_data(study.crops, again, study.splits)
    assert digest != digest_data(study.crops, study.landmarks.iloc[1:], study.splits)
