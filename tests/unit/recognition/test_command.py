"""`cellfate new` at the command line: what it writes, says and refuses; and what a run says of open questions."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from omegaconf import OmegaConf

from cellfate.__main__ import cellfate
from tests.cases import stored_images
from tests.conftest import ROOT, run_command


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the template, and one of recordings."""
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")
    (tmp_path / "My movies").mkdir()
    stored_images.write_imagej(tmp_path / "My movies", stored_images.make_image())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str):
    return CliRunner().invoke(cellfate, ["new", *arguments])


def test_it_writes_both_files_and_says_what_is_next(project):
    finished = new("My movies")
    assert finished.exit_code == 0, finished.output
    roots = OmegaConf.load(project / "conf" / "My_movies" / "globals.yml")
    assert roots.recordings_root == str(project / "My movies")
    assert roots.data_root == "data/My_movies"
    text = (project / "conf" / "My_movies" / "parameters.yml").read_text()
    assert "  layout: tiff_stacks  # found: 1 TIFF file of several pages, such as pos1.tif" in text
    assert "  channels: ???" in text
    assert text.count("???") == text.count("# QUESTION: ")  # whoever looks for either finds the questions only
    assert "circadian" not in text
    others = ("annotation_file", "labels", "conditions_columns", "fates_columns", "fates_time_unit")
    assert [key for key in others if f"  {key}:" in text] == []  # of other layouts, and of tables that are not there
    assert "recordings.channels: The files of 'pos1' have 2 channels without names" in finished.output
    assert finished.output.rstrip().endswith("Next: answer, then cellfate --env My_movies --pipelines data_processing")
    assert sorted(path.name for path in (project / "My movies").iterdir()) == ["pos1.tif"]


def test_it_never_overwrites(project):
    (project / "conf" / "taken").mkdir()
    finished = new("My movies", "taken")
    assert finished.exit_code == 1
    assert "conf/taken exists and is never overwritten" in finished.output
    assert list((project / "conf" / "taken").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("My movies", "a/b"), "'a/b' is no name for a study"),
        (("absent", "x"), "There is no folder absent"),
        (("conf", "x"), "The folder"),
        (("My movies", "x", "--layout", "tif"), "There is no layout 'tif'"),
        (("My movies", "x", "--conf-source", "elsewhere"), "--conf-source"),
    ],
)
def test_what_is_refused_is_said_in_a_sentence_and_nothing_is_written(project, arguments, sentence):
    finished = new(*arguments)
    assert finished.exit_code == 1
    assert finished.output.startswith("Error: ")
    assert sentence in finished.output
    assert sorted(path.name for path in (project / "conf").iterdir()) == ["mydata"]


def test_the_template_is_found_in_the_conf_source(project, tmp_path):
    shutil.move(project / "conf", project / "settings")
    finished = new("My movies", "x", "--conf-source", "settings")
    assert finished.exit_code == 0, finished.output
    assert (project / "settings" / "x" / "parameters.yml").is_file()
    assert "cellfate --env x --conf-source settings --pipelines data_processing" in finished.output


def test_bare_options_and_run_mean_the_same():
    listed = [
        CliRunner().invoke(cellfate, arguments).output
        for arguments in (["run", "--help"], ["--pipelines", "x", "--help"])
    ]
    assert "--conf-source" in listed[0]
    assert "--conf-source" in listed[1]
    assert "new " in CliRunner().invoke(cellfate, ["--help"]).output


def test_help_imports_nothing_heavy():
    call = "cellfate(['new', '--help'], standalone_mode=False)"
    code = f"import sys; from cellfate.__main__ import cellfate; {call}; print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "pandas", "kedro", "sklearn", "tifffile"}.isdisjoint(finished.stdout.split())


def test_kedro_keeps_its_own_new():
    finished = run_command(ROOT, "kedro", "new", "--help")
    assert "starter" in finished.stdout
