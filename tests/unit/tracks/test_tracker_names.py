"""Cells and spots as the tracker's own file names them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cellfate.tracks.branch_names import name_branches
from cellfate.tracks.exporting import join_forecasts
from tests.cases.track_formats import FAMILY, FORMATS, TrackedCell, gather, spots_of, write_trackmate_xml

NAMES = {"trackmate_xml": "Track_{}", "trackmate_csv": "{}", "cellprofiler_csv": "{}"}
FIRST = {"cellprofiler_csv": 1}
"""Number of the first track, where it is not 0."""
#                2 < 4        track A: 1 divides into 3 (left) and 2 (right), 2 into 5 (left), 6 and 4 (right)
#     1 <          \ 6 \ 5    cell 9 is a track of its own, without a name
#          3
SPLITTING = pd.DataFrame(
    {
        "cell_id": [1, 1, 2, 3, 4, 5, 6, 9],
        "frame": [0, 1, 2, 3, 4, 5, 4, 0],
        "x_px": [5.0, 5.0, 8.0, 2.0, 9.0, 1.0, 4.0, 0.0],
        "track": [*["A"] * 7, None],
    }
)
PARENTS = {2: 1, 3: 1, 4: 2, 5: 2, 6: 2}


def test_branches_are_named_from_left_to_right() -> None:
    names = name_branches(SPLITTING, PARENTS)
    assert names == {1: "A", 3: "A.a", 2: "A.b", 5: "A.ba", 6: "A.bb", 4: "A.bc", 9: None}


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_ids_of_spots_and_names_of_cells_are_kept(case: Any, tmp_path: Path) -> None:
    left, right = (FAMILY[place] for place in (2, 1))
    right = TrackedCell(2, {frame: (y, x + 3) for frame, (y, x) in right.centres.items()}, parent_id=1)
    family = (FAMILY[0], right, left, FAMILY[3])
    case.write(tmp_path, family)
    detections, cells, problems = gather(tmp_path, case.layout, **{"format": case.name, **case.settings})
    assert problems.empty
    if case.name in {*NAMES, "geff", "imaris_csv"}:
        numbers = spots_of(family)
        if case.name == "cellprofiler_csv":  # image and object
            numbers = {(cell, frame): (frame + 1) * 100_000 + cell for cell, frame in numbers}
            numbers = {(case.number(family_of(cell)), frame): spot for (cell, frame), spot in numbers.items()}
        rows = detections[["cell_id", "frame", "spot_id"]].to_numpy().tolist()
        assert {(cell, frame): spot for cell, frame, spot in rows} == numbers
    else:
        assert detections["spot_id"].isna().all()
    if case.name in NAMES:
        first, alone = (NAMES[case.name].format(track + FIRST.get(case.name, 0)) for track in (0, 1))
        expected = [first, f"{first}.b", f"{first}.a", alone]
        order = [case.number(cell) for cell in FAMILY]
        assert cells.set_index("cell_id")["cell_name"].loc[order].tolist() == expected
    else:
        assert cells["cell_name"].isna().all()


def family_of(number: int) -> TrackedCell:
    return next(cell for cell in FAMILY if cell.cell_id == number)


def test_names_stand_beside_the_forecasts_where_there_are_any(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    detections, cells, _ = gather(tmp_path, format="trackmate_xml")
    forecasts = pd.DataFrame(
        {
            "recording_id": ["01"],
            "cell_id": [4],
            "frame": [3],
            "within_h": [2.0],
            "call": ["none"],
            "p_mitosis": [0.2],
            "p_none": [0.8],
        }
    )
    table = join_forecasts(detections, cells, forecasts)
    assert table.loc[table["cell_id"] == 4, "cell_name"].unique().tolist() == ["Track_1"]
    assert table.loc[table["cell_id"] == 4, "spot_id"].iloc[0] == 4
    bare = join_forecasts(detections.assign(spot_id=pd.NA), cells.drop(columns="cell_name"), forecasts)
    assert not {"spot_id", "cell_name"} & set(bare.columns)
