"""Observed incidence by hand: from each cell's first landmark, per dose, beside what was forecast of the same cells."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.nonparametric import kaplan_meier_estimator

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import DoseIncidence, ObservedIncidence
from cellfate.metrics import ScoreSettings
from cellfate.metrics.observed_incidence import compare_doses, list_first_landmarks, observe_incidence
from cellfate.statistics.aalen_johansen import aalen_johansen
from tests.unit.metrics.tables import FIVE_H, forecast, half_die, make_landmarks

FEW = ScoreSettings(n_resamples=200)
TWO_AND_FIVE_H = FollowUpSettings(report_h=(2.0, 5.0), headline_h=5.0)


def _landmarks(rows):
    """Regular landmarks as (cell, dose, group, frame, fate, hours to the end, hours to the recording's end)."""
    names = ["cell_id", "dose", "group_id", "last_frame", "fate", "time_h", "watchable_h"]
    columns = dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
    return make_landmarks(len(rows), **columns, recording_id="r", regular=True)


BY_HAND = [
    (1, "Low", "a", 5, "apoptosis", 1.0, 49.0),  # a later landmark of the same cell is not used
    (1, "Low", "a", 3, "apoptosis", 2.0, 50.0),
    (2, "Low", "a", 0, "mitosis", 2.0, 50.0),
    (3, "Low", "b", 0, "censored", 2.5, 50.0),
    (4, "Low", "b", 0, "apoptosis", 4.0, 50.0),
    (5, "High", "c", 0, "censored", 3.0, 50.0),
    (6, "High", "c", 0, "mitosis", 1.0, 50.0),
]


def _curve(table, dose, outcome):
    rows = table[(table["dose"] == dose) & (table["outcome"] == outcome)]
    return rows.set_index("time_h")


def test_curves_by_hand():
    table = ObservedIncidence.validate(observe_incidence(_landmarks(BY_HAND), FIVE_H, FEW))
    # Low: of 4 cells one dies and one divides at 2 h; one is lost at 2.5 h; the last dies at 4 h: 1/4 + 1/2 * 1.
    low = _curve(table, "Low", "apoptosis")
    assert low.index.tolist() == [0.0, 2.0, 4.0]
    assert low["incidence"].tolist() == pytest.approx([0, 1 / 4, 3 / 4])
    assert low["n_at_risk"].tolist() == [4, 4, 1]
    assert low[["n_cells", "n_groups"]].drop_duplicates().to_numpy().tolist() == [[4, 2]]
    assert _curve(table, "Low", "mitosis")["incidence"].tolist() == pytest.approx([0, 1 / 4, 1 / 4])
    assert _curve(table, "High", "apoptosis")["incidence"].tolist() == [0, 0]
    assert _curve(table, "High", "mitosis")["incidence"].tolist() == [0, 1 / 2]
    # All: 1/6 divide at 1 h; of 5 left 1/5 die and 1/5 divide at 2 h; 3 left, two are lost, the last dies at 4 h.
    assert _curve(table, "all", "mitosis")["incidence"].tolist() == pytest.approx([0, 1 / 6, 1 / 3, 1 / 3])
    assert _curve(table, "all", "apoptosis")["incidence"].tolist() == pytest.approx([0, 0, 1 / 6, 2 / 3])
    assert table["dose"].unique().tolist() == ["all", "High", "Low"]


def test_intervals_draw_whole_groups():
    table = observe_incidence(_landmarks(BY_HAND), FIVE_H, FEW)
    # Low at 2 h, apoptosis: group a alone has 1 of 2, group b none of 2.
    assert _curve(table, "Low", "apoptosis").loc[2.0, ["low", "high"]].tolist() == [0.0, 0.5]
    assert _curve(table, "Low", "mitosis")[["low", "high"]].isna().all(axis=None)  # group a alone holds it
    assert _curve(table, "High", "mitosis")[["low", "high"]].isna().all(axis=None)  # one group has no spread


def test_with_half_of_the_cells_dying_and_only_divisions_shown_447_of_1000_have_divided():
    only = FIVE_H.model_copy(update={"events": ("mitosis",)})
    table = observe_incidence(half_die(), only, FEW)
    assert table["outcome"].unique().tolist() == ["mitosis"]
    curve = _curve(table, "all", "mitosis")["incidence"]
    assert curve.index.tolist() == [0.0, 1.0, 3.0, 8.5]  # times of divisions
    assert curve.tolist() == pytest.approx([0, 0.1, 0.447, 0.5], abs=1e-12)  # .684 at 3 h, were dying ones lost


def test_cells_that_are_first_asked_late_enter_at_hour_0_of_their_own_so_that_nothing_is_truncated():
    """Kaplan-Meier with entry gives the same on the cells' own clock, and something else on that of the recording."""
    rng = np.random.default_rng(3)
    n, guard_h, recording_h = 400, 1.0, 60.0
    asked_h = rng.uniform(0, 50, n).round(1)
    die_h, divide_h = (np.ceil(guard_h * 10 + 10 * rng.exponential(mean_h, n)) / 10 for mean_h in (40, 25))
    watchable_h = (recording_h - asked_h).round(1)
    time_h = np.minimum(np.minimum(die_h, divide_h), watchable_h)
    dies, divides = (die_h < divide_h) & (die_h <= watchable_h), (divide_h <= die_h) & (divide_h <= watchable_h)
    fate = np.select([dies, divides], ["apoptosis", "mitosis"], "censored")
    rows = zip(range(n), ["Low"] * n, [f"g{i % 9}" for i in range(n)], [0] * n, fate, time_h, watchable_h, strict=True)
    table = observe_incidence(_landmarks(list(rows)), FIVE_H, FEW).query("dose == 'all'")
    happened = fate != "censored"

    free = 1 - table.groupby("time_h")["incidence"].sum()
    for entered_h in (None, np.full(n, guard_h)):  # nothing can end a cell that has a landmark before the guard is over
        at_h, expected = kaplan_meier_estimator(happened, time_h, entered_h)
        place = np.searchsorted(at_h, free.index[1:])
        np.testing.assert_allclose(at_h[place], free.index[1:])
        np.testing.assert_allclose(free.iloc[1:], expected[place], atol=1e-12)
    assert len(free) > 50

    clock_h = asked_h + time_h
    by_clock = [kaplan_meier_estimator(happened, clock_h, entered_h) for entered_h in (None, asked_h)]
    without, with_entry = (chance[np.searchsorted(at_h, 20.0)] for at_h, chance in by_clock)
    assert without - with_entry > 0.1


def test_incidence_of_exactly_one_passes_whatever_the_rounding():
    # All cells of every dose have the event; the sums of floats pass 1 by their rounding in a third of such groups.
    rng = np.random.default_rng(0)
    rows = [
        (1000 * dose + i, f"d{dose}", f"g{i % 2}", 0, "mitosis", float(time_h), 99.0)
        for dose in range(50)
        for i, time_h in enumerate(rng.integers(1, 12, rng.integers(2, 40)))
    ]
    table = ObservedIncidence.validate(observe_incidence(_landmarks(rows), FIVE_H, ScoreSettings(n_resamples=100)))
    assert table["incidence"].max() <= 1
    assert table.groupby("dose")["incidence"].max().tolist() == pytest.approx([1] * 51)
    assert table["high"].max() <= 1


def test_last_landmarks_and_unscored_cells_are_not_counted():
    landmarks = _landmarks(BY_HAND)
    last = landmarks.iloc[[1]].assign(last_frame=0, regular=False, last=True)
    unscored = landmarks.iloc[[2]].assign(cell_id=99, fate="unscored", time_h=50.0)
    table = observe_incidence(pd.concat([last, unscored, landmarks]), FIVE_H, FEW)
    pd.testing.assert_frame_equal(table, observe_incidence(landmarks, FIVE_H, FEW))


def test_curves_of_many_times_are_thinned_and_keep_their_ends():
    n = 500
    rows = [(i, "Low", f"g{i % 7}", 0, "mitosis", 1.0 + i / 10, 99.0) for i in range(n)]
    curve = _curve(observe_incidence(_landmarks(rows), FIVE_H, FEW), "Low", "mitosis")
    assert len(curve) == 200
    assert curve.index[[0, -1]].tolist() == pytest.approx([0.0, 1.0 + (n - 1) / 10])
    # Nobody is lost: the curve is the share of cells.
    np.testing.assert_allclose(curve["incidence"], [np.mean(1.0 + np.arange(n) / 10 <= t + 1e-6) for t in curve.index])


def test_without_landmarks_there_are_no_curves():
    assert observe_incidence(_landmarks(BY_HAND).iloc[:0], FIVE_H, FEW).empty


def _incidence(p, predictor="network", within_h=5.0, frames=None, part="test", fold=0):
    """Forecasts {cell: (apoptosis, mitosis)} at the first landmark of BY_HAND."""
    frames = frames or {1: 3}
    return pd.DataFrame(
        {
            "predictor": predictor,
            "fold": fold,
            "part": part,
            "recording_id": "r",
            "cell_id": list(p),
            "frame": [frames.get(cell, 0) for cell in p],
            "within_h": within_h,
            "p_apoptosis": [a for a, _ in p.values()],
            "p_mitosis": [m for _, m in p.values()],
            "p_none": [1 - a - m for a, m in p.values()],
        }
    )


def test_doses_by_hand():
    p = {1: (0.9, 0.0), 2: (0.1, 0.8), 3: (0.3, 0.2), 4: (0.5, 0.1), 5: (0.2, 0.4), 6: (0.0, 1.0)}
    incidence = _incidence(p)
    later = _incidence({1: (0.7, 0.3)}, frames={1: 5})  # not the first landmark
    unseen = _incidence({1: (0.7, 0.3)}, part="validation", fold=1)
    incidence = pd.concat([incidence, later, unseen])
    table = DoseIncidence.validate(compare_doses(incidence, _landmarks(BY_HAND), FIVE_H, FEW))
    assert table["dose"].tolist() == ["all"] * 2 + ["High"] * 2 + ["Low"] * 2
    low = table[table["dose"] == "Low"].set_index("outcome")
    assert low["forecast"].to_dict() == pytest.approx({"apoptosis": 1.8 / 4, "mitosis": 1.1 / 4})
    assert low["observed"].to_dict() == pytest.approx({"apoptosis": 3 / 4, "mitosis": 1 / 4})
    assert low.loc["apoptosis", ["low", "high", "n_cells", "n_groups"]].tolist() == [0.5, 1.0, 4, 2]
    assert low.loc["mitosis", ["low", "high"]].isna().all()  # seen in one group only
    everything = table[table["dose"] == "all"].set_index("outcome")
    assert everything["forecast"].to_dict() == pytest.approx({"apoptosis": 2.0 / 6, "mitosis": 2.5 / 6})
    assert everything["observed"].to_dict() == pytest.approx({"apoptosis": 2 / 3, "mitosis": 1 / 3})


def test_doses_with_half_of_the_cells_dying_and_only_divisions_shown():
    only = FIVE_H.model_copy(update={"events": ("mitosis",)})
    landmarks = half_die()
    right = forecast(landmarks, np.tile([0.365, 0.447], (1000, 1, 1)), only)
    everything, control = compare_doses(right, landmarks, only, FEW).to_dict("records")
    assert (everything["forecast"], everything["observed"]) == pytest.approx((0.447, 0.447), abs=1e-12)
    assert control["outcome"] == "mitosis"


def test_each_horizon_counts_the_cells_whose_recording_goes_on_until_then():
    rows = [
        (1, "Low", "a", 0, "apoptosis", 2.0, 4.5),
        (2, "Low", "a", 0, "censored", 4.0, 5.0),
        (3, "Low", "b", 0, "censored", 6.0, 6.0),
    ]
    p = {1: (0.9, 0.0), 2: (0.3, 0.0), 3: (0.0, 0.0)}
    incidence = pd.concat([_incidence(p, within_h=2.0, frames={9: 9}), _incidence(p, frames={9: 9})])
    table = compare_doses(incidence, _landmarks(rows), TWO_AND_FIVE_H, FEW)
    died = table[(table["outcome"] == "apoptosis") & (table["dose"] == "Low")].set_index("within_h")
    assert died["n_cells"].tolist() == [3, 2]
    assert died["forecast"].tolist() == pytest.approx([0.4, 0.15])
    assert died["observed"].tolist() == pytest.approx([1 / 3, 0])  # the event at the very hour counts


def test_predictors_stand_in_their_order_each_beside_its_own_cells():
    everyone = dict.fromkeys(range(1, 7), (0.5, 0.5))
    low_only = dict.fromkeys(range(1, 5), (0.2, 0.2))
    tables = [_incidence(everyone), _incidence(everyone, "blend"), _incidence(low_only, "dose")]
    table = compare_doses(pd.concat(tables), _landmarks(BY_HAND), FIVE_H, FEW)
    assert table["predictor"].unique().tolist() == ["network", "blend", "dose"]
    everything = table[(table["dose"] == "all") & (table["outcome"] == "mitosis")].set_index("predictor")
    assert everything["n_cells"].to_dict() == {"network": 6, "blend": 6, "dose": 4}
    assert everything["observed"].to_dict() == pytest.approx({"network": 1 / 3, "blend": 1 / 3, "dose": 1 / 4})


def test_a_cell_forecast_by_two_folds_is_an_error():
    incidence = pd.concat([_incidence({1: (0.5, 0.5)}), _incidence({1: (0.5, 0.5)}, fold=1)])
    with pytest.raises(InputError, match="within 5 h, forecasts landmark 'r:1:3' in more than one test part"):
        compare_doses(incidence, _landmarks(BY_HAND), FIVE_H, FEW)


@st.composite
def _many(draw):
    n = draw(st.integers(1, 12))
    fates = st.sampled_from(["apoptosis", "mitosis", "censored"])
    return [
        (i, draw(st.sampled_from(["Low", "High"])), f"g{i % 3}", 0, draw(fates), draw(st.integers(1, 9)) / 3, 9.0)
        for i in range(n)
    ]


@settings(max_examples=30, deadline=None)
@given(rows=_many(), seed=st.integers(0, 100))
def test_curves_are_aalen_johansen_and_do_not_depend_on_the_order_of_rows(rows, seed):
    landmarks = _landmarks(rows)
    table = observe_incidence(landmarks, FIVE_H, ScoreSettings(n_resamples=100))
    numbers = {"censored": 0, "apoptosis": 1, "mitosis": 2}
    times, ends = [row[5] for row in rows], [numbers[row[4]] for row in rows]
    for number, event in enumerate(("apoptosis", "mitosis")):
        if event not in {row[4] for row in rows}:
            assert event not in set(table["outcome"])
            continue
        curve = _curve(table, "all", event)
        np.testing.assert_allclose(curve["incidence"], aalen_johansen(times, ends, 2, curve.index)[0, :, number])
        assert curve["incidence"].is_monotonic_increasing
    mixed = landmarks.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(observe_incidence(mixed, FIVE_H, ScoreSettings(n_resamples=100)), table)
    pd.testing.assert_frame_equal(list_first_landmarks(mixed), list_first_landmarks(landmarks))
