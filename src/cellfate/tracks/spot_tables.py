"""Tables in which every row is a spot that names the spot it came from: linked to cells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.tracks.graphs import CutGraph, SpotGraph, cut_graph
from cellfate.tracks.records import Remark
from cellfate.tracks.settings import TrackSettings


def link_spots(
    spot_ids: NDArray[np.int64], frames: NDArray[np.int64], parents: pd.Series, tracks: TrackSettings, path: Path
) -> CutGraph:
    """Link the rows of a table to cells, which end where a spot has two children.

    Parameters
    ----------
    spot_ids, frames : ndarray of int64, shape (N,)
        Number and frame of each spot.
    parents : Series of Int64, length N
        Number of the spot that each came from: null, -1, itself, or 0 where no spot has the number 0, for none.

    Raises
    ------
    InputError
        As `cut_graph`.
    """
    sources = parents.fillna(-1).to_numpy(np.int64)
    linked = (sources != -1) & (sources != spot_ids)
    if not (spot_ids == 0).any():
        linked &= sources != 0
    lost = linked & ~np.isin(sources, spot_ids) & (tracks.missing_parents == "unknown")
    linked &= ~lost
    edges = np.column_stack([sources[linked], spot_ids[linked]])
    cut = cut_graph(SpotGraph(path, spot_ids, frames, edges, directed=True), tracks.on_merge)
    sentence = f"{lost.sum()} spots in {path} name a parent that has no row; it is taken as not known."
    return replace(cut, remarks=(*cut.remarks, Remark("missing_parent", sentence))) if lost.any() else cut
