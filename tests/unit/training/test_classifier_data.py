from dataclasses import replace

import numpy as np
import pytest
import torch

from cellfate.cohort.outcomes import balance_outcomes
from cellfate.crops.normalisation import normalise
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.models.fate_classifier import FateClassifier
from cellfate.training.classifier_data import open_classifier_folds
from cellfate.training.classifier_module import ClassifierModule, cell_losses, forward_batch
from cellfate.training.pretraining import draw_crops, embed_cells, pretrain_encoder
from cellfate.training.processes import add_terms
from cellfate.training.settings import TrackAugmentationSettings
from tests.cases.trainings import TINY_MODEL, tiny_training, trainable_study

NAMES = ("positions_n", "features_nf")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"))


def test_outcomes_weigh_the_same():
    weights = balance_outcomes(np.array([0, 1, 1, 1, 2]))
    np.testing.assert_allclose(weights, [5 / 3, 5 / 9, 5 / 9, 5 / 9, 5 / 3])
    assert weights.mean() == pytest.approx(1)


def test_only_cells_whose_fate_was_seen_are_shown_up_to_their_last_landmark(study, tmp_path):
    data = study.open_folds(tiny_training(tmp_path))[0]
    for name, part in (("train", data.train), ("validation", data.validation)):
        members = study.splits[(study.splits["fold"] == 0) & (study.splits["part"] == name)][
            ["recording_id", "cell_id"]
        ]
        expected = study.follow_ups.merge(members).query("fate != 'censored' and n_frames >= 3")
        keys = ["recording_id", "cell_id", "first_frame", "last_frame", "fate"]
        assert part.cells[keys].values.tolist() == expected[keys].values.tolist()
        assert part.targets_n.tolist() == (expected["fate"] == "mitosis").astype(int).tolist()


def test_a_batch_holds_the_frames_of_its_cells_one_after_the_other(study, tmp_path):
    data = study.open_folds(tiny_training(tmp_path))[0]
    places = np.array([3, 0, 3])
    batch = data.validation.batch(places)
    starts = np.concatenate([[0], np.cumsum(batch["lengths_b"])])
    assert starts[-1] == len(batch["frames_nchw"])
    np.testing.assert_array_equal(batch["targets_b"], data.validation.targets_n[places])
    for number, place in enumerate(places):
        cell = data.validation.cells.iloc[place]
        shown = study.crops.read(cell["recording_id"], cell["cell_id"], cell["first_frame"], cell["last_frame"])
        preprocessing = data.validation.preprocessing
        expected = normalise(shown.frames_tchw, shown.inside_thw, preprocessing.mean_c, preprocessing.sd_c)
        own = slice(starts[number], starts[number + 1])
        np.testing.assert_array_equal(batch["frames_nchw"][own], expected)
        np.testing.assert_array_equal(batch["positions_n"][own], shown.frame_numbers_t - shown.frame_numbers_t[0])


def test_a_cell_drawn_twice_is_augmented_apart(study, tmp_path):
    few = TrackAugmentationSettings(drop_end_share=0, shown_frames=2)
    data = study.open_folds(tiny_training(tmp_path, augmentation=few))[0]
    batch = data.training_batch(np.zeros(9, dtype=np.int64), 0, 0)
    assert batch["lengths_b"].tolist() == [2] * 9
    assert len({tuple(positions) for positions in batch["positions_n"].reshape(9, 2)}) > 3


@pytest.mark.parametrize("balance", ["sampling", "loss_weights"])
def test_a_plan_draws_as_many_cells_as_asked_within_the_bound(study, tmp_path, balance):
    data = study.open_folds(tiny_training(tmp_path, balance=balance, cells_per_epoch=7))[0]
    plan = data.training_plan(0)
    assert sum(map(len, plan)) == 7
    assert all(data.train.lengths_n[places].sum() <= 60 for places in plan)
    assert [places.tolist() for places in plan] == [places.tolist() for places in data.training_plan(0)]
    assert [places.tolist() for places in plan] != [places.tolist() for places in data.training_plan(1)]


