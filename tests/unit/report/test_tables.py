from cellfate.report import tables
from tests.cases.report_tables import report_case


def test_parts_are_counted_with_what_they_share():
    case = report_case().tables
    table = tables.tabulate_parts(case["samples"], case["splits"], case["leakage"])
    assert table.columns == (
        "Fold",
        "Part",
        "Samples",
        "Cells",
        "Groups",
        "Apoptosis",
        "Mitosis",
        "Share a recording with training",
        "Share a lineage with training",
        "Share a sister with training",
    )
    assert table.rows[0] == ("0", "train", "6", "6", "3", "3", "3", "\u2013", "\u2013", "\u2013")
    assert table.rows[2] == ("0", "test", "6", "6", "3", "3", "3", "0", "\u2013", "\u2013")


def test_fates_are_counted_by_dose_in_rising_order():
    case = report_case().tables
    table = tables.tabulate_fates(case["cells"], case["recordings"])
    assert [row[0] for row in table.rows] == ["Control", "Low", "High", "all doses"]
    assert table.rows[-1] == ("all doses", "9", "9", "0", "18")


def test_one_dose_needs_no_sum():
    case = report_case().tables
    table = tables.tabulate_fates(case["cells"], case["recordings"].assign(dose="Unknown"))
    assert [row[0] for row in table.rows] == ["Unknown"]


def test_excluded_are_counted_by_reason():
    case = report_case().tables
    twice = case["samples_excluded"].loc[[0, 0]]
    assert tables.tabulate_excluded(twice, 10).rows == (("make_samples", "censored: no fate was seen", "2", "1"),)
    assert tables.tabulate_excluded(twice.head(0), 10).rows == ()


def test_findings_are_counted_by_check_with_an_example_and_errors_first():
    findings = report_case().tables["preflight_findings"]
    table = tables.tabulate_findings(findings)
    assert table.columns == ("Severity", "Check", "Findings", "Recordings", "For example")
    assert table.rows == (
        ("error", "Recording cannot be opened", "1", "1", "frame 3 of r9 has 2 channels, expected 3"),
        ("warning", "Jump in a track", "14", "2", "In recording 'r1' cell 7 moves 31.0 px a frame."),
    )


def test_findings_are_listed_with_file_and_cell_and_cut():
    findings = report_case().tables["preflight_findings"]
    table = tables.list_findings(findings, 2)
    assert table.left_out == 2
    assert table.rows[0][:5] == ("error", "r9", "\u2013", "\u2013", "\u2013")
    assert table.rows[1][:5] == ("warning", "r1", "r1/004.tif", "7", "4")


def test_the_sentence_counts_findings_and_their_recordings():
    case = report_case().tables
    words = tables.write_preflight(case["preflight_findings"], case["preflight_summary"])
    assert words == "Found here: 1 error in 1 and 14 warnings in 2 of 10 recordings."


def test_nothing_found_is_said():
    case = report_case().tables
    nothing = case["preflight_findings"].head(0)
    assert tables.tabulate_findings(nothing).rows == ()
    summary = case["preflight_summary"].assign(n_errors=0, n_warnings=0)
    assert tables.write_preflight(nothing, summary) == "Found here: 0 errors in 0 and 0 warnings in 0 of 10 recordings."
