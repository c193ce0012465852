"""Debris beside cells: bright specks that travel with a nucleus without being part of it."""

import numpy as np
from numpy.typing import NDArray

from cellfate.simulation.records import SimulatedCell
from cellfate.simulation.settings import SimulationSettings

_SPECKS = 5
_DISTANCE_RADII = (1.75, 2.2)
"""Nearest and farthest speck, in mean radii of a nucleus: outside it, and within a crop."""
_SPREAD_PX = 1.0
_PHOTONS = 0.7
"""Light at the middle of a speck, as a share of a reporter's in the first channel."""


def draw_debris(
    canvas_tcyx: NDArray[np.float32], cell: SimulatedCell, settings: SimulationSettings, rng: np.random.Generator
) -> None:
    """Add the light of a cell's debris to the first channel up to its event; the canvas is changed.

    Parameters
    ----------
    canvas_tcyx : ndarray, shape (T, C, Y, X), float32
        Photons a px.
    cell : SimulatedCell
        The cell; the strength of its confounder sets the light.
    settings : SimulationSettings
        The study.
    rng : numpy.random.Generator
        Source of the places of the specks.
    """
    radius = settings.image.nucleus_radius_px
    reach = radius * rng.uniform(*_DISTANCE_RADII, _SPECKS)
    around = np.cumsum(rng.uniform(0.6, 1.4, _SPECKS)) * 2 * np.pi / _SPECKS
    light = _PHOTONS * settings.image.photons[0] * cell.life.confounder
    shown = cell.frames <= cell.life.event_frame
    y_ns = cell.y_px[shown, None] + reach * np.sin(around)
    x_ns = cell.x_px[shown, None] + reach * np.cos(around)
    rows, columns = (np.arange(size, dtype=np.float32) for size in canvas_tcyx.shape[2:])
    for frame, y_s, x_s in zip(cell.frames[shown], y_ns, x_ns, strict=True):
        tall_sy, wide_sx = (
            np.exp(-((line - at[:, None]) ** 2) / (2 * _SPREAD_PX**2)) for line, at in ((rows, y_s), (columns, x_s))
        )
        canvas_tcyx[frame, 0] += light * (tall_sy.T @ wide_sx)
