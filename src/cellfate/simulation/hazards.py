"""Known hazards: from the state of a cell to what may happen in the next frame, and lives drawn frame by frame.

The state in frame t sets the probability that an event falls in frame t + 1; p53 of a cell that goes on then switches,
or not. Rates an hour are turned into probabilities a frame as if they held all through it. Array suffixes: n cells, e
events in the order of `EVENTS`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.simulation.records import Floats
from cellfate.simulation.settings import HazardSettings


@dataclass(frozen=True, eq=False)
class DrawnLives:
    """What came of cells.

    Attributes
    ----------
    n_frames : ndarray of int64, shape (n,)
        Frames from the state they were given to the event; 1 and up.
    event : ndarray of int64, shape (n,)
        Position of the event in `EVENTS`.
    p53_on : ndarray of bool, shape (n, t)
        Whether p53 is on, from the given state on; without meaning after the event.
    """

    n_frames: NDArray[np.int64]
    event: NDArray[np.int64]
    p53_on: NDArray[np.bool_]


def event_probabilities(phase_n: ArrayLike, on_n: ArrayLike, hazards: HazardSettings, frame_h: float) -> Floats:
    """Probability of each event in the next frame, given the state in this one.

    Parameters
    ----------
    phase_n : array_like, shape (n,)
        Age over the own cycle length.
    on_n : array_like of bool, shape (n,) or ()
        Whether p53 is on.
    hazards : HazardSettings
        The rates.
    frame_h : float
        Time between frames, in hours.

    Returns
    -------
    ndarray, shape (n, 2)
        In the order of `EVENTS`. With rates a and m the events together have the probability `1 - exp(-(a + m)
        frame_h)`, shared as a to m: the law of competing risks with constant rates.

    Examples
    --------
    >>> rates = HazardSettings(apoptosis_per_h=0.02, mitosis_per_h=0.3)
    >>> event_probabilities([0.5, 1.0], [False, False], rates, 0.5).round(4).tolist()
    [[0.01, 0.0], [0.0092, 0.1386]]
    """
    start, plateau = hazards.mitosis_phase
    phase = np.asarray(phase_n, dtype=np.float64)
    rise = np.clip((phase - start) / (plateau - start), 0, 1)
    at_birth, at_end = hazards.apoptosis_on_per_h
    while_on = at_birth * (at_end / at_birth) ** np.clip(phase, 0, 1)
    rates = {
        APOPTOSIS: np.where(np.asarray(on_n), while_on, hazards.apoptosis_per_h),
        MITOSIS: hazards.mitosis_per_h * rise**2 * (3 - 2 * rise),
    }
    rates_ne = np.stack(np.broadcast_arrays(*(rates[event] for event in EVENTS)), axis=-1)
    total = rates_ne.sum(axis=-1, keepdims=True)
    share_ne = np.divide(rates_ne, total, out=np.zeros_like(rates_ne), where=total > 0)
    probabilities: Floats = share_ne * -np.expm1(-total * frame_h)
    return probabilities


def switch_probabilities(on_per_h: ArrayLike, off_per_h: ArrayLike, frame_h: float) -> tuple[Floats, Floats]:
    """Probability that p53 is on a frame after it was off, and off a frame after it was on.

    Parameters
    ----------
    on_per_h, off_per_h : array_like
        How often an hour it switches on where it is off, and off where it is on.
    frame_h : float
        Time between frames, in hours.

    Returns
    -------
    off_to_on, on_to_off : ndarray
        Exact for switches at any moment: there and back within a frame counts as no switch.
    """
    on, off = np.broadcast_arrays(np.asarray(on_per_h, dtype=np.float64), np.asarray(off_per_h, dtype=np.float64))
    total = on + off
    mixed = -np.expm1(-total * frame_h)
    off_to_on, on_to_off = (np.divide(r * mixed, total, out=np.zeros_like(total), where=total > 0) for r in (on, off))
    return off_to_on, on_to_off


def draw_lives(
    age_frames: ArrayLike,
    cycle_frames: ArrayLike,
    on: ArrayLike,
    on_per_h: float,
    hazards: HazardSettings,
    frame_h: float,
    rng: np.random.Generator,
) -> DrawnLives:
    """Let cells live frame by frame until each has had its event.

    Parameters
    ----------
    age_frames : array_like, shape (n,)
        Age in the first frame.
    cycle_frames : array_like, shape (n,)
        Own cycle length, in frames.
    on : array_like of bool, shape (n,)
        Whether p53 is on in the first frame.
    on_per_h : float
        How often an hour p53 switches on at this dose.
    hazards : HazardSettings
        All other rates.
    frame_h : float
        Time between frames, in hours.
    rng : numpy.random.Generator
        Source of events and switches.

    Returns
    -------
    DrawnLives
        Every life ends, for the rate of mitosis late in the cycle is above 0.
    """
    age, cycle, now = np.asarray(age_frames), np.asarray(cycle_frames), np.asarray(on, dtype=bool)
    off_to_on, on_to_off = switch_probabilities(on_per_h, hazards.p53_off_per_h, frame_h)
    n_frames, event = np.zeros(len(age), dtype=np.int64), np.zeros(len(age), dtype=np.int64)
    states = [now]
    while (n_frames == 0).any():
        chance_ne = event_probabilities((age + len(states) - 1) / cycle, now, hazards, frame_h)
        passed_ne = rng.random((len(age), 1)) >= chance_ne.cumsum(axis=1)
        happens = (n_frames == 0) & ~passed_ne[:, -1]
        event[happens] = passed_ne[happens].sum(axis=1)
        n_frames[happens] = len(states)
        now = now ^ (rng.random(len(age)) < np.where(now, on_to_off, off_to_on))
        states.append(now)
    return DrawnLives(n_frames, event, np.stack(states, axis=1))
