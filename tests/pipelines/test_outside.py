"""The installed package in an empty folder: configuration elsewhere, results where they are told, nothing sent."""

import shutil
from pathlib import Path

import pytest

from cellfate.pipelines.simulation.pipeline import create_pipeline
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
