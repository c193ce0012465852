"""Labels for tests."""

from itertools import count
from typing import Any

from cellfate.labels.label import Label

_numbers = count(1)


def make_id() -> str:
    return f"{next(_numbers):032x}"


def make_label(cell_id: int = 1, fate: str | None = "apoptosis", event_frame: int | None = 9, **others: Any) -> Label:
    facts = {"entry_id": make_id(), "scorer": "ann", "queue": "random", "recording_id": "r1"} | others
    return Label(cell_id=cell_id, fate=fate, event_frame=event_frame, **facts)
