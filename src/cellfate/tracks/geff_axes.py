"""Which properties of a GEFF say when and where a spot is, and in which units."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellfate.core.errors import InputError
from cellfate.imaging.units import FRAME_WORDS, MICROMETRES, MINUTES, PIXEL_WORDS
from cellfate.tracks.settings import TrackColumns, TrackSettings
from cellfate.tracks.stated import StatedFacts

_MEANINGS = {"y": "y", "row": "y", "x": "x", "col": "x", "column": "x"}
_BEFORE_LETTER = re.compile(r"(pos|position|coord|coordinate|centre|center|centroid|loc|location)(?=[xyz]$)")


@dataclass(frozen=True)
class GeffAxes:
    """Names and units of the properties that say when and where a spot is.

    Attributes
    ----------
    t, y, x : str
        Their names.
    t_unit, y_unit, x_unit : str or None
        Their units; None where none is stated.
    frame_interval_min, pixel_size_um : float or None
        Size of a step in time and of a pixel, where the file counts frames and pixels and states it.
    scaled_units : tuple of str
        Units of these sizes.
    """

    t: str
    y: str
    x: str
    t_unit: str | None
    y_unit: str | None
    x_unit: str | None
    frame_interval_min: float | None = None
    pixel_size_um: float | None = None
    scaled_units: tuple[str, ...] = ()

    def state_facts(self, path: Path) -> StatedFacts:
        """Gather what the file states about its images."""
        return StatedFacts(
            path.name,
            frame_interval_min=self.frame_interval_min,
            pixel_size_um=self.pixel_size_um,
            units=self.scaled_units,
        )


def find_axes(metadata: dict[str, Any], tracks: TrackSettings, path: Path) -> GeffAxes:
    """Find the axes of a GEFF.

    y and x are the axes that `columns.y` and `columns.x` name, where these are not the default; else those that the
    file's display hints call vertical and horizontal; else those whose names mean y and x, such as pos_y or POSITION_X.

    Raises
    ------
    InputError
        If there are axes of space, and nothing says which of them are y and x.
    """
    listed = metadata.get("axes")
    axes = [axis for axis in listed if isinstance(axis, dict)] if isinstance(listed, list) else []
    axes = [axis for axis in axes if isinstance(axis.get("name"), str)]
    y, x = _choose_plane([axis["name"] for axis in axes if axis.get("type") == "space"], metadata, tracks.columns, path)
    times = [axis["name"] for axis in axes if axis.get("type") == "time"]
    t = times[0] if times else "t"
    of_name = {axis["name"]: axis for axis in axes}
    t_unit, y_unit, x_unit = (_unit(of_name.get(name, {})) for name in (t, y, x))
    interval = _scale(of_name.get(t, {}), FRAME_WORDS, MINUTES)
    pixel = _scale(of_name.get(x, {}), PIXEL_WORDS, MICROMETRES)
    scaled = (of_name.get(name, {}).get("scaled_unit") for name in (t, x))
    units = tuple(unit for unit in scaled if isinstance(unit, str))
    return GeffAxes(t, y, x, t_unit, y_unit, x_unit, interval, pixel, units)


def _unit(axis: dict[str, Any]) -> str | None:
    unit = axis.get("unit")
    return unit if isinstance(unit, str) else None


def _choose_plane(space: list[str], metadata: dict[str, Any], columns: TrackColumns, path: Path) -> tuple[str, str]:
    defaults = TrackColumns()
    if not space or (columns.y, columns.x) != (defaults.y, defaults.x):
        return columns.y, columns.x
    hints = metadata.get("display_hints")
    hints = hints if isinstance(hints, dict) else {}
    hinted = hints.get("display_vertical"), hints.get("display_horizontal")
    if hinted[0] in space and hinted[1] in space and hinted[0] != hinted[1]:
        return str(hinted[0]), str(hinted[1])
    y, x = ([name for name in space if _meanings(name) == {letter}] for letter in "yx")
    if len(y) != 1 or len(x) != 1:
        raise InputError(
            f"{path} has the axes {', '.join(space)}, and nothing says which of them are y and x; name them in "
            "tracks.columns.y and tracks.columns.x."
        )
    return y[0], x[0]


def _meanings(name: str) -> set[str]:
    """Letters that a name stands for: x of pos_x, POSITION_X, x (px) and posX."""
    words = re.split(r"[^a-z]+", name.lower())
    return {_MEANINGS[word] for word in (_BEFORE_LETTER.sub("", word) for word in words) if word in _MEANINGS}


def _scale(axis: dict[str, Any], counted: frozenset[str], sizes: dict[str, float]) -> float | None:
    """Size of a step of an axis that is counted, in minutes or micrometres."""
    scaled, scale = axis.get("scaled_unit"), axis.get("scale")
    if (_unit(axis) or "").strip().lower() not in {"", *counted} or not isinstance(scaled, str):
        return None
    size = sizes.get(scaled.strip().lower())
    if size is None or isinstance(scale, bool) or not isinstance(scale, int | float) or scale <= 0:
        return None
    return float(scale) * size
