"""Import of Cell Tracking Challenge folders: a small case worked by hand, bad ones, and the real one."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellfate.core.errors import InputError
from cellfate.core.tables import Cells, Detections, SetAside
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from cellfate.tracks import import_tracks
from cellfate.tracks.cell_tracking_challenge import find_centroids
from tests.cases.ctc_folder import N_FRAMES, TRACKS, draw_labels, marker_centre, write_ctc_folder, write_track_table

SETTINGS = {"layout": "cell_tracking_challenge", "channels": ("H2B",), "frame_interval_min": 30}


def run_import(root: Path, **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    settings = RecordingSettings.model_validate({**SETTINGS, **changes})
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, settings)
    return import_tracks(folder, recordings, files, settings)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_ctc_folder(tmp_path, "01", "02")


def test_fates_and_families_are_those_of_the_case(root: Path) -> None:
    detections, cells, set_aside = run_import(root)
    for schema, table in ((Detections, detections), (Cells, cells), (SetAside, set_aside)):
        schema.validate(table)
    assert set_aside.empty
    assert cells["recording_id"].tolist() == ["01"] * 6 + ["02"] * 6
    case = cells[cells["recording_id"] == "02"]
    assert case["cell_id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert case["fate"].tolist() == ["mitosis"] + ["censored"] * 5
    assert case["event_frame"].fillna(-1).tolist() == [3, -1, -1, -1, -1, -1]
    assert case["parent_id"].fillna(0).tolist() == [0, 1, 1, 0, 4, 0]
    assert case["lineage_id"].tolist() == ["02:1", "02:1", "02:1", "02:4", "02:4", "02:6"]
    assert case["first_frame"].tolist() == [first for _, first, _, _ in TRACKS]
    assert case["last_frame"].tolist() == [last for _, _, last, _ in TRACKS]
    assert case["group_id"].tolist() == ["02"] * 6


def test_groups_can_be_families(root: Path) -> None:
    _, cells, _ = run_import(root, group_by="lineage")
    assert cells["group_id"].tolist() == cells["lineage_id"].tolist()


def test_groups_can_come_from_the_conditions(root: Path) -> None:
    (root / "conditions.csv").write_text("recording_id,condition,dose,group_id\n01,a,b,well 7\n02,a,b,well 8\n")
    _, cells, _ = run_import(root, conditions_file="conditions.csv")
    assert cells["group_id"].tolist() == ["well 7"] * 6 + ["well 8"] * 6


@pytest.mark.parametrize(("labels", "shift_px"), [("none", 0), ("gold_track", 0), ("silver_truth", 1)])
def test_positions_are_centres_of_markers_or_masks(root: Path, labels: str, shift_px: int) -> None:
    detections, _, _ = run_import(root, labels=labels)
    case = detections[detections["recording_id"] == "01"]
    expected = [
        (label, frame, float(marker_centre(label, frame)[0] + shift_px), float(marker_centre(label, frame)[1]))
        for label, begin, end, _ in TRACKS
        for frame in range(begin, end + 1)
        if (label, frame) != (6, 2)
    ]
    found = case[["cell_id", "frame", "y_px", "x_px"]].itertuples(index=False, name=None)
    assert list(found) == expected


def test_cells_without_a_mask_fall_back_on_their_marker(root: Path) -> None:
    mask = root / "01_ST/SEG/man_seg001.tif"
    labels = tifffile.imread(mask)
    labels[labels == 4] = 0
    tifffile.imwrite(mask, labels)
    (root / "01_ST/SEG/man_seg000.tif").unlink()
    detections, _, _ = run_import(root, labels="silver_truth")
    places = detections[detections["recording_id"] == "01"].set_index(["cell_id", "frame"])["y_px"]
    assert places[1, 0] == marker_centre(1, 0)[0]
    assert places[4, 1] == marker_centre(4, 1)[0]
    assert places[1, 1] == marker_centre(1, 1)[0] + 1


def test_masks_without_a_marker_are_no_detections(root: Path) -> None:
    mask = root / "01_ST/SEG/man_seg002.tif"
    labels = tifffile.imread(mask)
    labels[0:3, 50:53] = 6
    tifffile.imwrite(mask, labels)
    detections, _, _ = run_import(root, labels="silver_truth")
    assert detections[(detections["recording_id"] == "01") & (detections["cell_id"] == 6)]["frame"].tolist() == [
        0,
        1,
        3,
        4,
        5,
    ]


def test_label_images_carry_the_cell_ids(root: Path) -> None:
    settings = RecordingSettings.model_validate({**SETTINGS, "labels": "silver_truth"})
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, settings)
    detections, _, _ = import_tracks(folder, recordings, files, settings)
    for recording in lazy_recordings(folder, recordings, files):
        for row in detections[detections["recording_id"] == recording.recording_id].itertuples():
            labels = recording.read_labels(row.frame)
            assert labels is not None
            assert labels[round(row.y_px), round(row.x_px)] == row.cell_id


def test_a_trackers_result_is_imported(tmp_path: Path) -> None:
    root = write_ctc_folder(tmp_path, "03", tracker=True, masks=False)
    detections, cells, _ = run_import(root, labels="silver_truth")
    assert len(detections) == sum(last - first + 1 for _, first, last, _ in TRACKS) - 1
    assert cells["fate"].tolist() == ["mitosis"] + ["censored"] * 5


def test_tracks_without_families_are_all_censored(tmp_path: Path) -> None:
    root = write_ctc_folder(tmp_path, "03", tracker=True)
    write_track_table(root / "03_RES/res_track.txt", tuple((*track[:3], 0) for track in TRACKS))
    _, cells, _ = run_import(root)
    assert (cells["fate"] == "censored").all()
    assert cells["event_frame"].isna().all()


def test_daughters_that_begin_apart_are_said_to(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    for frame in (3, 4):
        path = root / f"01_GT/TRA/man_track{frame:03d}.tif"
        labels = tifffile.imread(path)
        labels[labels == 2] = 0
        tifffile.imwrite(path, labels)
    write_track_table(root / "01_GT/TRA/man_track.txt", ((1, 0, 2, 0), (2, 5, 5, 1), *TRACKS[2:]))
    with caplog.at_level(logging.INFO):
        _, cells, _ = run_import(root)
    assert "the daughters of 1 mothers (first: 1) begin apart" in caplog.text
    assert "1 tracks have frames without a label; they stay gaps" in caplog.text
    assert cells["event_frame"].iloc[0] == 3


def test_a_division_is_in_the_frame_that_the_table_says_where_no_label_is_there(root: Path) -> None:
    path = root / "01_GT/TRA/man_track003.tif"
    labels = tifffile.imread(path)
    labels[np.isin(labels, (2, 3))] = 0
    tifffile.imwrite(path, labels)
    _, cells, _ = run_import(root)
    assert cells["first_frame"].iloc[1:3].tolist() == [4, 4]
    assert cells[["fate", "event_frame"]].iloc[0].tolist() == ["mitosis", 3]


def _table(content: str) -> Callable[[Path], None]:
    return lambda root: (root / "02_GT/TRA/man_track.txt").write_text(content) and None


def _tracks(*changes: tuple[int, int, int, int]) -> Callable[[Path], None]:
    table = {track[0]: track for track in (*TRACKS, *changes)}
    return lambda root: write_track_table(root / "02_GT/TRA/man_track.txt", tuple(table.values()))


def _swap_masks(root: Path) -> None:
    swap = np.array([0, 2, 3, 1, 6, 4, 5], dtype=np.uint16)
    for frame in range(N_FRAMES):
        tifffile.imwrite(root / f"02_ST/SEG/man_seg{frame:03d}.tif", swap[draw_labels(frame, half_px=2, shift_px=1)])


BAD = {
    "text": (_table("1 0 2 zero\n"), r"man_track\.txt cannot be read .*four whole numbers"),
    "three numbers": (_table("1 0 2\n"), r"man_track\.txt has 3 numbers a line, but four"),
    "ragged": (_table("1 0 2 0\n2 3 5\n"), r"man_track\.txt cannot be read"),
    "empty": (_table(""), r"man_track\.txt .*four were expected"),
    "backwards": (_tracks((6, 5, 0, 0)), r"Track 6 in .*02_GT.* goes from frame 5 to frame 0"),
    "too long": (_tracks((6, 0, 6, 0)), r"Track 6 .* goes from frame 0 to frame 6 .*between 0 and 5"),
    "negative parent": (_tracks((6, 0, 5, -1)), r"Track 6 .* has parent -1"),
    "twice": (
        lambda root: write_track_table(root / "02_GT/TRA/man_track.txt", (*TRACKS, (6, 0, 5, 0))),
        r"man_track\.txt lists the label 6 twice",
    ),
    "no marker": (_tracks((9, 0, 5, 0)), "recording '02' cell 9 has a track but is marked in no frame"),
    "unknown parent": (_tracks((6, 0, 5, 77)), "recording '02' the parent 77 of cell 6 has no track"),
    "own parent": (_tracks((6, 0, 5, 6)), "recording '02' cell 6 is its own ancestor"),
    "cycle": (_tracks((4, 0, 1, 5)), r"recording '02' cell 4 is its own ancestor \(parent 5\)"),
    "parent lives on": (
        _tracks((6, 0, 5, 1)),
        "'02' cell 6 begins in frame 0, but its parent 1 is still seen in frame 2",
    ),
    "untracked label": (
        lambda root: write_track_table(root / "02_GT/TRA/man_track.txt", TRACKS[:-1]),
        r"Label 6 is in the label image man_track of frame 0 in .*02_GT/TRA, but man_track\.txt has no such track",
    ),
    "label too early": (_tracks((6, 1, 5, 0)), r"Label 6 .* of frame 0 .* its track goes from frame 1 to 5"),
    "missing marker image": (
        lambda root: (root / "02_GT/TRA/man_track004.tif").unlink(),
        r"02_GT/TRA has no label image man_trackNNN\.tif of frame 4",
    ),
    "damaged marker image": (
        lambda root: (root / "02_GT/TRA/man_track004.tif").write_bytes(b"II*"),
        r"man_track004\.tif is not a whole",
    ),
    "marker size": (
        lambda root: tifffile.imwrite(root / "02_GT/TRA/man_track004.tif", np.zeros((4, 4), np.uint16)),
        r"man_track004\.tif has shape \(1, 4, 4\)",
    ),
    "masks of other cells": (
        _swap_masks,
        "recording '02' only 0 of .* pixels that lie in a mask and in a marker carry the same",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tracks_stop_or_set_the_recording_aside(root: Path, name: str) -> None:
    damage, words = BAD[name]
    damage(root)
    with pytest.raises(InputError, match=words) as caught:
        run_import(root, labels="silver_truth")
    assert "\n" not in str(caught.value)

    detections, cells, set_aside = run_import(root, labels="silver_truth", on_bad_recording="skip")
    assert set(cells["recording_id"]) == set(detections["recording_id"]) == {"01"}
    assert set_aside[["recording_id", "stage", "reason"]].to_numpy().tolist() == [
        ["02", "import_tracks", str(caught.value)]
    ]
    SetAside.validate(set_aside)


def test_no_usable_recording_is_an_input_error(tmp_path: Path) -> None:
    root = write_ctc_folder(tmp_path, "02")
    _tracks((6, 0, 5, 77))(root)
    with pytest.raises(InputError, match=r"None of the 1 recordings .* the parent 77"):
        run_import(root, on_bad_recording="skip")


def test_inputs_are_left_as_they_are(root: Path) -> None:
    settings = RecordingSettings.model_validate(SETTINGS)
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, settings)
    before = recordings.copy(), files.copy()
    import_tracks(folder, recordings, files, settings)
    pd.testing.assert_frame_equal(recordings, before[0])
    pd.testing.assert_frame_equal(files, before[1])


def test_centroids_agree_with_scikit_image() -> None:
    from skimage.measure import regionprops_table

    labels = np.random.default_rng(0).choice(np.array([0, 0, 0, 5, 9, 40000], dtype=np.uint16), (30, 40))
    found = find_centroids(labels)
    expected = regionprops_table(labels, properties=("label", "centroid"))
    assert found["cell_id"].tolist() == expected["label"].tolist() == [5, 9, 40000]
    np.testing.assert_allclose(found["y_px"], expected["centroid-0"], rtol=0, atol=1e-9)  # same sums, other order
    np.testing.assert_allclose(found["x_px"], expected["centroid-1"], rtol=0, atol=1e-9)
    assert find_centroids(np.zeros((3, 3), np.uint16)).empty


@pytest.mark.real
def test_the_real_tracks_agree_with_their_list_of_ends(real_data: Path) -> None:
    folder = real_data / "ctc_hela"
    detections, cells, _ = run_import(folder, labels="silver_truth", group_by="lineage")
    ends = pd.read_csv(folder / "02_track_ends.csv").merge(cells, left_on="label", right_on="cell_id", how="outer")
    assert len(cells) == len(ends) == 674
    assert ((ends["ground_truth_end"] == "division") == (ends["fate"] == "mitosis")).all()
    assert (cells["fate"] == "mitosis").sum() == 209
    assert (ends["begin"] == ends["first_frame"]).all()
    assert (ends["end"] == ends["last_frame"]).all()
    divided = cells[cells["fate"] == "mitosis"]
    assert (divided["event_frame"] == divided["last_frame"] + 1).all()
    assert cells["group_id"].nunique() == 252
    assert len(detections) == (cells["last_frame"] - cells["first_frame"] + 1).sum() == 25420
