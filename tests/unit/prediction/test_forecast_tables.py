"""Hazards as rows of a table."""

import pandas as pd
import pytest

from cellfate.prediction.forecast_tables import tabulate_hazards

TWO_BINS = [[[0.1, 0.2], [0.3, 0.4]]]  # nothing happens by the end of a bin with probability .7, then .7 * .3
KEYS = {"predictor": "clock", "scheme": "s", "fold": 0, "part": "test", "recording_id": "00"}


def test_a_table_has_one_row_a_landmark_and_hour_of_the_report():
    keys = pd.DataFrame({**KEYS, "cell_id": [1, 2], "frame": [7, 9]}, index=[5, 3])
    hazards = [*TWO_BINS, [[0.5, 0.0], [0.0, 0.5]]]
    table = tabulate_hazards(keys, hazards, ["apoptosis", "mitosis"], [1.0, 2.0, 3.0], [2.0, 3.0])
    expected = pd.DataFrame(
        {
            **KEYS,
            "cell_id": [1, 1, 2, 2],
            "frame": [7, 7, 9, 9],
            "within_h": [2.0, 3.0, 2.0, 3.0],
            "p_apoptosis": [0.1, 0.31, 0.5, 0.5],
            "p_mitosis": [0.2, 0.48, 0.0, 0.25],
            "p_none": [0.7, 0.21, 0.5, 0.25],
            "expected_h": [1 + 0.85 + 0.455, 1 + 0.85 + 0.455, 1 + 0.75 + 0.375, 1 + 0.75 + 0.375],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_an_hour_of_the_report_is_that_of_the_nearest_edge():
    keys = pd.DataFrame({**KEYS, "cell_id": [1], "frame": [7]})
    edges = [0.1 * k for k in range(4)]  # the last is 0.30000000000000004
    table = tabulate_hazards(keys, [[[0.5], [0.5], [0.5]]], ["mitosis"], edges, [0.3])
    assert table["p_mitosis"].tolist() == [pytest.approx(0.875)]
