"""Real tracks, held against the tables that came with them."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from cellfate.core.tables import Cells, Detections
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, gather_tracks
from tests.cases.track_formats import with_contradictions

pytestmark = pytest.mark.real


@pytest.fixture
def mdck(real_data: Path) -> Path:
    return real_data / "btrack_mdck"


def read(folder: Path, recording_id: str, **tracks: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    recording = {
        "recording_id": recording_id,
        "source": recording_id,
        "n_frames": 500,
        "height_px": 1200,
        "width_px": 1600,
        "frame_interval_min": 4.0,
        "pixel_size_um": None,
        "group_id": "a",
    }
    settings = RecordingSettings(layout="cell_tracking_challenge", channels=("h2b",), frame_interval_min=4)
    tables = pd.DataFrame([recording]), pd.DataFrame()
    read_tables = gather_tracks(RecordingFolder(folder), *tables, settings, TrackSettings.model_validate(tracks))
    return with_contradictions(*read_tables, tables[0])


def test_btrack_agrees_with_its_tables(mdck: Path) -> None:
    detections, cells, problems = read(mdck, "tracks", format="btrack", btrack_axes="yx")
    assert problems.empty
    Detections.validate(detections)
    Cells.validate(cells.assign(group_id="a"))
    graph = {int(daughter): parents[0] for daughter, parents in json.loads((mdck / "graph.json").read_text()).items()}
    points = pd.read_csv(mdck / "tracks.csv.gz").rename(columns={"ID": "cell_id", "t": "frame"})
    assert sorted(cells["cell_id"]) == sorted(points["cell_id"].unique().astype(int))
    assert len(cells) == 409
    parents = cells.dropna(subset="parent_id").set_index("cell_id")["parent_id"].astype(int).to_dict()
    assert parents == graph
    assert len(parents) == 220
    assert cells["fate"].value_counts().to_dict() == {"censored": 298, "mitosis": 110, "apoptosis": 1}
    mothers = cells[cells["fate"] == "mitosis"].set_index("cell_id")["event_frame"]
    assert set(mothers.index) == set(graph.values())
    firsts = points.groupby("cell_id")["frame"].min()
    assert all(min(firsts[d] for d, m in graph.items() if m == mother) == event for mother, event in mothers.items())
    both = detections.merge(points, on=["cell_id", "frame"], validate="one_to_one")
    assert len(both) == len(detections) == 52581
    assert len(points) - len(both) == 97  # the dummies
    assert (both["y_px"] - both["y"]).abs().max() < 1e-3
    assert (both["x_px"] - both["x"]).abs().max() < 1e-3


def test_btrack_death_begins_with_its_last_run_of_apoptotic_objects(mdck: Path) -> None:
    """Cell 285 is the one that btrack calls apoptotic; the classes of its objects are in properties.csv.gz."""
    _, cells, _ = read(mdck, "tracks", format="btrack", btrack_axes="yx")
    dead = cells[cells["fate"] == "apoptosis"].iloc[0]
    points = pd.read_csv(mdck / "tracks.csv.gz")[["ID"]].join(pd.read_csv(mdck / "properties.csv.gz")[["t", "state"]])
    own = points[points["ID"] == dead["cell_id"]]
    healthy = own[~own["state"].isin([4, 5])]
    assert dead["event_frame"] == own.loc[own["t"] > healthy["t"].max(), "t"].min()


def test_coordinates_in_the_wrong_order_are_noticed(mdck: Path) -> None:
    _, _, problems = read(mdck, "tracks", format="btrack")
    assert "outside the image" in " ".join(problems["reason"])


def test_the_same_tracks_as_napari_csv(mdck: Path, tmp_path: Path) -> None:
    points = pd.read_csv(mdck / "tracks.csv.gz")
    points.to_csv(tmp_path / "mdck.csv.gz", index=False)
    with gzip.open(tmp_path / "mdck.csv.gz", "rt") as file:
        assert file.readline().strip() == "ID,t,y,x"
    (tmp_path / "mdck.json").write_text((mdck / "graph.json").read_text())
    files = {"files": "{recording_id}.csv.gz", "graph_file": "{recording_id}.json"}
    detections, cells, problems = read(tmp_path, "mdck", format="napari_csv", **files)
    assert problems.empty
    assert len(detections) == len(points)
    assert cells["fate"].value_counts().to_dict() == {"censored": 299, "mitosis": 110}
