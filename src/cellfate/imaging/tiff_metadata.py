"""What TIFF files say of channels, time and pixel size: OME-XML, ImageJ's and MicroManager's descriptions."""

import math
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import tifffile

from cellfate.imaging.headers import MOST_FRAMES, pixel_facts, usable, written_interval
from cellfate.imaging.micromanager import read_summary
from cellfate.imaging.ome_xml import ome_images, ome_text
from cellfate.imaging.units import MICROMETRES, MINUTES

_PIXEL_KEYS = {"pixel_size_um", "pixel_sides_um"}


def read_facts(series: tifffile.TiffPageSeries, scene: int) -> dict[str, Any]:
    """Read what a file says of an image, the `scene`-th in the file.

    channels, frame_interval_min, pixel_size_um, pixel_sides_um and times_min as in `StackHeader`, but for what the file
    does not say, or says so that it cannot be.
    """
    tiff = series.keyframe.parent
    found: dict[str, Any] = {}
    readers: list[Callable[[], dict[str, Any]]] = []
    if series.kind == "ome":
        readers.append(lambda: _ome_facts(ome_text(tiff), scene))
    if tiff.is_micromanager:
        readers.append(lambda: _micromanager_facts(tiff.micromanager_metadata or {}))
    if tiff.is_stk:
        readers.append(lambda: _stk_facts(tiff.stk_metadata or {}))
    if tiff.is_imagej:
        readers.append(lambda: _imagej_facts(tiff.imagej_metadata or {}, series.keyframe.tags))
    for reader in readers:
        try:
            said = reader()
        except (
            AttributeError,
            LookupError,
            SyntaxError,
            TypeError,
            ValueError,
            StopIteration,
        ):  # a description of an unknown kind
            continue
        said = {key: value for key, value in said.items() if value}
        if found.keys() & _PIXEL_KEYS:
            said = {key: value for key, value in said.items() if key not in _PIXEL_KEYS}
        found = said | found
    return found


def _ome_facts(text: str, scene: int) -> dict[str, Any]:
    pixels = next(child for child in ome_images(text)[scene] if _name(child) == "Pixels")
    names = tuple(channel.get("Name", "") for channel in pixels if _name(channel) == "Channel")
    interval = usable(pixels.get("TimeIncrement"))
    times = _plane_times(pixels)
    unit = MINUTES.get(pixels.get("TimeIncrementUnit", "s"))
    sides = [_length(pixels, f"PhysicalSize{axis}") for axis in "XY"]
    return {
        "channels": names if names and all(names) else None,
        "frame_interval_min": written_interval(interval * unit if interval and unit else None),
        "times_min": times,
        **pixel_facts(*sides),
    }


def _length(pixels: ET.Element, key: str) -> float | None:
    size, unit = usable(pixels.get(key)), MICROMETRES.get(pixels.get(f"{key}Unit", "µm"))
    return size * unit if size and unit else None


def _plane_times(pixels: ET.Element) -> tuple[float, ...]:
    """Minutes at the first plane of every frame."""
    times = {
        int(plane.get("TheT", 0)): float(plane.get("DeltaT", "nan"))
        * MINUTES.get(plane.get("DeltaTUnit", "s"), math.nan)
        for plane in pixels
        if _name(plane) == "Plane" and plane.get("TheC", "0") == "0" and plane.get("TheZ", "0") == "0"
    }
    n_frames = min(int(pixels.get("SizeT", 0)), MOST_FRAMES)
    return tuple(times.get(frame, math.nan) for frame in range(n_frames)) if times else ()


def _micromanager_facts(metadata: dict[str, Any]) -> dict[str, Any]:
    summary = metadata["Summary"]
    names = summary.get("ChNames")
    return {
        "channels": tuple(map(str, names)) if isinstance(names, list) and names else None,
        **read_summary(summary),
    }


def _stk_facts(metadata: dict[str, Any]) -> dict[str, Any]:
    created = metadata["DatetimeCreated"].astype("datetime64[ms]").astype(float)
    return {"times_min": tuple((created * MINUTES["ms"]).tolist())}


def _imagej_facts(metadata: dict[str, Any], tags: Any) -> dict[str, Any]:
    interval = usable(metadata.get("finterval"))
    unit = MINUTES.get(str(metadata.get("tunit", "s")))
    length = MICROMETRES.get(str(metadata.get("unit", "")))
    sides: list[float | None] = [None, None]
    if length is not None and "XResolution" in tags:
        parts = [tags[f"{axis}Resolution"].value for axis in "XY" if f"{axis}Resolution" in tags]
        sides = [usable(units / pixels * length) if pixels else None for pixels, units in parts]
    minutes = written_interval(interval * unit if interval and unit else None)
    return {"frame_interval_min": minutes, **pixel_facts(sides[0], sides[-1])}


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
