from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.crops.normalisation import normalise
from cellfate.training.augmentation import augment_frames, choose_frames
from cellfate.training.batches import SequenceReader
from cellfate.training.fold_data import open_fold
from cellfate.training.sampling import group_units, outcome_weights, plan_all, plan_epoch
from cellfate.training.settings import AugmentationSettings, TrainingSettings
from tests.cases.trained_models import TINY_MODEL, tiny_study, tiny_training

NOTHING = AugmentationSettings(flip_and_rotate=False, drop_end_share=0)


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("landmarks"), kind="landmark")


def open_first_fold(study, folder, limit_mb=100, **changes):
    training = tiny_training(folder, **changes)
    reader = SequenceReader(study.crops, study.samples, limit_mb)
    tables = (study.samples, study.splits, study.normalisation)
    return open_fold(0, reader, *tables, study.crops.channels, study.sample_settings, training, TINY_MODEL)


def make_table(cells):
    return pd.DataFrame(
        {
            "recording_id": "00",
            "cell_id": cells,
            "first_frame": range(len(cells)),
            "last_frame": [start + 3 for start in range(len(cells))],
        }
    )


def test_outcomes_weigh_the_same():
    weights = outcome_weights(np.array([0, 1, 1, 1, 2]), 3)
    np.testing.assert_allclose(weights, [5 / 3, 5 / 9, 5 / 9, 5 / 9, 5 / 3])
    assert weights.mean() == pytest.approx(1)


def test_copies_of_a_sample_go_to_units_of_their_own():
    units = group_units(make_table([7, 7, 8]), np.array([0, 1, 0, 2, 0]))
    assert sorted((unit.cell_id, unit.rows) for unit in units) == [(7, (0,)), (7, (0,)), (7, (0, 1)), (8, (2,))]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=20), st.integers(4, 30))
def test_a_plan_of_all_samples_shows_each_once_within_the_bound(cells, max_frames):
    table = make_table(sorted(cells))
    plan = plan_all(table, max_frames)
    assert sorted(row for batch in plan for unit in batch for row in unit.rows) == list(range(len(cells)))
    for batch in plan:
        spans = [max(unit.rows) - min(unit.rows) + 4 for unit in batch]
        assert len(batch) == 1 or sum(spans) <= max_frames


def test_sampling_draws_outcomes_alike():
    table = make_table(list(range(400)))
    targets = np.array([0] * 40 + [1] * 360)
    training = TrainingSettings(max_epochs=1, samples_per_epoch=2000, checkpoint_folder="none")
    plan = plan_epoch(table, outcome_weights(targets, 2), training, np.random.default_rng(0))
    drawn = [targets[row] for batch in plan for unit in batch for row in unit.rows]
    assert len(drawn) == 2000
    assert abs(np.mean(drawn) - 0.5) < 0.05  # four standard errors


def test_windows_of_a_cell_share_their_frames(landmarks, tmp_path):
    data = open_first_fold(landmarks, tmp_path, augmentation=NOTHING)
    rows = data.train.samples
    first_cell = rows[(rows["recording_id"] == rows["recording_id"][0]) & (rows["cell_id"] == rows["cell_id"][0])]
    assert len(first_cell) > 1
    units = group_units(rows, first_cell.index.to_numpy())
    batch = data.train.maker.make(units, np.random.default_rng(0))
    sequence = landmarks.crops.read(rows["recording_id"][0], int(rows["cell_id"][0]))
    preprocessing = data.train.maker.preprocessing
    frames = normalise(sequence.frames_tchw, sequence.inside_thw, preprocessing.mean_c, preprocessing.sd_c)
    assert len(batch.frames_nchw) < batch.lengths_b.sum()
    starts = np.concatenate([[0], np.cumsum(batch.lengths_b)])
    for place, row in enumerate(batch.rows_b):
        shown = batch.gather_m[starts[place] : starts[place + 1]]
        first, last = rows.loc[row, ["first_frame", "last_frame"]].astype(int)
        kept = (sequence.frame_numbers_t >= first) & (sequence.frame_numbers_t <= last)
        np.testing.assert_array_equal(batch.frames_nchw[shown], frames[kept])
        numbers = sequence.frame_numbers_t[kept]
        np.testing.assert_array_equal(batch.positions_m[starts[place] : starts[place + 1]], numbers - numbers[0])


def test_the_cache_changes_nothing(landmarks, tmp_path):
    batches = []
    for limit_mb in (0, 100):
        data = open_first_fold(landmarks, tmp_path, limit_mb)
        plan = data.training_plan(epoch=2)
        batches += [data.training_batch(plan[0], epoch=2, place=0) for _ in range(2)]
    for batch in batches[1:]:
        for name in vars(batch):
            np.testing.assert_array_equal(getattr(batch, name), getattr(batches[0], name))


