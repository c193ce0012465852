"""`cellfate review` at the command line: where it finds the study, and that what is wrong is one sentence."""

import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from cellfate.__main__ import cellfate
from cellfate.core.review_links import REVIEW_PORT
from cellfate.review import serving
from cellfate.study_source import find_study
from tests.conftest import copy_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(copy_project(tmp_path))
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(cellfate, ["review", "--no-open", *arguments])


def test_the_study_is_that_of_the_environment(project):
    source = find_study("test")
    assert source.name == "test"
    assert source.run == "cellfate run --env test"
    assert source.paths["cells"] == project / "data/test/02_intermediate/cells.parquet"
    assert source.paths["labels"] == project / "data/test/labels"
    assert source.paths["clock_attention"].name == "attention.parquet"
    assert source.recordings.layout == "coco_vid"


def test_parameters_move_it(project):
    source = find_study("test", params="data_root=elsewhere,recordings_root=films")
    assert source.paths["cells"] == project / "elsewhere/02_intermediate/cells.parquet"
    assert source.root == project / "films"
    assert source.run == "cellfate run --env test --params data_root=elsewhere,recordings_root=films"


def test_without_recordings_it_ends_with_one_sentence(project):
    ended = invoke("--env", "test", "--port", "0")
    assert ended.exit_code == 1
    assert re.fullmatch(r"Error: The folder of recordings .* does not exist; .*\.", ended.output.strip())


def test_a_port_in_use_ends_it_with_one_sentence(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = invoke("--env", "test", "--port", str(taken.getsockname()[1]))
    assert ended.exit_code == 1
    assert "is in use" in ended.output
    assert "Traceback" not in ended.output


def test_the_address_is_printed(project, monkeypatch):
    told = []
    monkeypatch.setattr(serving, "serve", lambda source, port, tell, opens: told.append((source.name, port, opens)))
    assert invoke("--env", "test").exit_code == 0
    assert told == [("test", REVIEW_PORT, False)]


def test_what_is_wrong_in_the_configuration_is_one_sentence(project):
    path = Path("conf/test/parameters.yml")
    path.write_text(path.read_text() + "\ntrackz: {}\n")
    ended = invoke("--env", "test")
    assert ended.exit_code == 1
    assert "trackz" in ended.output
