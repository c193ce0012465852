"""Graphs of spots, as TrackMate and GEFF write them and tables that name the parents of spots, cut into cells."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.tracks.records import Remark
from cellfate.tracks.settings import TrackSettings

OnMerge = Literal["stop", "cut"]


@dataclass(frozen=True, eq=False)
class SpotGraph:
    """Spots and the links between them, of one recording.

    Attributes
    ----------
    path : Path
        File that it is from, for messages.
    node_ids : ndarray of int64, shape (N,)
        Number of each spot.
    frames : ndarray of int64, shape (N,)
        Frame of each spot, from 0.
    edges : ndarray of int64, shape (M, 2)
        Numbers of two spots that are linked, the source first.
    directed : bool
        Whether the source must be the earlier spot; where not, links are turned so that it is.
    own_ids : ndarray of int64, shape (N,), or None
        Number of the cell of each spot, where the file gives one.
    """

    path: Path
    node_ids: NDArray[np.int64]
    frames: NDArray[np.int64]
    edges: NDArray[np.int64]
    directed: bool
    own_ids: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class CutGraph:
    """Cells of a graph of spots.

    Attributes
    ----------
    cell_ids : ndarray of int64, shape (N,)
        Cell of each spot. Where the file numbers no cells, a cell has the number of its first spot.
    parents : dict of int to int
        Parent of each cell that has one.
    remarks : tuple of Remark
        Where tracks that merge were cut.
    """

    cell_ids: NDArray[np.int64]
    parents: dict[int, int]
    remarks: tuple[Remark, ...] = ()


def cut_graph(graph: SpotGraph, on_merge: OnMerge = "stop") -> CutGraph:
    """Cut a graph into cells: a cell ends where it has two or more children, or where the file's own number changes.

    A spot with two parents makes the graph refused or, if `on_merge` is "cut", ends the cells before it; what comes
    after is then a cell of its own, whose parent is not known.

    Raises
    ------
    InputError
        If spots or links are listed twice, a link names an unknown spot or does not go forward in time, a number of
        the file's own is given to two cells, or tracks merge and `on_merge` is `stop`.
    """
    source, target = _place_edges(graph)
    merged = np.bincount(target, minlength=len(graph.node_ids)) > 1
    places = _merge_places(graph, merged)
    if on_merge == "stop":
        refuse_merges(places, graph.path)
    goes_on = (np.bincount(source, minlength=len(graph.node_ids))[source] == 1) & ~merged[target]
    if graph.own_ids is not None:
        goes_on &= graph.own_ids[source] == graph.own_ids[target]
    pieces = _connect(len(graph.node_ids), source[goes_on], target[goes_on])
    cell_ids = _number_cells(graph, pieces)
    cut, into_merge = ~goes_on & ~merged[target], merged[target]
    parents = dict(zip(cell_ids[target[cut]].tolist(), cell_ids[source[cut]].tolist(), strict=True))
    merging = pd.Series(cell_ids[source[into_merge]]).groupby(target[into_merge]).agg(list)
    kept = forget_rejoined(parents, merging)
    return CutGraph(cell_ids, kept, tell_merges(places, graph.path, cell_ids[source[~goes_on]].tolist(), kept))


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


def refuse_merges(places: Sequence[str], path: Path) -> None:
    """Refuse tracks that merge.

    Raises
    ------
    InputError
        If there are merges; it names all.
    """
    if places:
        n = len(places)
        raise InputError(
            f"Tracks merge at {n} place{'s' * (n > 1)} in {path} ({', '.join(places)}), but a cell comes from one; "
            "remove these links, or set tracks.on_merge to cut, and the cells before a merge end there.",
            "tracks.on_merge",
        )


def tell_merges(
    places: Sequence[str], path: Path, before: Iterable[int], parents: Mapping[int, int]
) -> tuple[Remark, ...]:
    """Say where merges were cut, and which mothers do not divide any more for lack of daughters.

    `before` has the mother of each daughter as the file has them, `parents` those after the cut.
    """
    if not places:
        return ()
    n, left = len(places), Counter(parents.values())
    lost = sorted(mother for mother, count in Counter(before).items() if count > 1 >= left[mother])
    cut = f"Tracks in {path} merge at {n} place{'s' * (n > 1)} and were cut there ({', '.join(places)}): the cells "
    told = f"; cell {', '.join(map(str, lost))} lost daughters by that and counts as not dividing" if lost else ""
    return (Remark("merge", f"{cut}before end, and what follows is a new cell without a parent{told}; look at them."),)


def forget_rejoined(parents: Mapping[int, int], merging: Iterable[Sequence[int]]) -> dict[int, int]:
    """Take daughters from their mother that merge with each other: she did not divide, she was found twice for a while.

    `merging` has the cells of each merge; `parents` without these daughters is given back.
    """
    rejoined: set[int] = set()
    for cells in merging:
        mothers = [parents.get(cell) for cell in cells]
        sisters = {mother for mother in mothers if mother is not None and mothers.count(mother) > 1}
        rejoined |= {cell for cell, mother in zip(cells, mothers, strict=True) if mother in sisters}
    return {cell: parent for cell, parent in parents.items() if cell not in rejoined}


def _merge_places(graph: SpotGraph, merged: NDArray[np.bool_]) -> list[str]:
    places = np.flatnonzero(merged)
    places = places[np.lexsort((graph.node_ids[places], graph.frames[places]))]
    return [f"spot {graph.node_ids[place]} in frame {graph.frames[place]}" for place in places]


def _place_edges(graph: SpotGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    index = pd.Index(graph.node_ids)
    if index.has_duplicates:
        raise InputError(
            f"File {graph.path} lists spot {index[index.duplicated()][0]} twice; give every spot its own number."
        )
    places = index.get_indexer(pd.Index(graph.edges.ravel())).reshape(-1, 2).astype(np.int64)
    unknown = places < 0
    if unknown.any():
        spot = graph.edges[unknown][0]
        raise InputError(
            f"A link in {graph.path} names spot {spot}, which is not in the file; remove the link or add the spot."
        )
    source, target = places[:, 0], places[:, 1]
    if not graph.directed:
        swap = graph.frames[source] > graph.frames[target]
        source, target = np.where(swap, target, source), np.where(swap, source, target)
    _check_forward(graph, source, target)
    twice = pd.Index(source * len(index) + target).duplicated()
    if twice.any():
        one, other = graph.node_ids[source[twice][0]], graph.node_ids[target[twice][0]]
        raise InputError(f"File {graph.path} lists the link from spot {one} to spot {other} twice; keep one.")
    return source, target


def _check_forward(graph: SpotGraph, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
    backward = np.flatnonzero(graph.frames[source] >= graph.frames[target])
    if len(backward):
        first, second = source[backward[0]], target[backward[0]]
        raise InputError(
            f"The link from spot {graph.node_ids[first]} (frame {graph.frames[first]}) to spot "
            f"{graph.node_ids[second]} (frame {graph.frames[second]}) in {graph.path} does not go forward in time; "
            "correct the link."
        )


def _connect(n_nodes: int, source: NDArray[np.int64], target: NDArray[np.int64]) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(source), np.int8), (source, target)), shape=(n_nodes, n_nodes))
    _, pieces = connected_components(links, directed=False)
    return np.asarray(pieces, dtype=np.int64)


def _number_cells(graph: SpotGraph, pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    spots = pd.DataFrame({"piece": pieces, "frame": graph.frames, "node_id": graph.node_ids})
    firsts = spots.sort_values(["piece", "frame", "node_id"]).drop_duplicates("piece").set_index("piece")["node_id"]
    if graph.own_ids is None:
        return firsts.reindex(pieces).to_numpy(np.int64)
    pairs = pd.DataFrame({"own": graph.own_ids, "piece": pieces}).drop_duplicates()
    twice = pairs[pairs["own"].duplicated(keep=False)].sort_values(["own", "piece"])
    if len(twice):
        one, other = firsts.reindex(twice["piece"].iloc[:2]).tolist()
        raise InputError(
            f"Number {twice['own'].iloc[0]} in {graph.path} is given to two cells, one that begins with spot {one} and "
            f"one that begins with spot {other}; give every cell its own number."
        )
    return graph.own_ids
