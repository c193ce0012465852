"""What the attributes of an OME-Zarr group say, of versions 0.4 and 0.5."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cellfate.imaging.headers import pixel_facts, usable, written_interval
from cellfate.imaging.units import MICROMETRES, MINUTES


@dataclass(frozen=True)
class ZarrImage:
    """The full-resolution image of a multiscale group.

    Attributes
    ----------
    array_path : str
        The array, relative to the group.
    axes : str
        A letter an axis, in upper case: T, C, Z, Y, X; anything else is another axis.
    channels : tuple of str, or None
        Labels of the channels.
    frame_interval_min, pixel_size_um : float or None
        None where the attributes do not say it with a unit.
    pixel_sides_um : tuple of float, or None
        Width and height of a pixel that is not square.
    """

    array_path: str
    axes: str
    channels: tuple[str, ...] | None
    frame_interval_min: float | None
    pixel_size_um: float | None = None
    pixel_sides_um: tuple[float, float] | None = None


def ome_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes of OME: at the top in 0.4, under `ome` in 0.5."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, dict) else attributes


def inner_path(text: object) -> str:
    """Check a path within a group.

    Raises
    ------
    ValueError
        If it leads out of the group.
    """
    path = PurePosixPath(str(text))
    if path.is_absolute() or ".." in path.parts or "\\" in str(text):
        raise ValueError(f"it names the path '{text}', which leads out of it")
    return str(path)


def read_image(ome: dict[str, Any]) -> ZarrImage:
    """Read the attributes of an image.

    Raises
    ------
    KeyError, IndexError, TypeError, ValueError, AttributeError
        If they are not what the specification says.
    """
    multiscale = ome["multiscales"][0]
    dataset = multiscale["datasets"][0]
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale["axes"]]
    scales = [_scale(dataset, len(axes)), _scale(multiscale, len(axes))]
    steps = {str(axis["name"]): scales[0][i] * scales[1][i] for i, axis in enumerate(axes)}
    units = {str(axis["name"]): str(axis.get("unit", "")) for axis in axes}
    letters = {name: name.upper() if name in ("t", "c", "z", "y", "x") else "?" for name in units}
    if len(letters) != len(axes) or not {"Y", "X"} <= set(letters.values()):
        raise ValueError(f"its axes are {', '.join(letters)}")
    minutes = MINUTES.get(units.get("t", ""))
    return ZarrImage(
        array_path=inner_path(dataset["path"]),
        axes="".join(letters.values()),
        channels=_labels(ome),
        frame_interval_min=written_interval(usable(steps["t"] * minutes) if minutes else None),
        **pixel_facts(*(_side(steps[axis], units[axis]) for axis in "xy")),
    )


def _side(step: float, unit: str) -> float | None:
    micrometres = MICROMETRES.get(unit)
    return usable(step * micrometres) if micrometres else None


def _scale(holder: dict[str, Any], n_axes: int) -> list[float]:
    found = [part["scale"] for part in holder.get("coordinateTransformations", []) if part.get("type") == "scale"]
    return [float(step) for step in found[0]] if found and len(found[0]) == n_axes else [1.0] * n_axes


def _labels(ome: dict[str, Any]) -> tuple[str, ...] | None:
    try:
        labels = tuple(str(channel["label"]).strip() for channel in ome["omero"]["channels"])
    except (KeyError, TypeError):
        return None
    return labels if labels and all(labels) else None
