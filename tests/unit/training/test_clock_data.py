from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.cohort.ages import age_inputs
from cellfate.core.errors import InputError
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.features.summaries import feature_columns
from cellfate.statistics.incidence import label_bins
from cellfate.training.batches import SequenceReader
from cellfate.training.clock_data import mixed_batches, open_clock_fold
from cellfate.training.settings import AugmentationSettings
from tests.cases.trained_models import TINY_CLOCK, TINY_FOLLOW_UP, tiny_clock_study, tiny_clock_training

FIXED = AugmentationSettings(drop_end_share=0, flip_and_rotate=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_clock_study(tmp_path_factory.mktemp("study"))


def open_fold(study, training, fold=0, follow_up=TINY_FOLLOW_UP):
    reader = SequenceReader(
        study.crops,
        study.follow_ups,
        10,
        partial(find_masks, channels=study.crops.channels, features=FeatureSettings()),
    )
    return open_clock_fold(fold, study.crops, reader, *study.tables, follow_up, TINY_CLOCK, training)


@pytest.fixture(scope="module")
def fold(study, tmp_path_factory):
    return open_fold(study, tiny_clock_training(tmp_path_factory.mktemp("fold"), augmentation=FIXED))


def cells_of(plan):
    return [(unit.recording_id, unit.cell_id) for batch in plan for unit in batch]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(1, 200), st.integers(0, 9))
