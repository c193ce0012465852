"""The installed package in an empty folder: configuration elsewhere, results where they are told, nothing sent."""

import shutil
from pathlib import Path

import pytest

from cellfate.pipelines.simulation.pipeline import create_pipeline
from tests.cases import stored_images
from tests.conftest import ROOT, run_command

pytestmark = pytest.mark.pipeline


def test_it_runs_in_an_empty_folder_and_writes_under_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    conf, empty, data, home = (tmp_path / name for name in ("conf", "empty", "data", "home"))
    shutil.copytree(ROOT / "conf", conf)
    empty.mkdir()
    for name in ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    arguments = ("--conf-source", str(conf), "--env", "test", "--pipelines", "simulation")
    arguments += ("--params", f"data_root={data}")
    at_home = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "DO_NOT_TRACK": ""}
    finished = run_command(empty, "cellfate", *arguments, **at_home)
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert "Pipeline execution completed" in finished.stdout + finished.stderr
    made = create_pipeline().all_outputs()
    assert {"raw_recordings", "truth", "recordings_preview_figure"} <= made
    assert len(list((data / "01_raw" / "recordings" / "images").iterdir())) == 8
    assert (data / "01_raw" / "truth.parquet").exists()
    assert (data / "08_reporting" / "figures" / "recordings_preview.json").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"conf", "empty", "data", "home"}
    assert list(empty.iterdir()) == []
    assert sorted(home.rglob("telemetry.toml")) == []  # Kedro's telemetry names a user before it sends


def test_new_takes_the_template_of_the_configuration_that_is_named(tmp_path: Path):
    conf, empty, movies = (tmp_path / name for name in ("conf", "empty", "movies"))
    shutil.copytree(ROOT / "conf", conf)
    empty.mkdir()
    movies.mkdir()
    stored_images.write_imagej(movies, stored_images.make_image())
    finished = run_command(empty, "cellfate", "new", str(movies), "mine")
    assert finished.returncode == 1
    assert (
        "run the command in cellfate's project folder, or give its conf folder (an archive unpacked)" in finished.stderr
    )
    finished = run_command(empty, "cellfate", "new", str(movies), "mine", "--conf-source", str(conf))
    assert finished.returncode == 0, finished.stderr
    assert f"cellfate --env mine --conf-source {conf} --pipelines data_processing" in finished.stdout
    finished = run_command(empty, "cellfate", "--env", "mine", "--conf-source", str(conf))
    assert finished.returncode == 1
    assert "leaves 3 questions open (recordings.channels, tracks.format, crops.cell_diameter_px)" in finished.stderr
    assert list(empty.glob("*.yml")) == []
