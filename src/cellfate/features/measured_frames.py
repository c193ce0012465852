"""Measurements of cells, frame by frame, read as the crops of a store are.

Axes: n frames of all cells, t frames of one cell, f columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, FRAME
from cellfate.crops.digest import CellReader
from cellfate.crops.measured import FloatArray, Measured
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.changes import change_per_hour
from cellfate.features.context import Context, describe_context
from cellfate.features.summaries import choose_features, feature_columns

_ROWS_AT_ONCE: Final = 250_000
"""Frames whose context is described together; bounds memory."""


class MeasuredFrames:
    """Reads cells of the table of frame features, with their crops or without.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    cells
        Table `FollowUps`, or rows of `Landmarks`: intervals, and what the context needs.
    columns
        Columns of `frame_features` that are read.
    context
        What is told of every frame beside them; None: nothing. The age is left out, networks have their own.
    crops
        Crops of the same cells; None: there are none, or they are not looked at.
    """

    def __init__(
        self,
        frame_features: pd.DataFrame,
        cells: pd.DataFrame,
        columns: Sequence[str],
        context: Context | None = None,
        crops: CellReader | None = None,
    ) -> None:
        ordered = frame_features.sort_values(FRAME, kind="stable")
        cells = cells.drop_duplicates(CELL)
        values_nf = ordered[list(columns)].to_numpy(np.float32)
        told = pd.DataFrame() if context is None else _tell_context(ordered, cells, context)
        self.columns = (*columns, *told.columns)
        self._values_nf = np.concatenate((values_nf, told.to_numpy(np.float32)), axis=1) if len(told) else values_nf
        self._frames_n = ordered["frame"].to_numpy(np.int64)
        self._rows = ordered.reset_index(drop=True).groupby(CELL, sort=False).indices
        self._intervals_min = cells.groupby("recording_id")["frame_interval_min"].first()
        self._crops = crops

    def frame_interval_min(self, recording_id: str) -> float:
        """Time between two frames of a recording, in minutes."""
        return float(self._intervals_min[recording_id])

    def frame_numbers(self, recording_id: str, cell_id: int) -> NDArray[np.int64]:
        """Frames in which a cell was tracked, in ascending order."""
        return self._frames_n[self._rows_of(recording_id, cell_id)]

    def measured(self, recording_id: str, cell_id: int, frames_t: NDArray[np.int64]) -> Measured:
        """Look up what was measured of a cell in some of its frames, ascending.

        Raises
        ------
        InputError
            If the table lacks the cell, or one of the frames.
        """
        rows = self._rows_of(recording_id, cell_id)
        tracked_t = self._frames_n[rows]
        if len(lacking := frames_t[~np.isin(frames_t, tracked_t)]):
            raise InputError(
                f"Table frame_features lacks frame {lacking[0]} of cell {cell_id} of recording '{recording_id}'; run "
                "data_processing again, so that crops, tracks and measurements belong together."
            )
        places_t = np.searchsorted(tracked_t, frames_t)
        if not len(places_t):
            empty: FloatArray = np.zeros((0, len(self.columns)), np.float32)
            return Measured(self.columns, empty, empty)
        before = max(places_t[0] - 1, 0)  # a change is that since the frame before, shown or not
        known_tf = self._values_nf[rows[before : places_t[-1] + 1]]
        numbers_t = tracked_t[before : places_t[-1] + 1]
        changes = change_per_hour(pd.DataFrame(known_tf), numbers_t, self.frame_interval_min(recording_id))
        rates_tf = changes.to_numpy(np.float32)
        return Measured(self.columns, known_tf[places_t - before], rates_tf[places_t - before])

    def read(
        self,
        recording_id: str,
        cell_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        with_masks: bool = True,
    ) -> CellSequence:
        """Read a cell, measured, from one frame to another; without crops its frames have no channel.

        Raises
        ------
        InputError
            If the table, or the crops, lack the cell or one of the frames.
        """
        if self._crops is not None:
            sequence = self._crops.read(recording_id, cell_id, first_frame, last_frame, with_masks)
            return replace(sequence, measured=self.measured(recording_id, cell_id, sequence.frame_numbers_t))
        frames_t = self._shown(recording_id, cell_id, first_frame, last_frame)
        nowhere_t = np.zeros(len(frames_t), np.int64)
        return CellSequence(
            frames_tchw=np.zeros((len(frames_t), 0, 1, 1), np.float32),
            masks_thw=None,
            inside_thw=np.ones((len(frames_t), 1, 1), bool),
            frame_numbers_t=frames_t,
            y0_px=nowhere_t,
            x0_px=nowhere_t,
            recording_id=recording_id,
            cell_id=int(cell_id),
            channels=(),
            frame_interval_min=self.frame_interval_min(recording_id),
            measured=self.measured(recording_id, cell_id, frames_t),
        )

    def read_measured(self, recording_id: str, cell_id: int, first_frame: int, last_frame: int) -> Measured:
        """Read what was measured of a cell from one frame to another, both included, without its crops."""
        return self.measured(recording_id, cell_id, self._shown(recording_id, cell_id, first_frame, last_frame))

    def _shown(
        self, recording_id: str, cell_id: int, first_frame: int | None, last_frame: int | None
    ) -> NDArray[np.int64]:
        frames_t = self.frame_numbers(recording_id, cell_id)
        first = frames_t[0] if first_frame is None else first_frame
        last = frames_t[-1] if last_frame is None else last_frame
        return frames_t[(frames_t >= first) & (frames_t <= last)]

    def _rows_of(self, recording_id: str, cell_id: int) -> NDArray[np.int64]:
        rows = self._rows.get((recording_id, cell_id))
        if rows is None:
            raise InputError(
                f"Table frame_features has no cell {cell_id} of recording '{recording_id}'; run data_processing again."
            )
        return np.asarray(rows, dtype=np.int64)


FrameSource = CropStore | MeasuredFrames
"""What reads what a network is shown of cells: crops, measurements, or both."""


def choose_columns(frame_features: pd.DataFrame, chosen: tuple[str, ...] | None, parameter: str) -> list[str]:
    """Columns of frame features that a network reads: those chosen, else those that boosting is given.

    Raises
    ------
    InputError
        If one is not in the table, or there is none.
    """
    names = feature_columns(frame_features) if chosen is None else choose_features(frame_features, chosen, parameter)
    if not len(names):
        raise InputError(
            f"Nothing was measured that a network could read ({parameter} is null); name values in "
            "tracks.spot_features, or set encoder to small_cnn.",
            parameter,
        )
    return list(names)


def _tell_context(frames: pd.DataFrame, cells: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Describe the context of frames, row by row; NaN for cells that are not listed."""
    names = tuple(name for name in context.names if name != "age")
    if not names:
        return pd.DataFrame()
    asked = replace(context, names=names)
    facts = cells.set_index(pd.MultiIndex.from_frame(cells[CELL])).drop(columns=["last_frame"], errors="ignore")
    places_n = facts.index.get_indexer(pd.MultiIndex.from_frame(frames[CELL]))
    return pd.concat(_describe_parts(frames, facts, places_n, asked), ignore_index=True)


def _describe_parts(
    frames: pd.DataFrame, facts: pd.DataFrame, places_n: NDArray[np.intp], context: Context
) -> Iterator[pd.DataFrame]:
    for start in range(0, len(frames), _ROWS_AT_ONCE):
        rows = frames.iloc[start : start + _ROWS_AT_ONCE]
        places = places_n[start : start + _ROWS_AT_ONCE]
        listed = places >= 0
        as_landmarks = facts.iloc[places[listed]].reset_index(drop=True)
        as_landmarks = as_landmarks.assign(last_frame=rows["frame"].to_numpy(np.int64)[listed])
        told = describe_context(as_landmarks, rows, context).astype(np.float32)
        yield told.set_axis(np.flatnonzero(listed)).reindex(range(len(rows)))
