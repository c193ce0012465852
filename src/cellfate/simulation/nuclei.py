"""Shape, texture and drawing of nuclei.

A nucleus in a frame consists of parts: one for a resting nucleus or a metaphase plate, two in anaphase, several when
it falls apart. Array suffixes: n part, h row, w column, c channel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.fates import MITOSIS
from cellfate.simulation.motion import BODY_FRAMES
from cellfate.simulation.records import Floats, SimulatedCell
from cellfate.simulation.settings import SHAPE, SimulationSettings
from cellfate.simulation.signals import excursion

Singles = NDArray[np.float32]

_TEXTURE_PX = 32
_CONTRAST = np.array([0.20, 0.30, 0.16], dtype=np.float32)
"""How strongly the texture shows in each channel: p53 stays out of nucleoli."""
_HAZE = 0.07
"""Light from above and below the focus, as a share of the nucleus's own."""
_WIDTH_RADII = 2.2
"""Half width, in the largest semi-axis, of the window in which a part is drawn."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of one cell's nucleus, over all frames in which it is drawn.

    Attributes
    ----------
    index : ndarray, shape (n,), int64
        Position of the part's frame among the frames of the cell.
    y_px, x_px : ndarray, shape (n,)
        Centre.
    long_px, short_px : ndarray, shape (n,)
        Semi-axes.
    angle : ndarray, shape (n,)
        Direction of the long axis, in radians.
    gain : ndarray, shape (n,)
        Brightness relative to a resting nucleus: condensed matter is brighter.
    """

    index: NDArray[np.int64]
    y_px: Floats
    x_px: Floats
    long_px: Floats
    short_px: Floats
    angle: Floats
    gain: Floats


@dataclass(frozen=True, eq=False)
class Look:
    """What stays the same about a nucleus: size, outline and texture.

    Attributes
    ----------
    radius_px : float
        Radius at full size.
    aspect : float
        Long over short semi-axis.
    outline : ndarray, shape (2,), complex64
        Second and third harmonic of the outline.
    texture_hw : ndarray, shape (32, 32), float32
        Texture over the square round the nucleus, about 0.
    """

    radius_px: float
    aspect: float
    outline: NDArray[np.complex64]
    texture_hw: Singles


def draw_look(settings: SimulationSettings, rng: np.random.Generator) -> Look:
    """Draw a nucleus's look: granular chromatin with two to four dark nucleoli."""
    from scipy.ndimage import gaussian_filter

    grains = gaussian_filter(rng.standard_normal((_TEXTURE_PX, _TEXTURE_PX)), 1.6)
    texture = grains / grains.std() * 0.7
    rows, columns = np.mgrid[:_TEXTURE_PX, :_TEXTURE_PX]
    for _ in range(int(rng.integers(2, 5))):
        y, x = rng.uniform(0.3, 0.7, 2) * _TEXTURE_PX
        texture = texture - 2.2 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 2.2**2))
    harmonics = rng.normal(0, 0.035, 2) + 1j * rng.normal(0, 0.035, 2)
    return Look(
        radius_px=settings.image.nucleus_radius_px * float(np.exp(rng.normal(0, 0.07))),
        aspect=float(np.exp(rng.uniform(0.05, 0.35))),
        outline=harmonics.astype(np.complex64),
        texture_hw=np.clip(texture, -2, 2).astype(np.float32),
    )


def shape_nucleus(cell: SimulatedCell, look: Look, settings: SimulationSettings, rng: np.random.Generator) -> Parts:
    """Parts of a cell's nucleus over the frames in which it is drawn.

    Until `event_shape_h` before the event a nucleus only grows, whatever its fate. Then it rounds up and condenses
    into a plate that splits (mitosis), or shrinks, brightens and falls apart (apoptosis).

    Parameters
    ----------
    cell : SimulatedCell
        The cell.
    look : Look
        Its look.
    settings : SimulationSettings
        The study.
    rng : numpy.random.Generator
        Source of the places of fragments.

    Returns
    -------
    Parts
        Ordered by frame.
    """
    rows: list[tuple[float, ...]] = []
    divides = cell.life.destiny == MITOSIS
    aspects = _aspects(cell, look, settings)
    for i, frame in enumerate(cell.frames):
        hours_left = (cell.life.event_frame - frame) * settings.frame_h
        shapes: list[tuple[float, ...]]
        progress = 1 - hours_left / settings.event_shape_h
        long, short, gain = _resting(cell, look.radius_px, aspects[i], int(frame), settings)
        if progress <= 0:
            shapes = [(0.0, 0.0, long, short, 0.0, gain)]
        elif divides:
            shapes = _dividing(progress, long, short, gain)
        else:
            shapes = _dying(progress, int(frame) - cell.life.event_frame, long, short, gain, rng)
        rows += [_place_part(i, cell, *shape) for shape in shapes]
    columns = np.array(rows).T
    return Parts(columns[0].astype(np.int64), *columns[1:])


