"""Tables of a row a cell and frame, kept as small columns from which the rows of one cell are taken at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cellfate.core.tables import CELL


@dataclass(frozen=True, eq=False)
class CellIndex:
    """Which place each cell has in the table of cells.

    Attributes
    ----------
    recordings : Index of str
        Recordings; the place of one is its code.
    numbers : ndarray of int64
        Every cell_id once, ascending.
    codes : ndarray of int64
        Code of every cell, ascending.
    places : ndarray of int64
        Place in the table of cells of the cell with that code.
    """

    recordings: "pd.Index[str]"
    numbers: NDArray[np.int64]
    codes: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, cells: pd.DataFrame) -> "CellIndex":
        """Index a table of cells by recording_id and cell_id."""
        recordings = pd.Index(cells["recording_id"].unique())
        numbers, ranks = np.unique(cells["cell_id"].to_numpy(np.int64), return_inverse=True)
        codes = recordings.get_indexer(cells["recording_id"]) * len(numbers) + ranks
        order = np.argsort(codes, kind="stable")
        return cls(recordings, numbers, codes[order], order)

    def find(self, recording_ids: "Sequence[str] | pd.Series[Any]", cell_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of cells; -1 where there is no such cell."""
        return self._look_up(self.recordings.get_indexer(pd.Index(recording_ids)), cell_ids)

    def find_rows(self, table: pa.Table) -> NDArray[np.int64]:
        """Places of the cells of the rows of an Arrow table; -1 where there is no such cell."""
        names = pc.dictionary_encode(table["recording_id"].combine_chunks())
        names = names.chunk(0) if isinstance(names, pa.ChunkedArray) else names
        of_name = self.recordings.get_indexer(pd.Index(names.dictionary.to_pylist(), dtype=object))
        here = of_name[names.indices.to_numpy(zero_copy_only=False)] if len(of_name) else np.empty(0, np.int64)
        return self._look_up(here, table["cell_id"].to_numpy().astype(np.int64))

    def _look_up(self, recordings: NDArray[np.int64], cell_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(self.codes):
            return np.full(len(cell_ids), -1)
        ranks = np.minimum(np.searchsorted(self.numbers, cell_ids), len(self.numbers) - 1)
        can_be = (recordings >= 0) & (self.numbers[ranks] == cell_ids)
        asked = np.asarray(recordings, np.int64) * len(self.numbers) + ranks
        at = np.minimum(np.searchsorted(self.codes, asked), len(self.codes) - 1)
        return np.where((self.codes[at] == asked) & can_be, self.places[at], -1)


@dataclass(frozen=True, eq=False)
class PerCell:
    """Rows of cells and frames, ordered by cell and frame.

    Attributes
    ----------
    starts : ndarray of int64, shape (n_cells + 1,)
        Rows of the cell at place i are those from ``starts[i]`` up to ``starts[i + 1]``.
    cells, frames : ndarray of int32, shape (n,)
        Place of the cell, and frame, of every row.
    columns : dict of ndarray of float32, shape (n,)
        Everything else.
    """

    starts: NDArray[np.int64]
    cells: NDArray[np.int32]
    frames: NDArray[np.int32]
    columns: dict[str, NDArray[np.float32]]

    @classmethod
    def of(cls, table: pa.Table, index: CellIndex, n_cells: int) -> "PerCell":
        """Order an Arrow table with recording_id, cell_id, frame and columns of numbers; other cells are left out."""
        places = index.find_rows(table)
        frames = table["frame"].to_numpy().astype(np.int32)
        order = np.lexsort((frames, places))
        order = order[places[order] >= 0]
        names = [name for name in table.column_names if name not in (*CELL, "frame")]
        columns = {name: pc.cast(table[name], pa.float32()).to_numpy()[order] for name in names}
        ordered = places[order].astype(np.int32)
        return cls(np.searchsorted(ordered, np.arange(n_cells + 1)), ordered, frames[order], columns)

    def rows(self, place: int) -> slice:
        """Rows of the cell at a place."""
        return slice(int(self.starts[place]), int(self.starts[place + 1]))


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a Parquet table; those that it lacks are left out."""
    there = set(pq.read_schema(path).names)
    wanted = [name for name in dict.fromkeys(columns) if name in there]
    return pq.read_table(path, columns=wanted, read_dictionary=["recording_id"], memory_map=True)