def test_sampling_draws_fates_alike(study, tmp_path):
    data = study.open_folds(tiny_training(tmp_path, cells_per_epoch=2000))[0]
    targets_n = np.arange(len(data.train)) // (len(data.train) - 1)  # one cell of the second fate
    rare = replace(data.train, targets_n=targets_n, weights_n=balance_outcomes(targets_n))
    drawn = np.concatenate(rare.plan_epoch(np.random.default_rng(0)))
    assert abs(targets_n[drawn].mean() - 0.5) < 0.05  # four standard errors


def test_every_validation_cell_is_shown_once(study, tmp_path):
    data = study.open_folds(tiny_training(tmp_path))[0]
    assert sorted(np.concatenate(data.validation_plan())) == list(range(len(data.validation)))


def test_the_cache_changes_nothing(study, tmp_path):
    batches = []
    for limit_mb in (0, 100):
        data = study.open_folds(tiny_training(tmp_path, cache_limit_mb=limit_mb))[0]
        batches += [data.training_batch(data.training_plan(2)[0], 2, 0) for _ in range(2)]
    for batch in batches[1:]:
        for name, value in batch.items():
            np.testing.assert_array_equal(value, batches[0][name])


def test_a_missing_channel_of_the_normalisation_is_named(study, tmp_path):
    lacking = replace(study, normalisation=study.normalisation.query("channel != 'p53'"))
    with pytest.raises(ValueError, match="no row of fold 0 and channel p53"):
        lacking.open_folds(tiny_training(tmp_path))


def test_one_fate_only_is_named(study, tmp_path):
    lacking = replace(study, landmarks=study.landmarks.query("fate == 'mitosis'"))
    with pytest.raises(ValueError, match="train cells of fold 0 have the fate 'mitosis', but cells of both fates"):
        lacking.open_folds(tiny_training(tmp_path))


def test_a_part_without_cells_is_named(study, tmp_path):
    lacking = replace(study, splits=study.splits[study.splits["part"] != "validation"])
    with pytest.raises(ValueError, match="Fold 0 has no validation cells"):
        lacking.open_folds(tiny_training(tmp_path))


def test_auroc_cannot_be_monitored_on_one_fate(study, tmp_path, caplog):
    validates = study.splits.query("part == 'validation'")[["recording_id", "cell_id"]].drop_duplicates()
    dying = study.landmarks.merge(validates).query("fate == 'apoptosis'")["landmark_id"]
    lacking = replace(study, landmarks=study.landmarks[~study.landmarks["landmark_id"].isin(dying)])
    with pytest.raises(ValueError, match="monitor 'auroc' is undefined"):
        lacking.open_folds(tiny_training(tmp_path, monitor="auroc"))
    lacking.open_folds(tiny_training(tmp_path))
    assert "have the fate 'mitosis'; its validation metrics say little" in caplog.text


