"""The picture of the preflight holds the numbers of its tables, carries n, and stays legible at any size."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from cellfate.core.tables import PREFLIGHT_ERRORS, PREFLIGHT_WARNINGS
from cellfate.plots.preflight import CHECKS, MOST_CONDITIONS, MOST_NAMES, plot_preflight


def make_tables(n_recordings: int = 2, findings: tuple = (("000", "jump", 3), ("001", "outside", 1)), doses: int = 2):
    """Tables of a preflight: 3 cells a recording, 4 frames looked at, one channel."""
    names = [f"{number:03d}" for number in range(n_recordings)]
    found = pd.DataFrame(findings, columns=["recording_id", "check", "n_cases"]).astype({"n_cases": int})
    severity = ["error" if check in PREFLIGHT_ERRORS else "warning" for check in found["check"]]
    found = found.assign(severity=pd.Series(severity, dtype="str"))
    summary = pd.DataFrame({"recording_id": names, "n_frames": 10, "n_cells": 3})
    cells = pd.DataFrame(
        [
            (name, f"drug {number % doses}", "Low", fate, 4 + number % 3)
            for number, name in enumerate(names)
            for fate in ("apoptosis", "mitosis", "censored")
        ],
        columns=["recording_id", "condition", "dose", "fate", "n_frames"],
    )
    quality = pd.DataFrame({"recording_id": np.repeat(names, 4), "frame": [0, 3, 6, 9] * n_recordings})
    quality = quality.assign(channel="p53", saturated_share=0.002, spread=50.0, focus=0.2)
    return found, summary, cells, quality


def traces_of(figure: go.Figure, kind: type) -> list:
    return [trace for trace in figure.data if isinstance(trace, kind)]


def test_every_check_has_a_name():
    assert tuple(CHECKS) == (*PREFLIGHT_ERRORS, *PREFLIGHT_WARNINGS)


def test_findings_are_counted_by_recording_and_errors_have_their_own_colour():
    figure = plot_preflight(*make_tables())
    errors, warnings = traces_of(figure, go.Heatmap)
    assert list(errors.y) == ["Cell outside the image"]
    assert np.asarray(errors.customdata).tolist() == [[0, 1]]
    assert np.asarray(warnings.customdata).tolist() == [[3, 0]]
    assert errors.colorscale != warnings.colorscale
    assert "1 error" in figure.layout.title.text
    assert "3 warnings" in figure.layout.title.text
    assert "n = 2 recordings, 20 frames (8 looked at), 6 cells" in figure.layout.title.text


def test_no_line_of_the_title_cuts_a_tag_and_all_lie_over_the_first_row():
    found, summary, *tables = make_tables(n_recordings=200)
    figure = plot_preflight(found, summary.assign(n_frames=123_456, n_cells=98_765), *tables)
    lines = figure.layout.title.text.split("<br>")
    assert [line.count("<span") for line in lines] == [line.count("</span>") for line in lines] == [0, 1, 3]
    assert figure.layout.margin.t >= 30 + 19 * len(lines)
    assert figure.layout.title.yanchor == "top"


def test_bars_and_lengths_hold_every_cell():
    figure = plot_preflight(*make_tables(n_recordings=4))
    assert [sum(bar.x) for bar in traces_of(figure, go.Bar)] == [4, 4, 4]
    assert next(bar.name for bar in traces_of(figure, go.Bar)) == "apoptosis (n = 4)"
    lengths = [trace for trace in traces_of(figure, go.Scatter) if trace.legendgroup == "mitosis"]
    assert sum(lengths[0].y[::2]) == 4


def test_rare_conditions_are_put_together():
    bars = traces_of(plot_preflight(*make_tables(n_recordings=40, doses=40)), go.Bar)
    assert len(bars[0].y) == MOST_CONDITIONS + 1
    assert bars[0].y[-1] == "30 others"
    assert sum(bars[0].x) == 40


def test_focus_is_a_share_of_the_recordings_median():
    *tables, quality = make_tables(n_recordings=1, findings=())
    figure = plot_preflight(*tables, quality.assign(focus=[0.1, 0.2, 0.2, 0.3]))
    lines = next(trace for trace in figure.data if trace.legendgroup == "channel p53")
    np.testing.assert_allclose(lines.y[:4], [0.5, 1, 1, 1.5])
    assert np.isnan(lines.y[4])


@pytest.mark.parametrize("n_recordings", [1, 40, 400])
def test_the_picture_stays_of_one_size(n_recordings):
    found = tuple(
        (f"{number:03d}", check, 2) for number in range(n_recordings) for check in CHECKS if check != "folder"
    )
    figure = plot_preflight(*make_tables(n_recordings, found))
    assert figure.layout.height < 1400
    assert (figure.layout.xaxis.showticklabels is False) == (n_recordings > MOST_NAMES)
    assert len(figure.data) < 20
    assert sum(len(trace.x) for trace in traces_of(figure, go.Scatter)) < 20 * n_recordings + 1000
    pio.to_json(figure)


def test_axes_carry_titles_with_units():
    layout = plot_preflight(*make_tables()).layout.to_plotly_json()
    titles = {axis["title"]["text"] for name, axis in layout.items() if "axis" in name and "title" in axis}
    assert titles >= {"cells", "track length (frames)", "frame", "saturated pixels (%)"}


def test_nothing_found_is_said():
    figure = plot_preflight(*make_tables(findings=()))
    assert not traces_of(figure, go.Heatmap)
    assert "Nothing was found" in [note.text for note in figure.layout.annotations]


def test_a_folder_that_cannot_be_read_is_drawn():
    empty = [table.head(0) for table in make_tables()[1:]]
    found = pd.DataFrame({"recording_id": [None], "check": "folder", "n_cases": 1, "severity": "error"})
    figure = plot_preflight(found, *empty)
    assert list(traces_of(figure, go.Heatmap)[0].x) == ["whole folder"]
    assert plot_preflight(found.head(0), *empty).layout.annotations[0].text == "No recording was looked at."
