from dataclasses import replace

import numpy as np
import pandas as pd

from cellfate.plots.explained_cell import plot_explained_cell
from cellfate.plots.filmstrip import FilmStrip, StripCurve, StripPanel


def explained_cell() -> tuple[FilmStrip, pd.DataFrame, pd.DataFrame]:
    """A cell of 6 frames at 30 min in windows of 1 h; p53 in the second window carries the value."""
    hours = np.arange(-5, 1) * 0.5
    attention = StripCurve("attention", hours, np.array([0.1, 0.1, 0.1, 0.4, 0.1, 0.1]), threshold=0.15)
    strip = FilmStrip(
        "", "mitosis", "a cell", ("p53", "cell_cycle"), np.full((3, 2, 4, 5), 9, dtype=np.uint16),
        np.ones((3, 4, 5), dtype=bool), hours[1::2], 1.0, panels=(StripPanel("attention", (attention,)),),
    )  # fmt: skip
    reporters = pd.DataFrame({"hours": hours, "p53": [1.0, 2, 3, 3, 2, 1], "cell_cycle": 40.0})
    windows = [(-2.75, -1.75), (-1.75, -0.75), (-0.75, 0.25)]
    rows = [
        {"method": "shapley", "channel": channel, "first_h": first, "last_h": last, "value": value, "unit": "logit"}
        for channel, values in (("p53", (0.1, -2.0, 0.0)), ("cell_cycle", (0.0, 0.5, 0.2)))
        for (first, last), value in zip(windows, values, strict=True)
    ]
    return strip, reporters, pd.DataFrame(rows)


def test_a_method_is_a_heat_map_on_the_hours_of_its_windows():
    strip, reporters, attributions = explained_cell()
    figure = plot_explained_cell(strip, reporters, attributions, ("occlusion_window", "shapley"))
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert list(heat.x) == [-2.75, -1.75, -0.75, 0.25]
    assert list(heat.y) == ["p53", "cell_cycle"]
    assert np.array(heat.z).tolist() == [[0.1, -2.0, 0.0], [0.0, 0.5, 0.2]]
    assert (heat.zmin, heat.zmax) == (-2.0, 2.0)
    heads = [note.text for note in figure.layout.annotations]
    assert heads == ["Shapley values (strongest colour: 2 logit)"]


def test_frames_reporters_and_attention_stand_on_one_axis():
    strip, reporters, attributions = explained_cell()
    figure = plot_explained_cell(strip, reporters, attributions, ["shapley"])
    assert [image.x for image in figure.layout.images] == [-2.0, -1.0, 0.0]
    lines = {trace.name: list(trace.y) for trace in figure.data if trace.type == "scatter" and trace.name}
    assert lines["p53"] == [0.5, 1.0, 1.5, 1.5, 1.0, 0.5]
    assert lines["cell_cycle"] == [1.0] * 6
    assert lines["attention"] == [0.1, 0.1, 0.1, 0.4, 0.1, 0.1]
    axes = [figure.layout[name] for name in ("xaxis", "xaxis2", "xaxis3", "xaxis4")]
    assert {axis.range for axis in axes} == {(-3.0, 0.5)}
    assert "(h)" in axes[-1].title.text


def test_planted_hours_are_framed_in_every_panel_but_the_frames():
    strip, reporters, attributions = explained_cell()
    known = plot_explained_cell(strip, reporters, attributions, ["shapley"], planted_h=(-1.75, -0.75))
    framed = [shape for shape in known.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in framed] == [(-1.75, -0.75)] * 3
    unknown = plot_explained_cell(strip, reporters, attributions, ["shapley"])
    assert not [shape for shape in unknown.layout.shapes if shape.type == "rect"]


def test_a_gap_in_the_track_stays_empty():
    strip, reporters, attributions = explained_cell()
    gapped = attributions[attributions["first_h"] != -1.75]
    figure = plot_explained_cell(strip, reporters, gapped, ["shapley"])
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert list(heat.x) == [-2.75, -1.75, -0.75, 0.25]
    assert np.isnan(np.array(heat.z, dtype=float)[:, 1]).all()


def test_without_attention_there_is_no_panel_for_it_and_zeros_are_said():
    strip, reporters, attributions = explained_cell()
    blind = replace(strip, panels=())
    figure = plot_explained_cell(
        blind, reporters, attributions.assign(value=0.0), ["shapley"], planted_h=(-1.75, -0.75)
    )
    assert not [trace for trace in figure.data if trace.name == "attention"]
    assert figure.layout.yaxis3.type == "category"
    assert [note.text for note in figure.layout.annotations] == ["Shapley values (all values are 0)"]
    assert len([shape for shape in figure.layout.shapes if shape.type == "rect"]) == 2