def draw_parts(canvas_tcyx: Singles, cell: SimulatedCell, look: Look, parts: Parts, photons: Floats) -> None:
    """Add the light of a cell to the frames of a recording; the canvas is changed.

    Parameters
    ----------
    canvas_tcyx : ndarray, shape (T, C, Y, X), float32
        Photons a px.
    cell, look, parts
        The cell, its look and its shape.
    photons : ndarray, shape (C,)
        Photons a px of a reporter level of 1.
    """
    half = int(np.ceil(_WIDTH_RADII * parts.long_px.max()))
    top, left = np.rint(parts.y_px).astype(int) - half, np.rint(parts.x_px).astype(int) - half
    body_nhw, grain_nhw = _shade(look, parts, top, left, 2 * half + 1)
    light_nc = (cell.reporters[parts.index] * photons * parts.gain[:, None]).astype(np.float32)
    frames = cell.frames[parts.index]
    height, width = canvas_tcyx.shape[2:]
    for n in range(len(frames)):
        y0, x0 = max(top[n], 0), max(left[n], 0)
        y1, x1 = min(top[n] + 2 * half + 1, height), min(left[n] + 2 * half + 1, width)
        if y0 >= y1 or x0 >= x1:
            continue
        window = (slice(y0 - top[n], y1 - top[n]), slice(x0 - left[n], x1 - left[n]))
        pattern_chw = body_nhw[n][window] + _CONTRAST[:, None, None] * grain_nhw[n][window]
        canvas_tcyx[frames[n], :, y0:y1, x0:x1] += light_nc[n][:, None, None] * pattern_chw


def bound_parts(parts: Parts, cell: SimulatedCell) -> Floats:
    """Boxes round all parts of a nucleus, centred where the cell is.

    Returns
    -------
    ndarray, shape (n, 4)
        Centre y, centre x, height, width in px, for every frame in which the cell is drawn.
    """
    cos, sin = np.cos(parts.angle), np.sin(parts.angle)
    centre = np.stack([cell.y_px, cell.x_px], axis=1)
    half = np.stack([np.hypot(parts.long_px * sin, parts.short_px * cos),
                     np.hypot(parts.long_px * cos, parts.short_px * sin)], axis=1)  # fmt: skip
    reach = np.abs(np.stack([parts.y_px, parts.x_px], axis=1) - centre[parts.index]) + half
    largest = np.zeros_like(centre)
    np.maximum.at(largest, parts.index, reach)
    return np.concatenate([centre, 2 * largest], axis=1)


def _aspects(cell: SimulatedCell, look: Look, settings: SimulationSettings) -> Floats:
    """Long over short semi-axis in every frame: the cell's own, but where its shape decides the cause's."""
    aspects = np.full(len(cell.frames), look.aspect)
    for cause, strength in zip(settings.causes, cell.life.strengths, strict=True):
        if cause.channel == SHAPE:
            course = excursion(cell.frames.astype(np.float64) * settings.frame_h, cell.life, cause, settings)
            aspects = aspects ** (1 - course) * np.exp(course * cause.reporter_change * strength)
    return aspects


def _resting(
    cell: SimulatedCell, full_radius_px: float, aspect: float, frame: int, settings: SimulationSettings
) -> tuple[float, float, float]:
    """Semi-axes and brightness of a nucleus that grows; just after a division it is small, long and bright."""
    life = cell.life
    age_h = (frame - life.birth_frame) * settings.frame_h
    phase = min(max((frame - life.birth_frame) / life.span_frames, 0.0), 1.0)
    young = np.exp(-age_h / 1.0) if life.parent_id is not None else 0.0
    radius = full_radius_px * (0.84 + 0.16 * phase) * (1 - 0.3 * young)
    stretch = np.sqrt(aspect * (1 + 0.5 * young))
    return radius * stretch, radius / stretch, 1 + 0.9 * young


