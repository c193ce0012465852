"""Labels for tests."""

from itertools import count
from typing import Any

import pandas as pd

from cellfate.core.tables import Cells, Detections
from cellfate.labels.label import Label

_numbers = count(1)


def make_id() -> str:
    return f"{next(_numbers):032x}"


def make_label(cell_id: int = 1, fate: str | None = "apoptosis", event_frame: int | None = 9, **others: Any) -> Label:
    facts = {"entry_id": make_id(), "scorer": "ann", "queue": "random", "recording_id": "r1"} | others
    return Label(cell_id=cell_id, fate=fate, event_frame=event_frame, **facts)


def make_cells(*rows: tuple[int, int, int, str, int | None], recording_id: str = "r1", **parents: int) -> pd.DataFrame:
    """Cells of one recording: number, first and last frame, fate, event frame; `c2=1`: 1 is the mother of 2."""
    table = pd.DataFrame(rows, columns=["cell_id", "first_frame", "last_frame", "fate", "event_frame"])
    mothers = [parents.get(f"c{cell_id}") for cell_id in table["cell_id"]]
    named = table.assign(recording_id=recording_id, parent_id=mothers, lineage_id=None, group_id=recording_id)
    return Cells.validate(named)


def make_detections(cells: pd.DataFrame) -> pd.DataFrame:
    """Each cell in every frame from its first to its last, its number down and the frame to the right."""
    rows = [
        (cell["recording_id"], cell["cell_id"], frame, float(cell["cell_id"]), float(frame))
        for cell in cells.to_dict("records")
        for frame in range(cell["first_frame"], cell["last_frame"] + 1)
    ]
    return Detections.validate(pd.DataFrame(rows, columns=["recording_id", "cell_id", "frame", "y_px", "x_px"]))
