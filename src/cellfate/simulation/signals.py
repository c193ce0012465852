"""True reporter levels of a cell over time: circadian, p53, cell cycle."""

import numpy as np

from cellfate.core.fates import MITOSIS
from cellfate.simulation.records import Floats, Life
from cellfate.simulation.settings import CHANNELS, SHAPE, CauseSettings, SimulationSettings

_EDGE_H = 0.5
"""Time over which an excursion sets in, and over which it ends."""
_NOISE_FRAMES = 3.0
"""Standard deviation, in frames, of the filter that makes reporter noise slow."""
_DECOY_GAP_H = 0.5
_DECOY_STRENGTHS = (0.1, 1.1)
"""Strengths of excursions that decide nothing: as of those that do."""
_FLOOR = 0.06
"""Least level of a reporter."""


def simulate_reporters(life: Life, n_frames: int, settings: SimulationSettings, rng: np.random.Generator) -> Floats:
    """Levels of the three reporters in the frames from a cell's first one on.

    Parameters
    ----------
    life : Life
        The cell.
    n_frames : int
        Number of frames.
    settings : SimulationSettings
        The study.
    rng : numpy.random.Generator
        Source of pulses and noise.

    Returns
    -------
    ndarray, shape (n_frames, 3)
        Levels, without units, 1 being usual; in the order of `CHANNELS`.
    """
    frames = np.arange(n_frames) + life.first_frame
    hours = frames.astype(np.float64) * settings.frame_h
    levels = np.stack(
        [
            circadian_level(hours, life, settings),
            _pulse(hours, settings, rng),
            _cycle(frames, life, settings),
        ],
        axis=1,
    )
    for cause, strength in zip(settings.causes, life.strengths, strict=True):
        if cause.channel != SHAPE:
            change = cause.reporter_change * (strength - cause.centred * cause.neutral_strength)
            course = change * excursion(hours, life, cause, settings) + _decoys(hours, life, cause, settings, rng)
            levels[:, CHANNELS.index(cause.channel)] += course
    noise = slow_noise(levels.shape, rng) * settings.reporter_noise
    result: Floats = np.maximum(levels, _FLOOR) * life.levels * np.exp(noise)
    return result * reporter_loss(frames, life)


def excursion(hours: Floats, life: Life, cause: CauseSettings, settings: SimulationSettings) -> Floats:
    """Course of a cause's excursion: 0 outside its window; inside 1 with short edges, or a rise from 0 to 1.

    Parameters
    ----------
    hours : ndarray, shape (n,)
        Times since the recording began, in hours.
    life, cause, settings
        The cell, the cause and the study.

    Returns
    -------
    ndarray, shape (n,)
        From 0 to 1.
    """
    return _course(hours, *window_bounds_h(life, cause, settings), cause)


def window_bounds_h(life: Life, cause: CauseSettings, settings: SimulationSettings) -> tuple[float, float]:
    """Start and end of a cause's window in a cell, in hours since the recording began."""
    move = 0.0 if life.moves_h is None else float(life.moves_h[settings.causes.index(cause)])
    start, end = (hours + move for hours in cause.window_h)
    if cause.anchor == "drug":
        assert settings.drug_h is not None  # the settings say so
        return settings.drug_h + start, settings.drug_h + end
    event_h = life.event_frame * settings.frame_h
    return event_h - start, event_h - end


def _course(hours: Floats, start_h: float, end_h: float, cause: CauseSettings) -> Floats:
    """Course between two times, about 1."""
    inside = np.minimum(hours - start_h, end_h - hours) / _EDGE_H
    if cause.course == "rise":
        return np.clip((hours - start_h) / (end_h - start_h), 0, 1) * (inside >= 0)
    course: Floats = np.clip(inside + 0.5, 0, 1) * (inside >= 0)
    return course


def _decoys(
    hours: Floats, life: Life, cause: CauseSettings, settings: SimulationSettings, rng: np.random.Generator
) -> Floats:
    """Course of excursions that decide nothing; one that would touch the window or another one is left out."""
    taken = [window_bounds_h(life, cause, settings)]
    length = taken[0][1] - taken[0][0]
    total = np.zeros_like(hours)
    for _ in range(cause.decoys):
        start = rng.uniform(hours[0], hours[-1])
        strength = rng.choice(_DECOY_STRENGTHS)
        if all(start > end + _DECOY_GAP_H or start + length < begin - _DECOY_GAP_H for begin, end in taken):
            taken.append((start, start + length))
            change = cause.reporter_change * (strength - cause.centred * cause.neutral_strength)
            total += change * _course(hours, start, start + length, cause)
    return total


def circadian_level(hours: Floats, life: Life, settings: SimulationSettings) -> Floats:
    """Course of the circadian reporter, about 1, at times in hours since the recording began."""
    level: Floats = 1 + 0.6 * np.cos(2 * np.pi * (hours - life.circadian_phase_h) / settings.circadian_period_h)
    return level


def _pulse(hours: Floats, settings: SimulationSettings, rng: np.random.Generator) -> Floats:
    """Make basal p53 with pulses of unequal height; their period of 5.5 h is that of Geva-Zatorsky et al. 2006."""
    period = settings.p53_period_h
    n_pulses = int(np.ceil((hours[-1] - hours[0]) / period)) + 3
    gaps = np.maximum(rng.normal(period, 0.07 * period, n_pulses), 0.5 * period)
    times = hours[0] - period + rng.uniform(0, period) - gaps[0] + np.cumsum(gaps)
    heights = 0.75 * np.exp(rng.normal(0, 0.25, n_pulses))
    width = 0.17 * period
    pulses: Floats = heights @ np.exp(-(((hours - times[:, None]) / width) ** 2) / 2)
    return 0.2 + pulses


def _cycle(frames: np.ndarray, life: Life, settings: SimulationSettings) -> Floats:
    """Make a reporter that is low after birth, rises within hours, and then climbs slowly until the event."""
    age_h = (frames - life.birth_frame) * settings.frame_h
    phase = age_h / ((life.event_frame - life.birth_frame) * settings.frame_h)
    rise = np.clip((age_h - 0.5) / 2.5, 0, 1)
    level: Floats = 0.12 + rise * (0.78 + 0.3 * np.clip(phase, 0, 1))
    return level


def reporter_loss(frames: np.ndarray, life: Life) -> Floats:
    """At division the cell-cycle reporter is destroyed; after a death every reporter fades."""
    factor = np.ones((len(frames), len(CHANNELS)))
    if life.destiny == MITOSIS:
        factor[frames >= life.event_frame, CHANNELS.index("cell_cycle")] = 0.25
    else:
        after = np.clip(frames - life.event_frame, 0, None)
        factor *= np.exp(-after / 4)[:, None]
    return factor


def slow_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Gaussian noise, slow along the first axis, of standard deviation 1."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(rng.normal(size=shape), _NOISE_FRAMES, axis=0, mode="reflect")
    noise: Floats = smooth * np.sqrt(2 * _NOISE_FRAMES * np.sqrt(np.pi))
    return noise
