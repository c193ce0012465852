"""Tables whose rows are spots that name the spot they came from."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cellfate.tracks import TrackSettings
from tests.cases.track_formats import (
    FAMILY,
    RECORDING,
    expected_detections,
    found_detections,
    gather,
    links_of,
    spots_of,
)

SPOTS = {"format": "csv", "columns": {"spot_id": "ID", "parent_spot_id": "Parent ID", "frame": "Time"}}


def write_spots(root: Path, shift: int = 0, none: str = "-1") -> None:
    """As napari-track-edit exports them: every spot names the one before it; spots are numbered from `shift` on."""
    numbers = {place: number + shift for place, number in spots_of(FAMILY).items()}
    came_from = {target: numbers[source] for source, target in links_of(FAMILY)}
    lines = ["ID,Parent ID,Time,y,x"]
    for cell in FAMILY:
        for frame, (y, x) in cell.centres.items():
            place = (cell.cell_id, frame)
            lines.append(f"{numbers[place]},{came_from.get(place, none)},{frame},{y},{x}")
    (root / f"{RECORDING}.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("none", ["-1", "0", "", "nan"])
def test_rows_of_spots_are_linked_to_cells(tmp_path: Path, none: str) -> None:
    write_spots(tmp_path, none=none)
    detections, cells, problems = gather(tmp_path, **SPOTS)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored", "censored"]
    assert cells["event_frame"].tolist()[0] == 4
    assert cells["parent_id"].fillna(0).tolist() == [0, 1, 1, 0]
    assert detections["spot_id"].notna().all()


def test_numbers_of_18_digits_are_kept_and_longer_ones_named(tmp_path: Path) -> None:
    """A float64 would make one number of 10^18 + 1 and 10^18 + 2."""
    shift = 10**18
    write_spots(tmp_path, shift, none="")
    detections, cells, problems = gather(tmp_path, **SPOTS)
    assert problems.empty
    assert cells["cell_id"].tolist() == [shift + 1, shift + 2, shift + 3, shift + 4]
    assert cells["parent_id"].fillna(0).tolist() == [0, shift + 1, shift + 1, 0]
    assert len(detections) == len(expected_detections(FAMILY))
    write_spots(tmp_path, 2**63, none="")
    _, cells, problems = gather(tmp_path, **SPOTS)
    assert cells.empty
    assert "a whole number below 2^63 in digits (number the rows anew) was expected" in problems["reason"].iloc[0]


def test_a_table_of_spots_read_as_cells_is_told(tmp_path: Path) -> None:
    write_spots(tmp_path)
    as_cells = {"format": "csv", "columns": {"cell_id": "ID", "parent_id": "Parent ID", "frame": "Time"}}
    _, _, problems = gather(tmp_path, **as_cells)
    told = problems[problems["check"] == "one_frame"]["reason"].tolist()
    assert len(told) == 1
    assert "16 of 16 cells are seen in one frame only; if the numbers are those of spots" in told[0]
    path = tmp_path / "01.csv"
    path.write_text(path.read_text().replace("Parent ID", "Parent").replace("Time", "t"))
    _, _, problems = gather(tmp_path, format="napari_csv")
    assert "16 cells are seen in one frame only; look whether the tracks were linked." in problems["reason"][0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"spot_id": "ID"}, "name both columns, or neither"),
        ({"spot_id": "ID", "parent_spot_id": "P", "parent_id": "M"}, "set columns.parent_id to null"),
    ],
)
def test_columns_of_spots_belong_together(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TrackSettings(format="csv", columns=columns)


def test_a_parent_without_rows_stops_or_is_not_known(tmp_path: Path) -> None:
    write_spots(tmp_path)
    lines = (tmp_path / "01.csv").read_text().splitlines()
    (tmp_path / "01.csv").write_text("\n".join(line for line in lines if not line.startswith("1,")) + "\n")
    _, _, problems = gather(tmp_path, **SPOTS)
    assert "names spot 1, which is not in the file" in problems["reason"].iloc[0]
    _, cells, problems = gather(tmp_path, **SPOTS, missing_parents="unknown")
    assert problems["check"].tolist() == ["missing_parent"]
    assert "1 spots in" in problems["reason"].iloc[0]
    assert cells["first_frame"].min() == 1