def test_mixed_batches_hold_every_cell_once_and_bound_frames(lengths, most, seed):
    batches = mixed_batches(np.array(lengths), most, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    sizes = [[lengths[i] for i in batch] for batch in batches]
    assert all(sum(batch) <= most or len(batch) == 1 for batch in sizes)
    assert all(sum(batch) + following[0] > most for batch, following in pairwise(sizes))  # as full as the order allows


def test_mixed_batches_are_in_random_company_and_reproducible():
    lengths = np.arange(1, 61)
    first, again = (mixed_batches(lengths, 90, np.random.default_rng(4)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert np.concatenate(first).tolist() != sorted(np.concatenate(first).tolist())
    assert max(np.ptp(lengths[batch]) for batch in first) > 20


def test_an_epoch_shows_every_training_cell_once_in_new_company(fold):
    cells = set(zip(fold.train.follow_ups["recording_id"], fold.train.follow_ups["cell_id"], strict=True))
    plans = [cells_of(fold.training_plan(epoch)) for epoch in (0, 0, 1)]
    assert all(set(plan) == cells and len(plan) == len(cells) for plan in plans)
    assert plans[0] == plans[1] != plans[2]


def test_a_batch_says_of_every_frame_what_was_seen_after_it_and_how_old_the_cell_was(study, fold):
    (units, *_) = fold.validation_plan()
    batch = fold.validation_batch(units)
    starts = np.concatenate([[0], np.cumsum(batch.lengths_b)])
    assert starts[-1] == len(batch.frames_nchw) == len(batch.labels_nk)
    for row, start, stop in zip(batch.rows_b, starts[:-1], starts[1:], strict=True):
        cell = fold.validation.follow_ups.iloc[row]
        frames = study.crops.frame_numbers(cell["recording_id"], cell["cell_id"])
        frames = frames[frames <= cell["last_frame"]]
        event = {"apoptosis": 1, "mitosis": 2, "censored": 0}[cell["fate"]]
        time_h = (cell["end_frame"] - frames) / 2
        expected = label_bins(time_h, np.full(len(frames), event), TINY_FOLLOW_UP.edges_h)
        np.testing.assert_array_equal(batch.labels_nk[start:stop], expected)
        np.testing.assert_array_equal(batch.positions_m[start:stop], frames - frames[0])
        np.testing.assert_array_equal(batch.ages_na[start:stop], age_inputs(frames, 0.5))
    assert set(np.unique(batch.labels_nk)) == {-1, 0, 1, 2}


def test_features_are_standardised_by_the_training_cells_and_clipped(study, fold):
    cells = fold.train.follow_ups[["recording_id", "cell_id"]]
    in_training = study.frame_features.merge(cells, on=["recording_id", "cell_id"])
    names = [name for name in feature_columns(study.frame_features) if in_training[name].std() > 1e-6]
    assert (
        fold.n_features == len(names) > 3
    )  # what is the same in all cells tells nothing, whatever is left by rounding
    for part in (fold.train, fold.validation):
        cell, features = part.follow_ups.iloc[0], part.features[0]
        own = study.frame_features.merge(pd.DataFrame([cell[["recording_id", "cell_id"]]]))
        shown = own[own["frame"] <= cell["last_frame"]].sort_values("frame")
        means, deviations = (np.nanmean(in_training[names], axis=0), np.nanstd(in_training[names], axis=0))
        np.testing.assert_allclose(features, np.clip((shown[names] - means) / deviations, -5, 5), rtol=1e-4, atol=1e-5)
    assert np.nanmax(np.abs(np.concatenate(fold.train.features))) <= 5


def test_a_pass_of_the_pretraining_draws_every_crop_once_with_its_features(fold):
    frames, features, done = [], [], []
    for share, frames_nchw, features_nf in ((d.done, d.frames_nchw, d.features_nf) for d in fold.draw_crops(0)):
        assert len(frames_nchw) <= fold.settings.pretraining_frames
        frames, features, done = [*frames, *frames_nchw], [*features, *features_nf], [*done, share]
    batches = [fold.training_batch(units, 0, 0) for units in fold.training_plan(0)]
    shown = {
        frame.tobytes(): told
        for batch in batches
        for frame, told in zip(batch.frames_nchw, batch.features_nf, strict=True)
    }
    assert len(shown) == len(frames) == sum(len(batch.frames_nchw) for batch in batches)
    assert {frame.tobytes() for frame in frames} == shown.keys()
    for frame, told in zip(frames, features, strict=True):
        np.testing.assert_array_equal(told, shown[frame.tobytes()])
    assert done[0] == 0
    assert done == sorted(done)
    assert done[-1] < 1


def test_pools_of_the_pretraining_hold_every_crop_too(fold, monkeypatch):
    monkeypatch.setattr("cellfate.training.clock_data.POOL_FRAMES", 25)
    drawn = [frame.tobytes() for draw in fold.draw_crops(1) for frame in draw.frames_nchw]
    n_frames = sum(len(labels) for labels in fold.train.labels)
    assert len(drawn) == len(set(drawn)) == n_frames


def test_views_stand_for_the_crops_of_a_batch(fold):
    """An encoder that gives pixel means back: the same for any mirrored or turned crop."""
    turned = replace(
        fold, train=replace(fold.train, maker=replace(fold.train.maker, augmentation=AugmentationSettings()))
    )
    with_views = turned.with_views(lambda frames_nchw: frames_nchw.mean(axis=(2, 3)))
    for plan, make in (
        (fold.training_plan(2), lambda data, units: data.training_batch(units, 2, 0)),
        (fold.validation_plan(), lambda data, units: data.validation_batch(units)),
    ):
        for units in plan:
            batch, expected = make(with_views, units), make(fold, units)
            assert batch.frames_nchw.size == 0
            np.testing.assert_allclose(batch.embeddings_nd, expected.frames_nchw.mean(axis=(2, 3)), atol=1e-5)
            for name in ("positions_m", "lengths_b", "rows_b", "labels_nk", "ages_na", "features_nf"):
                np.testing.assert_array_equal(getattr(batch, name), getattr(expected, name))


def test_trained_on_decided_cells_leaves_censored_ones_out_of_training_only(study, tmp_path):
    everyone = open_fold(study, tiny_clock_training(tmp_path))
    decided = open_fold(study, tiny_clock_training(tmp_path, train_on="decided"))
    assert (everyone.train.follow_ups["fate"] == "censored").any()
    assert set(decided.train.follow_ups["fate"]) == {"apoptosis", "mitosis"}
    assert len(decided.train.follow_ups) == (everyone.train.follow_ups["fate"] != "censored").sum()
    assert (decided.validation.follow_ups["fate"] == "censored").any()  # both are scored on the same cells
    assert len(decided.validation.follow_ups) == len(everyone.validation.follow_ups)


def test_an_event_that_no_training_cell_ends_in_is_named(study, tmp_path):
    follow_ups = study.follow_ups[study.follow_ups["fate"] != "apoptosis"]
    lacking = replace(study, follow_ups=follow_ups)
    message = r"None of the \d+ training cells of fold 0 ends in apoptosis; .* in follow_up\.events"
    with pytest.raises(InputError, match=message):
        open_fold(lacking, tiny_clock_training(tmp_path))
    only_mitosis = TINY_FOLLOW_UP.model_copy(update={"events": ("mitosis",)})
    labels = np.concatenate(open_fold(lacking, tiny_clock_training(tmp_path), follow_up=only_mitosis).train.labels)
    assert set(np.unique(labels)) == {-1, 0, 1}


def test_a_part_without_cells_is_named(study, tmp_path):
    lacking = replace(study, splits=study.splits[study.splits["part"] != "validation"])
    with pytest.raises(InputError, match="Fold 0 has no validation cells"):
        open_fold(lacking, tiny_clock_training(tmp_path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pretraining_epochs": 0}, "encoder_rate and pretraining_epochs are both 0"),
        ({"feature_weight": 0.5}, "feature_weight is 0.5 but encoder_rate is 0"),
        ({"augmentation": AugmentationSettings()}, r"drop_end_share is 0.5 .* learns at every frame"),
        ({"augmentation": AugmentationSettings(drop_end_share=0, shown_frames=4)}, "shown_frames 4"),
    ],
)
def test_settings_that_contradict_are_named(tmp_path, changes, words):
    with pytest.raises(ValidationError, match=words):
        tiny_clock_training(tmp_path, **changes)


def test_the_time_arrow_pairs_a_crop_with_one_of_the_same_cell_so_many_frames_later(study, tmp_path):
    as_they_are = AugmentationSettings(drop_end_share=0, flip_and_rotate=False)
    plain, arrowed = (
        open_fold(study, tiny_clock_training(tmp_path, augmentation=as_they_are, time_arrow_weight=weight))
        for weight in (0.0, 1.0)
    )
    places = {}
    for units in plain.training_plan(0):
        batch = plain.training_batch(units, 0, 0)
        for row, position, frame in zip(
            np.repeat(batch.rows_b, batch.lengths_b), batch.positions_m, batch.frames_nchw, strict=True
        ):
            places[frame.tobytes()] = (row, position)
    n_pairs = n_drawn = 0
    for draw in arrowed.draw_crops(0):
        n_drawn += len(draw.features_nf)
        n_pairs += len(draw.pairs_p2)
        for earlier, later in draw.pairs_p2:
            row, position = places[draw.frames_nchw[earlier].tobytes()]
            assert places[draw.frames_nchw[later].tobytes()] == (row, position + 2)
    lengths = np.array([len(labels) for labels in arrowed.train.labels])
    assert n_drawn == lengths.sum()
    assert n_pairs == np.maximum(lengths - 2, 0).sum()
    assert all(len(draw.pairs_p2) == 0 for draw in plain.draw_crops(0))
