from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.training import fit_members, history_table
from cellfate.training.checkpoints import run_folder
from cellfate.training.fate_module import FateModule, sample_losses
from cellfate.training.member_module import best_epoch, is_over, next_learning_rate
from cellfate.training.settings import AugmentationSettings
from tests.cases.trained_models import TINY_MODEL, tiny_study, tiny_training


class KilledError(Exception):
    """Stands for a process that ends."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("study"), scheme="grouped_folds")


def fit(study, training):
    tables = (study.samples, study.splits, study.normalisation)
    return fit_members(study.crops, *tables, study.sample_settings, TINY_MODEL, training)[0]


def kill_at(monkeypatch, fold, epoch):
    """Make the second batch of an epoch of a fold end the process."""
    step = FateModule.training_step

    def dies(self, batch, batch_idx):
        if (self._data.fold, self.epoch, batch_idx) == (fold, epoch, 1):
            raise KilledError
        return step(self, batch, batch_idx)

    monkeypatch.setattr(FateModule, "training_step", dies)


def assert_same(members, others):
    for member, other in zip(members, others, strict=True):
        assert member.epochs == other.epochs
        assert (member.best_epoch, member.threshold) == (other.best_epoch, other.threshold)
        assert member.weights.keys() == other.weights.keys()
        for name, value in member.weights.items():
            np.testing.assert_array_equal(value, other.weights[name], err_msg=name)


@pytest.fixture(scope="module")
def straight(study, tmp_path_factory):
    return fit(study, tiny_training(tmp_path_factory.mktemp("straight")))


@pytest.mark.parametrize(("fold", "epoch"), [(0, 0), (0, 2), (1, 1)])
def test_killed_at_any_moment_and_resumed_is_the_same(study, straight, tmp_path, monkeypatch, fold, epoch):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        kill_at(patch, fold, epoch)
        with pytest.raises(KilledError):
            fit(study, training)
    torch.manual_seed(99)  # another process starts from another state
    assert_same(fit(study, training), straight)


def test_killed_between_the_last_epoch_and_the_end_is_the_same(study, straight, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)

    def dies(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("cellfate.training.fitting._member_of", dies)
        with pytest.raises(KilledError):
            fit(study, training)
    assert_same(fit(study, training), straight)


def test_a_damaged_checkpoint_is_named(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)

    def dies(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("cellfate.training.fitting._member_of", dies)
        with pytest.raises(KilledError):
            fit(study, training)
    path = next((tmp_path / "checkpoints").rglob("last.ckpt"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"last\.ckpt is damaged"):
        fit(study, training)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_weights_kept_are_those_validated(study, tmp_path, decay):
    for member in fit(study, tiny_training(tmp_path, average_decay=decay)):
        kept = member.epochs[member.best_epoch]
        assert member.validation["log_loss"] == pytest.approx(kept["validation_log_loss"], abs=1e-6)


def test_a_finished_training_starts_anew_and_other_settings_never_resume(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path, max_epochs=1)
    fit(study, training)
    assert not list((tmp_path / "checkpoints").iterdir())
    steps = []
    step = FateModule.training_step
    monkeypatch.setattr(FateModule, "training_step", lambda *a: steps.append(1) or step(*a))
    fit(study, training)
    assert steps
    folders = {
        run_folder("data", [study.sample_settings], TINY_MODEL, changed, 2)
        for changed in (training, tiny_training(tmp_path, max_epochs=2), tiny_training(tmp_path, max_epochs=1, seed=1))
    }
    assert len(folders) == 3


def test_global_randomness_is_left_alone(study, tmp_path):
    torch.manual_seed(1)
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    fit(study, tiny_training(tmp_path, max_epochs=1))
    np.testing.assert_array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_the_history_marks_the_epoch_kept(straight):
    history = history_table(straight)
    assert history[["fold", "epoch"]].to_numpy().tolist() == [[k, e] for k in (0, 1) for e in range(3)]
    kept = history[history["kept"]].set_index("fold")["validation_log_loss"]
    assert (kept == history.groupby("fold")["validation_log_loss"].min()).all()


def test_a_bright_signal_is_learnt(tmp_path):
    study = tiny_study(tmp_path, n_recordings=12, signal=2000)
    training = tiny_training(tmp_path, max_epochs=8, learning_rate=1e-2, max_frames_per_batch=40)
    (member,) = fit(study, training)
    assert member.validation["auroc"] > 0.95


def test_landmarks_train_with_loss_weights(tmp_path):
    study = tiny_study(tmp_path, kind="landmark")
    members = fit(study, tiny_training(tmp_path, max_epochs=1, balance="loss_weights", samples_per_epoch=30))
    assert len(members) == 1
    assert members[0].threshold is None
    assert members[0].weights["head.weight"].shape == (3, 16)


def test_ends_of_landmarks_are_not_dropped(tmp_path):
    study = tiny_study(tmp_path, kind="landmark")
    training = tiny_training(tmp_path, augmentation=AugmentationSettings(drop_end_share=0.5))
    with pytest.raises(ValueError, match=r"drop_end_share is 0.5 but samples.kind is 'landmark'"):
        fit(study, training)


def test_auroc_cannot_be_monitored_on_one_outcome(study, tmp_path):
    validation = study.splits.query("part == 'validation'")["sample_id"]
    dying = study.samples.query("outcome == 'apoptosis'")["sample_id"]
    splits = study.splits[~(study.splits["sample_id"].isin(validation) & study.splits["sample_id"].isin(dying))]
    one_outcome = replace(study, splits=splits)
    with pytest.raises(ValueError, match="monitor 'auroc' is undefined"):
        fit(one_outcome, tiny_training(tmp_path, monitor="auroc"))


def test_losses_by_hand():
    two = sample_losses(torch.tensor([[2.0], [2.0]]), torch.tensor([0, 1]))
    torch.testing.assert_close(two, torch.tensor([np.log1p(np.exp(-2)), np.log1p(np.exp(2))], dtype=torch.float32))
    three = sample_losses(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([2]))
    torch.testing.assert_close(three, torch.tensor([np.log(3)], dtype=torch.float32))


def test_stop_and_learning_rate_follow_the_monitored_metric(tmp_path):
    training = tiny_training(tmp_path, max_epochs=20, patience_epochs=4, plateau_epochs=1, learning_rate=1.0)
    losses = [5.0, 4.0, 4.5, 4.2, 4.1, 4.3]
    epochs = [{"validation_log_loss": loss, "validation_auroc": -loss} for loss in losses]
    assert best_epoch(epochs, training) == 1
    assert [is_over(epochs[:n], training) for n in range(7)] == [False] * 6 + [True]
    assert [next_learning_rate(epochs[:n], training) for n in range(7)] == [1, 1, 1, 1, 0.5, 0.5, 0.25]
    upwards = tiny_training(tmp_path, monitor="auroc")
    assert best_epoch(epochs, upwards) == 1


def test_settings_that_contradict_are_named(tmp_path):
    with pytest.raises(ValidationError, match="plateau_epochs 9 is not less than patience_epochs 5"):
        tiny_training(tmp_path, plateau_epochs=9, patience_epochs=5)
    with pytest.raises(ValidationError, match=r"drop_end_least 0.8 is more than drop_end_most 0.5"):
        AugmentationSettings(drop_end_least=0.8)
