"""Labels as the page gives and gets them: the journal behind it, and what is newest of every cell and scorer."""

import logging
import time
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock, Timer
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.core.spreadsheets import write_csv
from cellfate.core.words import show_count, show_number, show_percent, show_score
from cellfate.labels.agreement import compare_scorers
from cellfate.labels.journal import Journal
from cellfate.labels.label import Label, SeenTrack
from cellfate.labels.table import labels_table, write_table
from cellfate.review.study import Study

logger = logging.getLogger(__name__)

TABLE_AFTER_S: Final = 3.0
"""Seconds after a label until the table is written: whoever scores fast has it written once for many."""
SHARE_OF_TIME: Final = 0.05
"""Largest share of the time that goes into the table: with 20,000 labels it takes a second, in which films wait."""
_AGREEMENT: Final = (
    "scorers", "both scored", "the same", "Cohen's kappa (95 % by group)", "hours apart, median", "largest",
)  # fmt: skip
_AGREED: Final = (
    "Only what was scored blind is independent. Hours apart: between event frames, where both saw the event."
)
_ALONE: Final = "No cell was scored by two scorers yet: let another score the same order, blind."


@dataclass(eq=False)
class Labelling:
    """Stores labels, and tells those that other pages and programs added. The table beside the journal follows it.

    Attributes
    ----------
    study : Study
        The study whose cells are scored.
    journal : Journal
        Where labels are kept.
    """

    study: Study
    journal: Journal
    _lock: Lock = field(default_factory=Lock)
    _timer: Timer | None = None
    _took_s: float = 0.0

    def store(self, given: Any) -> Label:
        """Store a label that the page made.

        Parameters
        ----------
        given
            Fields of `Label`, without `at` and `seen`, which are set here.

        Raises
        ------
        InputError
            If it is no label, or of a cell that the study does not have.
        StaleLabel
            If a newer one of this cell and scorer was not known to the page.
        OSError
            If it cannot be written.
        """
        if not isinstance(given, dict):
            raise InputError("A label was expected as an object of its fields; reload the page.")
        try:
            label = Label(**{name: value for name, value in given.items() if name not in ("at", "seen")})
        except ValidationError as error:
            raise InputError(_explain(error)) from error
        place = self.study.find_cell(label.recording_id, label.cell_id)
        if place < 0:
            raise InputError(
                f"The study has no cell {label.cell_id} in recording '{label.recording_id}': it has changed since the "
                "page was opened; reload the page."
            )
        n_frames = int(self.study.find_recording(label.recording_id)["n_frames"])
        if label.event_frame is not None and label.event_frame >= n_frames:
            raise InputError(
                f"Frame {label.event_frame} is beyond recording '{label.recording_id}', whose last is {n_frames - 1}; "
                "mark a frame that is there."
            )
        with self._lock:
            stored = self.journal.append(label.model_copy(update={"seen": self.describe(place)}))
            if self._timer is None:
                self._timer = Timer(max(TABLE_AFTER_S, self._took_s / SHARE_OF_TIME), self.write_table)
                self._timer.daemon = True
                self._timer.start()
        return stored

    def write_table(self) -> None:
        """Write the table of labels now, if the journal has grown since it was written; its failure loses nothing."""
        with self._lock:
            waiting, self._timer = self._timer, None
        if waiting is None:
            return
        waiting.cancel()
        began = time.monotonic()
        try:
            write_table(self.journal)
        except (InputError, OSError) as error:
            logger.warning("The table of labels is not written, the journal is: %s", error)
        self._took_s = time.monotonic() - began

    def write_sheet(self) -> bytes:
        """Write the table of labels as CSV, for whoever takes it away: no file is needed for that.

        Raises
        ------
        InputError
            If the journal is damaged.
        """
        sheet = BytesIO()
        write_csv(labels_table(self.journal.read()), sheet)
        return sheet.getvalue()

    def compare_scorers(self) -> dict[str, Any]:
        """Say how far scorers agree: a sentence, heads of columns, and a row a pair of scorers.

        Raises
        ------
        InputError
            If the journal is damaged.
        """
        table = compare_scorers(labels_table(self.journal.read()), self.study.cells, self.study.recordings)
        rows = [
            [
                f"{pair['scorer']}, {pair['other_scorer']}",
                show_count(pair["n_cells"], "cell"),
                show_percent(pair["share_same"]),
                show_score(pair["kappa"], pair["low"], pair["high"]),
                show_number(pair["median_apart_h"], 1),
                show_number(pair["largest_apart_h"], 1),
            ]
            for pair in table.to_dict("records")
        ]
        return {"sentence": _AGREED if rows else _ALONE, "columns": _AGREEMENT, "rows": rows}

    def describe(self, place: int) -> SeenTrack:
        """Describe a cell as it is now: its track, and its fate by the study's own evidence."""
        cell = self.study.cells.iloc[place]
        rows = self.study.detections.rows(place)
        y_px, x_px = (self.study.detections.columns[name][rows] for name in ("y_px", "x_px"))
        is_placed = bool(len(y_px)) and bool(np.isfinite([y_px[-1], x_px[-1]]).all())
        return SeenTrack(
            first_frame=int(cell["first_frame"]),
            last_frame=int(cell["last_frame" if "recorded_last_frame" not in cell else "recorded_last_frame"]),
            y_px=float(y_px[-1]) if is_placed else None,
            x_px=float(x_px[-1]) if is_placed else None,
            fate=str(cell["fate"]),
            event_frame=None if pd.isna(cell["event_frame"]) else int(cell["event_frame"]),
        )

    def tell(self, place: int) -> str:
        """Say in a sentence what was scored of a cell, by whom; "" where nothing was."""
        cell = self.study.cells.iloc[place]
        of_cell = (str(cell["recording_id"]), int(cell["cell_id"]))
        newest = {label.scorer: label for label in self.journal.since(0)[0] if label.key[:2] == of_cell}
        said = [f"{label.scorer} scored {label.fate}{_at(label)}" for label in newest.values() if label.fate]
        return f"{'; '.join(said)}." if said else ""

    def since(self, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Give the labels after a place in the journal, as `write` does, and the place for the next time.

        Raises
        ------
        InputError
            If the journal is damaged.
        """
        labels, end = self.journal.since(offset)
        return [self.write(label) for label in labels], end

    def write(self, label: Label) -> dict[str, Any]:
        """Write a label for the page: its fields, but what the cell was like when it was scored."""
        return label.model_dump(mode="json", exclude={"seen"})


def _at(label: Label) -> str:
    return "" if label.event_frame is None else f" at frame {label.event_frame}"


def _explain(error: ValidationError) -> str:
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in error.errors())
    return f"The label cannot be stored as it is ({faults}); correct it, or reload the page."
