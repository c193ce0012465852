"""Processes that train one network together: the gradients of one, one member, and what is said when one dies."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors

from cellfate.core.errors import InputError
from cellfate.training.fitting import fit_members
from cellfate.training.launching import fit_in_processes
from cellfate.training.processes import LossTerm, add_terms, count_processes, deal_batches, gather_all, own_rank
from tests.cases.killed_trainings import WEIGHTS, list_arrays
from tests.cases.many_processes import (
    DyingClassifier,
    FrozenClassifier,
    FrozenClock,
    build_classifier,
    build_clock,
    list_gradients,
)
from tests.cases.trainings import tiny_clock_training, tiny_training, trainable_study
from tests.conftest import ROOT

TOGETHER = {"devices": 2, "threads": 1, "max_epochs": 2}
UNTURNED = {"flip_and_rotate": False}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"), scheme="grouped_holdout")


def arrays(*lengths):
    ends = np.cumsum(lengths)
    return [np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)]


@pytest.mark.parametrize(
    ("lengths", "n_processes", "expected"),
    [
        ((2, 3, 1, 4), 2, [[2, 3], [1, 4]]),
        ((2, 3, 5), 2, [[2, 3], [3, 2]]),
        ((2, 3, 1), 2, [[2, 3]]),
        ((5, 1), 4, [[1, 2, 1, 2]]),
        ((1, 1), 3, []),
        ((), 2, []),
        ((2, 3), 1, [[2], [3]]),
    ],
)
def test_batches_are_dealt_to_processes(lengths, n_processes, expected):
    plan = arrays(*lengths)
    steps = deal_batches(plan, n_processes)
    assert [sorted(map(len, step)) for step in steps] == [sorted(sizes) for sizes in expected]
    dealt = [cell for step in steps for batch in step for cell in batch]
    assert len(set(dealt)) == len(dealt)
    assert all(any(set(batch) <= set(whole) for whole in plan) for step in steps for batch in step)


def test_of_one_process_alone_nothing_changes():
    assert (count_processes(), own_rank(), gather_all("own")) == (1, 0, ["own"])
    terms = [LossTerm(torch.tensor(2.0), 3), LossTerm(torch.tensor(10.0), 7, 0.5)]
    loss, value, size = add_terms(terms)
    assert (float(loss), value, size) == (7.0, 7.0, 3)


@pytest.mark.parametrize("name", ["classifier", "clock"])
def test_two_processes_have_the_gradients_of_one(study, tmp_path, name):
    """Of both batches together, which differ in size; batch statistics are frozen."""
    kind, build, make = {
        "classifier": (FrozenClassifier, build_classifier, tiny_training),
        "clock": (FrozenClock, build_clock, partial(tiny_clock_training, feature_weight=0.3, encoder_rate=1.0)),
    }[name]
    settings = make(tmp_path, max_frames_per_batch=30, **TOGETHER)
    still = settings.augmentation.model_copy(update=UNTURNED)
    (data,) = study.open_folds(settings.model_copy(update={"augmentation": still}))
    module = build(kind, data).train()
    module.gradients = tmp_path / "gradients.safetensors"
    plan = data.training_plan(0)
    assert data.train.lengths_n[plan[0]].sum() != data.train.lengths_n[plan[1]].sum()
    batch = data.train.batch(np.concatenate(plan[:2]))
    alone = build(kind, data).train()
    alone.load_state_dict(module.state_dict())
    fit_in_processes(fit_first, module, tmp_path / "run" / "fold_0")
    tensors = {key: torch.from_numpy(np.ascontiguousarray(array)) for key, array in batch.items()}
    add_terms(alone.batch_loss(tensors))[0].backward()
    found, expected = load_tensors(module.gradients), list_gradients(alone)
    assert found.keys() == expected.keys()
    for weight, gradient in expected.items():
        torch.testing.assert_close(found[weight], gradient, rtol=1e-4, atol=1e-6, msg=weight)


def fit_first(module, folder):
    from cellfate.training.fitting import fit_module

    fit_module(module, folder)


def test_a_process_that_dies_is_named_and_the_training_goes_on_to_one_member(study, tmp_path):
    settings = tiny_training(tmp_path, **(TOGETHER | {"max_epochs": 3, "checkpoint_minutes": 1e-9}))

    def build(data, folder):
        module = build_classifier(DyingClassifier, data)
        module.spared = tmp_path / "spared"
        return module

    folds = study.open_folds(settings)
    with pytest.raises(InputError, match=r"process of the training of fold 0 was ended by SIGKILL; .* command again"):
        fit_members(folds, build, tmp_path / "run")
    assert (tmp_path / "run" / "fold_0" / "last.ckpt").is_file()
    (tmp_path / "spared").touch()
    (resumed,), (straight,) = (fit_members(folds, build, tmp_path / name) for name in ("run", "straight"))
    np.testing.assert_equal(list_arrays([resumed]), list_arrays([straight]))
    assert [row["train_loss"] for row in resumed.epochs] == pytest.approx(
        [row["train_loss"] for row in straight.epochs]
    )


def test_what_a_process_finds_wrong_is_said_as_by_one(study, tmp_path):
    with pytest.raises(InputError, match=r"of epoch \d of fold 0, .*lower learning_rate"):
        study.fit(tiny_training(tmp_path, learning_rate=1e20, **TOGETHER))


def test_machines_without_an_address_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(InputError, match="num_nodes is 2, but the environment has no MASTER_ADDR"):
        study.fit(tiny_training(tmp_path, num_nodes=2))


def test_more_devices_than_there_are_gpus_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    from cellfate.training.launching import check_devices

    with pytest.raises(InputError, match="devices is 2, but this machine shows 1 GPUs"):
        check_devices(tiny_training(tmp_path, devices=2))


def test_two_machines_train_one_member_which_the_first_keeps(tmp_path):
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "28500"}
    machines = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.cases.many_processes", str(tmp_path)],
            cwd=ROOT,
            env=os.environ | meeting | {"NODE_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [machine.communicate(timeout=500)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert len(load_file(tmp_path / f"0_{WEIGHTS}")) > 10
    assert load_file(tmp_path / f"1_{WEIGHTS}") == {}


def test_jobs_of_single_folds_leave_members_that_a_run_takes(tmp_path, caplog):
    caplog.set_level("INFO")
    study = trainable_study(tmp_path / "study")
    for fold in (1, 0):
        assert [member.fold for member in study.fit(tiny_training(tmp_path, only_folds=(fold,)))] == [fold]
    members = study.fit(tiny_training(tmp_path))
    assert caplog.text.count("was finished before") == 2
    np.testing.assert_equal(list_arrays(members), list_arrays(study.fit(tiny_training(tmp_path / "other"))))


def test_a_fold_that_is_not_there_is_named(study, tmp_path):
    with pytest.raises(InputError, match=r"only_folds names fold 3, but the splits have \[0\]"):
        study.fit(tiny_training(tmp_path, only_folds=(0, 3)))
