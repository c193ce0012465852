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
