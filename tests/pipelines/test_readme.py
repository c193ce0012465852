"""What README and docs name exists, and the README's Python runs; other tests here run the demo's commands."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellfate.pipeline_registry import register_pipelines
from cellfate.prediction import save_model_folder
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.track_formats import FAMILY, HEIGHT_PX, N_FRAMES, PIXEL_SIZE_UM, WIDTH_PX, write_trackmate_xml
from tests.cases.trained_models import tiny_classifier, tiny_clock

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
EVERYTHING = "\n".join(PAGES.values())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with both models, and recordings: one TIFF with TrackMate's XML beside it, and a COCO folder."""
    for name, train in (("classifier_model", tiny_classifier), ("clock_model", tiny_clock)):
        save_model_folder(train(tmp_path / name, channels=3, size=40)[1], tmp_path / "data/06_models" / name)
    recordings = write_coco_folder(tmp_path / "path/to/new_recordings")
    pixels = np.random.default_rng(0).integers(90, 200, (N_FRAMES, len(CHANNELS), HEIGHT_PX, WIDTH_PX), dtype=np.uint16)
    about = {"axes": "TCYX", "unit": "um"}
    resolution = (1 / PIXEL_SIZE_UM, 1 / PIXEL_SIZE_UM)
    tifffile.imwrite(recordings / "01.tif", pixels, imagej=True, resolution=resolution, metadata=about)
    write_trackmate_xml(recordings, FAMILY)
    return tmp_path


@pytest.mark.parametrize("model", ["clock_model", "classifier_model"])
def test_its_python_forecasts(project: Path, model: str, monkeypatch: pytest.MonkeyPatch):
    """Block after block, as they stand; each leaves a table with an answer of the model."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    script = "tables = []\n" + "".join(f"{block}tables.append(table)\ndel table\n" for block in blocks)
    (project / "script.py").write_text(script.replace("clock_model", model))
    monkeypatch.chdir(project)
    tables = runpy.run_path("script.py")["tables"]
    assert len(tables) >= 2
    answer = {"clock_model": "blend", "classifier_model": "classifier"}[model]
    assert all(answer in set(table["predictor"]) for table in tables)


def test_every_pipeline_that_is_named_exists():
    named = re.findall(r"--pipelines (\w+)", EVERYTHING)
    assert named
    assert set(named) <= set(register_pipelines())


def test_every_environment_that_is_named_exists():
    made_by_the_reader = {"myname", "2024_p53"}
    named = set(re.findall(r"--env (\w+)", EVERYTHING))
    assert named - made_by_the_reader <= {path.name for path in (ROOT / "conf").iterdir()}


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^    make (\w+)", EVERYTHING, re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_linked_file_exists(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGES[page])
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_can_be_read_in_one_sitting():
    assert len(README.splitlines()) < 150


def test_every_folder_of_the_source_is_on_the_map():
    rooms = {path.name for path in (ROOT / "src/cellfate").iterdir() if (path / "__init__.py").exists()}
    table = (ROOT / "docs/architecture.md").read_text().split("| room |")[1].split("\n\n")[0]
    assert rooms <= set(re.findall(r"`(\w+)`", table))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=lambda path: path.name)
def test_every_page_says_first_for_whom_it_is(page):
    title, blank, first = PAGES[page].splitlines()[:3]
    assert title.startswith("# ")
    assert not blank
    assert first.startswith("For whoever ")