def network_of(data, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FateClassifier(TINY_MODEL, 2, 2, data.n_features)


def test_a_network_that_sees_the_mask_is_given_it_as_the_last_channel(study, tmp_path):
    seeing = TINY_MODEL.model_copy(update={"mask_channel": True})
    training = tiny_training(tmp_path)
    masked, plain = (
        open_classifier_folds(study.classifier_inputs(training, network))[0] for network in (seeing, TINY_MODEL)
    )
    cell = masked.train.cells.iloc[0]
    shown = study.crops.read(cell["recording_id"], cell["cell_id"], cell["first_frame"], cell["last_frame"])
    masks = find_masks(shown, study.crops.channels, FeatureSettings())
    assert 0 < masks.mean() < 1
    frames = masked.train.batch(np.array([0]))["frames_nchw"]
    np.testing.assert_array_equal(frames[:, -1], masks)
    np.testing.assert_array_equal(frames[:, :-1], plain.train.batch(np.array([0]))["frames_nchw"])


def test_an_encoder_is_pretrained_on_all_training_cells_and_all_of_their_frames(study, tmp_path):
    """Censored ones too; and whatever share of the frames is shown when fates are learnt."""
    few = TrackAugmentationSettings(drop_end_share=1, shown_frames=2, flip_and_rotate=False)
    data = study.open_folds(tiny_training(tmp_path, augmentation=few, pretraining_epochs=1))[0]
    members = study.splits.query("fold == 0 and part == 'train'")[["recording_id", "cell_id"]]
    expected = study.follow_ups.merge(members)
    assert (expected["fate"] == "censored").any()
    assert len(data.measured) == len(expected) > len(data.train)
    drawn = np.concatenate([draw.features_nf for draw in draw_crops(data, 0)])
    assert len(drawn) == expected["n_frames"].sum()
    assert drawn.shape[1] == data.n_features > 3
    assert study.open_folds(tiny_training(tmp_path))[0].n_features == 0


def test_pretraining_lowers_the_error_of_telling_features(study, tmp_path):
    errors = []
    for passes in (1, 60):
        training = tiny_training(tmp_path, pretraining_epochs=passes, pretraining_rate=5e-3, pretraining_frames=20)
        data = study.open_folds(training)[0]
        errors.append(pretrain_encoder(network_of(data), data, tmp_path / str(passes)))
    assert errors[1] < 0.7 * errors[0]


def test_frames_drawn_from_a_view_keep_their_positions(study, tmp_path):
    few = TrackAugmentationSettings(drop_end_share=0, shown_frames=2, flip_and_rotate=False)
    data = study.open_folds(tiny_training(tmp_path, augmentation=few, pretraining_epochs=1, encoder_rate=0))[0]
    network = network_of(data)
    with_views = embed_cells(network, data)
    whole = data.train.batch(np.array([0]))
    with torch.inference_mode():
        expected = network.encode(torch.from_numpy(whole["frames_nchw"])).numpy()
    of_position = dict(zip(whole["positions_n"].tolist(), expected, strict=True))
    batch = with_views.training_batch(np.zeros(5, dtype=np.int64), 0, 0)
    assert batch["lengths_b"].tolist() == [2] * 5
    assert len(set(batch["positions_n"].tolist())) > 2
    for position, embedding in zip(batch["positions_n"].tolist(), batch["embeddings_nd"], strict=True):
        np.testing.assert_allclose(embedding, of_position[position], atol=1e-5)


def test_where_features_are_a_second_loss_a_batch_holds_those_of_the_frames_shown_and_validation_none(study, tmp_path):
    few = TrackAugmentationSettings(drop_end_share=0, shown_frames=2, flip_and_rotate=False)
    data = study.open_folds(tiny_training(tmp_path, augmentation=few, feature_weight=0.3))[0]
    batch = data.training_batch(np.array([1, 0, 1]), 0, 0)
    assert batch["features_nf"].shape == (6, data.n_features)
    for number, place in enumerate([1, 0, 1]):
        own = slice(2 * number, 2 * number + 2)
        of_all = dict(zip(*(data.train.batch(np.array([place]))[name].tolist() for name in NAMES), strict=True))
        expected = [of_all[position] for position in batch["positions_n"][own].tolist()]
        np.testing.assert_array_equal(batch["features_nf"][own], np.array(expected, np.float32))
    assert "features_nf" not in data.validation.batch(np.array([0]))
    assert "features_nf" not in study.open_folds(tiny_training(tmp_path))[0].training_batch(np.array([0]), 0, 0)


def test_the_second_loss_is_the_weighted_squared_error_of_the_features(study, tmp_path):
    data = study.open_folds(tiny_training(tmp_path, feature_weight=0.3))[0]
    batch = {name: torch.from_numpy(array) for name, array in data.training_batch(np.array([0, 1]), 0, 0).items()}
    network = network_of(data).eval()
    loss, value, size = add_terms(ClassifierModule(network, data).batch_loss(batch))
    embeddings_nd = network.encode(batch["frames_nchw"])
    errors_nf = (network.features(embeddings_nd) - batch["features_nf"]).square()
    of_fates = cell_losses(forward_batch(network, batch), batch["targets_b"]).mean()
    assert (value, size) == (float(loss.detach()), 2)
    assert errors_nf.nanmean() > 0
    torch.testing.assert_close(loss, of_fates + 0.3 * errors_nf.nanmean())