def _dividing(progress: float, long: float, short: float, gain: float) -> list[tuple[float, ...]]:
    radius = np.sqrt(long * short)
    if progress < 0.5:
        mix = progress / 0.5
        rounded = (1 - 0.15 * mix) * radius
        return [(0, 0, long + mix * (rounded - long), short + mix * (rounded - short), 0, gain * (1 + 0.5 * mix))]
    if progress < 1:
        return [(0, 0, 0.85 * radius, 0.36 * radius, 0, 2.4 * gain)]
    return [(sign * 0.55 * radius, np.pi / 2, 0.72 * radius, 0.32 * radius, 0, 2.0 * gain) for sign in (-1, 1)]


def _dying(
    progress: float, frames_after: int, long: float, short: float, gain: float, rng: np.random.Generator
) -> list[tuple[float, ...]]:
    radius = np.sqrt(long * short)
    if progress < 1:
        shrunk = (1 - 0.5 * progress) * radius
        return [
            (0, 0, long + progress * (shrunk - long), short + progress * (shrunk - short), 0, gain * (1 + progress))
        ]
    n = min(3 + frames_after // 2, 5)
    spread = (0.5 + 0.06 * min(frames_after, BODY_FRAMES)) * radius
    around = np.cumsum(rng.uniform(0.5, 1.5, n)) * 2 * np.pi / n
    sizes = rng.uniform(0.16, 0.34, n) * radius
    rest = (0.1 * radius, rng.uniform(0, 2 * np.pi), 0.42 * radius, 0.36 * radius, rng.uniform(0, np.pi), 2.0 * gain)
    bodies = zip(around, sizes, strict=True)
    return [rest, *((spread * rng.uniform(0.6, 1.2), a, size, size, 0, 2.2 * gain) for a, size in bodies)]


def _place_part(
    index: int, cell: SimulatedCell, offset: float, towards: float, long: float, short: float, turn: float, gain: float
) -> tuple[float, ...]:
    """One row of `Parts`: `offset` px from the centre in direction `towards` relative to the long axis."""
    angle = cell.angle[index]
    y = cell.y_px[index] + offset * np.sin(angle + towards)
    x = cell.x_px[index] + offset * np.cos(angle + towards)
    return (index, y, x, long, short, angle + turn, gain)


def _shade(look: Look, parts: Parts, top: NDArray[Any], left: NDArray[Any], size: int) -> tuple[Singles, Singles]:
    """Brightness (n, size, size) of every part in its window, and the texture to add to it by contrast."""
    steps = np.arange(size, dtype=np.float32)
    dy = steps[None, :, None] + (top - parts.y_px).astype(np.float32)[:, None, None]
    dx = steps[None, None, :] + (left - parts.x_px).astype(np.float32)[:, None, None]
    cos, sin = (f(parts.angle).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    long, short = (a.astype(np.float32)[:, None, None] for a in (parts.long_px, parts.short_px))
    u = (dx * cos + dy * sin) / long
    v = (dy * cos - dx * sin) / short
    rho = np.sqrt(u * u + v * v) + np.float32(1e-6)
    outline = 1 + _harmonics(u / rho, v / rho, look.outline)
    edge = np.clip((outline - rho) * short + 0.5, 0, 1)
    haze = np.float32(_HAZE) * np.exp(-(rho * rho) / np.float32(2 * 1.1**2))
    rows, columns = (np.clip((p / 1.15 + 1) * (_TEXTURE_PX / 2), 0, _TEXTURE_PX - 1).astype(np.intp) for p in (v, u))
    dome = edge * (np.float32(1.1) - np.float32(0.25) * rho * rho)
    return dome + haze, edge * look.texture_hw[rows, columns]


def _harmonics(cos: NDArray[Any], sin: NDArray[Any], outline: NDArray[np.complex64]) -> Singles:
    """Second and third harmonic of the outline in the direction (cos, sin)."""
    cos2, sin2 = cos * cos - sin * sin, 2 * cos * sin
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    second, third = outline
    wave: Singles = second.real * cos2 - second.imag * sin2 + third.real * cos3 - third.imag * sin3
    return wave
