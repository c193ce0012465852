"""The table of labels: what follows from the journal, for the study and for a person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cellfate.core.spreadsheets import write_csv
from cellfate.core.tables import CELL, Labels
from cellfate.core.whole_files import replace_when_whole
from cellfate.labels.journal import Journal
from cellfate.labels.label import Label, SeenTrack

TABLE: Final = "labels.csv"
"""File of the table, beside the journal."""
COUNTING: Final = [*CELL, "scorer", "fate", "event_frame", "adjudicates", "training_only"]
"""Columns that decide how a label counts in a study."""


def labels_table(entries: Sequence[Label]) -> pd.DataFrame:
    """List the newest label of every cell and scorer.

    Parameters
    ----------
    entries : sequence of Label
        In the order of the journal.

    Returns
    -------
    DataFrame
        Table `Labels`, ordered by recording, cell and scorer. A label that knew forecasts may test nevertheless if the
        same scorer had said the same, of the same frame, without them: it only confirms.
    """
    by_key: dict[tuple[str, int, str], list[Label]] = {}
    for label in entries:
        by_key.setdefault(label.key, []).append(label)
    rows = [_newest(labels) for _, labels in sorted(by_key.items())]
    table = pd.DataFrame(rows, columns=list(Labels.to_schema().columns))
    return Labels.validate(table.astype({"at": "str", "entry_id": "str"}))


def write_table(journal: Journal) -> Path:
    """Write the table beside its journal, for a person to open; an older one stays until the new one is whole."""
    path = journal.folder / TABLE
    with replace_when_whole(path) as partial:
        write_csv(labels_table(journal.read()), partial)
    return path


def describe_seen(cells: pd.DataFrame, detections: pd.DataFrame) -> dict[tuple[str, int], SeenTrack]:
    """Describe every cell as it is now, for a label to keep.

    Parameters
    ----------
    cells, detections : DataFrame
        Tables of the same names; fate and event frame are those without labels, where labels were applied.

    Returns
    -------
    dict
        By recording_id and cell_id.
    """
    recorded = undo_labels(cells)
    places = detections.rename(columns={"frame": "last_frame"})
    placed = recorded.merge(places, on=[*CELL, "last_frame"], how="left")
    seen = {}
    for row in placed.to_dict("records"):
        none = {key: None for key in ("event_frame", "y_px", "x_px") if pd.isna(row[key])}
        facts = {str(key): row[key] for key in SeenTrack.model_fields} | none
        seen[str(row["recording_id"]), int(row["cell_id"])] = SeenTrack(**facts)
    return seen


def undo_labels(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells by the study's own evidence: table `Cells` as it was before labels were applied."""
    if "recorded_fate" not in cells.columns:
        return cells
    recorded = {name: cells[f"recorded_{name}"] for name in ("fate", "event_frame", "last_frame")}
    added = [*(f"recorded_{name}" for name in recorded), "labelled", "training_only"]
    return cells.assign(**recorded).drop(columns=added)


def _newest(labels: list[Label]) -> dict[str, Any]:
    """Row of the newest of the labels of one cell and scorer."""
    newest, before = labels[-1], labels[:-1]
    said_blindly = {(label.fate, label.event_frame) for label in before if not label.knew_forecasts}
    row = newest.model_dump(exclude={"at", "seen", "after", "looked_at_forecasts"})
    seen = newest.seen.model_dump() if newest.seen else {}
    return row | {
        "at": "" if newest.at is None else newest.at.isoformat(timespec="milliseconds"),
        "training_only": newest.knew_forecasts and (newest.fate, newest.event_frame) not in said_blindly,
        "previous_fate": before[-1].fate if before else None,
        "n_entries": len(labels),
        **{f"seen_{name}": value for name, value in seen.items()},
    }
