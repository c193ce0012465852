"""What the report says of both sides of a split, and of sisters."""

import re

import pandas as pd
import pytest

from cellfate.cohort import sisters
from cellfate.report import leaks
from tests.cases.report_tables import make_concordance, make_leakage


@pytest.mark.parametrize(("shared", "words"), [
    ({}, "None of 18 test cells shares a recording, or anything else"),
    ({"recording": 18}, "18 of 18 test cells come from a recording .* none from a lineage .* another recording"),
    ({"recording": 18, "group": 18, "lineage": 9, "sister": 5}, "^5 of 18 test cells share a sister .* are too good"),
    ({"recording": 18, "group": 18}, "^18 of 18 test cells share a group"),
    ({"recording": 18, "mother": 2}, "^2 of 18 test cells share a mother or daughter"),
])  # fmt: skip
def test_the_gravest_that_is_shared_is_named(shared: dict[str, int], words: str) -> None:
    assert re.search(words, leaks.write_leakage(make_leakage(**shared)))


def test_folds_are_counted_together_and_what_is_not_known_is_a_dash() -> None:
    two = pd.concat([make_leakage(sister=4), make_leakage(sister=1).assign(fold=1)])
    unknown = two.assign(n_known=two["n_known"].where(two["shared"] != "lineage", 0))
    rows = {row[0]: row[1:] for row in leaks.tabulate_leakage(unknown).rows}
    assert rows["sister"] == ("5", "32", "16 %")
    assert rows["recording"] == ("0", "36", "0 %")
    assert rows["lineage"] == ("\u2013", "0", "\u2013")


def test_sisters_are_told_with_what_the_split_does_to_them() -> None:
    said = leaks.write_sisters(make_concordance(), make_leakage())
    assert "Of 20 pairs of sisters that were both followed to an event, 90 % met the same fate" in said
    assert "at random would in 60 % (p < 0.001)" in said
    assert "Of 18 pairs that met one fate, the hours to it differ by 2.0 on average, by 2.4 if paired at random" in said
    assert said.endswith("so it matters that no test cell has one in training or validation, as here.")
    assert leaks.write_sisters(make_concordance(), make_leakage(sister=3)).endswith("split by lineage or recording.")
    unlike = make_concordance(p_same=0.3)
    assert leaks.write_sisters(unlike, make_leakage()).endswith("the split keeps them together all the same.")
    assert leaks.write_sisters(unlike, make_leakage(sister=3)).endswith("than other cells of their recording.")
    unknown = make_concordance(reason=sisters.NO_PARENTS)
    assert leaks.write_sisters(unknown, make_leakage()) == (
        "Whether sisters end alike is not known: the tracks do not say who came from whom."
    )


def test_the_table_of_sisters_holds_what_was_measured() -> None:
    table = leaks.tabulate_sisters(make_concordance())
    assert table is not None
    assert [row[:7] for row in table.rows] == [
        ("Same fate (share of pairs)", "all doses", "0.90", "0.60", "0.50 to 0.70", "0.0005", "20"),
        ("Difference in time to the event (h)", "all doses", "2.00", "2.40", "1.80 to 3.00", "0.2000", "18"),
    ]
    assert leaks.tabulate_sisters(make_concordance(reason=sisters.NO_PARENTS)) is None
