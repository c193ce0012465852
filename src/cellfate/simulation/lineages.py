"""Lives of cells: families, the causes that decide fates, and the fates drawn from them."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.simulation.records import Floats, Life
from cellfate.simulation.settings import CHANNELS, DoseSettings, SimulationSettings

_PRESENT_STRENGTH = (1.1, 0.22)
"""Mean and standard deviation of a cause's strength where its excursion happens."""
_ABSENT_SPREAD = 0.12
"""Standard deviation of the (half-normal) strength where it does not."""
_LARGEST_STRENGTH = 2.0


def plan_lives(settings: SimulationSettings, dose: DoseSettings, rng: np.random.Generator) -> list[Life]:
    """Lay down every cell of a recording: founders first, then their offspring, generation by generation.

    Parameters
    ----------
    settings : SimulationSettings
        The study.
    dose : DoseSettings
        Dose of this recording.
    rng : numpy.random.Generator
        Source of everything random here.

    Returns
    -------
    list of Life
        Mothers stand before their daughters; daughters of cells that die are not there.
    """
    lives: list[Life] = []
    phase_h = rng.uniform(0, settings.circadian_period_h)
    for _ in range(int(rng.integers(settings.founders[0], settings.founders[1] + 1))):
        event = int(
            rng.integers(
                settings.frames_in(settings.shortest_life_h), settings.frames_in(settings.founder_horizon_h) + 1
            )
        )
        birth = -int(rng.integers(1, settings.frames_in(settings.cycle_h) + 1))
        traits = draw_traits(settings, 1, phase_h + rng.normal(0, 3), np.ones(len(CHANNELS)), rng)
        lives += _make_siblings(settings, dose, len(lives) + 1, None, birth, [event], traits, rng)
    for mother in lives:  # grows while it is walked
        if mother.destiny == MITOSIS and mother.event_frame + 1 < settings.n_frames:
            birth = mother.event_frame + 1
            events = [birth + cycle for cycle in _draw_cycles(settings, 2, rng)]
            traits = draw_traits(settings, 2, mother.circadian_phase_h, mother.levels, rng)
            lives += _make_siblings(settings, dose, len(lives) + 1, mother.cell_id, birth, events, traits, rng)
    return lives


def draw_strengths(probability: float, propensities: Floats, rng: np.random.Generator) -> Floats:
    """Strength of a cause in cells, given their standard normal propensities to it.

    Parameters
    ----------
    probability : float
        Share of cells in which the cause's excursion happens.
    propensities : ndarray, shape (n,)
        Standard normal; correlated between sisters.
    rng : numpy.random.Generator
        Source of the strengths.

    Returns
    -------
    ndarray, shape (n,)
        About 1.1 where the excursion happens, about 0.1 where not; from 0 to 2.
    """
    if 0 < probability < 1:
        happens = propensities > NormalDist().inv_cdf(1 - probability)
    else:
        happens = np.full(len(propensities), probability >= 1)
    mean, spread = _PRESENT_STRENGTH
    present = rng.normal(mean, spread, len(propensities))
    absent = np.abs(rng.normal(0, _ABSENT_SPREAD, len(propensities)))
    return np.clip(np.where(happens, present, absent), 0, _LARGEST_STRENGTH)


