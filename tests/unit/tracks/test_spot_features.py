"""What the tracker measured of each spot comes through every importer, beside the cell and frame it is of."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS
from cellfate.core.tables import Detections
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, import_tracks
from cellfate.tracks.settings import MEASURED_FORMATS
from tests.cases.track_formats import (
    FAMILY,
    FORMATS,
    FRAME_INTERVAL_MIN,
    PIXEL_SIZE_UM,
    FormatCase,
    TrackedCell,
    frame_files_table,
    gather,
    recordings_table,
    spots_of,
    write_csv,
    write_fates,
    write_geff,
    write_trackmate_xml,
)

BLANK_FRAME = 6
"""Nothing was measured in this frame."""


def measure(y: float, x: float, frame: float) -> float:
    """A value that tells the place; NaN where nothing was measured."""
    return float("nan") if frame == BLANK_FRAME else round(100 * y + x, 1)


def add_column(path: Path, y: str, x: str, frame: str, first: int = 0, scale: float = 1.0, corner: float = 0.0) -> None:
    """Add a column SHAPE to a table whose lines of header are kept as they are."""
    lines = path.read_text().splitlines()
    top = next(place for place, line in enumerate(lines) if y in line.split(","))
    if lines[top].endswith(","):  # a separator at the end of every line
        lines[top:] = [line.removesuffix(",") for line in lines[top:]]
    columns = lines[top].split(",")
    for place, line in enumerate(lines[top:], start=top):
        fields = dict(zip(columns, line.split(","), strict=False))
        try:
            at_y, at_x = (float(fields[name]) / scale - corner for name in (y, x))
            value = measure(at_y, at_x, float(fields[frame] or first) - first)
            text = "" if np.isnan(value) else str(value)
        except ValueError:  # a line of the header
            text = "SHAPE" if place == top else "Shape"
        lines[place] = f"{line},{text}"
    path.write_text("\n".join(lines) + "\n")


def add_to_xml(path: Path) -> None:
    def add(match: re.Match[str]) -> str:
        frame, x, y = (float(re.search(rf'{key}="([^"]+)"', match[0])[1]) for key in ("FRAME", "_X", "_Y"))
        value = measure(y / PIXEL_SIZE_UM, x / PIXEL_SIZE_UM, frame)
        return match[0] if np.isnan(value) else match[0].replace("<Spot ", f'<Spot SHAPE="{value}" ')

    path.write_text(re.sub("<Spot [^>]+>", add, path.read_text()))


def add_to_geff(path: Path) -> None:
    group = zarr.open_group(path, mode="r+")
    places = (group[f"nodes/props/{name}/values"][:] for name in ("y", "x", "t"))
    values = np.array([measure(*place) for place in zip(*places, strict=True)])
    group.create_array("nodes/props/SHAPE/values", data=np.nan_to_num(values, nan=-1.0))
    group.create_array("nodes/props/SHAPE/missing", data=np.isnan(values))


def add_to_btrack(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        objects = file["objects/obj_type_1"]
        values = [measure(y, x, frame) for frame, x, y in objects["coords"][:, :3]]
        objects["properties/SHAPE"] = np.array(values)[:, None]


ADD: dict[str, Callable[[Path], None]] = {
    "trackmate_xml": add_to_xml,
    "trackmate_csv": lambda path: add_column(path, "POSITION_Y", "POSITION_X", "FRAME", scale=PIXEL_SIZE_UM),
    "btrack": add_to_btrack,
    "geff": add_to_geff,
    "napari_csv": lambda path: add_column(path, "y", "x", "t"),
    "imaris_csv": lambda path: add_column(path, "Position Y", "Position X", "Time", 1, PIXEL_SIZE_UM, 0.5),
    "cell_acdc": lambda path: add_column(path, "y_centroid", "x_centroid", "frame_i"),
    "cellprofiler_csv": lambda path: add_column(path, "Location_Center_Y", "Location_Center_X", "ImageNumber", 1),
    "csv": lambda path: add_column(path, "Y", "X", "Frame", 1),
}
MEASURED = [case for case in FORMATS if case.name in ADD]
each_format = pytest.mark.parametrize("case", MEASURED, ids=lambda case: case.name)


def write(case: FormatCase, root: Path, cells: tuple[TrackedCell, ...] = FAMILY) -> None:
    case.write(root, cells)
    ADD[case.name](root / case.file)


def test_every_format_that_holds_features_has_a_case():
    without_positions = {"intervals"}  # test_traces
    assert set(ADD) == MEASURED_FORMATS - without_positions


@each_format
def test_each_spot_keeps_what_was_measured_of_it(case: FormatCase, tmp_path: Path) -> None:
    write(case, tmp_path)
    settings = {"format": case.name, **case.settings}
    without, cells, _ = gather(tmp_path, **settings)
    detections, same_cells, problems = gather(tmp_path, **settings, spot_features=("SHAPE",))
    assert problems["reason"].tolist() == []
    pd.testing.assert_frame_equal(detections.drop(columns="tracker_SHAPE"), without)
    pd.testing.assert_frame_equal(same_cells, cells)
    assert detections["tracker_SHAPE"].dtype == np.float32
    places = detections[["y_px", "x_px", "frame"]].itertuples(index=False)
    np.testing.assert_allclose(detections["tracker_SHAPE"], [measure(*place) for place in places], rtol=1e-6)
    assert detections["tracker_SHAPE"].isna().sum() == sum(BLANK_FRAME in cell.centres for cell in FAMILY) == 3
    Detections.validate(detections)


@each_format
def test_a_name_that_the_file_lacks_is_told_with_those_that_are_like_it(case: FormatCase, tmp_path: Path) -> None:
    write(case, tmp_path)
    _, cells, problems = gather(tmp_path, format=case.name, **case.settings, spot_features=("SHAPES",))
    assert cells.empty
    (reason,) = problems["reason"]
    assert re.search(r"has no [\w ]+ 'SHAPES' \(near are SHAPE[,)].*, which tracks.spot_features names; ", reason)


def test_xml_by_hand(tmp_path: Path) -> None:
    """Cell 1 (spots 1, 2) divides into 3 and 4; TrackMate writes NaN and Infinity; spot 5 is of no track."""
    spots = [
        (1, 0, 'A="1.5" B="10"'), (2, 1, 'A="NaN" B="20"'), (3, 2, 'A="Infinity" B="30"'), (4, 2, 'A="4.5"'),
        (5, 2, 'A="9" B="90"'), (6, 3, 'VISIBILITY="0" A="7" B="8"'),
    ]  # fmt: skip
    listed = "".join(
        f'<Spot ID="{number}" FRAME="{frame}" POSITION_X="{number}" POSITION_Y="1" {features} />'
        for number, frame, features in spots
    )
    edges = "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}" />' for a, b in ((1, 2), (2, 4), (2, 3), (4, 6)))
    (tmp_path / "01.xml").write_text(
        f'<TrackMate><Model spatialunits="pixel"><AllSpots>{listed}</AllSpots><AllTracks><Track TRACK_ID="0">{edges}'
        '</Track></AllTracks><FilteredTracks><TrackID TRACK_ID="0" /></FilteredTracks></Model></TrackMate>'
    )
    detections, _, problems = gather(tmp_path, format="trackmate_xml", spot_features=("B", "A"))
    assert problems["reason"].tolist() == []
    rows = detections.sort_values("spot_id")[["cell_id", "spot_id", "tracker_B", "tracker_A"]].astype(object)
    expected = [(1, 1, 10.0, 1.5), (1, 2, 20.0, None), (3, 3, 30.0, None), (4, 4, None, 4.5)]
    assert [tuple(row) for row in rows.where(rows.notna(), None).to_numpy()] == expected
    assert detections.columns[-2:].tolist() == ["tracker_B", "tracker_A"]


def test_an_infinite_value_is_not_measured_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "01.csv").write_text(
        "cell_id,frame,y,x,SNR\n1,0,1,1,Infinity\n1,1,1,1,1e39\n1,2,1,1,-2.5\n1,3,1,1, nan \n"
    )
    with caplog.at_level(logging.WARNING, logger="cellfate"):
        detections, _, problems = gather(tmp_path, format="csv", spot_features=("SNR",))
    assert problems.empty
    np.testing.assert_array_equal(detections["tracker_SNR"], np.float32([np.nan, np.nan, -2.5, np.nan]))
    assert "2 spots have an infinite SNR, which is taken for not measured" in caplog.text


@pytest.mark.parametrize(
    ("name", "write_file", "words"),
    [
        ("csv", write_csv, r"Line 2 of .*01.csv has 'divided' in column Fate, but a number or a blank was expected"),
        ("trackmate_xml", write_trackmate_xml, r"Spot 1 in .*01.xml has 'ID1' as name \(16 such spots\), but a number"),
        ("geff", write_geff, r"The node property outcome in .* is no list of numbers \(shape \(16,\), type <U"),
    ],
)
def test_what_is_no_number_is_told_with_its_place(name, write_file, words, tmp_path):
    write_file(tmp_path, FAMILY)
    text = {"csv": "Fate", "trackmate_xml": "name", "geff": "outcome"}[name]
    settings = {"columns": {"cell_id": "Track", "frame": "Frame", "y": "Y", "x": "X"}} if name == "csv" else {}
    _, cells, problems = gather(tmp_path, format=name, **settings, spot_features=(text,))
    assert cells.empty
    (reason,) = problems["reason"]
    assert re.search(words, reason)
    assert f"take {text} from tracks.spot_features" in reason


def test_one_table_of_several_recordings(tmp_path: Path) -> None:
    lines = ["movie,cell_id,frame,y,x,AREA", "01,1,0,1,1,5", "02,1,0,1,1,6", "02,1,1,1,1,"]
    (tmp_path / "all.csv").write_text("\n".join(lines) + "\n")
    settings = {"format": "csv", "files": "all.csv", "columns": {"recording_id": "movie"}}
    detections, _, _ = gather(tmp_path, names=("01", "02"), **settings, spot_features=("AREA",))
    values = detections.set_index(["recording_id", "frame"])["tracker_AREA"]
    assert values[("01", 0)] == 5
    assert values[("02", 0)] == 6
    assert np.isnan(values[("02", 1)])
    with pytest.raises(InputError, match="has no column 'AREAS'"):
        gather(tmp_path, names=("01", "02"), **settings, spot_features=("AREAS",))


def test_after_a_merge_is_cut_values_stay_with_their_spots(tmp_path: Path) -> None:
    """First a table whose rows of spots are in no order."""
    lines = ["ID,from,frame,y,x,AREA", "6,5,3,1,1,60", "1,,0,1,1,10", "5,2,2,1,1,50", "2,1,1,1,1,20", "3,,0,9,9,30"]
    (tmp_path / "01.csv").write_text("\n".join(lines) + "\n")
    columns = {"spot_id": "ID", "parent_spot_id": "from"}
    detections, _, _ = gather(tmp_path, format="csv", columns=columns, spot_features=("AREA",))
    assert dict(zip(detections["spot_id"], detections["tracker_AREA"], strict=True)) == {
        number: 10.0 * number for number in (1, 2, 3, 5, 6)
    }
    write_trackmate_xml(tmp_path, FAMILY)
    path = tmp_path / "01.xml"
    add_to_xml(path)
    source, target = (spots_of(FAMILY)[spot] for spot in ((3, 5), (2, 6)))  # sisters that merge in frame 6
    link = f'<Edge SPOT_SOURCE_ID="{source}" SPOT_TARGET_ID="{target}" LINK_COST="1.0" /></Track>'
    path.write_text(path.read_text().replace("</Track>", link, 1))
    cut, cells, problems = gather(tmp_path, format="trackmate_xml", on_merge="cut", spot_features=("SHAPE",))
    assert "merge" in set(problems["check"])
    assert len(cells) > len(FAMILY)
    places = cut[["y_px", "x_px", "frame"]].itertuples(index=False)
    np.testing.assert_allclose(cut["tracker_SHAPE"], [measure(*place) for place in places], rtol=1e-6)


def test_what_comes_after_the_end_of_watching_is_gone(tmp_path: Path) -> None:
    """Cell 4 was watched to frame 5, so what was measured in 6 and 7 is not there."""
    write(next(case for case in MEASURED if case.name == "napari_csv"), tmp_path)
    (tmp_path / "fates.csv").write_text("recording_id,cell_id,fate,event_frame\n01,4,censored,5\n")
    detections, _, _ = gather(tmp_path, format="napari_csv", fates_file="fates.csv", spot_features=("SHAPE",))
    of_cell = detections[detections["cell_id"] == 4]
    assert of_cell["frame"].tolist() == [2, 3, 4, 5]
    assert of_cell["tracker_SHAPE"].tolist() == [3042, 3043, 3044, 3045]


def test_the_table_of_detections_keeps_them_and_a_file_without_them_stops(tmp_path: Path) -> None:
    write(next(case for case in MEASURED if case.name == "trackmate_xml"), tmp_path)
    write_fates(tmp_path, [cell for cell in FAMILY if cell.fate == APOPTOSIS])
    settings = RecordingSettings(
        layout="cell_tracking_challenge", channels=("gfp",), frame_interval_min=FRAME_INTERVAL_MIN
    )
    tables = recordings_table(), frame_files_table()
    tracks = TrackSettings(format="trackmate_xml", spot_features=("SHAPE",))
    detections, _, _ = import_tracks(RecordingFolder(tmp_path), *tables, settings, tracks)
    assert list(detections.columns[-2:]) == ["spot_id", "tracker_SHAPE"]
    wrong = tracks.model_copy(update={"spot_features": ("AREA",)})
    with pytest.raises(InputError, match="has no attribute of spots 'AREA'") as caught:
        import_tracks(RecordingFolder(tmp_path), *tables, settings, wrong)
    assert caught.value.parameter == "tracks.spot_features"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "labels"}, "spot_features are AREA but format is labels, whose files measure nothing of a spot"),
        ({}, "but format is None"),
        ({"format": "csv", "columns": {"fate": "AREA"}}, "names 'AREA', which is columns.fate"),
        ({"format": "csv", "columns": {"event_frame": "AREA"}}, "names 'AREA', which is columns.event_frame"),
        ({"format": "csv", "columns": {"parent_id": "AREA"}}, "names 'AREA', which is columns.parent_id"),
        ({"format": "csv", "spot_features": ("A", "A")}, "names 'A' twice"),
        ({"format": "csv", "spot_features": (" ",)}, "names ' ' twice or blank"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        TrackSettings(**({"spot_features": ("AREA",)} | changes))
