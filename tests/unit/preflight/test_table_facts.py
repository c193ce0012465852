"""What tables state about images: a contradiction is told with both values and both files."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.stated import KINDS, Fact, compare_facts
from cellfate.preflight.findings import gather_findings, order_cases
from cellfate.preflight.table_facts import check_tables
from cellfate.tracks.settings import TrackSettings

RECORDINGS = pd.DataFrame(
    {
        "recording_id": ["A01", "A02"],
        "source": ["A01.tif", "A02.tif"],
        "n_frames": [8, 8],
        "frame_interval_min": [30.0, 30.0],
        "pixel_size_um": [0.5, float("nan")],
    }
)
LAYOUT = RecordingSettings(layout="tiff_stacks", conditions_file="conditions.csv")
FATES = TrackSettings(format="csv", fates_file="fates.csv")


def find(root: Path, conditions: str, fates: str = "recording_id,cell_id,fate,event_frame\n") -> list[list[str]]:
    (root / "conditions.csv").write_text(conditions)
    (root / "fates.csv").write_text(fates)
    found = tables.PreflightFindings.validate(check_tables(root, RECORDINGS, LAYOUT, FATES))
    assert set(found["check"]) <= {"other_facts"}
    return found[["recording_id", "finding"]].to_numpy().tolist()


def test_tables_that_agree_or_state_nothing_are_well(tmp_path):
    assert find(tmp_path, "recording_id,dose\nA01,1\n") == []
    assert find(tmp_path, "recording_id,dose,n_frames,pixel_size_um\nA01,1,8,0.502\nA02,1,,0.2\nB07,1,3,9\n") == []


def test_a_contradiction_is_told_with_both_values_and_files(tmp_path):
    ((name, sentence),) = find(tmp_path, "recording_id,dose,frame_interval_min\na01.tif,1,20\nA02,1,30\n")
    assert name == "A01"
    assert sentence == (
        "conditions.csv states a frame every 20 min, but recording 'A01' (A01.tif) has a frame every 30 min; correct "
        "recordings.frame_interval_min, or leave it if that is right."
    )


def test_a_table_with_a_row_a_cell_tells_a_fact_once(tmp_path):
    fates = "recording_id,cell_id,fate,event_frame,n_frames\nA01,1,mitosis,3,9\nA01,2,mitosis,3,9\n"
    ((name, sentence),) = find(tmp_path, "recording_id,dose\nA01,1\n", fates)
    assert name == "A01"
    assert sentence.startswith("fates.csv states 9 frames, but recording 'A01' (A01.tif) has 8 frames; check")


@pytest.mark.parametrize(("file", "name"), [("fates.xlsx", None), ("{recording_id}_fates.xlsx", "A01")])
def test_sheets_that_are_not_read_are_told(tmp_path, file, name):
    (tmp_path / "conditions.csv").write_text("recording_id,dose\nA01,1\n")
    book = openpyxl.Workbook()
    book.active.title = "day 1"
    book.active.append(["recording_id", "cell_id", "fate", "event_frame"])
    book.create_sheet("day 2").append(["A02", 1, "died", 3])
    book.save(tmp_path / file.replace("{recording_id}", "A01"))
    tracks = TrackSettings(format="csv", fates_file=file)
    found = tables.PreflightFindings.validate(check_tables(tmp_path, RECORDINGS, LAYOUT, tracks))
    assert found["check"].tolist() == ["unread_sheet"]
    assert found["recording_id"].astype(object).where(found["recording_id"].notna(), None).tolist() == [name]
    assert found["finding"].iloc[0] == (
        f"Of the workbook {file.replace('{recording_id}', 'A01')} only the sheet 'day 1' is read, but there is "
        "something on 'day 2' too; copy what belongs to the table to the first sheet, or leave it if nothing does."
    )
    assert len(gather_findings(order_cases([found]))) == 1


@pytest.mark.parametrize(
    ("what", "value", "same", "other"),
    [
        ("size_px", (60, 40), (60, 40), (60, 41)),
        ("field_px", (60.0, 40.0), (60.9, 40.0), (62.0, 40.0)),
        ("n_frames", 8, 8, 9),
        ("frame_interval_min", 30.0, 30.2, 30.4),
        ("pixel_size_um", 0.5, 0.504, 0.506),
        ("image_name", "A01.ome.tif", "a01_registered.tif", "B07.tif"),
    ],
)
def test_each_kind_knows_what_differs(what, value, same, other):
    counts = [Fact("recording 'A01'", what, value)]
    assert compare_facts([Fact("a.xml", what, same)], counts) == []
    ((check, sentence),) = compare_facts([Fact("a.xml", what, other)], counts)
    assert check == ("other_image" if what in {"size_px", "field_px"} else "other_facts")
    assert sentence.startswith("a.xml states ")
    assert "but recording 'A01' has" in sentence


def test_one_that_agrees_is_enough_and_none_tells_nothing():
    names = [Fact("recording", "image_name", name) for name in ("whole_plate.nd2", "A01")]
    assert compare_facts([Fact("a.xml", "image_name", "A01.tif")], names) == []
    assert all(compare_facts([Fact("a.xml", what, 1)], []) == [] for what in KINDS)