def _make_siblings(
    settings: SimulationSettings,
    dose: DoseSettings,
    first_id: int,
    parent_id: int | None,
    birth: int,
    events: Sequence[int],
    traits: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> list[Life]:
    n = len(events)
    strengths = _draw_causes(n, settings, dose, rng)
    neutral = np.array([cause.neutral_strength for cause in settings.causes])
    log_odds = (strengths - neutral) * np.array([cause.log_odds for cause in settings.causes])
    confounded, confounder_log_odds = _draw_confounder(np.array(events) - max(birth, 0), settings, rng)
    dies = rng.random(n) < 1 / (1 + np.exp(-(log_odds.sum(axis=1) + dose.log_odds + confounder_log_odds)))
    levels, phases_h = traits
    moves_h = _draw_moves(n, settings, rng)
    return [
        Life(
            cell_id=first_id + i,
            parent_id=parent_id,
            birth_frame=birth,
            event_frame=events[i],
            destiny=APOPTOSIS if dies[i] else MITOSIS,
            strengths=strengths[i],
            log_odds=log_odds[i],
            dose_log_odds=dose.log_odds,
            lost_frame=_draw_loss(settings, max(birth, 0), events[i], rng),
            levels=levels[i],
            circadian_phase_h=float(phases_h[i]),
            confounder=float(confounded[i]),
            confounder_log_odds=float(confounder_log_odds[i]),
            moves_h=None if moves_h is None else moves_h[i],
        )
        for i in range(n)
    ]


def _draw_causes(n: int, settings: SimulationSettings, dose: DoseSettings, rng: np.random.Generator) -> Floats:
    """Draw the strengths of all causes in siblings, (n, causes)."""
    strengths = np.empty((n, len(settings.causes)))
    for column, cause in enumerate(settings.causes):
        added = dose.p53_probability if cause.channel == "p53" else 0.0
        propensities = draw_correlated(n, settings.sister_correlation, rng)
        strengths[:, column] = draw_strengths(min(cause.probability + added, 1.0), propensities, rng)
    if settings.one_cause_a_cell:
        speaks = rng.integers(len(settings.causes), size=n)[:, None] == np.arange(len(settings.causes))
        strengths = np.where(speaks, strengths, [cause.neutral_strength for cause in settings.causes])
    return strengths


def _draw_moves(n: int, settings: SimulationSettings, rng: np.random.Generator) -> Floats | None:
    """Draw by how many hours the window of every cause is moved in siblings, (n, causes); nothing where none is."""
    spreads_h = np.array([cause.spread_h for cause in settings.causes])
    return rng.uniform(0, spreads_h, (n, len(spreads_h))) if spreads_h.any() else None


def _draw_confounder(
    tracked_frames: NDArray[np.int64], settings: SimulationSettings, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the strength of the confounder in siblings, and the log odds it brings, (n,) each; 0 without one."""
    confounder, n = settings.confounder, len(tracked_frames)
    if confounder is None:
        return np.zeros(n), np.zeros(n)
    if confounder.kind == "length":
        span_h = settings.founder_horizon_h - settings.shortest_life_h
        strengths = np.clip((tracked_frames * settings.frame_h - settings.shortest_life_h) / span_h, 0, 1)
    else:
        propensities = draw_correlated(n, 1.0 if confounder.kind == "hidden" else 0.0, rng)
        strengths = draw_strengths(confounder.probability, propensities, rng)
    return strengths, confounder.log_odds * (strengths - confounder.neutral_strength)


def draw_correlated(n: int, correlation: float, rng: np.random.Generator) -> Floats:
    """Draw standard normal numbers of siblings; they share a part."""
    values: Floats = np.sqrt(correlation) * rng.normal() + np.sqrt(1 - correlation) * rng.normal(size=n)
    return values


def _draw_cycles(settings: SimulationSettings, n: int, rng: np.random.Generator) -> list[int]:
    hours = settings.cycle_h + settings.cycle_sd_h * draw_correlated(n, settings.sister_correlation, rng)
    return [settings.frames_in(max(float(h), settings.shortest_life_h)) for h in hours]


def draw_traits(
    settings: SimulationSettings, n: int, phase_h: float, mother_levels: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw reporter levels (n, 3), half inherited, and circadian phases (n,) near the mother's."""
    noise = rng.normal(0, settings.cell_variation, (1 if settings.sisters_alike else n, len(CHANNELS)))
    levels: Floats = np.sqrt(mother_levels) * np.exp(np.broadcast_to(noise, (n, len(CHANNELS))))
    return levels, phase_h + rng.normal(0, 0.5, n)


def _draw_loss(settings: SimulationSettings, first: int, event: int, rng: np.random.Generator) -> int | None:
    lost, share = rng.random() < settings.lost_probability, rng.uniform(0.2, 0.95)
    return first + max(int(share * (event - first)), 1) if lost else None
