"""The true incidence: by hand, against many lives, and calibrated in a study."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.core.tables import Forecasts
from cellfate.simulation import HazardSettings, SimulatedStudy, list_true_incidence, simulate_study
from cellfate.simulation.hazards import draw_lives
from cellfate.simulation.true_incidence import forecast_states
from tests.cases.simulated import hazard_settings, tiny_hazard_settings, tiny_settings

LN_2 = float(np.log(2))
DIES, DIVIDES = EVENTS.index(APOPTOSIS), EVENTS.index(MITOSIS)
EDGES_H = tuple(float(h) for h in range(1, 11))
REPORT_H = (2.0, 5.0, 10.0)
GUARD, WITHIN = 2, {2.0: 4, 5.0: 10, 10.0: 20}  # frames of 30 min

# rates of ln 2 an hour and frames of an hour: an even chance a frame of dying while p53 is on, and of switching it on
EVEN = HazardSettings(
    apoptosis_per_h=0, apoptosis_on_per_h=(LN_2, LN_2), p53_on_per_h={"Low": LN_2}, p53_off_per_h=0, mitosis_per_h=LN_2
)


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(hazard_settings(n_recordings=60))


@pytest.fixture(scope="module")
def truth(study: SimulatedStudy) -> pd.DataFrame:
    return list_true_incidence(study, EDGES_H, REPORT_H)


def test_three_frames_by_hand() -> None:
    # frame 1: p53 is off, nothing happens; then off 1/2, on 1/2. Frame 2: 1/2 * 1/2 die; then off 1/4, on 1/4 + 1/4.
    # Frame 3: 1/2 * 1/2 die.
    young = forecast_states([0], [100.0], [False], LN_2, EVEN, 1.0, 3)[0]
    np.testing.assert_allclose(young[:, DIES], [0, 1 / 4, 1 / 2], atol=1e-12)
    np.testing.assert_allclose(young[:, DIVIDES], 0)


def test_given_two_quiet_frames_by_hand() -> None:
    # of the 3/4 alive after two frames, 1/4 die in the third
    guarded = forecast_states([0], [100.0], [False], LN_2, EVEN, 1.0, 3, guard=2)[0]
    np.testing.assert_allclose(guarded[:, DIES], [0, 0, 1 / 3], atol=1e-12)


def test_both_events_late_in_the_cycle_by_hand() -> None:
    # rates of ln 2 each: 1 - 1/4 in a frame, 3/8 each; then 1/4 * 3/8 more
    late = forecast_states([100], [100.0], [True], 0.0, EVEN, 1.0, 2)[0]
    np.testing.assert_allclose(late, [[3 / 8, 3 / 8], [15 / 32, 15 / 32]])


@pytest.mark.parametrize(("age", "on"), [(5, False), (10, True), (27, False), (30, True), (40, False)])
def test_it_is_the_frequency_over_many_lives_from_the_same_state(age: int, on: bool) -> None:
    n, hazards = 20_000, HazardSettings()
    rng = np.random.default_rng(age)
    drawn = draw_lives(np.full(n, age), np.full(n, 33.3), np.full(n, on), 0.06, hazards, 0.5, rng)
    quiet = drawn.n_frames > GUARD
    incidence = forecast_states([age], [33.3], [on], 0.06, hazards, 0.5, 20, GUARD)[0]
    for within in WITHIN.values():
        for event in (DIES, DIVIDES):
            seen = (drawn.event == event)[quiet] & (drawn.n_frames <= within)[quiet]
            expected = incidence[within - 1, event]
            standard_error = np.sqrt(expected * (1 - expected) / quiet.sum())
            assert seen.mean() == pytest.approx(expected, abs=4 * standard_error + 1e-9)


@settings(max_examples=40, deadline=None)
@given(
    age=st.integers(0, 80),
    cycle=st.floats(20, 60),
    on=st.booleans(),
    on_per_h=st.floats(0, 3),
    off_per_h=st.floats(0, 3),
    guard=st.integers(0, 5),
)
def test_incidence_never_falls_and_sums_to_at_most_1(
    age: int, cycle: float, on: bool, on_per_h: float, off_per_h: float, guard: int
) -> None:
    hazards = HazardSettings(p53_off_per_h=off_per_h)
    incidence = forecast_states([age], [cycle], [on], on_per_h, hazards, 0.5, 20, guard)[0]
    assert (np.diff(incidence, axis=0) >= 0).all()
    assert (incidence >= 0).all()
    assert (incidence.sum(axis=1) <= 1 + 1e-12).all()
    assert not incidence[:guard].any()


def test_the_table_has_a_row_for_every_frame_before_the_last(study: SimulatedStudy, truth: pd.DataFrame) -> None:
    Forecasts.validate(truth)
    np.testing.assert_allclose(truth[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-12)
    assert set(truth["predictor"]) == set(truth["scheme"]) == {"truth"}
    assert (set(truth["fold"]), set(truth["part"])) == ({0}, {"test"})
    assert truth["expected_h"].between(1, 10).all()
    rows = truth.groupby(["recording_id", "cell_id"])["frame"].agg(["min", "max", "nunique", "size"])
    for plan in study.plans:
        for cell in plan.cells:
            first, last = cell.life.first_frame, cell.last_frame
            if last > first:
                assert rows.loc[(plan.recording_id, cell.life.cell_id)].tolist() == [
                    first, last - 1, last - first, 3 * (last - first)
                ]  # fmt: skip


def test_incidence_never_falls_with_the_hours(truth: pd.DataFrame) -> None:
    by_time = [truth[truth["within_h"] == hours].reset_index() for hours in REPORT_H]
    for early, late in pairwise(by_time):
        assert (late[["p_apoptosis", "p_mitosis"]] >= early[["p_apoptosis", "p_mitosis"]]).all(axis=None)


def test_a_row_is_the_forecast_from_its_state(study: SimulatedStudy, truth: pd.DataFrame) -> None:
    plan, cell = next(  # a cell whose p53 switches on, seen in the frame before
        (plan, cell)
        for plan in study.plans[5:]
        for cell in plan.cells
        if cell.life.course is not None and cell.life.course.p53_on[5 : cell.last_frame - cell.life.first_frame].any()
    )
    life = cell.life
    assert life.course is not None
    assert study.settings.hazards is not None
    position = int(np.argmax(life.course.p53_on)) - 1
    assert not life.course.p53_on[position]
    frame = life.first_frame + position
    age, on = frame - life.birth_frame, False
    rate = study.settings.hazards.p53_on_per_h[plan.dose]
    expected = forecast_states([age], [life.course.cycle_frames], [on], rate, study.settings.hazards, 0.5, 20, GUARD)[0]
    row = truth[(truth["recording_id"] == plan.recording_id) & (truth["cell_id"] == life.cell_id)]
    row = row[row["frame"] == frame].set_index("within_h")
    for hours, within in WITHIN.items():
        np.testing.assert_allclose(row.loc[hours, ["p_apoptosis", "p_mitosis"]].tolist(), expected[within - 1])
    free = np.concatenate([[1.0], 1 - expected[[3, 5, 7, 9, 11, 13, 15, 17, 19]].sum(axis=1)])
    assert row["expected_h"].iloc[0] == pytest.approx(1 + ((free[1:] + free[:-1]) / 2).sum())


def collect_outcomes(study: SimulatedStudy, truth: pd.DataFrame, event: str) -> tuple[np.ndarray, np.ndarray]:
    """True incidence within 5 h and whether the event came, every 5 h of the recording, given a quiet guard.

    The outcomes of a cell fall into 5 h that do not overlap, so that given the states they are independent.
    """
    ends = pd.DataFrame(
        [
            (plan.recording_id, cell.life.cell_id, cell.life.event_frame, cell.life.destiny)
            for plan in study.plans
            for cell in plan.cells
        ],
        columns=["recording_id", "cell_id", "event", "destiny"],
    )
    rows = truth[(truth["within_h"] == 5.0) & (truth["frame"] % 10 == 0)].merge(ends, on=["recording_id", "cell_id"])
    left = rows["event"] - rows["frame"]
    seen = (left <= 10) & (rows["destiny"] == event)
    quiet = (left > GUARD).to_numpy()
    return rows[f"p_{event}"].to_numpy()[quiet], seen.to_numpy()[quiet].astype(float)


@pytest.mark.parametrize("event", EVENTS)
def test_the_events_of_a_study_are_calibrated_against_the_truth(
    study: SimulatedStudy, truth: pd.DataFrame, event: str
) -> None:
    forecast, seen = collect_outcomes(study, truth, event)
    assert len(seen) > 2000
    off = forecast - forecast.mean()
    slope = (off * seen).sum() / (off**2).sum()
    variance = forecast * (1 - forecast)
    assert slope == pytest.approx(1, abs=3.5 * np.sqrt((off**2 * variance).sum()) / (off**2).sum())
    assert seen.mean() == pytest.approx(forecast.mean(), abs=3.5 * np.sqrt(variance.sum()) / len(seen))


def test_the_truth_runs_from_0_to_1(truth: pd.DataFrame) -> None:
    within_5_h = truth[truth["within_h"] == 5.0]
    for column in ("p_mitosis", "p_none"):
        assert within_5_h[column].min() < 0.02
        assert within_5_h[column].max() > 0.93
    for column in ("p_apoptosis", "p_mitosis", "p_none"):
        n_rows, _ = np.histogram(within_5_h[column], np.linspace(0, 0.9, 10))
        assert n_rows.min() > 80, column


def test_hours_between_frames_count_as_whole_frames() -> None:
    study = simulate_study(tiny_hazard_settings().model_copy(update={"frame_interval_min": 25.0, "event_shape_h": 0.9}))
    # a guard of 1 h is 3 frames of 25 min, 2 h are 4 and 2.5 h are 6
    table = list_true_incidence(study, (1.0, 2.0, 2.5), (2.0, 2.5))
    life = study.plans[0].cells[0].life
    assert life.course is not None
    assert study.settings.hazards is not None
    age, on = life.first_frame - life.birth_frame, life.course.p53_on[0]
    expected = forecast_states(
        [age], [life.course.cycle_frames], [on], 0.08, study.settings.hazards, 25 / 60, 6, guard=3
    )[0]  # fmt: skip
    np.testing.assert_allclose(table[["p_apoptosis", "p_mitosis"]].iloc[:2], expected[[3, 5]])


def test_a_study_without_hazards_or_with_shapes_that_tell_is_refused() -> None:
    with pytest.raises(InputError, match="planted causes and no hazards"):
        list_true_incidence(simulate_study(tiny_settings()), EDGES_H, REPORT_H)
    tells = tiny_hazard_settings().model_copy(update={"event_shape_h": 1.2})
    with pytest.raises(InputError, match=r"event_shape_h of the simulation is 1.2 but the guard is 1.0 h"):
        list_true_incidence(simulate_study(tells), EDGES_H, REPORT_H)
    with pytest.raises(InputError, match=r"0.2 h is less than a frame of 30.0 min"):
        list_true_incidence(simulate_study(tiny_hazard_settings()), EDGES_H, (0.2,))
