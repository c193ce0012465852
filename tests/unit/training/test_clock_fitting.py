from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.models.fate_clock import FateClock
from cellfate.training import clock_module, history_table
from cellfate.training.batches import SequenceReader
from cellfate.training.clock_data import open_clock_fold
from cellfate.training.clock_fitting import fit_clock_fold, fit_clock_members
from cellfate.training.clock_module import ClockModule, pretrain_encoder
from tests.cases.trained_models import TINY_CLOCK, TINY_FOLLOW_UP, tiny_clock_study, tiny_clock_training

N_CHANNELS = 3  # two and the mask
LEARNING = {"encoder_rate": 0.5, "feature_weight": 0.1}
FROM_SCRATCH = {"encoder_rate": 1.0, "pretraining_epochs": 0}


class KilledError(Exception):
    """Stands for a process that ends."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_clock_study(tmp_path_factory.mktemp("study"))


def fit(study, training):
    return fit_clock_members(study.crops, *study.tables, TINY_FOLLOW_UP, TINY_CLOCK, training, FeatureSettings())[0]


def open_fold(study, training):
    reader = SequenceReader(
        study.crops,
        study.follow_ups,
        10,
        partial(find_masks, channels=study.crops.channels, features=FeatureSettings()),
    )
    return open_clock_fold(0, study.crops, reader, *study.tables, TINY_FOLLOW_UP, TINY_CLOCK, training)


def kill_at(monkeypatch, fold, epoch):
    """Make the second batch of an epoch of a fold end the process."""
    step = ClockModule.training_step

    def dies(self, batch, batch_idx):
        if (self._batches.fold, self.epoch, batch_idx) == (fold, epoch, 1):
            raise KilledError
        return step(self, batch, batch_idx)

    monkeypatch.setattr(ClockModule, "training_step", dies)


def assert_same(members, others):
    for member, other in zip(members, others, strict=True):
        assert member.epochs == other.epochs
        assert member.best_epoch == other.best_epoch
        assert member.weights.keys() == other.weights.keys()
        for name, value in member.weights.items():
            np.testing.assert_array_equal(value, other.weights[name], err_msg=name)


@pytest.fixture(scope="module")
def straight(study, tmp_path_factory):
    return {
        name: fit(study, tiny_clock_training(tmp_path_factory.mktemp("straight"), **changes))
        for name, changes in (("frozen", {}), ("learning", LEARNING))
    }


@pytest.mark.parametrize(
    ("name", "changes", "fold", "epoch"),
    [("frozen", {}, 0, 0), ("frozen", {}, 0, 2), ("frozen", {}, 1, 1), ("learning", LEARNING, 0, 1)],
)
def test_killed_at_any_moment_and_resumed_is_the_same(
    study, straight, tmp_path, monkeypatch, name, changes, fold, epoch
):
    training = tiny_clock_training(tmp_path, **changes)
    with monkeypatch.context() as patch:
        kill_at(patch, fold, epoch)
        with pytest.raises(KilledError):
            fit(study, training)
    torch.manual_seed(99)  # another process starts from another state
    assert_same(fit(study, training), straight[name])


def test_a_training_that_goes_on_does_not_pretrain_again(study, tmp_path, monkeypatch):
    training = tiny_clock_training(tmp_path)
    passes = []
    pretrain = clock_module.pretrain_encoder
    monkeypatch.setattr(clock_module, "pretrain_encoder", lambda *a: passes.append(a[1].fold) or pretrain(*a))
    with monkeypatch.context() as patch:
        kill_at(patch, 0, 1)
        with pytest.raises(KilledError):
            fit(study, training)
    fit(study, training)
    assert passes == [0, 1]


def test_another_seed_gives_other_weights(study, straight, tmp_path):
    (other, _) = fit(study, tiny_clock_training(tmp_path, seed=1))
    first = straight["frozen"][0]
    assert any(not np.array_equal(value, other.weights[name]) for name, value in first.weights.items())


def test_a_member_holds_no_weights_of_the_auxiliary_task(straight):
    for members in straight.values():
        for member in members:
            assert not [name for name in member.weights if name.startswith("features.")]
            assert {name.split(".")[0] for name in member.weights} == {"encoder", "layers", "scale", "head"}


def test_the_validation_score_is_that_of_the_epoch_kept(straight):
    history = history_table(straight["frozen"])
    assert history.groupby("fold").size().tolist() == [3, 3]
    kept = history[history["kept"]].set_index("fold")["validation_log_loss"]
    assert (kept == history.groupby("fold")["validation_log_loss"].min()).all()
    for member in straight["frozen"]:
        assert member.validation == {"log_loss": kept[member.fold]}
        assert member.threshold is None


def fit_and_watch(study, training, folder, monkeypatch):
    """The encoder after the pretraining, and after the training."""
    after = {}
    pretrain = clock_module.pretrain_encoder

    def watch(network, *rest):
        error = pretrain(network, *rest)
        after.update({name: value.clone() for name, value in network.encoder.state_dict().items()})
        return error

    monkeypatch.setattr(clock_module, "pretrain_encoder", watch)
    member = fit_clock_fold(open_fold(study, training), folder, TINY_CLOCK, N_CHANNELS, TINY_FOLLOW_UP, training)
    return {name: value.numpy() for name, value in after.items()}, member.weights


def test_an_encoder_that_does_not_learn_stays_as_it_is(study, tmp_path, monkeypatch):
    before, weights = fit_and_watch(study, tiny_clock_training(tmp_path), tmp_path / "fold", monkeypatch)
    assert any("running_mean" in name for name in before)
    for name, value in before.items():
        np.testing.assert_array_equal(weights[f"encoder.{name}"], value, err_msg=name)


def test_an_encoder_that_learns_changes_all_over(study, tmp_path, monkeypatch):
    training = tiny_clock_training(tmp_path, encoder_rate=1.0)
    before, weights = fit_and_watch(study, training, tmp_path / "fold", monkeypatch)
    for name, value in before.items():
        assert not np.array_equal(weights[f"encoder.{name}"], value), name


def test_the_encoder_learns_at_its_share_of_the_rate(study, tmp_path):
    training = tiny_clock_training(tmp_path, encoder_rate=0.25)
    data = open_fold(study, training)
    network = FateClock(TINY_CLOCK, N_CHANNELS, 2, 2, data.n_features)
    groups = ClockModule(network, data, training).configure_optimizers().param_groups
    assert [group["lr"] for group in groups] == pytest.approx([5e-3, 0.25 * 5e-3])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_an_encoder_can_learn_without_any_pretraining(study, tmp_path):
    training = tiny_clock_training(tmp_path, max_epochs=1, **FROM_SCRATCH)
    assert len(fit(study, training)) == 2


def test_pretraining_lowers_the_error_of_telling_features(study, tmp_path):
    errors = []
    for passes in (1, 8):
        training = tiny_clock_training(tmp_path, pretraining_epochs=passes, pretraining_rate=5e-3)
        data = open_fold(study, training)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = FateClock(TINY_CLOCK, N_CHANNELS, 2, 2, data.n_features)
            errors.append(pretrain_encoder(network, data, training))
    assert errors[1] < 0.7 * errors[0]


def test_a_bright_signal_is_learnt(tmp_path):
    """Deaths are told from divisions by one bright channel: better than by the shares of the training cells."""
    study = tiny_clock_study(tmp_path, scheme="grouped_holdout", n_recordings=12, signal=2000)
    changes = {"max_epochs": 10, "learning_rate": 1e-2, "pretraining_epochs": 4, "pretraining_rate": 5e-3}
    (member,) = fit(study, tiny_clock_training(tmp_path, **changes))
    assert member.validation["log_loss"] < 0.75 * loss_of_shares(open_fold(study, tiny_clock_training(tmp_path)))


def loss_of_shares(data):
    """Validation loss of the hazards events / at risk of the training frames, the same for all."""
    labels = np.concatenate(data.train.labels)
    counts = np.stack([(labels == k).sum(axis=0) for k in range(3)], axis=-1)
    shares = torch.from_numpy(np.log(counts / counts.sum(axis=1, keepdims=True)))
    of_validation = torch.from_numpy(np.concatenate(data.validation.labels))
    logits = (shares[:, 1:] - shares[:, :1]).expand(len(of_validation), -1, -1)
    return float(clock_module.frame_losses(logits, of_validation).mean())


def test_nothing_of_the_test_part_is_looked_at(study, straight, tmp_path):
    """A fold whose test cells have other fates and times is fitted to the same weights."""
    tested = study.splits.query("fold == 0 and part == 'test'")["sample_id"]
    of_test = study.follow_ups["sample_id"].isin(tested)
    changed = study.follow_ups.assign(
        fate=study.follow_ups["fate"].mask(of_test, "censored"),
        end_frame=study.follow_ups["end_frame"].mask(of_test, study.follow_ups["end_frame"] + 9),
    )
    training = tiny_clock_training(tmp_path)
    data = open_fold(replace(study, follow_ups=changed), training)
    member = fit_clock_fold(data, tmp_path / "fold", TINY_CLOCK, N_CHANNELS, TINY_FOLLOW_UP, training)
    assert_same([member], straight["frozen"][:1])
