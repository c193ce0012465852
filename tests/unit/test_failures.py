"""Whose an error is, what is said of it, and what of a run's log reaches the screen."""

import errno
import logging
from collections.abc import Iterator

import pytest
from kedro.framework.project import configure_project
from kedro.io import DatasetError
from kedro.pipeline import Pipeline
from omegaconf.errors import InterpolationKeyError

from cellfate.core.errors import InputError
from cellfate.datasets.base import DatasetInputError
from cellfate.failures import Failure
from cellfate.run_log import LOG_FILE, RunLog


def wrapped(error: Exception) -> Exception:
    """The error as Kedro's catalog hands it on."""
    try:
        raise DatasetError(f"new_crops: {error}") from error
    except DatasetError as outer:
        return outer


def refused(nodes: str) -> Exception:
    """What Kedro raises of a node that is not there."""
    try:
        Pipeline([]).only_nodes(nodes)
    except ValueError as error:
        return error
    raise AssertionError("Kedro takes any node")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("Two\n  tracks."), "Two tracks. (Traceback: run.log)"),
        (wrapped(DatasetInputError("No folder.")), "No folder. (Traceback: run.log)"),
        (InterpolationKeyError("Interpolation key 'x' not found"), "Interpolation key 'x' not found"),
        (refused("train"), "Pipeline does not contain nodes named"),
        (OSError(errno.ENOSPC, "No space left on device"), "The computer could not go on: [Errno 28] No space"),
        (wrapped(MemoryError()), "The computer could not go on: it is out of memory."),
    ],
)
def test_what_is_not_ours_is_told_in_one_line(error, words):
    configure_project("cellfate")
    failure = Failure(error)
    assert not failure.is_ours
    assert failure.tell("run.log", None).startswith(words)
    assert "fault of cellfate" not in failure.tell("run.log", None)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), wrapped(TypeError("x")), FileNotFoundError("x")])
def test_everything_else_is_ours(error):
    configure_project("cellfate")
    failure = Failure(error)
    assert failure.is_ours
    assert "This is a fault of cellfate, not of your input" in failure.tell("run.log", None)


def test_a_pipeline_that_is_not_there_is_told_with_the_nearest():
    configure_project("cellfate")
    told = Failure(refused("any"), ["data_processing", "evaluatoin"]).tell(None, None)
    assert told.startswith("There is no pipeline 'evaluatoin'; did you mean 'evaluation'?")
    assert "there are __default__" in Failure(refused("any"), ["xyz"]).tell(None, None)


def test_how_to_go_on_is_said_where_the_input_is_not_to_blame():
    """What was made of a wrong input has to be made again."""
    configure_project("cellfate")
    resume = '--from-nodes "train_clock"'
    assert f"add {resume} to the same command" in Failure(KeyError("x")).tell("run.log", resume)
    assert f"add {resume} to the same command" in Failure(MemoryError()).tell("run.log", resume)
    assert resume not in Failure(InputError("Two tracks.")).tell("run.log", resume)


class Screen(logging.Handler):
    """Holds what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def screen() -> Iterator[Screen]:
    """A handler of the root logger, as a console is."""
    handler = Screen()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_what_kedro_says_of_a_failure_is_in_the_log_and_not_on_the_screen(tmp_path, screen):
    with RunLog(tmp_path / LOG_FILE) as log:
        logging.getLogger("cellfate.tracks").warning("Two tracks coincide")
        logging.getLogger("kedro.pipeline.node").error("Node train failed with error")
        logging.getLogger("kedro.runner.sequential_runner").warning('You can resume by\n  --from-nodes "a,b"')
        log.keep(KeyError("x"))
    logging.getLogger("kedro.pipeline.node").error("after the run")
    assert screen.lines == ["Two tracks coincide", "after the run"]
    assert log.resume == '--from-nodes "a,b"'
    written = (tmp_path / LOG_FILE).read_text()
    assert all(words in written for words in ("Two tracks coincide", "Node train failed", "--from-nodes", "KeyError"))
    assert "after the run" not in written


def test_logs_of_the_runs_before_are_kept(tmp_path):
    for number in range(6):
        with RunLog(tmp_path / LOG_FILE):
            logging.getLogger("cellfate").error("run %d", number)
    kept = [path.read_text().strip()[-1] for path in sorted(tmp_path.iterdir())]
    assert kept == ["5", "4", "3", "2"]


def test_without_a_log_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with RunLog(None) as log:
        logging.getLogger("cellfate").error("nowhere")
    assert log.name is None
    assert list(tmp_path.iterdir()) == []


def test_the_log_is_named_from_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert RunLog(tmp_path / "data" / LOG_FILE).name == "data/run.log"
    assert RunLog(tmp_path.parent / LOG_FILE).name == str(tmp_path.parent / LOG_FILE)
