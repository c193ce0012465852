"""Conditions compared: curves, halves, tests and dose responses of a handful of cells, and what cannot be told."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.metrics.condition_tests import permute_conditions
from cellfate.metrics.conditions import compare_conditions, list_watched, order_curves
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.wide_tables import list_group_shares, widen_curves
from cellfate.report.conditions import tell_conditions
from cellfate.statistics.dose_response import Curve, log_logistic

FOLLOW_UP, FEW = FollowUpSettings(), ScoreSettings(n_resamples=200)


def study(cells, recordings, **about):
    """Tables of (recording, first frame, last frame, fate) and {recording: (condition, dose, group)}; hourly frames."""
    table = pd.DataFrame(cells, columns=["recording_id", "first_frame", "last_frame", "fate"])
    groups = {name: group for name, (_, _, group) in recordings.items()}
    ends = table["last_frame"].where(table["fate"].isin(["apoptosis", "mitosis"]))
    table = table.assign(cell_id=range(len(table)), event_frame=ends.astype("Int64"))
    table["group_id"] = table["recording_id"].map(groups)
    rows = [(name, condition, dose) for name, (condition, dose, _) in recordings.items()]
    about = {"n_frames": 11, "frame_interval_min": 60.0, **about}
    return table, pd.DataFrame(rows, columns=["recording_id", "condition", "dose"]).assign(**about)


def one_well_each(**about):
    cells = [
        ("a", 0, 2, "apoptosis"), ("a", 0, 4, "mitosis"), ("a", 2, 6, "apoptosis"), ("a", 0, 10, "censored"),
        ("b", 0, 5, "mitosis"), ("b", 0, 10, "censored"), ("b", 0, 3, "unscored"), ("b", 4, 4, "censored"),
    ]  # fmt: skip
    return study(cells, {"a": ("drug", "High", "a"), "b": ("vehicle", "Control", "b")}, **about)


def by_curve(table, curve, outcome):
    return table[(table["curve"] == curve) & (table["outcome"] == outcome)]


def test_curves_with_delayed_entry_and_hours_until_half_by_hand():
    incidence, summary, response = compare_conditions(*one_well_each(), FOLLOW_UP, FEW)
    died = by_curve(incidence, "High", "apoptosis").set_index("time_h")
    # High: one of 3 dies at 2 h; the late cell is at risk from 2 h on: of 3, one divides at 4 h; of 2, one dies at 6 h.
    assert died["incidence"].to_dict() == pytest.approx(
        {0: 0, 2: 1 / 3, 4: 1 / 3, 6: 1 / 3 + 2 / 3 * 2 / 3 / 2, 10: 5 / 9}
    )
    assert died["n_at_risk"].tolist() == [3, 3, 3, 2, 1]
    assert incidence["curve"].unique().tolist() == ["Control", "High"]
    found = summary.set_index(["curve", "outcome"])
    assert found.loc[("High", "apoptosis"), ["by_h", "half_h", "n_events", "n_cells"]].tolist() == [10, 6, 2, 4]
    assert found.loc[("High", "apoptosis"), "reason"] == "no interval: one group holds the event"
    assert found.loc[("Control", "mitosis"), ["incidence", "half_h"]].tolist() == [0.5, 5]
    never = found.loc[("Control", "apoptosis")]
    assert (never["incidence"], never["n_events"], never["reason"]) == (0, 0, "no cell met it")
    assert np.isnan(never["half_h"])
    assert response.empty


def test_hours_count_from_the_treatment_where_it_is_known_of_all():
    watched = list_watched(*one_well_each(treatment_h=3.0))
    assert watched["since"].unique().tolist() == ["treatment"]
    assert watched[["entry_h", "end_h"]].to_numpy().tolist() == [[0, 1], [0, 3], [0, 7], [0, 2], [0, 7]]
    assert watched["watchable_h"].unique().tolist() == [7]
    cells, recordings = one_well_each(treatment_h=3.0)
    recordings.loc[0, "treatment_h"] = np.nan
    assert list_watched(cells, recordings)["since"].unique().tolist() == ["first frame"]


def test_a_dose_of_several_conditions_is_named_with_them():
    recordings = {"a": ("drug", "1 uM", "a"), "b": ("other", "1 uM", "b"), "c": ("none", "0 uM", "c")}
    watched = list_watched(*study([(name, 0, 5, "mitosis") for name in "abc"], recordings))
    assert order_curves(watched) == ["none, 0 uM", "drug, 1 uM", "other, 1 uM"]


def test_one_group_a_condition_is_not_tested_and_says_why():
    tests = permute_conditions(*one_well_each(), FOLLOW_UP, FEW)
    assert tests["p_value"].isna().all()
    assert tests["reason"].unique().tolist() == [
        "no two ways to deal the groups out differ, as where each condition is one group"
    ]
    assert tests["p_of_cells"].between(0, 1).all()
    _, summary, response = compare_conditions(*one_well_each(), FOLLOW_UP, FEW)
    assert "apoptosis cannot be told (no two ways" in tell_conditions(summary, tests, response).sentences[0]


def wells(n_wells, deaths):
    """So many wells of 5 cells a dose; the first `deaths[dose]` of each die, one an hour, the others go on."""
    recordings = {f"{dose}{n}": ("drug", dose, f"{dose}{n}") for dose in deaths for n in range(n_wells)}
    cells = [
        (name, 0, cell + 1 if cell < deaths[dose] else 10, "apoptosis" if cell < deaths[dose] else "censored")
        for name, (_, dose, _) in recordings.items()
        for cell in range(5)
    ]
    return study(cells, recordings)


@pytest.mark.parametrize(("n_wells", "least"), [(2, 1 / 3), (3, 0.1), (4, 1 / 35)])
def test_few_wells_bound_the_p_value(n_wells, least):
    """Of C(2n, n) ways to choose the wells of a dose, two part them alike: all high ones together."""
    (row,) = permute_conditions(*wells(n_wells, {"Control": 1, "High": 4}), FOLLOW_UP, FEW).to_dict("records")
    assert (row["p_value"], row["least_p"]) == (pytest.approx(least), pytest.approx(least))
    assert row["exact"]
    assert row["compared"] == "High"
    assert (row["reason"] == f"with so few groups p is never below {least:.2f}") == (least > 0.05)
    assert row["p_of_cells"] < least


def test_pairs_are_held_against_untreated_cells_and_corrected():
    tests = permute_conditions(*wells(4, {"High": 4, "Control": 1, "Low": 2}), FOLLOW_UP, FEW).set_index("compared")
    assert tests.index.tolist() == ["all", "Low", "High"]
    assert tests["reference"].tolist()[1:] == ["Control", "Control"]
    assert tests["p_value"].to_list()[1:] == pytest.approx([1 / 35, 1 / 35])
    assert tests["p_corrected"].to_list()[1:] == pytest.approx([2 / 35, 2 / 35])
    assert not tests.loc["all", "exact"]  # 12! / (4! 4! 4!) = 34,650 ways
    assert tests.loc["all", ["n_assignments", "df"]].tolist() == [201, 2]


def test_days_that_hold_all_doses_are_dealt_out_within_each_day():
    cells, recordings = wells(4, {"Control": 1, "High": 4})
    days = cells.assign(group_id=cells["recording_id"].str[-1])
    (row,) = permute_conditions(days, recordings, FOLLOW_UP, FEW).to_dict("records")
    assert (row["n_assignments"], row["n_units"], row["p_value"]) == (16, 8, 2 / 16)
    lineages = cells.assign(group_id=[f"{name}:{n}" for n, name in enumerate(cells["recording_id"])])
    (row,) = permute_conditions(lineages, recordings, FOLLOW_UP, FEW).to_dict("records")
    assert row["n_units"] == 8  # lineages of a well have the well in common


def test_a_dose_response_is_recovered_and_its_interval_holds_the_truth():
    rng, planted = np.random.default_rng(3), Curve(0.1, 0.9, 1.0, 1.5)
    doses = {"DMSO": 0.0, "100 nM": 0.1, "300 nM": 0.3, "1 uM": 1.0, "3 uM": 3.0, "10 uM": 10.0}
    recordings = {f"{dose} {n}": (dose, dose, f"{dose} {n}") for dose in doses for n in range(4)}
    cells = [
        (name, 0, *((int(rng.integers(1, 10)), "apoptosis") if rng.random() < share else (10, "censored")))
        for name, (_, dose, _) in recordings.items()
        for share in [log_logistic([doses[dose]], planted)[0]] * 60
    ]
    _, summary, response = compare_conditions(*study(cells, recordings), FOLLOW_UP, FEW)
    (row,) = response.to_dict("records")
    assert (row["condition"], row["unit"], row["n_doses"], row["n_groups"]) == ("all", "uM", 6, 4)
    assert row["half_low"] < 1.0 < row["half_high"]
    assert row["half_dose"] == pytest.approx(1.0, rel=0.35)
    assert (row["bottom"], row["top"]) == (pytest.approx(0.1, abs=0.06), pytest.approx(0.9, abs=0.11))
    three = study(cells, recordings)[1].query("dose in ['DMSO', '1 uM', '10 uM']")
    assert compare_conditions(study(cells, recordings)[0], three, FOLLOW_UP, FEW)[2].empty
    assert (
        tell_conditions(summary, permute_conditions(*study(cells, recordings), FOLLOW_UP, FEW), response).tables[2].rows
    )


def test_an_effect_that_begins_beyond_the_doses_has_no_half_way_dose():
    cells, recordings = wells(2, {"DMSO": 1, "1 nM": 1, "3 nM": 1, "10 nM": 1, "30 nM": 2})
    (row,) = compare_conditions(cells, recordings, FOLLOW_UP, FEW)[2].to_dict("records")
    assert np.isnan(row["half_dose"])
    assert row["reason"] == "half of the effect lies beyond the doses that were given"


@pytest.mark.parametrize("dose", ["Unknown", "none", "10 uM", "High"])
def test_one_condition_is_not_compared_and_the_report_says_so(dose):
    cells, recordings = one_well_each()
    one = recordings.assign(condition="drug", dose=dose)
    tests = permute_conditions(cells, one, FOLLOW_UP, FEW)
    incidence, summary, response = compare_conditions(cells, one, FOLLOW_UP, FEW)
    assert tests.empty
    assert response.empty
    assert incidence["curve"].unique().tolist() == [dose]
    (said,) = tell_conditions(summary, tests, response).sentences
    assert said == f"Conditions are not compared: all cells are of one, {dose}."


def test_without_an_event_nothing_is_compared():
    cells, recordings = one_well_each()
    alive = cells.assign(fate="censored", event_frame=pd.NA).astype({"event_frame": "Int64"})
    tables = compare_conditions(alive, recordings, FOLLOW_UP, FEW)
    assert [len(table) for table in tables] == [0, 0, 0]
    assert permute_conditions(alive, recordings, FOLLOW_UP, FEW).empty
    assert list_group_shares(alive, recordings, FOLLOW_UP).empty
    assert widen_curves(tables[0]).empty
    (said,) = tell_conditions(tables[1], permute_conditions(alive, recordings, FOLLOW_UP, FEW), tables[2]).sentences
    assert said == "Conditions are not compared: no cell met an event that is shown."


def test_lineages_of_one_recording_share_a_column():
    cells, recordings = wells(2, {"Control": 1, "High": 4})
    of_families = cells.assign(group_id=cells["recording_id"] + ":" + cells["cell_id"].astype(str))
    found, expected = (list_group_shares(table, recordings, FOLLOW_UP) for table in (of_families, cells))
    pd.testing.assert_frame_equal(found, expected)


def test_conditions_of_one_dose_are_called_by_their_own_names():
    cells, recordings = wells(2, {"Control": 1, "High": 4})
    recordings = recordings.assign(condition=recordings["dose"], dose="Unknown")
    assert set(compare_conditions(cells, recordings, FOLLOW_UP, FEW)[0]["curve"]) == {"Control", "High"}


def test_wide_tables_hold_every_curve_and_every_group():
    cells, recordings = wells(2, {"Control": 1, "High": 4})
    recordings.loc[recordings["dose"] == "High", "n_frames"] = 9
    incidence, _, _ = compare_conditions(cells, recordings, FOLLOW_UP, FEW)
    wide = widen_curves(incidence).set_index("time_h")
    assert wide.columns.tolist()[:3] == [f"apoptosis: Control{end}" for end in ("", " low", " high")]
    assert wide["apoptosis: High"].dropna().to_dict() == pytest.approx({0: 0, 1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8, 8: 0.8})
    assert wide["apoptosis: Control"].to_dict() == pytest.approx({0: 0, **dict.fromkeys([1, 2, 3, 4, 8, 10], 0.2)})
    shares = list_group_shares(cells, recordings, FOLLOW_UP).set_index("dose")
    assert shares[["by_h", "group_1", "group_2"]].to_numpy().tolist() == [
        [8, 0.2, 0.2],
        [8, pytest.approx(0.8), pytest.approx(0.8)],
    ]
