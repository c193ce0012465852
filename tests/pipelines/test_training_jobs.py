"""A study trained by several machines or jobs: one of them saves, the others only train along."""

import os
import shutil
import subprocess
import sys

import pytest

from cellfate.made_from import LEDGER
from tests.conftest import DATA, run_command

GROUPS = ("training", "clock_training")
MODELS = DATA / "06_models"


@pytest.fixture
def project(demo_project, tmp_path):
    """A study that is ready to be trained."""
    return shutil.copytree(demo_project, tmp_path / "project")


def read_ledger(project):
    return (project / DATA / LEDGER).read_bytes()


def train(project, *pipelines, **parameters):
    """Run pipelines at the command line, and give how it ended and what it said."""
    given = ["--params", ",".join(f"{name}={value}" for name, value in parameters.items())] if parameters else []
    ended = run_command(project, "kedro", "run", "--env", "test", "--pipelines", ",".join(pipelines), *given)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.pipeline
def test_a_job_of_one_fold_saves_nothing_but_its_member(project):
    before, one = read_ledger(project), {f"{name}.only_folds": "[0]" for name in GROUPS}
    ended, said = train(project, "model_training", **one)
    assert (ended, "was finished before" in said) == (0, False), said
    assert read_ledger(project) == before
    assert len(list((project / MODELS).rglob("fold_0/member.json"))) == 2
    ended, said = train(project, "model_training")
    assert (ended, said.count("Fold 0 was finished before")) == (0, 2), said
    assert not list((project / MODELS).rglob("fold_0"))


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("pipelines", "expected"),
    [
        (("data_processing", "model_training"), "too; run data_processing before"),
        (("evaluation",), "its pipelines train nothing; run model_training"),
    ],
)
def test_a_job_that_would_do_more_than_train_is_refused(demo_project, pipelines, expected):
    ended, said = train(demo_project, *pipelines, **{"training.only_folds": "[0]"})
    assert (ended, expected in said) == (1, True), said


@pytest.mark.pipeline
def test_two_machines_train_and_the_first_saves(project):
    before = read_ledger(project)
    parameters = ",".join(f"{name}.num_nodes=2" for name in GROUPS)
    command = [sys.executable, "-m", "kedro", "run", "--env", "test", "--pipelines", "model_training"]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "27500", "DO_NOT_TRACK": "1"}
    machines = [
        subprocess.Popen(
            [*command, "--params", parameters],
            cwd=project,
            env=os.environ | meeting | {"NODE_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [machine.communicate(timeout=900)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert "epoch 0: train_loss" in said[0]
    assert "epoch 0: train_loss" not in said[1]
    assert read_ledger(project) != before
