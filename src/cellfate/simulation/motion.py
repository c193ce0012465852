"""Where cells are: persistent random walks, neighbours that push each other, daughters beside their mother's place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.simulation.records import Floats, Life
from cellfate.simulation.settings import SimulationSettings

_PERSISTENCE = 0.85
"""Share of a cell's velocity that is left after a frame."""
_SPACING = 2.4
"""Distance between centres, in radii, under which cells push each other."""
_TRIES = 200
BODY_FRAMES = 8
"""Frames after the event for which the remains of a dead cell are drawn."""
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Paths:
    """Positions of all cells of a recording.

    Attributes
    ----------
    yx_px : ndarray, shape (n_cells, n_frames, 2)
        Centres; NaN in frames in which a cell is not there.
    angle : ndarray, shape (n_cells, n_frames)
        Direction of the long axis, in radians.
    left_frame : ndarray, shape (n_cells,)
        First frame in which the centre is outside the image; larger than any frame if it never is.
    """

    yx_px: Floats
    angle: Floats
    left_frame: np.ndarray


def simulate_motion(lives: Sequence[Life], settings: SimulationSettings, rng: np.random.Generator) -> Paths:
    """Move all cells of a recording through its frames.

    Parameters
    ----------
    lives : sequence of Life
        Cells, mothers before daughters, numbered from 1 in order.
    settings : SimulationSettings
        The study.
    rng : numpy.random.Generator
        Source of places and steps.

    Returns
    -------
    Paths
        Daughters of a cell that left the field are never there.
    """
    n = len(lives)
    paths = Paths(
        np.full((n, settings.n_frames, 2), np.nan), _turn(n, settings, rng), np.full(n, _NEVER, dtype=np.int64)
    )
    place = np.full((n, 2), np.nan)
    founders = [i for i, life in enumerate(lives) if life.parent_id is None]
    place[founders] = _spread_out(len(founders), settings, rng)
    velocity = rng.normal(0, settings.speed_px, (n, 2))
    alive_until = np.array([_last_drawn(life) for life in lives])
    events = np.array([life.event_frame for life in lives])
    size = np.array([settings.height_px, settings.width_px])
    for frame in range(settings.n_frames):
        _place_newborn(lives, frame, place, paths, settings)
        there = ~np.isnan(place[:, 0]) & (alive_until >= frame)
        paths.yx_px[there, frame] = place[there]
        outside = there & ((place < 0) | (place > size - 1)).any(axis=1)
        paths.left_frame[outside] = np.minimum(paths.left_frame[outside], frame)
        velocity = _PERSISTENCE * velocity + np.sqrt(1 - _PERSISTENCE**2) * rng.normal(0, settings.speed_px, (n, 2))
        moving = there & (events > frame)
        place[moving] += (velocity + _push(place, moving, settings))[moving]
    return paths


def _last_drawn(life: Life) -> int:
    return life.event_frame + (BODY_FRAMES if life.destiny == APOPTOSIS else 0)


def _turn(n: int, settings: SimulationSettings, rng: np.random.Generator) -> Floats:
    start = rng.uniform(0, np.pi, (n, 1))
    angle: Floats = start + np.cumsum(rng.normal(0, 0.08, (n, settings.n_frames)), axis=1)
    return angle


def _spread_out(n: int, settings: SimulationSettings, rng: np.random.Generator) -> Floats:
    """Places in the field, apart from each other as far as `_TRIES` draws find them."""
    margin = settings.image.nucleus_radius_px
    low, high = np.array([margin, margin]), np.array([settings.height_px, settings.width_px]) - 1 - margin
    places = np.empty((0, 2))
    for _ in range(n):
        draws = rng.uniform(low, high, (_TRIES, 2))
        gaps = np.linalg.norm(draws[:, None] - places[None], axis=2).min(axis=1, initial=np.inf)
        enough = np.flatnonzero(gaps > 3.5 * margin)
        best = enough[0] if len(enough) else int(np.argmax(gaps))
        places = np.vstack([places, draws[best]])
    return places


def _place_newborn(
    lives: Sequence[Life], frame: int, place: Floats, paths: Paths, settings: SimulationSettings
) -> None:
    """Put cells born in this frame beside where their mother divided, one on each side of the plate."""
    born = [i for i, life in enumerate(lives) if life.parent_id is not None and life.birth_frame == frame]
    side: dict[int, int] = {}
    for i in born:
        mother = (lives[i].parent_id or 0) - 1
        if lives[mother].destiny != MITOSIS or paths.left_frame[mother] < frame or np.isnan(place[mother, 0]):
            continue
        side[mother] = -side.get(mother, 1)
        angle = paths.angle[mother, frame - 1] + np.pi / 2
        axis = np.array([np.sin(angle), np.cos(angle)])
        place[i] = place[mother] + side[mother] * 0.85 * settings.image.nucleus_radius_px * axis


def _push(place: Floats, moving: np.ndarray, settings: SimulationSettings) -> Floats:
    """Velocity that drives cells apart that are closer than `_SPACING` radii."""
    reach = _SPACING * settings.image.nucleus_radius_px
    gaps = place[:, None] - place[None]
    distance = np.linalg.norm(gaps, axis=2)
    near = moving[:, None] & moving[None] & (distance < reach) & (distance > 0)
    weight = np.where(near, 0.25 * (reach - distance) / np.where(near, distance, 1), 0)
    push: Floats = np.where(np.isnan(gaps), 0, weight[:, :, None] * gaps).sum(axis=1)
    return push
