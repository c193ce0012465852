"""What the report says of transfer, from a table made up by a formula."""

import pandas as pd

from cellfate.report.transfer import describe_test, tabulate_transfer, write_transfer
from tests.cases.report_tables import make_leakage, report_case
from tests.cases.score_tables import HEADLINE_H, transfer


def test_each_event_gets_its_verdict_and_the_doses_where_it_fails() -> None:
    death, division = write_transfer(transfer(), "other recordings", HEADLINE_H)
    assert death == (
        "Forecasts of apoptosis within 5 h, by the blend of network and boosting, transfer to other recordings: "
        "observed over expected 1.00 (0.90 to 1.10) and calibration slope 1.00 (0.90 to 1.10). They do not at High."
    )
    assert division.startswith("Whether forecasts of mitosis within 5 h, by")
    assert "transfer to other recordings cannot be told: few (observed over expected 1.00" in division
    assert write_transfer(transfer().head(0), "other recordings", HEADLINE_H) == ()


def test_the_table_lists_every_predictor_once_and_the_leading_one_by_dose() -> None:
    table = tabulate_transfer(transfer(), HEADLINE_H)
    assert table is not None
    deaths = [row for row in table.rows if row[0] == "apoptosis"]
    assert [row[2] for row in deaths] == ["all doses"] * 5 + ["Control", "Low", "High"]
    assert {row[1] for row in deaths[5:]} == {"Blend"}
    assert deaths[-1][6] == "does not"
    assert tabulate_transfer(transfer().head(0), HEADLINE_H) is None


def test_it_is_said_to_what_cells_a_verdict_speaks() -> None:
    case = report_case().tables
    splits, follow_ups = case["splits"], case["follow_ups"]
    dose = splits["recording_id"].map({"r0": "Low", "r1": "Low", "r2": "Low"}).fillna("High")
    unseen = follow_ups.assign(dose=dose.to_numpy())
    assert describe_test(splits, unseen, make_leakage()) == "other recordings, of the dose High that did not train"
    one = pd.DataFrame(follow_ups).assign(dose="Low")
    assert describe_test(splits, one, make_leakage()) == "other recordings"
    assert describe_test(splits, one, make_leakage(recording=18)) == "other groups of cells of the same recordings"
