import pandas as pd
import pytest

from cellfate.report import tables
from cellfate.report.blending import tabulate_weights
from tests.cases.report_tables import report_case
from tests.cases.score_tables import HEADLINE_H


@pytest.fixture(scope="module")
def case():
    return report_case().tables


def test_parts_are_counted(case):
    table = tables.tabulate_parts(case["follow_ups"], case["landmarks"], case["splits"])
    assert table.columns == (
        *("Fold", "Part", "Cells", "Groups", "Apoptosis", "Mitosis", "Censored"),
        *("Old enough", "Asked which fate", "Landmarks within hours"),
    )
    assert [row[:9] for row in table.rows] == [
        ("0", "train", "12", "2", "4", "4", "4", "12", "8"),
        ("0", "validation", "6", "1", "2", "2", "2", "6", "4"),
        ("0", "test", "18", "3", "6", "6", "6", "18", "12"),
    ]
    assert sum(int(row[9].replace(",", "")) for row in table.rows) == case["landmarks"]["regular"].sum()


def test_fates_are_counted_by_dose_in_rising_order(case):
    table = tables.tabulate_fates(case["cells"], case["recordings"], case["follow_ups"], case["landmarks"])
    heads = ("Dose", "Apoptosis", "Mitosis", "Censored", "Cells", "Followed", "Old enough to be asked")
    assert table.columns == heads
    assert [row[0] for row in table.rows] == ["Control", "Low", "High", "all doses"]
    assert table.rows[-1] == ("all doses", "12", "12", "12", "36", "36", "36")


def test_cells_that_nobody_looked_at_are_counted_where_there_are_some(case):
    cells = case["cells"].assign(fate=["unscored", *case["cells"]["fate"][1:]])
    table = tables.tabulate_fates(cells, case["recordings"], case["follow_ups"].iloc[1:], case["landmarks"].iloc[:0])
    assert "Unscored" in table.columns
    assert table.rows[-1][4:] == ("1", "36", "35", "0")


def test_one_dose_needs_no_sum(case):
    one = case["recordings"].assign(dose="Unknown")
    table = tables.tabulate_fates(case["cells"], one, case["follow_ups"], case["landmarks"])
    assert [row[0] for row in table.rows] == ["Unknown"]


def test_what_was_left_out_is_counted_by_reason(case):
    aside = [case[f"{name}_set_aside"] for name in ("recordings", "tracks", "cells")]
    rows = tables.tabulate_left_out([*aside, aside[2]], 10).rows
    assert rows == (
        ("open_recordings", "frame 3 of r9 has 2 channels, expected 3", "1", "0", "r9"),
        ("import_tracks", "no position", "0", "1", "r1"),
        ("follow_cells", "no tracked frame before the guard", "0", "2", "r1"),
    )
    assert tables.tabulate_left_out([table.head(0) for table in aside], 10).rows == ()


def test_every_predictor_stands_beside_the_model(case):
    table = tables.tabulate_beside(case["metrics"], case["comparisons"], None)
    assert table.columns[:5] == (
        "Outcome", "Predictor", "What it sees", "Balanced accuracy", "Classifier minus this one"
    )  # fmt: skip
    assert table.rows[0][1:5] == ("Classifier", "images, whole track", "0.87 (0.82 to 0.91)", "")
    assert table.rows[4][1:5] == ("Dose", "no measurement", "0.71 (0.66 to 0.75)", "+0.16 (0.05 to 0.23)")
    within = tables.tabulate_beside(case["metrics"], case["comparisons"], HEADLINE_H)
    assert len(within.rows) == 10
    assert within.rows[5][0] == "mitosis"
    assert within.rows[7][4] == "+0.03 (0.01 to 0.07)"
    assert tables.tabulate_beside(case["metrics"].head(0), case["comparisons"], None) is None


def test_every_score_of_the_model_is_listed_with_what_it_is_of(case):
    within = tables.tabulate_scores(case["metrics"], HEADLINE_H)
    assert len(within.rows) == 2 * 3 * 3
    assert within.rows[0][:3] == ("apoptosis within 2 h", "AUROC", "0.840")
    fates = tables.tabulate_scores(case["metrics"], None)
    assert fates.caption == "Every score, Classifier"
    assert fates.rows[0][:2] == ("all outcomes", "Balanced accuracy")


def test_calibration_is_listed_in_numbers_by_event_and_predictor(case):
    metrics = case["metrics"]
    slopes = metrics[metrics["metric"] == "brier"].assign(metric="calibration_slope", estimate=0.9, low=0.7, high=1.1)
    table = tables.tabulate_calibration(pd.concat([metrics, slopes]), HEADLINE_H)
    assert table.columns[2:] == ("Calibration slope", "Calibration intercept", "Observed over expected", "Brier skill")
    assert table.rows[0] == ("apoptosis", "Blend", "0.90 (0.70 to 1.10)", "", "", "")
    assert tables.tabulate_calibration(metrics.head(0), HEADLINE_H) is None


