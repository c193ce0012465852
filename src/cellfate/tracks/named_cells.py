"""Which cell a table means: by its number, or by the name that the tracker gives it."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import are_whole
from cellfate.core.text_tables import parse_numbers, whole_numbers

_SHOWN_NAMES = 10


def find_cells(
    column: pd.Series, cells: pd.DataFrame, by: Literal["cell_id", "cell_name"], path: Path
) -> NDArray[np.int64]:
    """Find the cells that the rows of a table mean: cell_id of each row, int64.

    `column` has numbers or names, indexed by the line, as `by` says: one is never tried after the other, since both can
    exist. `cells` are those of one recording; a number is not looked for among them.

    Raises
    ------
    InputError
        If a field is no number, or a name is that of no cell or of several.
    """
    if by == "cell_id":
        _check_numbers(column, cells, path)
        return whole_numbers(column, path)
    if cells.empty:  # the tracks themselves were not usable, and that is said elsewhere
        return -1 - np.arange(len(column), dtype=np.int64)
    named = cells.loc[cells["cell_name"].notna(), ["cell_id", "cell_name"]]
    named = named.assign(folded=named["cell_name"].str.casefold())
    if named.empty:
        raise InputError(
            f"The cells in {path} are called by name (tracks.fates_cell), but the tracks of recording "
            f"'{cells['recording_id'].iloc[0]}' give cells no names; set tracks.fates_cell to cell_id."
        )
    wanted = _plain(column).str.casefold()
    counts = wanted.map(named["folded"].value_counts()).fillna(0)
    wrong = counts.index[counts != 1]
    if len(wrong):
        has = f"{counts[wrong[0]]:.0f} cells have" if counts[wrong[0]] else "no cell has"
        shown = ", ".join(sorted(named["cell_name"].unique())[:_SHOWN_NAMES])
        raise InputError(
            f"Line {wrong[0]} of {path} names the cell {column[wrong[0]]!r:.60}, but {has} that name ({len(wrong)} "
            f"such lines; there are {shown}); correct it, or give numbers and set tracks.fates_cell to cell_id."
        )
    return wanted.map(named.set_index("folded")["cell_id"]).to_numpy(np.int64)


def _check_numbers(column: pd.Series, cells: pd.DataFrame, path: Path) -> None:
    """Say where names stand that the tracker gives, and numbers are expected."""
    names = set(cells["cell_name"].dropna().str.casefold())
    called = column.index[column.str.strip().str.casefold().isin(names) & ~are_whole(parse_numbers(column))]
    if len(called):
        raise InputError(
            f"Line {called[0]} of {path} calls a cell {column[called[0]]!r:.60}, its name in the tracks, but "
            "tracks.fates_cell is cell_id, so numbers are expected; set tracks.fates_cell to cell_name."
        )


def _plain(column: pd.Series) -> pd.Series:
    """Names without blanks around them; 12.0, as programs for tables write the TRACK_ID 12, is 12."""
    numbers = parse_numbers(column)
    whole = are_whole(numbers)
    plain = column.str.strip().astype(object)
    plain[whole] = [f"{number:.0f}" for number in numbers[whole]]
    return plain
