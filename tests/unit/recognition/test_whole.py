"""Whole folders: what is written is allowed in every group of parameters, and asks what the files do not say."""

import resource
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from kedro.validation import TypeExtractor

from cellfate.context import check_groups, check_questions, explain_parameters, known_groups
from cellfate.recognition import check_place, recognise, write_conf
from cellfate.settings import CONFIG_LOADER_ARGS
from tests.cases import stored_images, track_formats
from tests.cases.coco_folder import CELLS, CHANNELS, write_coco_folder
from tests.cases.ctc_folder import write_ctc_folder
from tests.conftest import ROOT
from tests.unit.recognition.test_tracks import BY_NAME, write_images

MOST_CPU_S = 5.0


def write_and_read(tmp_path: Path, folder: Path, **answers: Any) -> dict[str, Any]:
    """Write the parameters of a folder, answer what is asked, and read them as a run does."""
    conf = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", conf, dirs_exist_ok=True)
    check_place(conf, "mine")
    seen = recognise(folder)
    written = write_conf(conf, "mine", seen)
    assert {one.key for one in seen.open_parameters} == set(answers)
    given: dict[str, Any] = {}
    for key, value in answers.items():
        group, name = key.split(".")
        given.setdefault(group, {})[name] = value
    check_questions(written, given)
    configure_project("cellfate")
    loader = OmegaConfigLoader(str(conf), env="mine", runtime_params=given, **CONFIG_LOADER_ARGS)
    parameters = dict(loader["parameters"])
    check_groups(parameters, known_groups())
    assert explain_parameters(parameters, dict(TypeExtractor(dict(pipelines)).extract_types_from_pipelines())) == ""
    return parameters


def test_a_cell_tracking_challenge_folder(tmp_path):
    folder = write_ctc_folder(tmp_path / "data")
    parameters = write_and_read(tmp_path, folder, **{"recordings.frame_interval_min": 30.0})
    assert parameters["recordings"]["labels"] == "silver_truth"
    assert parameters["recordings"]["group_by"] == "lineage"
    assert parameters["recordings"]["conditions_file"] is None
    assert parameters["recordings"]["pixel_size_um"] is None  # not the demo's
    assert parameters["follow_up"]["questions"] == ["within_hours"]
    assert parameters["follow_up"]["events"] == ["mitosis"]
    assert parameters["splits"]["scheme"] == "spatial_blocks"
    assert parameters["crops"]["cell_diameter_px"] == pytest.approx(5.6, abs=0.1)  # masks of 5 x 5 px


def test_a_coco_folder(tmp_path):
    folder = write_coco_folder(tmp_path / "data")
    answers = {"recordings.channels": CHANNELS, "recordings.frame_interval_min": 30.0}
    parameters = write_and_read(tmp_path, folder, **answers)
    assert parameters["recordings"]["conditions_file"] == "conditions.csv"
    assert parameters["follow_up"]["questions"] == ["which_fate", "within_hours"]  # the annotations state deaths
    assert "dose" in parameters["references"]["names_which_fate"]


def test_a_line_of_tracks_that_cannot_be_read_is_told_as_a_run_does(tmp_path):
    folder = write_ctc_folder(tmp_path / "data")
    (folder / "01_GT" / "TRA" / "man_track.txt").write_text("1 0 2\n2 3 five 1\n")
    notes = [note for note in recognise(folder).notes if note.startswith("Of the first tracks: Track file")]
    assert len(notes) == 1
    assert "expected four whole numbers a line" in notes[0]


@pytest.mark.parametrize(("of_others", "asks"), [(1, False), (3, True)])
def test_annotations_of_other_categories_are_no_cells(of_others, asks, tmp_path):
    """Deaths stated on annotations of a category that a run leaves out are none."""
    cells = [replace(cell, category=of_others if cell.time_of_death is None else 2) for cell in CELLS]
    seen = recognise(write_coco_folder(tmp_path / "data", cells))
    assert ("recordings.cell_categories" in [one.key for one in seen.open_parameters]) is asks
    assert seen.value("follow_up.events") == (None if asks else ["mitosis"])


@pytest.mark.parametrize("name", ["trackmate_xml", "trackmate_csv", "btrack", "geff", "napari_csv", "csv"])
def test_tracks_of_every_format_beside_images(name, tmp_path):
    folder = tmp_path / "data"
    write_images(folder)
    BY_NAME[name].write(folder, track_formats.FAMILY)
    sized = name.startswith("trackmate")
    parameters = write_and_read(tmp_path, folder, **({} if sized else {"crops.cell_diameter_px": 10}))
    events = ["apoptosis", "mitosis"] if BY_NAME[name].says_deaths else ["mitosis"]
    assert parameters["follow_up"]["events"] == events
    assert parameters["recordings"]["group_by"] == "lineage"


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_images_without_tracks(name, tmp_path):
    (tmp_path / "data").mkdir()
    stored_images.WRITERS[name](tmp_path / "data", stored_images.make_image())
    asked = {one.key for one in recognise(tmp_path / "data").open_parameters}
    assert {"tracks.format", "crops.cell_diameter_px"} <= asked
    assert len(asked) <= 5


def test_tracks_without_parents_and_without_fates_are_no_study(tmp_path):
    write_images(tmp_path)
    BY_NAME["napari_csv"].write(tmp_path, track_formats.FAMILY)
    (tmp_path / "01_graph.json").unlink()
    question = next(one for one in recognise(tmp_path).open_parameters if one.key == "tracks.fates_file")
    assert question.words.startswith("Nothing in the folder says which cells divide or die")
    assert "put null, and score them with cellfate review" in question.words


@pytest.mark.parametrize(("n_recordings", "asks"), [(1, True), (3, True), (5, False)])
def test_tracks_of_which_none_divides(n_recordings, asks, tmp_path):
    """Of recordings that were not read, some may."""
    write_images(tmp_path, *(f"P{number}" for number in range(n_recordings)))
    BY_NAME["trackmate_xml"].write(tmp_path, [cell for cell in track_formats.FAMILY if cell.cell_id == 4])
    for number in range(n_recordings):
        shutil.copy(tmp_path / "01.xml", tmp_path / f"P{number}.xml")
    (tmp_path / "01.xml").unlink()
    seen = recognise(tmp_path)
    assert ("tracks.fates_file" in {one.key for one in seen.open_parameters}) is asks
    assert (seen.value("follow_up.events") == ["mitosis"]) is not asks


def test_many_recordings_take_seconds(tmp_path):
    write_images(tmp_path, "01")
    BY_NAME["trackmate_xml"].write(tmp_path, track_formats.FAMILY)
    for number in range(300):
        for ending in (".ome.tif", ".xml"):
            shutil.copy(tmp_path / f"01{ending}", tmp_path / f"P{number:03d}{ending}")
    before = resource.getrusage(resource.RUSAGE_SELF)
    seen = recognise(tmp_path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert len(seen.images.names) == 301
    assert seen.value("splits.scheme") == "grouped_holdout"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MOST_CPU_S
