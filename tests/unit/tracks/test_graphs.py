"""Graphs cut into cells, by hand."""

from pathlib import Path

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.tracks.graphs import SpotGraph, cut_graph

#      10 - 11 - 12 < 13 - 14      frames 0 1 2 3 4
#                    \ 15          frame 4: a gap before it
SPOTS, FRAMES = [10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 4]
LINKS = [(10, 11), (11, 12), (12, 13), (13, 14), (12, 15)]


def graph(links: list[tuple[int, int]], own: list[int] | None = None, directed: bool = True) -> SpotGraph:
    return SpotGraph(
        Path("a.xml"),
        np.array(SPOTS),
        np.array(FRAMES),
        np.array(links, dtype=np.int64).reshape(-1, 2),
        directed,
        None if own is None else np.array(own),
    )


def test_a_cell_ends_where_it_has_two_children() -> None:
    cut = cut_graph(graph(LINKS))
    assert cut.cell_ids.tolist() == [10, 10, 10, 13, 13, 15]
    assert cut.parents == {13: 10, 15: 10}


def test_links_without_direction_are_turned() -> None:
    cut = cut_graph(graph([(b, a) for a, b in LINKS], directed=False))
    assert cut.cell_ids.tolist() == [10, 10, 10, 13, 13, 15]
    assert cut.parents == {13: 10, 15: 10}
    with pytest.raises(InputError, match="does not go forward in time"):
        cut_graph(graph([(b, a) for a, b in LINKS]))


def test_a_cell_ends_where_the_number_of_the_file_changes() -> None:
    cut = cut_graph(graph(LINKS, own=[1, 1, 2, 3, 3, 4]))
    assert cut.cell_ids.tolist() == [1, 1, 2, 3, 3, 4]
    assert cut.parents == {2: 1, 3: 2, 4: 2}


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ([*LINKS, (11, 13)], r"Tracks merge at 1 place in a.xml \(spot 13 in frame 3\), but a cell comes from one"),
        ([(10, 99)], "names spot 99"),
        ([(10, 10)], "does not go forward in time"),
        ([(14, 15)], r"spot 14 \(frame 4\) to spot 15 \(frame 4\)"),
        ([(10, 11), (10, 11)], "lists the link from spot 10 to spot 11 twice"),
    ],
)
def test_graphs_that_are_no_families_are_refused(links: list[tuple[int, int]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        cut_graph(graph(links))


def test_a_number_for_two_cells_is_refused() -> None:
    with pytest.raises(InputError, match=r"Number 3 in a.xml is given to two cells, one that begins with spot 13 and"):
        cut_graph(graph(LINKS, own=[1, 1, 1, 3, 3, 3]))
