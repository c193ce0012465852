"""What is known of mothers and sisters, by hand."""

import pandas as pd

from cellfate.cohort.families import describe_families

RECORDINGS = pd.DataFrame({"recording_id": ["a", "b"], "frame_interval_min": [30.0, 20.0]})
"""A grandmother 1 (born before the recording), her daughters 2 and 3; 2 divides into 4 and 5; 6 has three daughters."""
CELLS = pd.DataFrame(
    [
        ("a", 1, None, 0, 9, "mitosis", 10),
        ("a", 2, 1, 10, 49, "mitosis", 50),
        ("a", 3, 1, 10, 39, "apoptosis", 40),
        ("a", 4, 2, 50, 90, "censored", None),
        ("a", 5, 2, 50, 70, "unscored", None),
        ("a", 6, None, 0, 5, "mitosis", 6),
        *(("a", cell, 6, 6, 20, "censored", None) for cell in (7, 8, 9)),
        ("b", 2, 1, 0, 3, "censored", None),
    ],
    columns=["recording_id", "cell_id", "parent_id", "first_frame", "last_frame", "fate", "event_frame"],
).astype({"parent_id": "Int64", "event_frame": "Int64"})


def family(cell_id: int, recording_id: str = "a") -> list:
    found = describe_families(CELLS, RECORDINGS).set_index(["recording_id", "cell_id"]).loc[(recording_id, cell_id)]
    return [None if pd.isna(value) else value for value in found]


def test_a_sister_is_told_by_how_she_ended() -> None:
    assert family(2)[1:] == ["apoptosis", 40]
    assert family(3)[1:] == ["mitosis", 50]
    assert family(4)[1:] == ["unscored", 70]
    assert family(5)[1:] == ["censored", 90]


def test_a_cycle_is_that_of_a_mother_seen_from_birth_to_mitosis() -> None:
    assert family(4)[0] == 20.0  # frames 10 to 50 of 30 min
    assert family(2)[0] is None  # nobody saw the grandmother's birth


def test_who_has_no_parent_or_two_sisters_or_a_namesake_elsewhere_has_no_known_family() -> None:
    assert family(1) == [None] * 3
    assert family(7) == [None] * 3
    assert family(2, "b") == [None] * 3


def test_every_cell_has_its_row_in_order() -> None:
    found = describe_families(CELLS, RECORDINGS)
    pd.testing.assert_frame_equal(found[["recording_id", "cell_id"]], CELLS[["recording_id", "cell_id"]])
    assert describe_families(CELLS.drop(columns="parent_id"), RECORDINGS)["sister_fate"].isna().all()