def test_commitments_are_listed_by_fate_and_predictor(case):
    table = tables.tabulate_commitments(case["commitment_summary"], ("apoptosis", "mitosis"))
    assert [row[:2] for row in table.rows[:2]] == [("apoptosis", "Blend"), ("apoptosis", "Network")]
    of_blend = case["commitments"].query("predictor == 'blend' and fate == 'apoptosis'")
    called = (of_blend["call"] != "none").mean()
    assert table.rows[0][2] == str(len(of_blend))
    assert table.rows[0][3].startswith(f"{called:.2f} (")
    assert table.rows[0][-2:] == ("0.00 (-0.10 to 0.10)", "2.5 (2.4 to 2.6)")
    assert table.rows[-1][0] == "censored"
    assert table.rows[-1][4:] == ("", "")
    assert tables.tabulate_commitments(case["commitment_summary"].head(0), ("mitosis",)) is None


def test_a_median_is_a_lower_bound_where_some_were_right_from_their_first_forecast_on(case):
    summary = case["commitment_summary"]
    some = summary.assign(estimate=summary["estimate"].mask(summary["metric"] == "share_from_first", 0.2))
    table = tables.tabulate_commitments(some, ("mitosis",))
    assert table.columns[-2] == "Of those called rightly, so from their first forecast on"
    assert table.rows[0][-2:] == ("0.20 (-0.10 to 0.10)", "at least 2.5 (2.4 to 2.6)")


def test_a_measure_of_fewer_cells_says_of_how_many(case):
    summary = case["commitment_summary"]
    few = summary.assign(n_cells=summary["n_cells"].mask(summary["metric"] == "median_lead_h", 3))
    table = tables.tabulate_commitments(few, ("mitosis",))
    assert table.rows[0][2:4] == ("6", "1.00 (0.90 to 1.10)")
    assert table.rows[0][-1] == "2.5 (2.4 to 2.6), n = 3"


def test_findings_are_counted_by_check_with_an_example_and_errors_first(case):
    table = tables.tabulate_findings(case["preflight_findings"])
    assert table.columns == ("Severity", "Check", "Findings", "Recordings", "For example")
    assert table.rows == (
        ("error", "Recording cannot be opened", "1", "1", "frame 3 of r9 has 2 channels, expected 3"),
        ("warning", "Jump in a track", "14", "2", "In recording 'r1' cell 7 moves 31.0 px a frame."),
    )


def test_findings_are_listed_with_file_and_cell_and_cut(case):
    table = tables.list_findings(case["preflight_findings"].replace({"cell_id": 7}, 70_001), 2)
    assert table.left_out == 2
    assert table.rows[0][:5] == ("error", "r9", "\u2013", "\u2013", "\u2013")
    assert table.rows[1][:5] == ("warning", "r1", "r1/004.tif", "70001", "4")


def test_the_sentence_counts_findings_and_their_recordings(case):
    words = tables.write_preflight(case["preflight_findings"], case["preflight_summary"])
    assert words == "Found here: 1 error in 1 and 14 warnings in 2 of 10 recordings."


def test_nothing_found_is_said(case):
    nothing = case["preflight_findings"].head(0)
    assert tables.tabulate_findings(nothing).rows == ()
    summary = case["preflight_summary"].assign(n_errors=0, n_warnings=0)
    assert tables.write_preflight(nothing, summary) == "Found here: 0 errors in 0 and 0 warnings in 0 of 10 recordings."


def test_weights_of_the_blend_are_listed_by_whom_they_are_for():
    weights = {
        "parts": {"boosting": 0.75, "network": 0.25},
        "alone": "boosting",
        "gain": 0.0123,
        "standard_error": 0.004,
    }
    bounded = {**weights, "most": 0.25, "n_groups": 40, "n_recordings": 2}
    unknown = {"parts": {"boosting": 1.0, "network": 0.0}, "alone": "boosting", "n_recordings": 5}
    table = tabulate_weights({"all": bounded, "fold_1": unknown})
    assert table.rows == (
        ("new cells", "0.75", "0.25", "+0.0123 (0.0040)", "40", "2"),
        ("test cells of fold 1", "1.00", "0.00", "could not be judged", "0", "5"),
    )
    assert "at most 0.25 of the network" in table.caption
    assert "at most" not in tabulate_weights({"all": unknown}).caption
    assert tabulate_weights({}) is None
