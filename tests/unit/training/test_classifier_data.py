from dataclasses import replace

import numpy as np
import pytest

from cellfate.cohort.outcomes import balance_outcomes
from cellfate.crops.normalisation import normalise
from cellfate.training.settings import TrackAugmentationSettings
from tests.cases.trainings import tiny_training, trainable_study


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
