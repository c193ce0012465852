import base64

import numpy as np
from imagecodecs import png_decode

from cellfate.plots.filmstrip import FilmStrip, StripCurve, StripPanel, brightness_limits, draw_film_strips
from cellfate.plots.strip_frames import AGAINST_COLOUR, FOR_COLOUR, encode_frame, encode_relevance


def make_strip(
    kind: str = "right and sure", outcome: str = "mitosis", value: int = 100, relevance: np.ndarray | None = None
) -> FilmStrip:
    frames = np.full((3, 2, 4, 5), value, dtype=np.uint16)
    frames[:, 1] = 7
    inside = np.ones((3, 4, 5), dtype=bool)
    inside[:, 0] = False
    hours = np.array([-2.0, -1.0, 0.0])
    attention = StripPanel("attention", (StripCurve("attention", hours, hours * 0 + 0.3, filled=True),), legend=False)
    values = StripPanel("Shapley", (StripCurve("p53", hours, hours), StripCurve("cell_cycle", hours, -hours)))
    channels = ("p53", "cell_cycle")
    return FilmStrip(kind, outcome, "a cell", channels, frames, inside, hours, 1.0, relevance, (attention, values))


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


def test_no_cell_is_said():
    figure = draw_film_strips([], (0.5, 99.8))
    assert "no test sample" in figure.layout.annotations[0].text
