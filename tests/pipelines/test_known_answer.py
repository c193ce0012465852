"""Scenarios with a known answer at tiny size, from simulation to the page."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.scoring import FAITHFUL, PLANTED
from cellfate.crops.store import CropStore
from cellfate.pipelines.known_answer.pipeline import ALTERED, SCENARIOS
from tests.conftest import DATA, ROOT, run_notebook

pytestmark = pytest.mark.pipeline

CHOSEN = ("null", "p53_early")
CHOSEN_ALTERED = ("real_brightness_dip", "real_size")
RUN = f"""
import sys
from cellfate.pipelines.known_answer import pipeline
pipeline.SCENARIOS, pipeline.ALTERED = {CHOSEN!r}, {CHOSEN_ALTERED!r}
from kedro.framework.cli.cli import main
sys.argv = ["kedro", "run", "--env", "test", "--pipelines", "known_answer"]
main()
"""
TINY = """
"{name}":
  simulation: {{n_recordings: 6, n_frames: 60, height_px: 96, width_px: 96, founders: [6, 7], founder_horizon_h: 29.0}}
"""
TINY_ALTERED = """
{name}:
  alteration: {{window_h: 2.0, shortest_h: 6.0, longest_h: 9.0, block_h: 4.0}}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, demo_project: Path) -> tuple[Path, str]:
    """The finished demo, in whose folder four scenarios have run too; and what that run said."""
    project = shutil.copytree(demo_project, tmp_path_factory.mktemp("known_answer") / "project")
    for path in (project / "conf/base/parameters/scenarios").glob("*.yml"):
        if path.stem not in (*CHOSEN, *CHOSEN_ALTERED):
            path.unlink()
    tiny = project / "conf/test/parameters_scenarios.yml"
    parts = [TINY.format(name=name) for name in CHOSEN] + [TINY_ALTERED.format(name=name) for name in CHOSEN_ALTERED]
    tiny.write_text("".join(parts))
    ran = subprocess.run([sys.executable, "-c", RUN], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:] + ran.stdout[-4000:]
    return project, ran.stdout + ran.stderr


def test_every_scenario_has_a_parameter_file_and_every_file_a_scenario():
    files = {path.stem for path in (ROOT / "conf/base/parameters/scenarios").glob("*.yml")}
    assert files == {*SCENARIOS, *ALTERED}


def test_scores_of_all_scenarios_stand_in_one_table(finished):
    scores = pd.read_parquet(finished[0] / DATA / "08_reporting/known_answer_planted_scores.parquet")
    assert list(dict.fromkeys(scores["scenario"])) == [*CHOSEN, *CHOSEN_ALTERED]
    assert set(scores["score"]) == {*FAITHFUL, *PLANTED}
    assert (scores["value"].notna() | scores["reason"].notna()).all()
    nothing = scores[(scores["scenario"] == "null") & scores["score"].isin(PLANTED)]
    assert nothing["value"].isna().all()


def test_the_run_prints_method_by_score_and_the_page_shows_it(finished):
    folder, said = finished
    assert said.count("Method by score:") == len((*CHOSEN, *CHOSEN_ALTERED))
    assert said.count("Planted hours, AUROC") == 4  # of two scenarios, each by itself and in the table of all
    page = (folder / DATA / "08_reporting/known_answer.html").read_text()
    assert "p53_early" in page
    assert page.count("Plotly.newPlot(") == 4
    assert "The scenarios real_* take their pixels from 8 recordings" in page


def test_each_scenario_has_its_own_recordings(finished):
    truth = {name: pd.read_parquet(finished[0] / DATA / "known_answer" / name / "truth.parquet") for name in CHOSEN}
    assert truth["null"]["deciding_channel"].isna().all()
    assert set(truth["p53_early"]["deciding_channel"].dropna()) == {"p53"}


def test_scenarios_in_pixels_that_are_there_keep_them_but_for_what_the_truth_says(finished):
    root = finished[0] / DATA
    study = CropStore(root / "03_primary/crops.zarr")
    for name, n_altered in (("real_brightness_dip", 1), ("real_size", 0)):
        truth = pd.read_parquet(root / "known_answer" / name / "truth.parquet")
        made = CropStore(root / "known_answer" / name / "crops.zarr")
        assert 0.4 < truth["dies"].mean() < 0.6
        assert truth["window_first_frame"].notna().any() == bool(n_altered)
        for row in truth.itertuples():
            now = made.read(row.recording_id, row.cell_id)
            was = study.read(row.recording_id, row.cell_id, now.frame_numbers_t[0], now.frame_numbers_t[-1])
            outside = np.ones(len(now.frame_numbers_t), dtype=bool)
            if pd.notna(row.window_first_frame):
                outside = ~np.isin(now.frame_numbers_t, range(row.window_first_frame, row.window_last_frame + 1))
            np.testing.assert_array_equal(now.frames_tchw[outside], was.frames_tchw[outside])
            assert outside.all() or (now.frames_tchw[~outside] != was.frames_tchw[~outside]).any()


def test_the_notebook_shows_a_cell_of_the_scenario_and_what_was_planted(finished, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    printed = run_notebook(ROOT / "notebooks" / "explain_one_cell.ipynb", finished[0])
    assert "planted: p53 from" in printed
    assert "minus nothing" in printed
