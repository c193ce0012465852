"""The true incidence of each event after every frame, where hazards are known.

Array suffixes: n states (a cell in a frame), j frames after it (column 0 is one frame after), e events in the order of
`EVENTS`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.cohort.guard import guard_frames
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS, NONE, probability_column
from cellfate.core.predictors import TRUTH
from cellfate.core.tables import FRAME
from cellfate.simulation.hazards import event_probabilities, switch_probabilities
from cellfate.simulation.records import Floats, SimulatedStudy
from cellfate.simulation.settings import HazardSettings
from cellfate.statistics.incidence import expected_time_h

_TOLERANCE = 1e-9  # 5 h at 20 min are 15 frames, whatever floating point says


def list_true_incidence(study: SimulatedStudy, edges_h: Sequence[float], report_h: Sequence[float]) -> pd.DataFrame:
    """List the exact probability of each event within some hours of every frame of every cell.

    What is given is the state of the cell in that frame, its phase, its cycle length and whether p53 is on, and that
    nothing happens within the guard after it; nothing later is known. The states are exact, which no image shows, so
    this is an upper bound for any forecast from images.

    Parameters
    ----------
    study : SimulatedStudy
        The study, from known hazards.
    edges_h : sequence of float
        Edges of the bins of a forecast, in hours after the frame; the first is the guard, which no nucleus may look
        like its event before.
    report_h : sequence of float
        Hours after the frame by which to give the incidence.

    Returns
    -------
    DataFrame
        Table `Forecasts`, one row a cell, tracked frame before its last one, and time of `report_h`. As everywhere, h
        hours are `floor(h * 60 / interval)` frames, but the guard is rounded up; an event e frames after the frame
        counts when `guard < e <= h`. `expected_h` is counted up to the last edge.

    Raises
    ------
    InputError
        If the study has no hazards, or `event_shape_h` is longer than the guard.
    """
    hazards = _check_study(study, edges_h)
    states, frame_h = _list_states(study, hazards), study.settings.frame_h
    interval_min = study.settings.frame_interval_min
    guard = int(guard_frames(edges_h[0], interval_min))
    edge_frames, report_frames = (_whole_frames(hours, interval_min) for hours in (edges_h[1:], report_h))
    last = max(*edge_frames, *report_frames)
    incidence_nje = forecast_states(
        states["age_frames"],
        states["cycle_frames"],
        states["p53_on"],
        states["on_per_h"],
        hazards,
        frame_h,
        last,
        guard,
    )
    expected_h = expected_time_h(incidence_nje[:, edge_frames - 1], edges_h)
    keys = states[FRAME]
    return _tabulate(keys, incidence_nje[:, report_frames - 1], expected_h, report_h)


def forecast_states(
    age_frames: ArrayLike,
    cycle_frames: ArrayLike,
    on: ArrayLike,
    on_per_h: ArrayLike,
    hazards: HazardSettings,
    frame_h: float,
    n_frames: int,
    guard: int = 0,
) -> Floats:
    """Probability that each event has happened by some frame, given the state in this one.

    The probabilities of living on with p53 off and on are carried forward from frame to frame.

    Parameters
    ----------
    age_frames, cycle_frames : array_like, shape (n,)
        Age and own cycle length, in frames.
    on : array_like of bool, shape (n,)
        Whether p53 is on.
    on_per_h : array_like, shape (n,) or ()
        How often an hour p53 switches on.
    hazards : HazardSettings
        All other rates.
    frame_h : float
        Time between frames, in hours.
    n_frames : int
        Frames to look ahead.
    guard : int
        Frames in which nothing happens; that is given too.

    Returns
    -------
    ndarray, shape (n, n_frames, 2)
        In column j: an event in the frames from guard + 1 to j + 1 after this one. 0 within the guard.
    """
    age, cycle, now = np.asarray(age_frames), np.asarray(cycle_frames), np.asarray(on, dtype=bool)
    off_to_on, on_to_off = switch_probabilities(on_per_h, hazards.p53_off_per_h, frame_h)
    off_n, on_n = 1.0 - now, 1.0 * now
    happened_ne = np.zeros((len(age), len(EVENTS)))
    incidence_nje = np.zeros((len(age), n_frames, len(EVENTS)))
    for j in range(n_frames):
        if j == guard:
            alive_n = off_n + on_n
            off_n, on_n, happened_ne = off_n / alive_n, on_n / alive_n, np.zeros_like(happened_ne)
        phase = (age + j) / cycle
        if_off_ne, if_on_ne = (event_probabilities(phase, state, hazards, frame_h) for state in (False, True))
        happened_ne = happened_ne + off_n[:, None] * if_off_ne + on_n[:, None] * if_on_ne
        off_n, on_n = off_n * (1 - if_off_ne.sum(axis=1)), on_n * (1 - if_on_ne.sum(axis=1))
        off_n, on_n = off_n * (1 - off_to_on) + on_n * on_to_off, off_n * off_to_on + on_n * (1 - on_to_off)
        incidence_nje[:, j] = happened_ne if j >= guard else 0
    return incidence_nje


def _check_study(study: SimulatedStudy, edges_h: Sequence[float]) -> HazardSettings:
    settings = study.settings
    if settings.hazards is None:
        raise InputError(
            "The simulated study has planted causes and no hazards, so its true incidence is not known; set hazards in "
            "the settings of the simulation."
        )
    if settings.event_shape_h > edges_h[0] + _TOLERANCE:
        raise InputError(
            f"event_shape_h of the simulation is {settings.event_shape_h} but the guard is {edges_h[0]} h, so nuclei "
            "that are shown already look like their event; lower event_shape_h to the guard."
        )
    return settings.hazards


def _list_states(study: SimulatedStudy, hazards: HazardSettings) -> pd.DataFrame:
    """One row a cell and tracked frame before its last one: the state there."""
    cells = [(plan, cell) for plan in study.plans for cell in plan.cells]
    courses = [cell.life.course for _, cell in cells if cell.life.course is not None]
    lengths = [cell.last_frame - cell.life.first_frame for _, cell in cells]
    frames = [cell.frames[:n] for (_, cell), n in zip(cells, lengths, strict=True)]
    on = [course.p53_on[:n] for course, n in zip(courses, lengths, strict=True)]
    per_cell = pd.DataFrame(
        {
            "recording_id": [plan.recording_id for plan, _ in cells],
            "cell_id": [cell.life.cell_id for _, cell in cells],
            "cycle_frames": [course.cycle_frames for course in courses],
            "on_per_h": [hazards.p53_on_per_h[plan.dose] for plan, _ in cells],
            "birth_frame": [cell.life.birth_frame for _, cell in cells],
        }
    )
    states = per_cell.loc[per_cell.index.repeat(lengths)].reset_index(drop=True)
    states = states.assign(frame=np.concatenate(frames), p53_on=np.concatenate(on))
    return states.assign(age_frames=states["frame"] - states["birth_frame"])


def _whole_frames(hours: Sequence[float], interval_min: float) -> NDArray[np.int64]:
    """Whole frames within some hours, one at least."""
    frames = np.floor(np.asarray(hours, dtype=np.float64) * 60 / interval_min + _TOLERANCE).astype(np.int64)
    if frames.min() < 1:
        raise InputError(f"{min(hours)} h is less than a frame of {interval_min} min; ask for a longer time.")
    return frames


def _tabulate(keys: pd.DataFrame, incidence_nke: Floats, expected_h: Floats, report_h: Sequence[float]) -> pd.DataFrame:
    n_times = len(report_h)
    table = keys.loc[keys.index.repeat(n_times)].reset_index(drop=True)
    incidence = incidence_nke.reshape(-1, len(EVENTS))
    named = {probability_column(event): incidence[:, e] for e, event in enumerate(EVENTS)}
    table = table.assign(
        within_h=np.tile(np.asarray(report_h, dtype=np.float64), len(keys)),
        **named,
        **{probability_column(NONE): np.clip(1 - incidence.sum(axis=1), 0, 1)},
        expected_h=np.repeat(expected_h, n_times),
    )
    first = ["predictor", "scheme", "fold", "part"]
    return table.assign(predictor=TRUTH, scheme=TRUTH, fold=0, part="test")[[*first, *table.columns]]
