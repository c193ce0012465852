"""The context of a landmark, by hand; nothing of the sister is told before the guard has passed for her too."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.features.context import Context, describe_context
from cellfate.features.settings import ContextSettings

NOTHING = pd.DataFrame({"recording_id": [], "cell_id": [], "frame": [], "n_neighbors": []})


def landmark(last_frame: int = 20, **columns: object) -> dict[str, object]:
    usual = {"recording_id": "a", "cell_id": 1, "first_frame": 4, "last_frame": last_frame, "frame_interval_min": 30.0}
    return usual | {"dose": "Control", "treatment_h": np.nan, "mother_cycle_h": np.nan} | columns


def told(names: tuple[str, ...], *rows: dict[str, object], features: pd.DataFrame = NOTHING, **context: object):
    index = pd.Index(range(7, 7 + len(rows)))
    table = describe_context(pd.DataFrame(list(rows), index=index), features, Context(names, **context))
    assert table.index.equals(index)
    assert (table.dtypes == np.float64).all()
    return table


def test_times_are_hours_at_the_landmark():
    table = told(("treatment_time", "recording_time", "age"), landmark(treatment_h=12.0), landmark(10, first_frame=0))
    assert list(table) == ["treated_h", "recording_h", "age_h", "born_in_view"]
    assert table.iloc[0].tolist() == [-2.0, 10.0, 8.0, 1.0]
    assert table.iloc[1].fillna(-9).tolist() == [-9, 5.0, 5.0, 0.0]


@pytest.mark.parametrize(
    ("doses", "asked", "expected"),
    [
        (("Control", "2 uM", "10 uM"), ["Control", "500 nM", "10 uM", "High", "3 Gy"], [0, 5e-7, 1e-5, np.nan, np.nan]),
        (("0", "2", "10"), ["0", "5"], [0, 5]),
    ],
)
def test_doses_that_are_amounts_are_numbers(doses, asked, expected):
    table = told(("dose",), *(landmark(dose=dose) for dose in asked), doses=doses)
    assert list(table) == ["dose_amount"]
    assert table["dose_amount"].to_numpy() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("doses", [("High", "Control"), ("2 uM", "3 Gy"), ("2 uM", "High")])
def test_other_doses_are_told_by_which_it_is_a_dose_never_trained_on_by_none(doses):
    table = told(("dose",), *(landmark(dose=dose) for dose in (*doses, "new")), doses=doses)
    assert set(table) == {f"dose_{dose}" for dose in doses}
    assert table[[f"dose_{dose}" for dose in doses]].to_numpy().tolist() == [[1, 0], [0, 1], [0, 0]]


def test_neighbours_are_those_of_the_last_frame():
    frames = pd.DataFrame({"recording_id": "a", "cell_id": 1, "frame": [19, 20, 21], "n_neighbors": [9.0, 3.0, 8.0]})
    table = told(("crowding",), landmark(20), landmark(22), features=frames)
    assert table["neighbors"].to_numpy() == pytest.approx([3, np.nan], nan_ok=True)


SISTER = ["sister_alive", "sister_divided_h", "sister_died_h"]


@pytest.mark.parametrize(
    ("fate", "end", "at", "expected"),
    [
        ("mitosis", 20, 21, [1, np.nan, np.nan]),  # the guard of 2 frames has not passed: she may as well be alive
        ("mitosis", 20, 22, [0, 1.0, np.nan]),
        ("apoptosis", 20, 30, [0, np.nan, 5.0]),
        ("mitosis", 40, 30, [1, np.nan, np.nan]),  # later than the landmark
        ("censored", 28, 30, [1, np.nan, np.nan]),
        ("censored", 27, 30, [np.nan] * 3),  # lost before
        ("unscored", 40, 30, [1, np.nan, np.nan]),
        (None, pd.NA, 30, [np.nan] * 3),
    ],
)
def test_a_sister_is_known_as_she_stood_a_guard_before(fate, end, at, expected):
    row = landmark(at, sister_fate=fate, sister_end_frame=end)
    assert told(("sister",), row, guard_h=1.0)[SISTER].iloc[0].to_numpy() == pytest.approx(expected, nan_ok=True)


def test_what_a_sister_does_later_changes_nothing():
    """Her event within the guard, or afterwards, and no event at all look alike."""
    rows = [landmark(30, sister_fate=fate, sister_end_frame=end) for fate, end in
            (("mitosis", 29), ("apoptosis", 30), ("mitosis", 55), ("censored", 60))]  # fmt: skip
    table = told(("sister",), *rows, guard_h=1.0)
    assert (table.fillna(-1) == table.fillna(-1).iloc[0]).all(axis=None)


def test_tables_of_earlier_versions_know_no_family_and_no_treatment():
    row = {key: value for key, value in landmark().items() if key not in ("treatment_h", "mother_cycle_h")}
    assert told(("mother", "sister", "treatment_time"), row).isna().all(axis=None)


def test_no_name_is_no_column_and_a_name_stands_once():
    assert told((), landmark()).shape == (1, 0)
    with pytest.raises(ValidationError, match="repeats one"):
        ContextSettings(names=("age", "age"))
