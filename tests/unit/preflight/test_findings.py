"""Findings of one sort are gathered, the worst first, and nothing that matters is hidden by what does not."""

import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.preflight.findings import CHECKS, gather_findings, list_findings, make_findings, order_cases


def gaps(name: str, *lengths: int) -> pd.DataFrame:
    return pd.DataFrame({"recording_id": name, "cell_id": range(len(lengths)), "value": [float(n) for n in lengths]})


def told(*names: str, check: str = "tracks") -> pd.DataFrame:
    return make_findings(
        check, pd.DataFrame({"recording_id": names, "finding": [f"In {name} it is so." for name in names]})
    )


def gather(*found: pd.DataFrame) -> pd.DataFrame:
    return tables.PreflightFindings.validate(gather_findings(order_cases(found)))


def test_forty_short_gaps_are_one_line_with_the_worst_and_hide_no_other():
    cases = gaps("a", *[1] * 40, 7)
    found = gather(list_findings(cases, "gap", "cell {cell_id} has {value:.0f}", 50), told("a", check="few_fates"))
    assert found["check"].tolist() == ["few_fates", "gap"]
    assert found["n_cases"].tolist() == [1, 41]
    assert found["finding"].tolist() == [
        "In a it is so.",
        "In recording 'a' cell 40 has 7 (the worst of 41 such cases in this recording).",
    ]
    assert (found["cell_id"].iloc[1], found["value"].iloc[1]) == (40, 7)


@pytest.mark.parametrize("max_rows", [1, 3, 50])
def test_cases_that_are_not_listed_one_by_one_are_counted(max_rows):
    listed = list_findings(gaps("a", 1, 2, 3, 4), "gap", "cell {cell_id}", max_rows)
    assert len(listed) == min(4, max_rows + 1)
    assert gather(listed)["n_cases"].tolist() == [4]
    assert "In recording 'a' cell 3 (the worst of 4" in gather(listed)["finding"].iloc[0]


def test_the_worst_may_be_the_smallest():
    found = gather(list_findings(gaps("a", 5, 2, 9), "focus", "{value:.0f}", 50, larger_is_worse=False))
    assert found["value"].tolist() == [2]


def test_recordings_stay_apart_and_those_with_more_cases_stand_first():
    cases = pd.concat([gaps("b", 1), gaps("a", 1, 1), gaps("c", 1, 1, 1)])
    found = gather(list_findings(cases, "gap", "cell {cell_id}", 50))
    assert found[["recording_id", "n_cases"]].to_numpy().tolist() == [["c", 3], ["a", 2], ["b", 1]]
    assert found["finding"].iloc[-1] == "In recording 'b' cell 0."


def test_findings_that_differ_in_kind_all_stay():
    facts = pd.concat([told("a", check="other_facts"), told("a", check="other_facts").assign(finding="Another.")])
    assert gather(facts, told("a"))["finding"].tolist() == ["In a it is so.", "In a it is so.", "Another."]


def test_errors_stand_first_and_every_check_has_its_place():
    found = gather(*[told("a", check=check) for check in reversed(CHECKS)])
    assert found["check"].tolist() == list(CHECKS)


def test_findings_of_the_whole_folder_have_no_recording():
    folder = make_findings("folder", pd.DataFrame({"finding": ["The folder is empty."]}))
    assert gather(folder)["finding"].tolist() == ["The folder is empty."]


def test_no_case_is_no_finding():
    assert gather().empty
