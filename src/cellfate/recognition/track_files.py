"""Which files hold tracks, and in which format: told by their first bytes or their header."""

import html
import json
import re
import tarfile
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from cellfate.core.errors import InputError
from cellfate.core.text_tables import parse_numbers, read_header, read_table
from cellfate.imaging.folder_contents import TIFF_ENDINGS
from cellfate.imaging.headers import StackHeader, usable
from cellfate.imaging.units import MICROMETRES, PIXEL_WORDS
from cellfate.recognition.columns import find_column
from cellfate.recognition.label_stacks import label_diameter
from cellfate.recognition.survey import Survey
from cellfate.tracks.parent_files import holds_parents
from cellfate.tracks.spot_fates import NAMED_BY_TRACKER
from cellfate.tracks.trackmate_xml import state_facts
from cellfate.tracks.zarr_arrays import read_attributes

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".csv.gz", ".tsv.gz")
_COLUMNS = {
    "edges": {"SPOT_SOURCE_ID", "SPOT_TARGET_ID"},
    "trackmate_csv": {"TRACK_ID", "FRAME", "POSITION_X", "POSITION_Y"},
    "imaris_csv": {"Position X", "Position Y", "Time", "TrackID"},
    "cell_acdc": {"frame_i", "Cell_ID", "x_centroid", "y_centroid"},
}
"""Columns that tell a table."""
_MOST_BYTES = 100_000_000
_ENDS = 2**18
"""Bytes at the beginning and the end of an XML file that are looked at."""


def kind_of(survey: Survey, name: str, header: StackHeader | None) -> str | None:
    """Format of a file of tracks; `edges`, `graph` and `table` of what goes with tracks; None of anything else.

    Labels must be as large as the images of a recording, whose header is given where it is known.
    """
    path, ending = survey.root / name, name.lower()
    if name in survey.stores:
        return "geff" if is_geff(path) else None
    if ending.endswith(".xml"):
        start = _read(path, 0)
        return "trackmate_xml" if "<TrackMate" in start else "simple_xml" if "<Tracks" in start else None
    if ending.endswith((".h5", ".hdf5", ".hdf")):
        return "btrack" if _is_btrack(path) else None
    if ending.endswith((".trk", ".npz")):
        return "deepcell" if _is_packed(path) else None
    if ending.endswith(TIFF_ENDINGS):
        return "labels" if label_diameter(path, header) else None
    if ending.endswith(".json"):
        return "graph" if _is_graph(path) else None
    return _kind_of_table(path) if ending.endswith(TABLES) else None


def is_geff(path: Path) -> bool:
    """Whether a Zarr folder says that it is a GEFF."""
    try:
        return bool({"geff", "geff_version"} & read_attributes(path).keys())
    except InputError:
        return False


def trackmate_facts(path: Path) -> dict[str, float]:
    """Read what a TrackMate file says besides its tracks, as far as it does.

    That is `frame_interval_min`, `pixel_size_um`, and `cell_px`, twice the usual radius of a spot, in pixels.
    """
    start, end = _read(path, 0), _read(path, max(path.stat().st_size - _ENDS, 0))
    model, image = _attributes("Model", start), _attributes("ImageData", end) or _attributes("ImageData", start)
    try:
        stated = state_facts(path, model, image, from_micrometres=False)
    except InputError:  # said when the tracks are read
        return {}
    radii = list(filter(None, map(usable, re.findall(r'\bRADIUS="([^"]*)"', start))))
    pixel = usable(image.get("pixelwidth"))
    facts = {
        "frame_interval_min": stated.frame_interval_min,
        "pixel_size_um": stated.pixel_size_um,
        "cell_px": 2 * median(radii) / pixel if radii and pixel else None,
    }
    return {key: fact for key, fact in facts.items() if fact is not None}


def stated_image(path: Path) -> str:
    """Name of the image that a TrackMate file says it was made on; empty where it says none."""
    image = _attributes("ImageData", _read(path, max(path.stat().st_size - _ENDS, 0)))
    return image.get("filename", "")


def _attributes(element: str, text: str) -> dict[str, str]:
    tag = re.search(rf"<{element}\b[^>]*>", text)
    return {key: html.unescape(value) for key, value in re.findall(r'(\w+)="([^"]*)"', tag.group(0))} if tag else {}


def table_facts(path: Path, pixel_size_um: float | None) -> dict[str, float]:
    """Read the usual size of a spot from TrackMate's table of spots: `cell_px`, where it is told in a known unit."""
    table = read_table(path)
    if "RADIUS" not in table:
        return {}
    numbers = parse_numbers(table["RADIUS"])
    words = {text.strip().strip("()").lower() for text in table["RADIUS"][~np.isfinite(numbers)]}
    lengths = [MICROMETRES[word] for word in words if word in MICROMETRES]
    factor = 1.0 if words & PIXEL_WORDS else lengths[0] / pixel_size_um if lengths and pixel_size_um else None
    return {"cell_px": 2 * float(np.nanmedian(numbers)) * factor} if factor and np.isfinite(numbers).any() else {}


def typed_words(path: Path) -> set[str]:
    """Find names of spots in a TrackMate file that TrackMate did not give by itself; none in a very large file."""
    if path.stat().st_size > _MOST_BYTES:
        return set()
    text = path.read_text(encoding="utf-8", errors="replace")
    names = {html.unescape(name) for name in re.findall(r'<Spot\b[^>]*?\bname="([^"]*)"', text)}
    return {name for name in names if not NAMED_BY_TRACKER.fullmatch(name.strip())}


def _read(path: Path, begin: int) -> str:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(_ENDS).decode("utf-8", errors="replace")


def _is_btrack(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "tracks" in file and "objects" in file
    except OSError:
        return False


def _is_packed(path: Path) -> bool:
    """Whether a file is a tar or zip archive."""
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except OSError:
        return False


def _is_graph(path: Path) -> bool:
    """Whether a JSON file is {daughter: [parent]}."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < 2**26 else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content) and all(str(key).lstrip("-").isdigit() for key in content)


def _kind_of_table(path: Path) -> str | None:
    try:
        header = [name for name in read_header(path) if name]
    except InputError:
        return None
    for kind, columns in _COLUMNS.items():
        if columns <= set(header):
            return kind
    if "ImageNumber" in header and any("TrackObjects_ParentObjectNumber" in name for name in header):
        return "cellprofiler_csv"
    small = {name.lower() for name in header}
    if {"track_id", "t", "y", "x"} <= small and small <= {"track_id", "t", "z", "y", "x", "id", "index", ""}:
        return "napari_csv"
    if small >= {"axis-0", "axis-1", "axis-2"}:
        return "napari_csv"
    found = {role: find_column(role, header) for role in ("cell_id", "frame", "y", "x")}
    if all(found.values()):
        return "csv"
    return "graph" if find_column("fate", header) is None and holds_parents(path) else "table"
