"""Observed incidence by hand: from each cell's first landmark, per dose, beside what was forecast of the same cells."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import DoseIncidence, ObservedIncidence
from cellfate.metrics import ScoreSettings
from cellfate.metrics.observed_incidence import compare_doses, list_first_landmarks, observe_incidence
from cellfate.statistics.aalen_johansen import aalen_johansen
from tests.unit.metrics.follow_up_tables import FIVE_H

FEW = ScoreSettings(n_resamples=200)
TWO_AND_FIVE_H = FollowUpSettings(report_h=(2.0, 5.0), headline_h=5.0)


def _landmarks(rows):
    """Landmarks as (cell, dose, group, frame, fate, hours to the end, hours to the recording's end)."""
    columns = ["cell_id", "dose", "group_id", "last_frame", "fate", "time_h", "watchable_h"]
    table = pd.DataFrame(rows, columns=columns).assign(recording_id="r")
    return table.assign(sample_id=[f"r:{c}:{f}" for c, f in zip(table["cell_id"], table["last_frame"], strict=True)])


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
    # Low at 2 h, mitosis: group a alone has 1 of 2, group b none of 2.
    assert _curve(table, "Low", "mitosis").loc[2.0, ["low", "high"]].tolist() == [0.0, 0.5]
    assert _curve(table, "High", "mitosis")[["low", "high"]].isna().all(axis=None)  # one group has no spread


def test_a_cell_that_ends_in_an_event_that_is_not_forecast_was_lost():
    only = FollowUpSettings(events=("apoptosis",), report_h=(5.0,))
    table = observe_incidence(_landmarks(BY_HAND[:5]), only, FEW)
    # One of 4 dies at 2 h, one divides then (lost), one is lost, one dies: 1/4 + 3/4 * 1.
    assert _curve(table, "Low", "apoptosis")["incidence"].tolist() == pytest.approx([0, 1 / 4, 1.0])
    assert table["outcome"].unique().tolist() == ["apoptosis"]


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


def _incidence(p, predictor="clock", within_h=5.0, frames=None, part="test", fold=0):
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
        }
    )


def _none(table):
    return table.iloc[:0]


def test_doses_by_hand():
    p = {1: (0.9, 0.0), 2: (0.1, 0.8), 3: (0.3, 0.2), 4: (0.5, 0.1), 5: (0.2, 0.4), 6: (0.0, 1.0)}
    incidence = _incidence(p)
    later = _incidence({1: (0.7, 0.7)}, frames={1: 5})  # not the first landmark
    unseen = _incidence({1: (0.7, 0.7)}, part="validation", fold=1)
    incidence = pd.concat([incidence, later, unseen])
    table = DoseIncidence.validate(compare_doses(incidence, _none(incidence), _landmarks(BY_HAND), FIVE_H, FEW))
    assert table["dose"].tolist() == ["all"] * 2 + ["High"] * 2 + ["Low"] * 2
    low = table[table["dose"] == "Low"].set_index("outcome")
    assert low["forecast"].to_dict() == pytest.approx({"apoptosis": 1.8 / 4, "mitosis": 1.1 / 4})
    assert low["observed"].to_dict() == pytest.approx({"apoptosis": 3 / 4, "mitosis": 1 / 4})
    assert low.loc["mitosis", ["low", "high", "n_cells", "n_groups"]].tolist() == [0.0, 0.5, 4, 2]
    everything = table[table["dose"] == "all"].set_index("outcome")
    assert everything["forecast"].to_dict() == pytest.approx({"apoptosis": 2.0 / 6, "mitosis": 2.5 / 6})
    assert everything["observed"].to_dict() == pytest.approx({"apoptosis": 2 / 3, "mitosis": 1 / 3})


def test_each_horizon_counts_the_cells_whose_recording_goes_on_until_then():
    rows = [
        (1, "Low", "a", 0, "apoptosis", 2.0, 4.5),
        (2, "Low", "a", 0, "censored", 4.0, 5.0),
        (3, "Low", "b", 0, "censored", 6.0, 6.0),
    ]
    p = {1: (0.9, 0.0), 2: (0.3, 0.0), 3: (0.0, 0.0)}
    incidence = pd.concat([_incidence(p, within_h=2.0, frames={9: 9}), _incidence(p, frames={9: 9})])
    table = compare_doses(incidence, _none(incidence), _landmarks(rows), TWO_AND_FIVE_H, FEW)
    died = table[(table["outcome"] == "apoptosis") & (table["dose"] == "Low")].set_index("within_h")
    assert died["n_cells"].tolist() == [3, 2]
    assert died["forecast"].tolist() == pytest.approx([0.4, 0.15])
    assert died["observed"].tolist() == pytest.approx([1 / 3, 0])  # the event at the very hour counts


def test_predictors_stand_in_their_order_each_beside_its_own_cells():
    everyone = dict.fromkeys(range(1, 7), (0.5, 0.5))
    low_only = dict.fromkeys(range(1, 5), (0.2, 0.2))
    incidence = pd.concat([_incidence(everyone), _incidence(everyone, "ensemble")])
    references = _incidence(low_only, "dose")
    table = compare_doses(incidence, references, _landmarks(BY_HAND), FIVE_H, FEW)
    assert table["predictor"].unique().tolist() == ["clock", "ensemble", "dose"]
    everything = table[(table["dose"] == "all") & (table["outcome"] == "mitosis")].set_index("predictor")
    assert everything["n_cells"].to_dict() == {"clock": 6, "ensemble": 6, "dose": 4}
    assert everything["observed"].to_dict() == pytest.approx({"clock": 1 / 3, "ensemble": 1 / 3, "dose": 1 / 4})


def test_a_cell_forecast_by_two_folds_is_an_error():
    incidence = pd.concat([_incidence({1: (0.5, 0.5)}), _incidence({1: (0.5, 0.5)}, fold=1)])
    with pytest.raises(InputError, match="cell 1 of recording 'r' more than once for frame 3"):
        compare_doses(incidence, _none(incidence), _landmarks(BY_HAND), FIVE_H, FEW)


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
    expected = aalen_johansen([r[5] for r in rows], [numbers[r[4]] for r in rows], 2)
    for number, event in enumerate(("apoptosis", "mitosis")):
        curve = _curve(table, "all", event)
        np.testing.assert_allclose(curve["incidence"], expected.at(curve.index)[:, number])
        assert curve["incidence"].is_monotonic_increasing
    mixed = landmarks.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(observe_incidence(mixed, FIVE_H, ScoreSettings(n_resamples=100)), table)
    pd.testing.assert_frame_equal(list_first_landmarks(mixed), list_first_landmarks(landmarks))
