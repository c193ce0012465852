"""Real tracks of the Challenge, written in other forms: every importer says of them what the first does."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.imaging.layouts import find_track_files, numbered_files
from cellfate.tracks import TrackSettings, gather_tracks
from tests.cases.track_formats import add_member

pytestmark = pytest.mark.real
NAME = "02"
SETTINGS = RecordingSettings(
    layout="cell_tracking_challenge", channels=("h2b",), frame_interval_min=30, conditions_file=None
)
MARKS, ENDS = ["cell_id", "frame", "y_px", "x_px"], ["cell_id", "parent_id", "lineage_id", "fate", "event_frame"]


def labels_of(real: Path) -> tuple[np.ndarray, Path]:
    """Labels T Y X, and the file with their lines."""
    files = find_track_files(real, NAME)
    assert files is not None
    images = numbered_files(files.folder, files.prefix)
    return np.stack([tifffile.imread(images[frame]) for frame in sorted(images)]), files.table


def as_labels(root: Path, real: Path, detections: pd.DataFrame, cells: pd.DataFrame) -> dict[str, object]:
    labels_tyx, lines = labels_of(real)
    tifffile.imwrite(root / f"{NAME}.tif", labels_tyx, compression="zlib")
    shutil.copy(lines, root / f"{NAME}.txt")
    return {"format": "labels", "files": "{recording_id}.tif", "graph_file": "{recording_id}.txt"}


def as_deepcell(root: Path, real: Path, detections: pd.DataFrame, cells: pd.DataFrame) -> dict[str, object]:
    mothers = cells.set_index("cell_id")["parent_id"].dropna().astype(int)
    lineage = {
        str(cell): {"parent": mothers.get(cell), "daughters": mothers.index[mothers == cell].tolist()}
        for cell in cells["cell_id"].tolist()
    }
    content = io.BytesIO()
    np.save(content, labels_of(real)[0][..., np.newaxis].astype(np.int32))
    with tarfile.open(root / f"{NAME}.trk", "w:gz", compresslevel=1) as archive:
        add_member(archive, "lineage.json", json.dumps(lineage, default=int).encode())
        add_member(archive, "tracked.npy", content.getvalue())
    return {"format": "deepcell"}


def as_spots(root: Path, real: Path, detections: pd.DataFrame, cells: pd.DataFrame) -> dict[str, object]:
    """Every cell has the number of its first spot, so cells are numbered so."""
    rows = detections.sort_values(["cell_id", "frame"], ignore_index=True)
    rows["spot"] = np.arange(len(rows)) + 1_000_000
    firsts = ~rows["cell_id"].duplicated()
    rows.loc[firsts, "spot"] = rows.loc[firsts, "cell_id"]
    last = rows.groupby("cell_id")["spot"].last()
    mothers = rows["cell_id"].map(cells.set_index("cell_id")["parent_id"]).map(last)
    came_from = rows.groupby("cell_id")["spot"].shift().astype("Int64")
    rows["from"] = came_from.where(~firsts, mothers.astype("Int64"))
    rows.to_csv(root / f"{NAME}.csv", index=False)
    columns = {"spot_id": "spot", "parent_spot_id": "from", "y": "y_px", "x": "x_px"}
    return {"format": "csv", "columns": columns}


@pytest.mark.parametrize("write", [as_labels, as_deepcell, as_spots])
def test_the_same_tracks_in_another_form(
    write: Callable[..., dict[str, object]], real_data: Path, tmp_path: Path
) -> None:
    real = RecordingFolder(real_data / "ctc_hela")
    recordings, frame_files, _ = open_recordings(real, SETTINGS)
    detections, cells, _ = gather_tracks(real, recordings, frame_files, SETTINGS)
    tracks = TrackSettings.model_validate(write(tmp_path, real.root, detections, cells))
    again, told, problems = gather_tracks(RecordingFolder(tmp_path), recordings, frame_files, SETTINGS, tracks)
    assert problems.empty
    assert len(again) == 25420
    assert (told["fate"] == "mitosis").sum() == 209
    if (
        write is as_spots
    ):  # a mother with one daughter is one cell in a graph of spots: cells are compared by their ends
        marks, ends = MARKS[1:], ENDS[3:]
        told, cells = (table[table["fate"] == "mitosis"] for table in (told, cells))
    else:
        marks, ends = MARKS, ENDS
    for first, second, columns in ((detections, again, marks), (cells, told, ends)):
        sorted_ones = [table[columns].sort_values(columns, ignore_index=True) for table in (first, second)]
        pd.testing.assert_frame_equal(*sorted_ones)
