"""A training that is killed, at whatever moment, ends with the weights of one that was not; what goes wrong is said."""

import dataclasses
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from cellfate.core.errors import InputError
from cellfate.training.checkpoints import LAST, read_checkpoint
from cellfate.training.member_module import MemberModule
from tests.cases.killed_trainings import MOMENTS, WEIGHTS, kept_often, list_arrays
from tests.cases.trainings import tiny_clock_training, tiny_training, trainable_study
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"))


def run_until(moment, folder):
    """Run the training in a process of its own, which ends at a moment or, at none, with the weights."""
    shutil.rmtree(folder / "study", ignore_errors=True)
    command = [sys.executable, "-m", "tests.cases.killed_trainings", str(folder), moment]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_killed_again_and_again_it_ends_with_the_same_weights(study, tmp_path):
    for moment in MOMENTS:
        ended = run_until(moment, tmp_path)
        assert ended.returncode == -signal.SIGKILL, (moment, ended.stderr[-2000:])
    assert run_until("never", tmp_path).returncode == 0
    found = load_file(tmp_path / WEIGHTS)
    expected = list_arrays(study.fit(kept_often(tmp_path / "straight")))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_training_killed_within_an_epoch_goes_on_there(tmp_path):
    ended = run_until("in the middle of an epoch", tmp_path)
    assert ended.returncode == -signal.SIGKILL
    state = read_checkpoint(next(tmp_path.rglob(LAST)))
    assert len(state["epochs"]) == 1
    assert len(state["training_losses"]) == 2


def test_a_checkpoint_within_an_epoch_changes_nothing(study, tmp_path):
    often, never = kept_often(tmp_path / "often"), keep_every(kept_often(tmp_path / "never"), 1e9)
    np.testing.assert_equal(list_arrays(study.fit(often)), list_arrays(study.fit(never)))


def keep_every(training, minutes):
    return training.model_copy(update={"checkpoint_minutes": minutes})


def leave_unfinished(study, training, monkeypatch):
    """Have a training end within its second epoch, and give the path of its last checkpoint."""
    step = MemberModule.training_step

    def end(self, batch, batch_idx):
        if (self.epoch, batch_idx) == (1, 1):
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(MemberModule, "training_step", end)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            study.fit(training)
    return next(Path(training.checkpoint_folder).rglob(LAST))


@contextmanager
def full_disk(limit):
    """Have every file that would grow over a limit fail, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_leaves_the_last_checkpoint(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)
    last = leave_unfinished(study, training, monkeypatch)
    before = last.read_bytes()
    said = r"\.ckpt could not be written .* run the same command"
    with full_disk(len(before) // 2), pytest.raises(OSError, match=said):
        study.fit(training)
    assert last.read_bytes() == before
    assert not list(tmp_path.rglob("*.partial"))
    finished = list_arrays(study.fit(training))
    np.testing.assert_equal(finished, list_arrays(study.fit(tiny_training(tmp_path / "straight"))))


@pytest.mark.parametrize("make", [tiny_training, tiny_clock_training])
def test_a_loss_that_is_no_number_is_named_and_no_checkpoint_holds_it(study, tmp_path, make):
    training = make(tmp_path, learning_rate=1e20, checkpoint_minutes=1e-9, pretraining_epochs=0, encoder_rate=1.0)
    with pytest.raises(InputError, match=r"The loss is \w+ in batch \d of epoch \d of fold 0, .*lower learning_rate"):
        study.fit(training)
    for path in tmp_path.rglob("*.ckpt"):
        assert all(value.isfinite().all() for value in read_checkpoint(path)["state_dict"].values())


def test_weights_that_are_no_numbers_are_not_kept(study, tmp_path, monkeypatch):
    """A step spoils them after a loss that was well; the checkpoint before it stays."""
    training = tiny_training(tmp_path)
    last = leave_unfinished(study, training, monkeypatch)
    before, step = last.read_bytes(), MemberModule.optimizer_step

    def spoil(self, *arguments, **named):
        step(self, *arguments, **named)
        next(self.network.parameters()).data[0] = np.inf

    monkeypatch.setattr(MemberModule, "optimizer_step", spoil)
    with pytest.raises(InputError, match=r"Weights are not finite after 1 batches of epoch 1 of fold 0"):
        study.fit(keep_every(training, 1e-9))
    assert last.read_bytes() == before


def test_an_error_of_the_pretraining_that_is_no_number_is_named(study, tmp_path):
    with pytest.raises(InputError, match=r"batch \d of pass 0 of the pretraining of fold 0.*lower pretraining_rate"):
        study.fit(tiny_clock_training(tmp_path, pretraining_rate=1e30))


def test_a_checkpoint_of_other_settings_is_named(study, tmp_path, monkeypatch):
    last = leave_unfinished(study, tiny_training(tmp_path / "one"), monkeypatch)
    other = leave_unfinished(study, tiny_training(tmp_path / "other", seed=1), monkeypatch)
    shutil.copy(last, other)
    with pytest.raises(InputError, match=r"was written by a training with other data or settings"):
        study.fit(tiny_training(tmp_path / "other", seed=1))


def test_after_data_changed_a_training_begins_anew_and_says_so(study, tmp_path, monkeypatch, caplog):
    leave_unfinished(study, tiny_training(tmp_path), monkeypatch)
    changed = study.landmarks.copy()
    caplog.set_level("INFO")
    changed["first_frame"] += changed["first_frame"].max() == changed["first_frame"]
    members = dataclasses.replace(study, landmarks=changed).fit(tiny_training(tmp_path))
    assert "1 unfinished trainings with other data or settings lie in" in caplog.text
    assert "goes on in epoch" not in caplog.text
    assert len(members) == 2


def test_batches_of_one_cell_and_so_of_one_fate_teach_too(study, tmp_path):
    """Alone, the classifier takes them for what they are; together they tell fates apart."""
    members = study.fit(tiny_training(tmp_path, max_frames_per_batch=1))
    assert all(np.isfinite(row["train_loss"]) for member in members for row in member.epochs)
