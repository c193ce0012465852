"""Importer of TrackMate's XML files: spots, and edges that link them into tracks.

Only tracks that TrackMate's filters keep (`FilteredTracks`) are read. Their graph is cut into cells where a spot has
two children, which is a mitosis; a cell has the number of its first spot. A hidden spot (VISIBILITY 0) is a gap.
TrackMate knows no deaths: a track that only ends is censored. Positions are pixels times the pixel size that the file
itself names.

The file is read by a parser that refuses document types, entities and anything outside the file.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.numbers import LARGEST
from cellfate.imaging.units import MICROMETRES
from cellfate.tracks.branch_names import name_branches
from cellfate.tracks.graphs import SpotGraph, cut_graph
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_fates import read_spot_fates
from cellfate.tracks.spot_features import PARAMETER, add_features, check_features
from cellfate.tracks.stated import StatedFacts, compare_facts, read_interval

_log = logging.getLogger(__name__)
_SPOT = ("ID", "FRAME", "POSITION_Y", "POSITION_X")
_FACTS = ("width", "height", "nframes", "pixelwidth", "pixelheight", "timeinterval")


@dataclass
class _Content:
    """What is gathered while the file is read."""

    label: str | None
    by_name: bool
    features: tuple[str, ...]
    units: dict[str, str] = field(default_factory=dict)
    root: str = ""
    track: str = ""
    track_names: dict[float, str] = field(default_factory=dict)
    image: dict[str, str] = field(default_factory=dict)
    spots: list[tuple[float, ...]] = field(default_factory=list)
    words: list[str | None] = field(default_factory=list)
    measured: list[tuple[str | None, ...]] = field(default_factory=list)
    attributes: dict[str, None] = field(default_factory=dict)
    edges: list[tuple[float, float, float]] = field(default_factory=list)
    kept: set[float] | None = None


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the XML file of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    content = _parse(path, tracks)
    kept = _kept_edges(content, path)
    edges = np.array([edge[1:] for edge in kept], dtype=np.int64).reshape(-1, 2)
    spots = pd.DataFrame(content.spots, columns=["spot", "frame", "y", "x", "visible"])
    tracked = spots[spots["spot"].isin(np.unique(edges))].astype({"spot": "int64", "frame": "int64"})
    if len(tracked) < len(spots):
        text = "%s: %d spots belong to no track that TrackMate keeps; they are left out"
        _log.info(text, path, len(spots) - len(tracked))
    graph = SpotGraph(path, tracked["spot"].to_numpy(), tracked["frame"].to_numpy(), edges, directed=False)
    cut = cut_graph(graph, tracks.on_merge)
    detections = pd.DataFrame(
        {
            "cell_id": cut.cell_ids,
            "spot_id": graph.node_ids,
            "frame": tracked["frame"].to_numpy() - tracks.first_frame,
            "y_px": _to_pixels(tracked["y"], "pixelheight", source, content, tracks, path),
            "x_px": _to_pixels(tracked["x"], "pixelwidth", source, content, tracks, path),
        }
    )
    detections = add_features(detections, dict(_parse_features(content, tracked, path)), path)
    stated = read_spot_fates(_with_words(detections, tracked, content, path), cut.parents, tracks, path)
    track_of = {spot: content.track_names.get(track) for track, *ends in kept for spot in ends}
    names = name_branches(detections.assign(track=tracked["spot"].map(track_of).to_numpy()), cut.parents)
    visible, cells = tracked["visible"].to_numpy() != 0, np.unique(cut.cell_ids)
    facts = state_facts(path, content.units, content.image, from_micrometres=tracks.position_unit == "um")
    remarks = (*cut.remarks, *compare_facts(facts, source))
    return make_tracked(detections[visible], cut.parents, stated, cell_ids=cells, names=names, remarks=remarks)


def state_facts(
    path: Path, model: Mapping[str, str], image: Mapping[str, str], *, from_micrometres: bool
) -> StatedFacts:
    """Gather what a file states about its image in the attributes of its elements `Model` (units) and `ImageData`.

    Raises
    ------
    InputError
        If an attribute is not the number that it should be.
    """
    stated = {key: _number(image[key], key, path) for key in _FACTS if image.get(key)}
    unit, pixel = model.get("spatialunits", "pixel"), stated.get("pixelwidth", 0.0)
    length = MICROMETRES.get(unit.strip().lower())
    width_px, height_px, n_frames = (int(stated.get(key, 0)) or None for key in ("width", "height", "nframes"))
    return StatedFacts(
        path.name,
        width_px,
        height_px,
        n_frames,
        frame_interval_min=read_interval(stated.get("timeinterval"), model.get("timeunits", ""), unit),
        pixel_size_um=pixel * length if length is not None and pixel > 0 else None,
        image_name=image.get("filename"),
        from_micrometres=from_micrometres,
        pixel_sides=(pixel, stated["pixelheight"]) if pixel > 0 and stated.get("pixelheight", 0.0) > 0 else None,
        units=(unit, model.get("timeunits", "")),
    )


def _with_words(detections: pd.DataFrame, tracked: pd.DataFrame, content: _Content, path: Path) -> pd.DataFrame:
    """Put what stands in the attribute that states fates beside the spots."""
    if content.label is None:
        return detections
    if all(word is None for word in content.words):
        raise InputError(
            f"No spot in {path} has the attribute '{content.label}', which tracks.columns.fate names; the names of "
            "spots are in the attribute name."
        )
    return detections.assign(word=pd.Series(content.words).fillna("").loc[tracked.index].to_numpy())


def _parse_features(content: _Content, tracked: pd.DataFrame, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each spot feature with its values at the tracked spots; NaN where a spot lacks the attribute."""
    if not content.features:
        return
    check_features(content.features, content.attributes, path, "attribute of spots")
    measured = pd.DataFrame(content.measured, columns=list(content.features)).loc[tracked.index]
    for name in content.features:
        text = measured[name].astype(object).fillna("nan").str.strip().replace("", "nan")
        values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
        odd = np.isnan(values) & (text.str.lower() != "nan").to_numpy(bool)
        if odd.any():
            raise InputError(
                f"Spot {tracked['spot'].iloc[int(odd.argmax())]} in {path} has {text[odd].iloc[0]!r:.60} as {name} "
                f"({odd.sum()} such spots), but a number was expected; take {name} from {PARAMETER}, or correct the "
                "spots in TrackMate."
            )
        yield name, values


