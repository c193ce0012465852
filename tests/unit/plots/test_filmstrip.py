import base64

import numpy as np
import pandas as pd
from imagecodecs import png_decode

from cellfate.plots.filmstrip import FilmStrip, StripCurve, StripPanel, brightness_limits, draw_film_strips
from cellfate.plots.strip_frames import AGAINST_COLOUR, FOR_COLOUR, encode_frame, encode_relevance
from cellfate.plots.theme import is_empty


def make_strip(outcome="mitosis", value=100, relevance=None, values=None, title=("a cell",)) -> FilmStrip:
    frames = np.full((3, 2, 4, 5), value, dtype=np.uint16)
    frames[:, 1] = 7
    inside = np.ones((3, 4, 5), dtype=bool)
    inside[:, 0] = False
    hours = np.array([-2.0, -1.0, 0.0])
    attention = StripPanel("attention", (StripCurve("attention", hours, hours * 0 + 0.3, filled=True),), legend=False)
    reporters = StripPanel("reporters", (StripCurve("p53", hours, hours), StripCurve("cell_cycle", hours, -hours)))
    shapley = StripPanel("Shapley", values=values, legend=False)
    panels = (attention, reporters, shapley)
    return FilmStrip(title, outcome, ("p53", "cell_cycle"), frames, inside, hours, 1.0, relevance, panels)


def make_values() -> pd.DataFrame:
    """p53 in the second window carries the value; the third window lies in a gap of the track."""
    rows = [("p53", -2.5, -1.5, 0.1), ("p53", -1.5, -0.5, -2.0), ("cell_cycle", -2.5, -1.5, 0.0)]
    rows.append(("p53", 0.5, 1.5, 0.4))
    return pd.DataFrame(rows, columns=["channel", "first_h", "last_h", "value"]).assign(unit="logit")


def test_frame_is_encoded_with_channels_under_each_other_and_outside_transparent():
    frame = np.array([[[10, 20], [30, 40]], [[0, 0], [5, 10]]], dtype=np.uint16)
    inside = np.array([[False, True], [True, True]])
    uri = encode_frame(frame, inside, ("a", "b"), {"a": (20.0, 40.0), "b": (0.0, 10.0)})
    pixels = png_decode(base64.b64decode(uri.removeprefix("data:image/png;base64,")))
    assert pixels.shape == (6, 3, 2)
    assert pixels[..., 0].tolist() == [[0, 0, 0], [128, 255, 0], [0, 0, 0], [0, 0, 0], [128, 255, 0], [0, 0, 0]]
    assert pixels[..., 1].tolist() == [[0, 255, 0], [255, 255, 0], [0, 0, 0]] * 2


def test_brightness_has_one_scale_for_all_cells_and_ignores_pixels_outside():
    dark, bright = make_strip(value=100), make_strip(outcome="apoptosis", value=300)
    dark.frames_tchw[:, :, 0] = 65535
    limits = brightness_limits([dark, bright], (0.0, 100.0))
    assert limits["p53"] == (100.0, 300.0)
    assert limits["cell_cycle"][0] == 7.0
    assert limits["cell_cycle"][1] > 7.0


def test_pixels_for_the_outcome_are_red_those_against_it_blue_and_nothing_is_transparent():
    uri = encode_relevance(np.array([[[2.0, -1.0], [0.0, 8.0]]], dtype=np.float32), strongest=4.0)
    pixels = png_decode(base64.b64decode(uri.removeprefix("data:image/png;base64,")))
    assert pixels.shape == (3, 3, 4)
    assert pixels[0, 0].tolist() == [*FOR_COLOUR, 128]
    assert pixels[0, 1].tolist() == [*AGAINST_COLOUR, 64]
    assert pixels[1, 0, 3] == 0
    assert pixels[1, 1].tolist() == [*FOR_COLOUR, 255]


def test_every_frame_is_an_image_at_its_hour_over_its_panels():
    figure = draw_film_strips([make_strip(), make_strip(outcome="apoptosis")], (0.5, 99.8))
    assert [image.x for image in figure.layout.images] == [-2.0, -1.0, 0.0] * 2
    shown = [trace for trace in figure.data if trace.fill == "tozeroy"]
    assert len(shown) == 2
    assert list(shown[0].x) == [-2.0, -1.0, 0.0]
    assert figure.layout.xaxis.range == figure.layout.xaxis3.range == figure.layout.xaxis5.range
    assert "n = 2 cells" in figure.layout.title.text


def test_curves_of_a_panel_stand_in_the_legend_once_and_those_of_a_named_axis_never():
    figure = draw_film_strips([make_strip(), make_strip(outcome="apoptosis")], (0.5, 99.8))
    assert [trace.name for trace in figure.data if trace.showlegend] == ["p53", "cell_cycle"]


def test_what_pixels_speak_for_stands_under_the_frames():
    relevance = np.ones((3, 2, 4, 5), dtype=np.float32)
    figure = draw_film_strips([make_strip(relevance=relevance)], (0.5, 99.8))
    assert [image.y for image in figure.layout.images] == [1.0] * 3 + [3.0] * 3
    assert list(figure.layout.yaxis.ticktext) == ["p53", "cell_cycle", "p53, for", "cell_cycle, for"]


def test_values_are_a_map_on_the_hours_of_their_windows_and_a_gap_stays_empty():
    figure = draw_film_strips([make_strip(values=make_values())], (0.5, 99.8), planted_h=(-1.5, -0.5))
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert list(heat.x) == [-2.5, -1.5, -0.5, 0.5, 1.5]
    assert list(heat.y) == ["p53", "cell_cycle"]
    assert np.array(heat.z, dtype=float)[0, :2].tolist() == [0.1, -2.0]
    assert np.isnan(np.array(heat.z, dtype=float)[0, 2])
    assert (heat.zmin, heat.zmax) == (-2.0, 2.0)
    framed = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in framed] == [(-1.5, -0.5)] * 3  # every panel but the frames


def test_panels_without_anything_in_any_cell_are_left_out():
    figure = draw_film_strips([make_strip()], (0.5, 99.8))
    assert "Shapley" not in [axis.title.text for axis in figure.select_yaxes()]
    assert len(list(figure.select_yaxes())) == 3
    mixed = draw_film_strips([make_strip(), make_strip(values=make_values())], (0.5, 99.8))
    titles = [axis.title.text for axis in mixed.select_yaxes()]
    assert (titles.count("Shapley"), titles.count("Shapley<br>(not computed)")) == (1, 1)


def test_no_line_over_a_strip_is_longer_than_its_column():
    title = ("surest right: apoptosis 1.5 h later", "recording 2024-03-12_experiment_1_position_003_rerun, cell 17")
    figure = draw_film_strips([make_strip(title=title), make_strip(title=title)], (0.5, 99.8))
    lines = [line for note in figure.layout.annotations for line in note.text.split("<br>")]
    assert max(len(line.replace("<b>", "").replace("</b>", "")) for line in lines) <= 50


def test_cells_fill_rows_of_columns():
    figure = draw_film_strips([make_strip() for _ in range(3)], (0.5, 99.8))
    assert len(list(figure.select_yaxes())) == 12
    alone = draw_film_strips([make_strip()], (0.5, 99.8), n_columns=1)
    assert alone.layout.images[0].sizey == 2
    assert alone.layout.height < figure.layout.height


def test_no_cell_is_said():
    assert is_empty(draw_film_strips([], (0.5, 99.8)))
