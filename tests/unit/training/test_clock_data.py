from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from cellfate.cohort.ages import age_inputs
from cellfate.core.errors import InputError
from cellfate.features.summaries import feature_columns
from cellfate.models.fate_clock import FateClock
from cellfate.statistics.incidence import label_bins
from cellfate.training.clock_data import open_clock_folds
from cellfate.training.clock_module import ClockModule
from cellfate.training.pretraining import draw_crops, embed_cells, pretrain_encoder
from cellfate.training.settings import AugmentationSettings
from tests.cases.crop_stores import TINY_FOLLOW_UP
from tests.cases.trainings import TINY_CLOCK, tiny_clock_training, trainable_study

FIXED = AugmentationSettings(flip_and_rotate=False)
N_CHANNELS = 3  # two and the mask


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def fold(study, tmp_path_factory):
    return study.open_folds(tiny_clock_training(tmp_path_factory.mktemp("fold"), augmentation=FIXED))[0]


def cells_of(plan):
    return np.concatenate(plan).tolist()


def network_of(data, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FateClock(TINY_CLOCK, N_CHANNELS, 4, 2, data.train.n_features)


def test_an_epoch_shows_every_training_cell_once_in_new_company(fold):
    plans = [cells_of(fold.training_plan(epoch)) for epoch in (0, 0, 1)]
    assert all(sorted(plan) == list(range(len(fold.train))) for plan in plans)
    assert plans[0] == plans[1] != plans[2]


def test_a_batch_says_of_every_frame_what_was_seen_after_it_and_how_old_the_cell_was(study, fold):
    places, *_ = fold.validation_plan()
    batch = fold.validation.batch(places)
    starts = np.concatenate([[0], np.cumsum(batch["lengths_b"])])
    assert starts[-1] == len(batch["frames_nchw"]) == len(batch["labels_nk"])
    for place, start, stop in zip(places, starts[:-1], starts[1:], strict=True):
        cell = fold.validation.cells.iloc[place]
        frames = study.crops.frame_numbers(cell["recording_id"], cell["cell_id"])
        frames = frames[frames <= cell["last_frame"]]
        event = {"apoptosis": 1, "mitosis": 2, "censored": 0}[cell["fate"]]
        time_h, watchable_h = (cell["end_frame"] - frames) / 2, (11 - frames) / 2  # 12 frames of 30 min
        expected = label_bins(time_h, np.full(len(frames), event), watchable_h, TINY_FOLLOW_UP.edges_h)
        np.testing.assert_array_equal(batch["labels_nk"][start:stop], expected)
        np.testing.assert_array_equal(batch["positions_n"][start:stop], frames - frames[0])
        np.testing.assert_array_equal(batch["ages_na"][start:stop], age_inputs(frames, 0.5))
    assert set(np.unique(batch["labels_nk"])) == {-1, 0, 1, 2}


def test_a_bin_teaches_only_where_the_recording_goes_on_to_its_end(fold):
    """With an event or without: else late frames would be known only if something happens."""
    for cell, labels_tk in zip(fold.train.cells.itertuples(), fold.train.known["labels_nk"], strict=True):
        watchable_h = (11 - cell.first_frame - np.arange(len(labels_tk))) / 2
        beyond_tk = np.array(TINY_FOLLOW_UP.edges_h[1:]) > watchable_h[:, None] + 1e-9
        assert (labels_tk[beyond_tk] == -1).all()
        assert beyond_tk.any()


def test_an_event_that_is_not_shown_competes_all_the_same(study, tmp_path):
    mitosis = TINY_FOLLOW_UP.model_copy(update={"events": ("mitosis",)})
    given = replace(study.clock_inputs(tiny_clock_training(tmp_path)), follow_up=mitosis)
    labels = np.concatenate(open_clock_folds(given)[0].train.known["labels_nk"])
    both = np.concatenate(study.open_folds(tiny_clock_training(tmp_path))[0].train.known["labels_nk"])
    np.testing.assert_array_equal(labels, both)
    assert set(np.unique(labels)) == {-1, 0, 1, 2}


def test_features_are_standardised_by_the_training_cells_and_clipped(study, fold):
    cells = fold.train.cells[["recording_id", "cell_id"]]
    in_training = study.frame_features.merge(cells, on=["recording_id", "cell_id"])
    names = [name for name in feature_columns(study.frame_features) if in_training[name].std() > 1e-6]
    assert (
        fold.train.n_features == len(names) > 3
    )  # what is the same in all cells tells nothing, whatever is left by rounding
    for part in (fold.train, fold.validation):
        cell, features = part.cells.iloc[0], part.known["features_nf"][0]
        own = study.frame_features.merge(pd.DataFrame([cell[["recording_id", "cell_id"]]]))
        shown = own[own["frame"] <= cell["last_frame"]].sort_values("frame")
        means, deviations = (np.nanmean(in_training[names], axis=0), np.nanstd(in_training[names], axis=0))
        np.testing.assert_allclose(features, np.clip((shown[names] - means) / deviations, -5, 5), rtol=1e-4, atol=1e-5)
    assert np.nanmax(np.abs(np.concatenate(fold.train.known["features_nf"]))) <= 5


def test_the_network_is_not_taught_what_a_tracker_measured(study, tmp_path):
    """It looks at one crop, in which a tracker's own numbers may not be seen."""
    measured = study.frame_features.assign(tracker_SNR=np.float32(np.arange(len(study.frame_features))))
    other = replace(study, frame_features=measured)
    one, two = (each.open_folds(tiny_clock_training(tmp_path))[0].train for each in (study, other))
    assert one.n_features == two.n_features > 3


def test_a_pass_of_the_pretraining_draws_every_crop_once_with_its_features(fold):
    draws = list(draw_crops(fold, 0))
    assert all(len(draw.frames_nchw) <= fold.settings.pretraining_frames for draw in draws)
    batch = fold.train.batch(np.arange(len(fold.train)))
    shown = {frame.tobytes(): k for k, frame in enumerate(batch["frames_nchw"])}
    drawn = [shown[frame.tobytes()] for draw in draws for frame in draw.frames_nchw]
    assert sorted(drawn) == list(range(len(shown))) == list(range(len(batch["frames_nchw"])))
    told = np.concatenate([draw.features_nf for draw in draws])
    np.testing.assert_array_equal(told, batch["features_nf"][drawn])
    done = [draw.done for draw in draws]
    assert (done[0], done) == (0, sorted(done))
    assert done[-1] < 1


def test_pools_of_the_pretraining_hold_every_crop_too(fold, monkeypatch):
    monkeypatch.setattr("cellfate.training.pretraining.POOL_FRAMES", 25)
    drawn = [frame.tobytes() for draw in draw_crops(fold, 1) for frame in draw.frames_nchw]
    assert len(drawn) == len(set(drawn)) == sum(map(len, fold.train.known["labels_nk"]))


class PixelMeans(torch.nn.Module):
    """An encoder that gives pixel means back: the same for any mirrored or turned crop."""

    def forward(self, frames_nchw):
        return frames_nchw.mean(dim=(2, 3))


def test_views_stand_for_the_crops_of_a_batch(study, fold, tmp_path):
    turned = study.open_folds(tiny_clock_training(tmp_path))[0]
    network = network_of(fold)
    network.encoder = PixelMeans()
    with_views = embed_cells(network, turned)
    assert len(with_views.train.views) == 4
    for plan, make in (
        (fold.training_plan(2), lambda data, places: data.training_batch(places, 2, 0)),
        (fold.validation_plan(), lambda data, places: data.validation.batch(places)),
    ):
        for places in plan:
            batch, expected = make(with_views, places), make(fold, places)
            means = expected.pop("frames_nchw").mean(axis=(2, 3))
            np.testing.assert_allclose(batch.pop("embeddings_nd"), means, atol=1e-5)
            assert batch.keys() == expected.keys()
            for name, value in expected.items():
                np.testing.assert_array_equal(batch[name], value)


def test_views_differ_by_how_crops_are_turned_and_are_drawn_at_random(study, tmp_path):
    data = study.open_folds(tiny_clock_training(tmp_path))[0]
    with_views = embed_cells(network_of(data), data)
    first, *others = ([embeddings.tobytes() for embeddings, _ in view] for view in with_views.train.views)
    assert all(first != other for other in others)
    places = np.zeros(20, dtype=np.int64)
    drawn = with_views.training_batch(places, 0, 0)["embeddings_nd"].reshape(20, -1)
    assert len(np.unique(drawn, axis=0)) > 1


def test_trained_on_decided_cells_leaves_censored_ones_out_of_training_only(study, tmp_path):
    everyone = study.open_folds(tiny_clock_training(tmp_path))[0]
    decided = study.open_folds(tiny_clock_training(tmp_path, train_on="decided"))[0]
    assert (everyone.train.cells["fate"] == "censored").any()
    assert set(decided.train.cells["fate"]) == {"apoptosis", "mitosis"}
    assert len(decided.train) == (everyone.train.cells["fate"] != "censored").sum()
    assert (decided.validation.cells["fate"] == "censored").any()  # both are scored on the same cells
    assert len(decided.validation) == len(everyone.validation)


def test_an_event_that_no_training_cell_ends_in_is_named_if_it_is_shown(study, tmp_path):
    given = study.clock_inputs(tiny_clock_training(tmp_path))
    train = study.splits.query("fold == 0 and part == 'train'")[["recording_id", "cell_id"]]
    dying = study.follow_ups.merge(train).query("fate == 'apoptosis'")[["recording_id", "cell_id"]]
    splits = study.splits.merge(dying, how="left", indicator=True).query("_merge == 'left_only'")
    with pytest.raises(InputError, match=r"None of the \d+ training cells of fold 0 ends in apoptosis; .*\.events"):
        open_clock_folds(replace(given, splits=splits))
    mitosis = TINY_FOLLOW_UP.model_copy(update={"events": ("mitosis",)})
    given = replace(given, splits=splits[splits["fold"] == 0], follow_up=mitosis)
    labels = np.concatenate(open_clock_folds(given)[0].train.known["labels_nk"])
    assert set(np.unique(labels)) == {-1, 0, 2}  # deaths compete, though none teaches in this fold


def test_a_part_without_cells_is_named(study, tmp_path):
    lacking = replace(study, splits=study.splits[study.splits["part"] != "validation"])
    with pytest.raises(InputError, match="Fold 0 has no validation cells"):
        lacking.open_folds(tiny_clock_training(tmp_path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pretraining_epochs": 0}, "encoder_rate and pretraining_epochs are both 0"),
        ({"feature_weight": 0.5}, "feature_weight is 0.5 but encoder_rate is 0"),
        ({"augmentation": {"shown_frames": 4}}, "shown_frames\n  Extra inputs are not permitted"),
    ],
)
def test_settings_that_contradict_are_named(tmp_path, changes, words):
    with pytest.raises(ValidationError, match=words):
        tiny_clock_training(tmp_path, **changes)


def test_the_time_arrow_pairs_a_crop_with_one_of_the_same_cell_so_many_frames_later(study, tmp_path):
    plain, arrowed = (
        study.open_folds(tiny_clock_training(tmp_path, augmentation=FIXED, time_arrow_weight=weight))[0]
        for weight in (0.0, 1.0)
    )
    batch = plain.train.batch(np.arange(len(plain.train)))
    cells = np.repeat(np.arange(len(plain.train)), batch["lengths_b"])
    crops = zip(cells, batch["positions_n"], batch["frames_nchw"], strict=True)
    places = {frame.tobytes(): (cell, position) for cell, position, frame in crops}
    n_pairs = n_drawn = 0
    for draw in draw_crops(arrowed, 0):
        n_drawn += len(draw.features_nf)
        n_pairs += len(draw.pairs_p2)
        for earlier, later in draw.pairs_p2:
            cell, position = places[draw.frames_nchw[earlier].tobytes()]
            assert places[draw.frames_nchw[later].tobytes()] == (cell, position + 2)
    assert n_drawn == len(cells)
    assert n_pairs == np.maximum(batch["lengths_b"] - 2, 0).sum()
    assert all(len(draw.pairs_p2) == 0 for draw in draw_crops(plain, 0))


def test_pretraining_lowers_the_error_of_telling_features(study, tmp_path):
    errors = []
    for passes in (1, 60):
        training = tiny_clock_training(tmp_path, pretraining_epochs=passes, pretraining_rate=5e-3)
        data = study.open_folds(training)[0]
        errors.append(pretrain_encoder(network_of(data), data, tmp_path / str(passes)))
    assert errors[1] < 0.7 * errors[0]


def fit_and_watch(study, training, monkeypatch):
    """The encoder of the first fold after the pretraining, and after the training."""
    after = []

    def watch(network, *rest):
        error = pretrain_encoder(network, *rest)
        after.append({name: value.clone().numpy() for name, value in network.encoder.state_dict().items()})
        return error

    monkeypatch.setattr("cellfate.training.pretraining.pretrain_encoder", watch)
    weights = study.fit(training)[0].weights
    return after[0], weights


def test_an_encoder_that_does_not_learn_stays_as_it_is(study, tmp_path, monkeypatch):
    before, weights = fit_and_watch(study, tiny_clock_training(tmp_path), monkeypatch)
    assert any("running_mean" in name for name in before)
    for name, value in before.items():
        np.testing.assert_array_equal(weights[f"encoder.{name}"], value, err_msg=name)


def test_an_encoder_that_learns_changes_all_over(study, tmp_path, monkeypatch):
    before, weights = fit_and_watch(study, tiny_clock_training(tmp_path, encoder_rate=1.0), monkeypatch)
    for name, value in before.items():
        assert not np.array_equal(weights[f"encoder.{name}"], value), name


def test_the_encoder_learns_at_its_share_of_the_rate(study, tmp_path):
    training = tiny_clock_training(tmp_path, encoder_rate=0.25)
    data = study.open_folds(training)[0]
    network = network_of(data)
    groups = ClockModule(network, data).configure_optimizers().param_groups
    assert [group["lr"] for group in groups] == pytest.approx([5e-3, 0.25 * 5e-3])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_an_encoder_can_learn_without_any_pretraining(study, tmp_path):
    assert len(study.fit(tiny_clock_training(tmp_path, max_epochs=1, encoder_rate=1.0, pretraining_epochs=0))) == 2
