"""Tables of tracks as GEFF: one row a cell and frame becomes one spot, with every other column as a property of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

GEFF_VERSION = "1.1"
_POSITIONS = {"frame": "t", "y_px": "y", "x_px": "x"}
"""Columns that are axes, and what GEFF calls them."""
_AXES = {"t": ("time", "frame"), "y": ("space", "pixel"), "x": ("space", "pixel")}


def write_geff(path: Path, table: pd.DataFrame) -> None:
    """Write the tracks of one recording to a new folder.

    Spots are numbered in the order of cells and frames. A spot is linked to the next one of its cell, also over gaps,
    and the last spot of a cell to the first of each of its daughters. Zarr format 2, which every reader of GEFF knows.
    The table has cell_id, frame, y_px, x_px, parent_id (null for none) and any columns of numbers or text; recording_id
    is left out, because it is the name of the file.
    """
    import zarr

    rows = table.drop(columns="recording_id", errors="ignore").sort_values(["cell_id", "frame"], ignore_index=True)
    columns = {_POSITIONS.get(str(name), str(name)): rows[name] for name in rows}
    group = zarr.open_group(path, mode="w-", zarr_format=2)
    _write(group, "nodes/ids", np.arange(len(rows), dtype=np.uint64))
    _write(group, "edges/ids", _link(rows).astype(np.uint64))
    group.create_group("edges/props")
    described: dict[str, Any] = {}
    for name, column in columns.items():
        values, missing = _as_values(column)
        _write(group, f"nodes/props/{name}/values", values)
        if missing.any():
            _write(group, f"nodes/props/{name}/missing", missing)
        kind = "str" if values.dtype.kind == "U" else values.dtype.name
        described[name] = {"identifier": name, "dtype": kind, "varlength": False}
    axes = [_axis(name, kind, unit, columns[name]) for name, (kind, unit) in _AXES.items()]
    group.attrs["geff"] = {
        "geff_version": GEFF_VERSION,
        "directed": True,
        "axes": axes,
        "node_props_metadata": described,
        "edge_props_metadata": {},
    }


def _link(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Pairs of row numbers: along each cell, and from each mother to her daughters; rows in order of cell and frame."""
    cell_ids = rows["cell_id"].to_numpy()
    goes_on = np.flatnonzero(cell_ids[1:] == cell_ids[:-1])
    along = np.column_stack([goes_on, goes_on + 1])
    numbers = pd.Series(np.arange(len(rows)))
    last = numbers.groupby(cell_ids).max()
    first = rows[["cell_id", "parent_id"]].assign(number=numbers).drop_duplicates("cell_id")
    first = first[first["parent_id"].isin(last.index)]
    mothers = last.reindex(first["parent_id"].astype("int64")).to_numpy(np.int64)
    return np.concatenate([along, np.column_stack([mothers, first["number"].to_numpy(np.int64)])]).astype(np.int64)


def _as_values(column: pd.Series) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    missing = column.isna().to_numpy(bool)
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.fillna(0).to_numpy(np.int64), missing
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.fillna(0.0).to_numpy(np.float64), missing
    text = column.astype(object).where(~missing, "").astype(str).tolist()
    return np.array(text, dtype=f"<U{max([1, *map(len, text)])}"), missing


def _axis(name: str, kind: str, unit: str, values: pd.Series) -> dict[str, Any]:
    limits = {} if values.empty else {"min": float(values.min()), "max": float(values.max())}
    return {"name": name, "type": kind, "unit": unit, **limits}


def _write(group: Any, name: str, values: NDArray[Any]) -> None:
    shape = (max(1, min(len(values), 1 << 20)), *values.shape[1:])
    array = group.create_array(
        name, shape=values.shape, dtype=values.dtype, chunks=shape, config={"write_empty_chunks": True}
    )
    array[...] = values
