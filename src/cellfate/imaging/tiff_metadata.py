"""What TIFF files say of channels, time and pixel size: OME-XML, ImageJ's and MicroManager's descriptions."""

from collections.abc import Callable
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

import tifffile

from cellfate.imaging.headers import usable
from cellfate.imaging.tiff_series import ome_images
from cellfate.imaging.units import MICROMETRES, MINUTES


def read_facts(series: tifffile.TiffPageSeries, scene: int) -> dict[str, Any]:
    """Read what a file says of an image.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        The image.
    scene : int
        Its number in the file, from 0.

    Returns
    -------
    dict
        channels (tuple of str or None), frame_interval_min and pixel_size_um (float or None); None for what the file
        does not say, or says so that it cannot be.
    """
    tiff = series.keyframe.parent
    found: dict[str, Any] = {"channels": None, "frame_interval_min": None, "pixel_size_um": None}
    readers: list[Callable[[], dict[str, Any]]] = []
    if series.kind == "ome":
        readers.append(lambda: _ome_facts(str(tiff.ome_metadata), scene))
    if tiff.is_micromanager:
        readers.append(lambda: _micromanager_facts(tiff.micromanager_metadata or {}))
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
        found = {key: said.get(key) if value is None else value for key, value in found.items()}
    return found


def _ome_facts(text: str, scene: int) -> dict[str, Any]:
    pixels = next(child for child in ome_images(text)[scene] if _name(child) == "Pixels")
    names = tuple(channel.get("Name", "") for channel in pixels if _name(channel) == "Channel")
    interval = usable(pixels.get("TimeIncrement"))
    unit = MINUTES.get(pixels.get("TimeIncrementUnit", "s"))
    size = usable(pixels.get("PhysicalSizeX"))
    size_unit = MICROMETRES.get(pixels.get("PhysicalSizeXUnit", "µm"))
    return {
        "channels": names if names and all(names) else None,
        "frame_interval_min": interval * unit if interval and unit else _plane_interval(pixels),
        "pixel_size_um": size * size_unit if size and size_unit else None,
    }


def _plane_interval(pixels: ET.Element) -> float | None:
    """Median minutes between the first planes of two frames that follow each other."""
    times = {
        int(plane.get("TheT", 0)): float(plane.get("DeltaT", "nan")) * MINUTES[plane.get("DeltaTUnit", "s")]
        for plane in pixels
        if _name(plane) == "Plane" and plane.get("TheC", "0") == "0" and plane.get("TheZ", "0") == "0"
    }
    steps = [times[frame + 1] - time for frame, time in times.items() if frame + 1 in times]
    return usable(median(steps)) if steps else None


def _micromanager_facts(metadata: dict[str, Any]) -> dict[str, Any]:
    summary = metadata["Summary"]
    interval = usable(summary.get("Interval_ms"))
    names = summary.get("ChNames")
    return {
        "channels": tuple(map(str, names)) if isinstance(names, list) and names else None,
        "frame_interval_min": interval * MINUTES["ms"] if interval else None,
        "pixel_size_um": usable(summary.get("PixelSize_um")),
    }


def _imagej_facts(metadata: dict[str, Any], tags: Any) -> dict[str, Any]:
    interval = usable(metadata.get("finterval"))
    unit = MINUTES.get(str(metadata.get("tunit", "s")))
    length = MICROMETRES.get(str(metadata.get("unit", "")))
    size = None
    if length is not None and "XResolution" in tags:
        pixels, units = tags["XResolution"].value
        size = usable(units / pixels * length) if pixels else None
    return {"frame_interval_min": interval * unit if interval and unit else None, "pixel_size_um": size}


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
