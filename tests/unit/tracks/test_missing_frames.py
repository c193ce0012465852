"""Tracks of recordings of which frames are missing: what lies there is left out and counted."""

from pathlib import Path

import pandas as pd
import pytest

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.tracks.importing import gather_tracks, import_tracks
from cellfate.tracks.settings import TrackSettings
from tests.cases import coco_folder, ctc_folder

COCO = {"layout": "coco_vid", "channels": coco_folder.CHANNELS, "frame_interval_min": 30}
CTC = {"layout": "cell_tracking_challenge", "channels": ("h2b",), "frame_interval_min": 30}


def import_with(root: Path, choice: str, settings: dict[str, object]) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    asked = RecordingSettings.model_validate({**settings, "on_missing_frames": choice})
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, asked)
    _, _, problems = gather_tracks(folder, recordings, files, asked, TrackSettings())
    detections, cells, _ = import_tracks(folder, recordings, files, asked)
    return detections, cells.set_index(["recording_id", "cell_id"]), problems["reason"].tolist()


def test_a_missed_frame_is_a_gap_in_every_track(tmp_path: Path) -> None:
    root = coco_folder.write_coco_folder(tmp_path)
    (root / "images/001/0002.tif").unlink()
    detections, cells, told = import_with(root, "gap", COCO)
    of_first = detections[detections["recording_id"] == "001"]
    assert of_first.groupby("cell_id")["frame"].apply(list).tolist() == [[0, 1, 3], [0, 1, 4, 5], [3, 4, 5, 6, 7]]
    assert cells.loc[("001", 3), ["first_frame", "last_frame"]].tolist() == [3, 7]
    assert cells.loc[("001", 1), ["fate", "event_frame"]].tolist() == ["mitosis", 4]
    assert told == ["In recording '001' 3 detection(s) lie in the missing frame(s) 2 and are left out."]
    assert len(detections[detections["recording_id"] == "002"]) == 13


def test_events_after_the_last_frame_are_not_seen(tmp_path: Path) -> None:
    root = coco_folder.write_coco_folder(tmp_path)
    for frame in range(5, 8):
        (root / f"images/001/{frame:04d}.tif").write_bytes(b"")
    detections, cells, _ = import_with(root, "cut", COCO)
    assert detections.loc[detections["recording_id"] == "001", "frame"].max() == 4
    assert cells.loc[("001", 1), ["fate", "event_frame"]].tolist() == ["mitosis", 4]
    assert cells.loc[("001", 2), "fate"] == "censored"
    assert pd.isna(cells.loc[("001", 2), "event_frame"])
    assert cells.loc[("001", 2), "last_frame"] == 4
    assert cells.loc[("002", 2), ["fate", "event_frame"]].tolist() == ["apoptosis", 6]


@pytest.mark.parametrize(
    ("choice", "frame", "cells_left", "mother"),
    [("cut", 3, [1, 4, 5, 6], "censored"), ("gap", 2, [1, 2, 3, 4, 5, 6], "mitosis")],
)
def test_daughters_that_are_never_seen_are_left_out(
    tmp_path: Path, choice: str, frame: int, cells_left: list[int], mother: str
) -> None:
    root = ctc_folder.write_ctc_folder(tmp_path)
    (root / f"01/t{frame:03d}.tif").unlink()
    detections, cells, _ = import_with(root, choice, CTC)
    assert cells.index.get_level_values("cell_id").tolist() == cells_left
    assert cells.loc[("01", 1), "fate"] == mother
    assert frame not in detections["frame"].tolist()


def test_a_parent_that_is_never_seen_is_unknown(tmp_path: Path) -> None:
    root = ctc_folder.write_ctc_folder(tmp_path)
    for frame in range(3):
        (root / f"01/t{frame:03d}.tif").write_bytes(b"")
    _, cells, _ = import_with(root, "gap", CTC)
    assert cells.index.get_level_values("cell_id").tolist() == [2, 3, 5, 6]
    assert cells["parent_id"].isna().all()
    assert cells["first_frame"].tolist() == [3, 3, 3, 3]