def test_another_epoch_shows_other_batches(landmarks, tmp_path):
    data = open_first_fold(landmarks, tmp_path)
    assert data.training_plan(0) == data.training_plan(0)
    assert data.training_plan(0) != data.training_plan(1)


def test_an_input_is_never_changed_by_augmentation():
    frames = np.random.default_rng(0).normal(size=(3, 2, 8, 8)).astype(np.float32)
    before = frames.copy()
    everything = AugmentationSettings(blur_share=1)
    for seed in range(8):
        changed = augment_frames(frames, everything, np.random.default_rng(seed))
        assert changed.shape == frames.shape
    np.testing.assert_array_equal(frames, before)


def test_parts_are_absent_by_channel_in_stretches_and_never_changed_otherwise():
    frames = np.ones((9, 2, 3, 3), dtype=np.float32)
    shares = []
    for seed in range(200):
        shown = augment_frames(frames, replace_nothing(absent_share=1.0), np.random.default_rng(seed))
        present = shown[:, :, 0, 0]
        assert set(np.unique(shown)) <= {0.0, 1.0}
        assert (shown == present[:, :, None, None]).all()
        assert (present.reshape(3, 3, 2) == present.reshape(3, 3, 2)[:, :1]).all()  # stretches of three frames
        shares.append(present.mean())
    assert 0.4 < np.mean(shares) < 0.6
    assert min(shares) == 0.0
    assert max(shares) == 1.0
    half = [
        augment_frames(frames, replace_nothing(absent_share=0.5), np.random.default_rng(s)).all() for s in range(200)
    ]
    assert 0.5 < np.mean(half) < 0.7  # and a few of the others are whole by chance


def test_turning_keeps_pixels_and_treats_frames_alike():
    frames = np.arange(2 * 1 * 4 * 4, dtype=np.float32).reshape(2, 1, 4, 4)
    seen = set()
    for seed in range(60):
        turned = augment_frames(frames, replace_nothing(flip_and_rotate=True), np.random.default_rng(seed))
        np.testing.assert_array_equal(turned[1] - turned[0], np.full((1, 4, 4), 16))
        np.testing.assert_array_equal(np.sort(turned[0], axis=None), np.sort(frames[0], axis=None))
        seen.add(turned[0].tobytes())
    assert len(seen) == 8  # the symmetries of a square


def test_crops_that_are_not_square_keep_their_shape():
    frames = np.zeros((1, 1, 4, 6), dtype=np.float32)
    shapes = {
        augment_frames(frames, replace_nothing(flip_and_rotate=True), np.random.default_rng(s)).shape for s in range(9)
    }
    assert shapes == {(1, 1, 4, 6)}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10_000))
def test_dropped_ends_leave_the_start_and_at_least_half(n_frames, seed):
    always = replace_nothing(drop_end_share=1.0)
    kept = choose_frames(n_frames, True, always, np.random.default_rng(seed))
    np.testing.assert_array_equal(kept, np.arange(len(kept)))
    assert max(1, np.floor(0.5 * n_frames)) <= len(kept) <= max(1, np.ceil(0.9 * n_frames))
    whole = choose_frames(n_frames, False, always, np.random.default_rng(seed))
    assert len(whole) == n_frames


def test_shown_frames_are_drawn_in_order():
    shown = choose_frames(30, True, replace_nothing(shown_frames=10), np.random.default_rng(0))
    assert len(shown) == 10
    assert (np.diff(shown) > 0).all()


def replace_nothing(**changes):
    return AugmentationSettings(**(NOTHING.model_dump() | changes))


def test_a_missing_channel_of_the_normalisation_is_named(landmarks, tmp_path):
    study = replace(landmarks, normalisation=landmarks.normalisation.query("channel != 'p53'"))
    with pytest.raises(ValueError, match="no row of fold 0 and channel p53"):
        open_first_fold(study, tmp_path)


def test_one_outcome_only_is_named(landmarks, tmp_path):
    study = replace(landmarks, samples=landmarks.samples.assign(outcome="none"))
    with pytest.raises(ValueError, match="training samples of fold 0 have the outcome 'none'"):
        open_first_fold(study, tmp_path)


def test_a_part_without_samples_is_named(landmarks, tmp_path):
    splits = landmarks.splits[landmarks.splits["part"] != "validation"]
    with pytest.raises(ValueError, match="Fold 0 has no validation samples"):
        open_first_fold(replace(landmarks, splits=splits), tmp_path)
