"""A plate map is told by its contents, whatever it is called and whatever its columns are called."""

import numpy as np
import pytest
import tifffile

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.recognition.recognising import recognise

NAMES = ("A01", "A02", "B01", "B02")


def write_recordings(root, names=NAMES):
    details = {"axes": "TYX", "TimeIncrement": 30.0, "TimeIncrementUnit": "min", "Channel": {"Name": ["gfp"]}}
    for name in names:
        tifffile.imwrite(root / f"{name}.ome.tif", np.ones((30, 16, 16), np.uint16), metadata=details)


def opened(root, seen):
    """Recordings as a run opens them with what was recognised."""
    values = {
        one.key.removeprefix("recordings."): one.value for one in seen.values if one.key.startswith("recordings.")
    }
    return open_recordings(RecordingFolder(root), RecordingSettings(**values))[0].set_index("recording_id")


@pytest.mark.parametrize(
    ("text", "columns", "dose"),
    [
        (
            "Well;Compound;Conc (uM);Plate\nA01;DMSO;0;1\nA02;x;2,5;2\nB01;x;5;3\nB02;y;5;3\n",
            {
                "recording_id": "Well",
                "condition": "Compound",
                "dose": "Conc (uM)",
                "dose_unit": None,
                "group_id": "Plate",
            },
            "2.5 uM",
        ),
        (
            "file,treatment\na01.tif,vehicle\nA02.tif,drug\nB01.tif,drug\nB02.tif,vehicle\n",
            {"recording_id": "file", "condition": "treatment", "dose": None, "dose_unit": None, "group_id": None},
            "drug",
        ),
        (
            "comment\tposition\tdose\tunit\nx\tA01\t0\tnM\ny\tA02\t10\tnM\nx\tB01\t10\tnM\nx\tB02\t10\tnM\n",
            {"recording_id": "position", "condition": None, "dose": "dose", "dose_unit": "unit", "group_id": None},
            "10 nM",
        ),
    ],
)
def test_columns_by_contents_and_name(text, columns, dose, tmp_path):
    write_recordings(tmp_path)
    (tmp_path / "my layout.csv").write_text(text)
    seen = recognise(tmp_path)
    assert seen.value("recordings.conditions_file") == "my layout.csv"
    assert seen.value("recordings.conditions_columns") == columns
    assert "my layout.csv treats 4 of 4 recordings." in seen.notes
    assert opened(tmp_path, seen).loc["A02", "dose"] == dose
    assert seen.value("references.names_within_hours") is None  # doses are references


def test_plates_that_are_too_few_to_be_parted_are_no_groups(tmp_path):
    write_recordings(tmp_path)
    (tmp_path / "map.csv").write_text("well,drug,plate\nA01,a,1\nA02,b,1\nB01,a,2\nB02,b,2\n")
    seen = recognise(tmp_path)
    assert seen.value("recordings.conditions_columns")["group_id"] is None
    assert "Column plate of map.csv makes 2 groups, too few to be parted; not used." in seen.notes
    assert seen.value("splits.n_folds") == 4


def test_recordings_without_a_line_and_lines_without_a_recording_are_told(tmp_path):
    write_recordings(tmp_path)
    (tmp_path / "map.csv").write_text("well,drug\nA01,a\nA02,b\nB01,a\nH12,b\n")
    notes = recognise(tmp_path).notes
    assert "map.csv treats 3 of 4 recordings." in notes
    assert "map.csv has no line for B02: a run stops until it has." in notes
    assert "map.csv has lines of recordings that the folder does not have: H12." in notes


def test_wells_that_are_parts_of_names_are_a_question(tmp_path):
    """Left out in silence, all doses would be one, and every death unseen."""
    write_recordings(tmp_path, [f"Exp1_{name}_1" for name in NAMES])
    (tmp_path / "map.csv").write_text("Well,Treatment,uM\nA01,a,1\nA02,b,2\nB01,a,1\nB02,b,2\n")
    (tmp_path / "fates.csv").write_text("Well,Cell,Fate,Hours\nA01,1,died,2\nB02,1,divided,3\n")
    questions = {one.key: one for one in recognise(tmp_path).open_parameters}
    words = questions["recordings.conditions_file"].words
    assert words.startswith("map.csv looks like treatments (Treatment, uM), but no column names recordings")
    assert "column Well holds 'A01', a part of 'Exp1_A01_1'" in words
    assert questions["tracks.fates_columns"].value["recording_id"] == "???"
    assert "column Well holds 'A01', a part of 'Exp1_A01_1'" in questions["tracks.fates_columns"].words


def test_two_plate_maps_are_a_question_and_none_means_no_doses(tmp_path):
    write_recordings(tmp_path)
    seen = recognise(tmp_path)
    assert seen.value("recordings.conditions_file") is None
    assert "dose" not in seen.value("references.names_within_hours")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("well,drug\nA01,a\nA02,b\nB01,a\nB02,b\n")
    questions = {one.key: one.words for one in recognise(tmp_path).open_parameters}
    assert questions["recordings.conditions_file"] == "Treatments may be in a.csv, b.csv; say which table is meant."


def test_the_time_of_treatment_is_read_under_its_own_name_and_not_called_unused(tmp_path):
    write_recordings(tmp_path)
    lines = "".join(f"{name},nutlin,{number},2,x\n" for number, name in enumerate(NAMES))
    (tmp_path / "plate.csv").write_text(f"recording,drug,dose,treatment_h,remark\n{lines}")
    seen = recognise(tmp_path)
    assert set(opened(tmp_path, seen)["treatment_h"]) == {2.0}
    assert [note for note in seen.notes if "not used" in note] == ["Columns of plate.csv that are not used: remark."]