def _kept_edges(content: _Content, path: Path) -> list[tuple[float, float, float]]:
    """Edges of the tracks that TrackMate's filters keep."""
    if content.root == "Tracks":
        raise InputError(
            f"File {path} is what TrackMate's action 'Export tracks to XML file' writes, without the IDs of spots and "
            "without divisions; press Save in TrackMate, and give the XML file that it writes then."
        )
    if content.kept is None or not content.units:
        lacking = "Model" if not content.units else "FilteredTracks"
        raise InputError(
            f"File {path} has no element {lacking}, which every TrackMate file has; save it again in TrackMate."
        )
    absent = sorted(content.kept - {edge[0] for edge in content.edges})
    if absent:
        raise InputError(
            f"File {path} keeps {len(absent)} tracks (TRACK_ID {', '.join(f'{track:.0f}' for track in absent[:10])}) "
            "that it does not hold: they stand in FilteredTracks, but not with edges in AllTracks; save it again in "
            "TrackMate."
        )
    return [edge for edge in content.edges if edge[0] in content.kept]


def _parse(path: Path, tracks: TrackSettings) -> _Content:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    content = _Content(tracks.columns.fate, tracks.name_cells_by == "track_name", tracks.spot_features)
    try:
        with path.open("rb") as file:
            for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
                _take(content, event, element, path)
    except DefusedXmlException as error:
        raise InputError(
            f"File {path} declares a document type or entities ({type(error).__name__}), which TrackMate never writes "
            "and which can harm; it is not read; save it again in TrackMate."
        ) from error
    except (ParseError, OSError, LookupError, UnicodeError) as error:
        raise InputError(f"File {path} is no whole XML file ({error}); save it again in TrackMate.") from error
    return content


def _take(content: _Content, event: str, element: Any, path: Path) -> None:
    """Take what is needed of an element, and forget it, so that a large file stays out of memory."""
    if event == "start":
        content.root = content.root or element.tag
        if element.tag == "Model":
            content.units.update({"spatialunits": "pixel", **element.attrib})
        elif element.tag == "FilteredTracks":
            content.kept = set() if content.kept is None else content.kept
        elif element.tag == "Track":
            content.track = element.attrib.get("TRACK_ID", "")
            track = _whole(content.track, "TRACK_ID", path)
            name = element.attrib.get("name") if content.by_name else f"{track:.0f}"
            content.track_names.update({} if name is None else {track: name})
        return
    if element.tag == "Spot":
        hidden = element.attrib.get("VISIBILITY", "1")
        if content.label is not None:
            content.words.append(element.attrib.get(content.label))
        if content.features:
            content.measured.append(tuple(element.attrib.get(name) for name in content.features))
            content.attributes.update(dict.fromkeys(element.attrib))
        content.spots.append((*_numbers(element, _SPOT, path), _number(hidden, "VISIBILITY", path)))
    elif element.tag == "Edge":
        track = _whole(content.track, "TRACK_ID", path)
        ends = [_whole(element.attrib.get(name, ""), name, path) for name in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")]
        content.edges.append((track, ends[0], ends[1]))
    elif element.tag == "TrackID" and content.kept is not None:
        content.kept.add(_whole(element.attrib.get("TRACK_ID", ""), "TRACK_ID", path))
    elif element.tag == "ImageData":
        content.image.update(element.attrib)
    element.clear()


def _numbers(element: Any, names: tuple[str, ...], path: Path) -> tuple[float, ...]:
    whole = [_whole(element.attrib.get(name, ""), name, path) for name in names[:2]]
    return (*whole, *(_number(element.attrib.get(name, ""), name, path) for name in names[2:]))


def _number(text: str, name: str, path: Path) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"File {path} has {name} '{text[:60]}', but a number was expected; correct it in TrackMate.")
    return number


def _whole(text: str, name: str, path: Path) -> float:
    number = _number(text, name, path)
    if number % 1 or abs(number) > LARGEST:
        raise InputError(
            f"File {path} has {name} '{text[:60]}', but a whole number was expected; correct it in TrackMate."
        )
    return number


def _to_pixels(
    column: pd.Series, key: str, source: TrackSource, content: _Content, tracks: TrackSettings, path: Path
) -> Any:
    values = column.to_numpy(np.float64)
    if tracks.position_unit is not None:
        return source.to_pixels(values, tracks.position_unit, path)
    if key in content.image:
        size = _number(content.image[key], key, path)
        if size > 0:
            return values / size
    return source.to_pixels(values, content.units["spatialunits"], path)
