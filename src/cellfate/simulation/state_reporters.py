"""Reporters of a cell whose hazards are known: they show its state, phase and p53, as plainly as a reporter can."""

import numpy as np
from numpy.typing import NDArray

from cellfate.simulation.records import Floats, Life
from cellfate.simulation.settings import HazardSettings, SimulationSettings
from cellfate.simulation.signals import circadian_level, reporter_loss, slow_noise

_CYCLE_AT_BIRTH = 0.25
"""Level of the cell-cycle reporter at phase 0."""
_CYCLE_FOLD = 8.0
"""Its level at phase 1 over that at phase 0."""


def trace_states(life: Life, n_frames: int, settings: SimulationSettings, rng: np.random.Generator) -> Floats:
    """Levels of the three reporters in the frames from a cell's first one on.

    Parameters
    ----------
    life : Life
        The cell; its `course` is given.
    n_frames : int
        Number of frames.
    settings : SimulationSettings
        The study; its `hazards` are given.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray, shape (n_frames, 3)
        Levels, without units, in the order of `CHANNELS`.

    Notes
    -----
    The cell-cycle reporter grows from 0.25 by the same factor in equal times, 8 times a cycle, until the phase from
    which the rate of mitosis stays the same. So its level tells the phase and the slope of its logarithm, which no
    gain can change, the length of the cycle. p53 is low or high, with a short lag. What cannot be known from them is
    small: `level_variation` and `level_noise` of 3 and 4 % stand for a phase of .024 (a fortieth of a cycle; .04 with
    the light and texture of a single rendered frame), part of which goes away over several frames. A p53 that switched
    on is seen in the same frame, at 86 % of the way with a lag of 0.25 h and frames of 0.5 h. The circadian reporter
    knows nothing of the state.
    """
    hazards, course = settings.hazards, life.course
    assert hazards is not None
    assert course is not None
    frames = np.arange(n_frames) + life.first_frame
    phase = np.clip((frames - life.birth_frame) / course.cycle_frames, 0, hazards.mitosis_phase[1])
    on = course.p53_on[np.minimum(np.arange(n_frames), len(course.p53_on) - 1)]
    levels = np.stack(
        [
            circadian_level(frames.astype(np.float64) * settings.frame_h, life, settings),
            follow_switch(on, hazards, settings.frame_h),
            _CYCLE_AT_BIRTH * _CYCLE_FOLD**phase,
        ],
        axis=1,
    )
    spread = np.array([settings.reporter_noise, hazards.level_noise, hazards.level_noise])
    noisy: Floats = levels * life.levels * np.exp(slow_noise(levels.shape, rng) * spread)
    return noisy * reporter_loss(frames, life)


def follow_switch(on: NDArray[np.bool_], hazards: HazardSettings, frame_h: float) -> Floats:
    """Level of the p53 reporter, without noise, while p53 switches; it begins at the level of the first frame."""
    low, high = hazards.p53_levels
    aims = np.where(on, high, low)
    left = np.exp(-frame_h / hazards.p53_lag_h)
    levels = aims.copy()
    for i in range(1, len(aims)):
        levels[i] = aims[i] + left * (levels[i - 1] - aims[i])
    return levels
