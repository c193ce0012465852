"""A study from known hazards: lives, losses, tables, and that images show the state and nothing of the future."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.core.fates import APOPTOSIS, CENSORED, EVENTS, MITOSIS
from cellfate.core.tables import ReporterTraces, Truth
from cellfate.simulation import (
    SimulatedRecording,
    SimulatedStudy,
    SimulationSettings,
    list_truth,
    score_oracle,
    simulate_study,
    trace_reporters,
    write_study,
)
from cellfate.simulation.nuclei import draw_look, shape_nucleus
from cellfate.simulation.records import Course, Life
from cellfate.simulation.settings import CHANNELS
from cellfate.simulation.state_reporters import follow_switch, trace_states
from cellfate.statistics.effect_sizes import separation
from tests.cases.simulated import hazard_settings, tiny_hazard_settings, tiny_settings

SETTINGS = tiny_hazard_settings()
CIRCADIAN, P53, CELL_CYCLE = range(3)


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(hazard_settings(loss_per_h=0.05))


@pytest.fixture(scope="module")
def lives(study: SimulatedStudy) -> list[Life]:
    return [cell.life for plan in study.plans for cell in plan.cells]


@pytest.fixture(scope="module")
def recordings() -> list[SimulatedRecording]:
    return list(simulate_study(tiny_hazard_settings(n_recordings=6)))


def make_life(p53_on: np.ndarray, event_frame: int = 30, destiny: str = MITOSIS) -> Life:
    return Life(
        cell_id=1,
        parent_id=None,
        birth_frame=-6,
        event_frame=event_frame,
        destiny=destiny,
        strengths=np.empty(0),
        log_odds=np.empty(0),
        dose_log_odds=np.nan,
        lost_frame=None,
        levels=np.ones(3),
        circadian_phase_h=5.0,
        course=Course(cycle_frames=36.0, p53_on=p53_on),
    )


def test_both_fates_are_common_and_higher_doses_kill_more(study: SimulatedStudy) -> None:
    shares = [
        np.mean([c.life.destiny == APOPTOSIS for plan in study.plans if plan.dose == dose.dose for c in plan.cells])
        for dose in study.settings.doses
    ]
    assert shares == sorted(shares)
    assert 0.3 <= np.mean(shares) <= 0.5


def test_cells_that_divide_live_about_a_cycle(lives: list[Life]) -> None:
    hours = [(life.event_frame - life.birth_frame) / 2 for life in lives if life.destiny == MITOSIS]
    assert 10 < min(hours) < max(hours) < 32
    assert np.mean(hours) == pytest.approx(19, abs=1)


def test_sisters_have_like_cycles(study: SimulatedStudy) -> None:
    truth = list_truth(study)
    pairs = [pair.tolist() for _, pair in truth.groupby(["recording_id", "parent_id"])["cycle_h"] if len(pair) == 2]
    first, second = np.array(pairs).T
    assert len(pairs) > 100
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.6, abs=0.2)


def test_p53_is_off_at_birth_and_states_reach_to_the_event(lives: list[Life]) -> None:
    for life in lives:
        assert life.course is not None
        assert not life.course.p53_on[0]
        assert len(life.course.p53_on) == life.event_frame - life.first_frame + 1


def test_loss_is_independent_of_the_fate(lives: list[Life]) -> None:
    # frames tracked before a loss: geometric with the share lost a frame, 1 - exp(-.05 / 2)
    share = 1 - np.exp(-0.025)
    for fate in EVENTS:
        waits = np.array([(life.lost_frame or 0) - life.first_frame for life in lives if life.destiny == fate])
        assert len(waits) > 150
        assert waits.min() >= 1
        standard_error = np.sqrt(1 - share) / share / np.sqrt(len(waits))
        assert waits.mean() == pytest.approx(1 / share, abs=3.5 * standard_error)


def test_a_rate_of_loss_can_censor_most_cells(study: SimulatedStudy) -> None:
    fates = [cell.fate for plan in study.plans for cell in plan.cells]
    assert 0.55 <= fates.count(CENSORED) / len(fates) <= 0.7
    never = simulate_study(hazard_settings(n_recordings=2, loss_per_h=0))
    assert all(cell.life.lost_frame is None for plan in never.plans for cell in plan.cells)


def test_tables_say_what_has_no_meaning(study: SimulatedStudy) -> None:
    truth = Truth.validate(list_truth(study))
    nothing = ["deciding_channel", "window_first_frame", "window_last_frame", "strength", "oracle_logit"]
    assert truth[nothing].isna().all(axis=None)
    assert truth["cycle_h"].between(10, 30).all()
    assert 0 < truth["p53_on_h"].max() < 42
    scores = score_oracle(study)
    assert np.isnan([scores["balanced_accuracy"], scores["auroc"]]).all()
    assert "true incidence" in scores["note"]
    assert SimulationSettings(**scores["settings"]) == study.settings


def test_traces_hold_the_state(study: SimulatedStudy) -> None:
    traces = ReporterTraces.validate(trace_reporters(study))
    cell = study.plans[3].cells[2]
    rows = traces[(traces["recording_id"] == study.plans[3].recording_id) & (traces["cell_id"] == cell.life.cell_id)]
    assert cell.life.course is not None
    np.testing.assert_array_equal(rows["p53_on"], cell.life.course.p53_on[: len(rows)])
    np.testing.assert_allclose(rows["phase"] * cell.life.course.cycle_frames, rows["frame"] - cell.life.birth_frame)


def test_the_p53_reporter_follows_with_a_lag_by_hand() -> None:
    hazards = SETTINGS.hazards
    assert hazards is not None
    left = np.exp(-2.0)  # half an hour of a lag of a quarter
    levels = follow_switch(np.array([False, True, True, False]), hazards, 0.5)
    up, further = 1.6 - 1.25 * left, 1.6 - 1.25 * left**2
    np.testing.assert_allclose(levels, [0.35, up, further, 0.35 + (further - 0.35) * left])


def test_reporters_tell_the_phase_the_cycle_length_and_p53(study: SimulatedStudy) -> None:
    traces = trace_reporters(study)
    rising = traces[(traces["phase"] < 1) & traces["hours_before_event"].isna()]
    error = np.log(rising["cell_cycle"] / 0.25) / np.log(8) - rising["phase"]
    assert error.std() == pytest.approx(np.hypot(0.03, 0.04) / np.log(8), rel=0.15)  # variation and noise of the level
    assert separation(traces["p53"].to_numpy()[::9], traces["p53_on"].to_numpy()[::9]) > 0.995
    truth = list_truth(study).set_index(["recording_id", "cell_id"])["cycle_h"]
    slopes = {
        key: np.log(8) / (np.polyfit(cell["frame"] / 2, np.log(cell["cell_cycle"]), 1)[0])
        for key, cell in rising.groupby(["recording_id", "cell_id"])
        if len(cell) >= 20
    }
    off_h = pd.Series(slopes) - truth.reindex(slopes)
    assert len(slopes) > 100
    assert off_h.abs().median() < 1.0  # of cycles of 20 h


def test_reporters_know_neither_event_nor_its_time() -> None:
    on = np.arange(40) > 10
    soon, later = (
        trace_states(make_life(on[: event + 1], event, destiny), 28, SETTINGS, np.random.default_rng(4))
        for event, destiny in ((29, APOPTOSIS), (36, MITOSIS))
    )
    np.testing.assert_array_equal(soon, later)


def test_after_the_event_reporters_fade_and_states_stay(recordings: list[SimulatedRecording]) -> None:
    dead = [c for r in recordings for c in r.plan.cells if c.fate == APOPTOSIS and c.life.event_frame < 19]
    assert dead
    for cell in dead:
        assert cell.reporters[-1, P53] < 0.5 * cell.reporters[-5, P53]


def test_until_an_hour_before_the_event_a_nucleus_looks_the_same_whatever_comes(
    recordings: list[SimulatedRecording],
) -> None:
    for cell in recordings[0].plan.cells:
        look = draw_look(SETTINGS, np.random.default_rng(0))
        other_end = replace(cell.life, destiny=MITOSIS, event_frame=cell.life.event_frame + 30)
        variants = (cell, replace(cell, life=other_end))
        shapes = [shape_nucleus(one, look, SETTINGS, np.random.default_rng(1)) for one in variants]
        shown = [parts.index + cell.life.first_frame <= cell.life.event_frame - 2 for parts in shapes]
        for name in ("index", "y_px", "x_px", "long_px", "short_px", "angle", "gain"):
            one, other = (getattr(parts, name)[kept] for parts, kept in zip(shapes, shown, strict=True))
            np.testing.assert_array_equal(one, other, err_msg=name)


def measure(recordings: list[SimulatedRecording]) -> pd.DataFrame:
    """Mean counts round the centre, and the state, in tracked frames before the event takes shape."""
    rows = []
    for recording in recordings:
        for cell in recording.plan.cells:
            for i, frame in enumerate(cell.frames[cell.frames <= min(cell.last_frame, cell.life.event_frame - 3)]):
                y, x = round(cell.y_px[i]), round(cell.x_px[i])
                if cell.life.course is not None and 3 <= y < 77 and 3 <= x < 69:
                    counts = recording.frames_tyxc[frame, y - 3 : y + 4, x - 3 : x + 4].mean(axis=(0, 1))
                    phase = (frame - cell.life.birth_frame) / cell.life.course.cycle_frames
                    rows.append((*counts, cell.life.course.p53_on[i], phase))
    return pd.DataFrame(rows, columns=[*CHANNELS, "p53_on", "phase"])


def test_images_show_the_state(recordings: list[SimulatedRecording]) -> None:
    seen = measure(recordings)
    assert len(seen) > 300
    assert seen["p53_on"].sum() > 20
    assert separation(seen["p53"].to_numpy(), seen["p53_on"].to_numpy()) > 0.95
    rising = seen[seen["phase"].between(0.3, 1)]
    assert np.corrcoef(np.log(rising["cell_cycle"] - 130), rising["phase"])[0, 1] > 0.9


def test_the_same_seed_gives_the_same_study() -> None:
    first, again = (next(iter(simulate_study(SETTINGS))) for _ in range(2))
    np.testing.assert_array_equal(first.frames_tyxc, again.frames_tyxc)
    other = next(iter(simulate_study(tiny_hazard_settings(seed=6))))
    assert (first.frames_tyxc != other.frames_tyxc).mean() > 0.5


def test_written_settings_read_back_and_say_nothing_of_hazards_that_are_not_there(tmp_path: Path) -> None:
    for name, given in (("hazards", tiny_hazard_settings(n_recordings=1)), ("causes", tiny_settings(n_recordings=1))):
        write_study(simulate_study(given), tmp_path / name)
        written = json.loads((tmp_path / name / "simulation.json").read_text(encoding="utf-8"))
        assert SimulationSettings(**written) == given
        assert ("hazards" in written) == (name == "hazards")
