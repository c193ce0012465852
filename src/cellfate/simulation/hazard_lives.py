"""Lives of cells where hazards are known: families of which every member lives frame by frame."""

import math

import numpy as np

from cellfate.core.fates import EVENTS, MITOSIS
from cellfate.simulation.hazards import draw_lives
from cellfate.simulation.lineages import draw_correlated, draw_traits
from cellfate.simulation.records import Course, Floats, Life
from cellfate.simulation.settings import CHANNELS, DoseSettings, HazardSettings, SimulationSettings

_SHORTEST_CYCLE = 0.5
"""Shortest cycle length, as a share of the mean one."""


def plan_hazard_lives(settings: SimulationSettings, dose: DoseSettings, rng: np.random.Generator) -> list[Life]:
    """Lay down every cell of a recording: founders first, then their offspring, generation by generation.

    Parameters
    ----------
    settings : SimulationSettings
        The study; its `hazards` are given.
    dose : DoseSettings
        Dose of this recording.
    rng : numpy.random.Generator
        Source of everything random here.

    Returns
    -------
    list of Life
        Mothers stand before their daughters. Founders are at any age before mitosis can happen; p53 is off in them when
        the recording begins, and in every daughter at birth.
    """
    lives: list[Life] = []
    phase_h = rng.uniform(0, settings.circadian_period_h)
    for _ in range(int(rng.integers(settings.founders[0], settings.founders[1] + 1))):
        cycles = _draw_cycles(settings, 1, rng)
        birth = -int(rng.uniform(0, _hazards(settings).mitosis_phase[0]) * cycles[0])
        traits = _draw_levels(settings, 1, phase_h + rng.normal(0, 3), np.ones(len(CHANNELS)), rng)
        lives += _live(settings, dose, len(lives) + 1, None, birth, cycles, traits, rng)
    for mother in lives:  # grows while it is walked
        if mother.destiny == MITOSIS and mother.event_frame + 1 < settings.n_frames:
            cycles = _draw_cycles(settings, 2, rng)
            traits = _draw_levels(settings, 2, mother.circadian_phase_h, mother.levels, rng)
            birth = mother.event_frame + 1
            lives += _live(settings, dose, len(lives) + 1, mother.cell_id, birth, cycles, traits, rng)
    return lives


def _hazards(settings: SimulationSettings) -> HazardSettings:
    assert settings.hazards is not None
    return settings.hazards


def _draw_cycles(settings: SimulationSettings, n: int, rng: np.random.Generator) -> Floats:
    """Cycle lengths of siblings, in frames, not rounded."""
    hours = settings.cycle_h + settings.cycle_sd_h * draw_correlated(n, settings.sister_correlation, rng)
    frames: Floats = np.maximum(hours, _SHORTEST_CYCLE * settings.cycle_h) / settings.frame_h
    return frames


def _draw_levels(
    settings: SimulationSettings, n: int, phase_h: float, mother_levels: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw reporter levels (n, 3), of which the circadian one is inherited by half, and circadian phases (n,)."""
    levels, phases_h = draw_traits(settings, n, phase_h, mother_levels, rng)
    of_state = np.exp(rng.normal(0, _hazards(settings).level_variation, (n, len(CHANNELS) - 1)))
    return np.concatenate([levels[:, :1], of_state], axis=1), phases_h


def _live(
    settings: SimulationSettings,
    dose: DoseSettings,
    first_id: int,
    parent_id: int | None,
    birth: int,
    cycles: Floats,
    traits: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> list[Life]:
    hazards, first, n = _hazards(settings), max(birth, 0), len(cycles)
    on_per_h = hazards.p53_on_per_h[dose.dose]
    drawn = draw_lives(np.full(n, first - birth), cycles, np.zeros(n), on_per_h, hazards, settings.frame_h, rng)
    levels, phases_h = traits
    return [
        Life(
            cell_id=first_id + i,
            parent_id=parent_id,
            birth_frame=birth,
            event_frame=first + int(drawn.n_frames[i]),
            destiny=EVENTS[int(drawn.event[i])],
            strengths=np.empty(0),
            log_odds=np.empty(0),
            dose_log_odds=math.nan,
            lost_frame=_draw_loss(settings, first, rng),
            levels=levels[i],
            circadian_phase_h=float(phases_h[i]),
            course=Course(float(cycles[i]), drawn.p53_on[i, : drawn.n_frames[i] + 1]),
        )
        for i in range(n)
    ]


def _draw_loss(settings: SimulationSettings, first: int, rng: np.random.Generator) -> int | None:
    """First frame in which the tracker no longer has a cell; it has it in its first one."""
    share = -math.expm1(-_hazards(settings).loss_per_h * settings.frame_h)
    return first + int(rng.geometric(share)) if share > 0 else None
