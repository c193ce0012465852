"""The table of temperatures."""

from cellfate.core.words import EMPTY
from cellfate.report.temperatures import tabulate_temperatures

FOUND = {
    "temperature": 1.5,
    "slope_before": 0.7,
    "slope_after": None,
    "log_loss_before": 0.5,
    "log_loss_after": 0.45678,
}


def test_every_member_is_listed_with_what_speaks_against():
    none = dict.fromkeys(FOUND)
    members = [
        {"fold": 0, "temperature": FOUND | {"n_groups": 6}},
        {"fold": 1, "temperature": none | {"reason": "it takes two groups, and there is one", "n_groups": 1}},
        {"fold": 2, "temperature": None},
        {"fold": 3},
    ]
    table = tabulate_temperatures(members)
    assert table.columns == (
        "Fold", "Temperature", "Slope before", "Slope after", "Log loss before", "Log loss after",
        "Validation groups", "Used",
    )  # fmt: skip
    assert table.rows == (
        ("0", "1.50", "0.70", EMPTY, "0.5000", "0.4568", "6", "yes"),
        ("1", EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, "1", "no: it takes two groups, and there is one"),
    )
    assert tabulate_temperatures(members[2:]) is None
