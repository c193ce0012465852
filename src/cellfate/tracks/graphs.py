"""Graphs of spots, as TrackMate and GEFF write them, cut into cells where a cell divides."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError


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


def cut_graph(graph: SpotGraph) -> tuple[NDArray[np.int64], dict[int, int]]:
    """Cut a graph into cells: a cell ends where it has two or more children, or where the file's own number changes.

    Parameters
    ----------
    graph : SpotGraph
        Spots and links.

    Returns
    -------
    cell_ids : ndarray of int64, shape (N,)
        Cell of each spot. Where the file numbers no cells, a cell has the number of its first spot.
    parents : dict of int to int
        Parent of each cell that has one.

    Raises
    ------
    InputError
        If spots are listed twice, a link names an unknown spot or does not go forward in time, a spot has two parents,
        or a number of the file's own is given to two cells.
    """
    source, target = _place_edges(graph)
    _check_merges(graph, target)
    children = np.bincount(source, minlength=len(graph.node_ids))
    goes_on = children[source] == 1
    if graph.own_ids is not None:
        goes_on &= graph.own_ids[source] == graph.own_ids[target]
    pieces = _connect(len(graph.node_ids), source[goes_on], target[goes_on])
    cell_ids = _number_cells(graph, pieces)
    cut = ~goes_on
    parents = dict(zip(cell_ids[target[cut]].tolist(), cell_ids[source[cut]].tolist(), strict=True))
    return cell_ids, parents


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


def _check_merges(graph: SpotGraph, target: NDArray[np.int64]) -> None:
    merged = np.flatnonzero(np.bincount(target, minlength=len(graph.node_ids)) > 1)
    if len(merged):
        raise InputError(
            f"Spot {graph.node_ids[merged[0]]} in frame {graph.frames[merged[0]]} of {graph.path} has two parents "
            f"({len(merged)} such spots), but a cell comes from one; remove the link of the merge."
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
