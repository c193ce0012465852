"""The whole preflight on folders on disk: clean, broken in every way, simulated and real."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml

from cellfate.core import tables
from cellfate.core.errors import InputError
from cellfate.crops.settings import CropSettings
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.pipelines.data_processing import nodes
from cellfate.preflight import PreflightSettings, run_preflight, set_bad_frames_aside, stop_at_errors
from cellfate.preflight.checking import CASES_FILE, FINDINGS_FILE, Preflight
from cellfate.simulation import simulate_study, write_study
from cellfate.tracks.settings import TrackSettings
from tests.cases.coco_folder import CELLS, CHANNELS, CocoCell, changed_cell, write_coco_folder
from tests.cases.ctc_folder import write_ctc_folder
from tests.cases.simulated import tiny_settings

COCO = RecordingSettings(
    layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0, conditions_file="conditions.csv"
)
SKIP = COCO.model_copy(update={"on_bad_recording": "skip"})
CTC = RecordingSettings(
    layout="cell_tracking_challenge", channels=("h2b",), frame_interval_min=30.0, labels="silver_truth"
)
SCHEMAS = {
    "findings": tables.PreflightFindings,
    "cases": tables.PreflightFindings,
    "summary": tables.PreflightSummary,
    "cells": tables.PreflightCells,
    "quality": tables.FrameQuality,
}
CATALOG = Path(__file__).parents[3] / "conf/base/catalog.yml"
INNER = tuple(
    CocoCell(name, cell, {frame: (10.0 + 10 * cell, 12.0 + frame) for frame in range(8)}, time_of_death=8 - 1)
    for name in ("001", "002")
    for cell in (0, 1)
)


def look_whole(
    root: Path, settings: RecordingSettings = COCO, crop_px: tuple[int, int] = (16, 16), **chosen: object
) -> Preflight:
    """Run the preflight; every table must keep to its schema."""
    made = run_preflight(RecordingFolder(root), settings, TrackSettings(), crop_px, PreflightSettings(**chosen))
    for name, schema in SCHEMAS.items():
        schema.validate(getattr(made, name))
    return made


def look(*args: object, **chosen: object) -> tuple[pd.DataFrame, ...]:
    """Cases, summary, cells and quality."""
    made = look_whole(*args, **chosen)
    return made.cases, made.summary, made.cells, made.quality


def image_of(root: Path, recording: str, frame: int) -> Path:
    return root / "images" / recording / f"{frame:04d}.tif"


def write_image(root: Path, recording: str, frame: int, pixels: np.ndarray) -> None:
    tifffile.imwrite(image_of(root, recording, frame), pixels, photometric="rgb", compression="zlib")


def test_a_clean_folder_gives_no_findings_and_full_counts(tmp_path):
    findings, summary, cells, quality = look(write_coco_folder(tmp_path, INNER))
    assert findings.empty
    assert summary["n_frames"].tolist() == [8, 8]
    assert summary["n_cells"].tolist() == summary["n_apoptosis"].tolist() == [2, 2]
    assert summary["median_track_frames"].tolist() == [8, 8]
    assert summary["dose"].tolist() == ["Control", "High"]
    assert summary[["n_errors", "n_warnings", "n_gaps"]].to_numpy().sum() == 0
    assert len(cells) == 4
    assert len(quality) == 2 * 8 * 3
    stop_at_errors(findings, COCO)


def test_gaps_and_borders_of_the_case_are_found(tmp_path):
    findings, summary, _, _ = look(write_coco_folder(tmp_path))
    assert set(findings["severity"]) == {"warning"}
    gaps = findings[findings["check"] == "gap"]
    assert gaps[["recording_id", "cell_id", "frame", "file"]].values.tolist() == [["001", 2, 3, "images/001/0003.tif"]]
    border = findings[findings["check"] == "border"]
    assert border[["recording_id", "cell_id"]].values.tolist() == [["001", 3], ["002", 1], ["002", 2]]
    assert summary["n_gaps"].tolist() == [1, 0]


def test_tracks_are_told_cell_by_cell_and_only_once(tmp_path):
    outside = changed_cell("001", 1, centres=dict.fromkeys(range(4), (8.0, 50.0)))
    root = write_coco_folder(tmp_path, outside)
    content = json.loads((root / "annotations.json").read_text())
    content["annotations"].append({**content["annotations"][0], "id": 999})
    (root / "annotations.json").write_text(json.dumps(content))
    errors = look(root)[0].query("severity == 'error'")
    assert errors["check"].tolist() == ["outside"] * 4 + ["duplicate"]
    assert errors.loc[errors["check"] == "outside", "frame"].tolist() == [0, 1, 2, 3]


def test_contradicting_tracks_are_an_error_beside_the_images(tmp_path):
    root = write_coco_folder(tmp_path, changed_cell("001", 1, time_of_death=5, time_of_division=6))
    findings, _, _, quality = look(root)
    errors = findings[findings["severity"] == "error"]
    assert errors[["check", "recording_id"]].values.tolist() == [["tracks", "001"]]
    assert "cell 1 dies in frame 5 and divides in frame 6" in errors["finding"].iloc[0]
    assert quality["recording_id"].nunique() == 2


def test_a_truncated_file_sets_one_recording_aside_and_the_other_is_looked_at(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    path = image_of(root, "001", 3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    findings, summary, _, quality = look(root)
    assert findings[["check", "recording_id", "severity"]].values.tolist() == [["recording", "001", "error"]]
    assert path.name in findings["finding"].iloc[0]
    assert summary["n_errors"].tolist() == [1, 0]
    assert summary["n_frames"].isna().tolist() == [True, False]
    assert set(quality["recording_id"]) == {"002"}


def test_a_frame_that_cannot_be_decoded_is_found_and_its_recording_can_be_set_aside(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    path = image_of(root, "002", 5)
    with tifffile.TiffFile(path) as tiff:
        start, count = tiff.pages.first.dataoffsets[0], tiff.pages.first.databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start : start + count] = b"\xff" * count  # the header stays well
    path.write_bytes(bytes(content))
    findings = look(root)[0]
    row = findings.iloc[0]
    assert (len(findings), row["check"], row["frame"], row["file"]) == (1, "unreadable_frame", 5, "images/002/0005.tif")
    kept, files, aside = nodes.open_recordings(RecordingFolder(root), SKIP, findings)
    assert kept["recording_id"].tolist() == ["001"]
    assert set(files["recording_id"]) == {"001"}
    assert tables.SetAside.validate(aside)["recording_id"].tolist() == ["002"]
    with pytest.raises(InputError, match=r"The preflight found 1 error in 1 recording, .*0005\.tif"):
        nodes.open_recordings(RecordingFolder(root), COCO, findings)


def test_no_recording_left_is_said(tmp_path):
    folder = RecordingFolder(write_coco_folder(tmp_path, INNER))
    findings = pd.DataFrame({"recording_id": ["001", "002"], "check": "not_finite", "finding": "no numbers"})
    with pytest.raises(InputError, match="None of the 2 recordings"):
        set_bad_frames_aside(*open_recordings(folder, COCO), findings)


def test_a_copy_of_a_recording_under_another_name_is_told(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    shutil.rmtree(root / "images/002")
    shutil.copytree(root / "images/001", root / "images/002")
    (row,) = look(root)[0].to_dict("records")
    assert (row["check"], row["severity"], row["recording_id"]) == ("same_images", "warning", "002")
    assert "are those of recording '001'; leave one of both out" in row["finding"]


def test_saturated_and_empty_frames_are_found(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    pixels = tifffile.imread(image_of(root, "001", 2))
    pixels[:4, :, 1] = 65535
    write_image(root, "001", 2, pixels)
    write_image(root, "002", 0, np.full_like(pixels, 100))
    findings = look(root)[0]
    assert findings[["recording_id", "frame", "channel", "check"]].values.tolist() == [
        *(["002", 0, channel, "empty_frame"] for channel in sorted(CHANNELS)),
        ["001", 2, "p53", "saturation"],
    ]
    assert findings["value"].iloc[-1] == pytest.approx(4 / 32)


def test_floats_that_are_no_numbers_are_errors(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    for frame in range(8):
        pixels = tifffile.imread(image_of(root, "001", frame)).astype(np.float32)
        pixels[0, 0, 0] = np.nan if frame == 3 else 1
        write_image(root, "001", frame, pixels)
    findings = look(root)[0]
    assert findings[["recording_id", "frame", "channel", "check", "severity"]].values.tolist() == [
        ["001", 3, CHANNELS[0], "not_finite", "error"]
    ]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda root: (root / "annotations.json").write_text("{"), "annotations.json"),
        (lambda root: (root / "annotations.json").unlink(), "has no annotation file annotations.json"),
        (lambda root: (root / "conditions.csv").write_text("recording_id\n001\n"), "has no column"),
        (lambda root: [path.unlink() for path in root.rglob("0001.tif")], "None of the 2 recordings"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_finding_and_the_run_stops_with_it(tmp_path, damage, words):
    root = write_coco_folder(tmp_path)
    damage(root)
    findings, summary, cells, quality = look(root)
    assert findings["check"].tolist() == ["folder"]
    assert words in findings["finding"].iloc[0]
    assert summary.empty
    assert cells.empty
    assert quality.empty
    with pytest.raises(InputError, match=words):
        stop_at_errors(findings, COCO)


def test_annotations_without_tracks_leave_the_images(tmp_path):
    root = write_coco_folder(tmp_path)
    content = json.loads((root / "annotations.json").read_text())
    del content["annotations"]
    (root / "annotations.json").write_text(json.dumps(content))
    findings, summary, cells, quality = look(root)
    assert findings["check"].tolist() == ["folder"]
    assert summary["n_cells"].tolist() == [0, 0]
    assert cells.empty
    assert quality["recording_id"].nunique() == 2


def test_a_recording_without_cells_is_a_warning(tmp_path):
    root = write_coco_folder(tmp_path)
    content = json.loads((root / "annotations.json").read_text())
    content["annotations"] = [mark for mark in content["annotations"] if mark["video_id"] == 1]
    (root / "annotations.json").write_text(json.dumps(content))
    found = look(root)[0].query("check == 'no_cells'")
    assert found[["recording_id", "severity"]].values.tolist() == [["002", "warning"]]


def test_a_challenge_folder_is_looked_at(tmp_path):
    findings, summary, _, _ = look(write_ctc_folder(tmp_path), CTC, (10, 10))
    assert findings.query("check == 'gap'")[["cell_id", "frame"]].values.tolist() == [[6, 2]]
    assert summary[["n_cells", "n_mitosis", "n_censored", "n_gaps"]].values.tolist() == [[6, 1, 5, 1]]


def test_fewer_frames_are_looked_at_when_asked(tmp_path):
    root = write_coco_folder(tmp_path, CELLS)
    assert set(look(root, image_frames=3)[3]["frame"]) == {0, 4, 7}


def test_errors_stop_unless_they_are_skipped(tmp_path):
    root = write_coco_folder(tmp_path, changed_cell("001", 1, centres={0: (8.0, 50.0), 1: (8.0, 51.0)}))
    findings = look_whole(root).findings
    with pytest.raises(InputError) as stopped:
        stop_at_errors(findings, COCO)
    message = str(stopped.value)
    assert message.startswith(
        "The preflight found 2 errors in 1 recording, all listed in 08_reporting/preflight_findings"
    )
    assert "the centre of cell 1 in frame 1 is at x 51.0 px" in message
    assert "(the worst of 2 such cases in this recording)" in message
    stop_at_errors(findings, SKIP)
    stop_at_errors(findings[findings["severity"] == "warning"], COCO)


def test_where_a_table_is_wrong_the_run_stops_with_its_line_and_column(tmp_path):
    root = write_coco_folder(tmp_path, INNER)
    (root / "fates.csv").write_text("recording_id,cell_id,fate,event_frame\n001,0,apoptosis,7\n001,1,apoptosis,70\n")
    tracks = TrackSettings(fates_file="fates.csv")
    made = run_preflight(RecordingFolder(root), COCO, tracks, (16, 16), PreflightSettings())
    with pytest.raises(InputError) as stopped:
        stop_at_errors(made.findings, COCO)
    message = str(stopped.value)
    assert "correct what each names, or set recordings.on_bad_recording to 'skip' to go on without these" in message
    assert message.endswith(
        "The first error: Line 3 of the table of fates fates.csv puts the event of cell 1 of recording '001' at 70, "
        "frame 70, but the movie has 8 frames counted from 0 (1 such lines); correct column event_frame, or, if its "
        "times are not frames, tracks.fates_time_unit."
    )


@pytest.mark.parametrize(("name", "file"), [("preflight_findings", FINDINGS_FILE), ("preflight_cases", CASES_FILE)])
def test_the_sentences_name_the_files_of_the_catalog(name, file):
    assert yaml.safe_load(CATALOG.read_text())[name]["filepath"].endswith(f"}}/{file}")


def test_findings_come_back_from_the_file_as_they_were(tmp_path):
    from cellfate.datasets.csv_table import CsvTableDataset

    findings = look(write_coco_folder(tmp_path / "in"))[0]
    findings.loc[0, "recording_id"] = "NA"  # a name, not a missing value
    findings.loc[0, "finding"] = "=1+1"  # a name of a file may begin so
    dataset = CsvTableDataset(filepath=str(tmp_path / "findings.csv"))
    dataset.save(findings)
    again = tables.PreflightFindings.validate(dataset.load())
    pd.testing.assert_frame_equal(again, findings)


def test_the_simulated_demo_has_no_errors(tmp_path):
    write_study(simulate_study(tiny_settings()), tmp_path)
    findings = look(tmp_path, crop_px=(24, 24))[0]
    assert not (findings["severity"] == "error").any()
    assert not set(findings["check"]) & {"saturation", "empty_frame", "focus", "jump", "coinciding"}


def test_the_node_takes_the_size_of_the_crops(tmp_path):
    folder = RecordingFolder(write_coco_folder(tmp_path, INNER))
    narrow, wide = (CropSettings(height_px=size, width_px=size) for size in (16, 32))
    assert nodes.run_preflight(folder, COCO, TrackSettings(), narrow, PreflightSettings())[0].empty
    assert set(nodes.run_preflight(folder, COCO, TrackSettings(), wide, PreflightSettings())[0]["check"]) == {"border"}


@pytest.mark.real
def test_the_real_recording_has_warnings_only(real_data):
    findings, summary, _, _ = look(real_data / "ctc_hela", CTC, (48, 48))
    assert set(findings["severity"]) == {"warning"}
    assert set(findings["check"]) == {"late_daughters", "jump", "short_daughter", "border"}
    assert summary[["n_frames", "n_cells", "n_mitosis"]].values.tolist() == [[92, 674, 209]]
