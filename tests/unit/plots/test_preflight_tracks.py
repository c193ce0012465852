"""The picture of tracks on images: where the dots are, what is said, and how large it gets."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.preflight_tracks import MOST_NUMBERS, plot_tracks
from cellfate.plots.theme import COLOURS, is_empty

MARKS = [
    ("a", 1, 3, 10.0, 20.0, "mitosis"),
    ("a", 1, 4, 11.0, 22.0, "mitosis"),
    ("a", 2, 4, 30.0, 50.0, "censored"),
]


def draw(marks: list[tuple] = MARKS, names: tuple[str, ...] = ("a",), findings: tuple = (), n_recordings: int = 1):
    recordings = pd.DataFrame({"recording_id": names, "frame": 4, "height_px": 40, "width_px": 60})
    images = {name: np.arange(24, dtype=np.uint8).reshape(4, 6) for name in names}
    table = pd.DataFrame(marks, columns=["recording_id", "cell_id", "frame", "y_px", "x_px", "fate"])
    found = pd.DataFrame(findings, columns=["recording_id", "check", "n_cases"])
    return plot_tracks(recordings, images, table, found, n_recordings)


def dots(figure) -> dict[str, list]:
    shown = [trace for trace in figure.data if (trace.mode or "").startswith("markers") and trace.x[0] is not None]
    return {trace.legendgroup: [*zip(trace.x, trace.y, trace.text, strict=True)] for trace in shown}


def test_cells_of_the_frame_are_dots_with_numbers_in_the_colour_of_their_fate():
    figure = draw()
    assert dots(figure) == {"mitosis": [(22.0, 11.0, "1")], "censored": [(50.0, 30.0, "2")]}
    colours = {trace.legendgroup: trace.marker.color for trace in figure.data if trace.showlegend is not False}
    assert colours["mitosis"] == COLOURS["mitosis"]
    assert {trace.name for trace in figure.data if trace.showlegend is not False} == {
        "mitosis (n = 1)",
        "censored (n = 1)",
    }


def test_the_way_of_a_cell_is_a_line_that_ends_at_it():
    line = next(trace for trace in draw().data if trace.mode == "lines")
    assert list(line.x)[:2] == [20.0, 22.0]
    assert np.isnan(line.x[2])


def test_the_image_lies_under_the_dots_pixel_by_pixel_with_y_downwards():
    figure = draw()
    (image,) = figure.layout.images
    assert (image.x, image.y, image.sizex, image.sizey, image.layer) == (-0.5, -0.5, 60, 40, "below")
    assert tuple(figure.layout.xaxis.range) == (-0.5, 59.5)
    assert tuple(figure.layout.yaxis.range) == (39.5, -0.5)
    assert figure.layout.yaxis.scaleanchor == "x"


def test_cells_outside_the_image_are_seen_beside_it_but_not_from_afar():
    figure = draw([("a", 1, 4, 55.0, 20.0, "mitosis"), ("a", 2, 4, -1000.0, 20.0, "mitosis")])
    assert tuple(figure.layout.yaxis.range) == (55.0, -40.0)


def test_each_panel_says_what_was_found_the_gravest_first():
    findings = (("a", "swapped", 1), ("b", "gap", 7), ("a", "jump", 1234), ("a", "gap", 2))
    heads = [note.text for note in draw(names=("a", "b"), findings=findings).layout.annotations]
    assert heads[0] == "a, frame 4, 2 cells<br>x and y look swapped (1), Jump in a track (1,234), …"
    assert heads[1] == "b, frame 4, 0 cells<br>Gap in a track (7)"


def test_it_is_said_how_many_recordings_are_not_drawn():
    assert "n = 1 of 300 recordings, those with findings first" in draw(n_recordings=300).layout.title.text
    assert "first" not in draw().layout.title.text


@pytest.mark.parametrize("n_cells", [MOST_NUMBERS, MOST_NUMBERS + 1])
def test_many_numbers_are_shown_under_the_mouse_only(n_cells):
    figure = draw([("a", cell, 4, cell / 2, cell, "censored") for cell in range(n_cells)])
    modes = {trace.mode for trace in figure.data if trace.legendgroup and trace.x[0] is not None}
    assert modes == {"markers+text" if n_cells == MOST_NUMBERS else "markers"}


def test_a_recording_without_tracks_is_drawn_bare():
    figure = draw([])
    assert dots(figure) == {}
    assert len(figure.layout.images) == 1


def test_twelve_recordings_are_panels_of_three_columns():
    figure = draw(names=tuple("abcdefghijkl"), n_recordings=300)
    assert len(figure.layout.images) == 12
    assert len({tuple(axis.domain) for axis in figure.select_xaxes()}) == 3


def test_without_a_frame_it_is_said():
    assert is_empty(draw(names=()))
