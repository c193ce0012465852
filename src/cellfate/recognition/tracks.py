"""Which tracks belong to the recordings: format and files; the first are read to see that they are tracks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.core.text_tables import parse_numbers, read_table
from cellfate.imaging.folder_contents import TIFF_ENDINGS
from cellfate.imaging.settings import WITH_TRACKS
from cellfate.recognition.columns import find_column, find_columns, meaning, named_recordings, time_unit
from cellfate.recognition.csv_tracks import fate_words, guess_columns, may_be_tracks, shared_objects
from cellfate.recognition.first_tracks import ask_files, read_first
from cellfate.recognition.images import FIRST, Images
from cellfate.recognition.label_stacks import label_diameter
from cellfate.recognition.naming import fullest, match_files, match_parts, rename
from cellfate.recognition.proposals import OPEN, Part, Proposal, ask, found
from cellfate.recognition.survey import Survey, folder_of, shown
from cellfate.recognition.track_files import TABLES, kind_of, stated_image, table_facts, trackmate_facts, typed_words
from cellfate.recognition.track_frames import position_unit
from cellfate.tracks.records import name_file
from cellfate.tracks.settings import DEFAULT_FILES

_BESIDE = {
    "trackmate_csv": ("edges", "edges_file"),
    "napari_csv": ("graph", "graph_file"),
    "labels": ("graph", "graph_file"),
    "csv": ("graph", "graph_file"),
}
"""What may lie beside the tracks of a format and say who came from whom, and the parameter that names it."""
_ASKED = {
    "recordings.pixel_size_um": (
        "The tracks are in micrometres, and no file says the side of a pixel; give it in micrometres."
    )
}
"""What is asked in other words than those of the error."""
_MOST_TEMPLATES = 60
"""Kinds of files that are looked into; in a folder with more, the rest is not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracks(Part):
    """The tracks of the recordings, as far as names and the first files tell.

    Attributes
    ----------
    format : str or None
        Format; None where there are no tracks, or the layout's own.
    cells : DataFrame or None
        recording_id, cell_id, first_frame, last_frame and fate of the cells of the first recordings.
    parents_known : bool or None
        Whether the tracks say who came from whom; None: not known.
    facts : dict of str to float
        What the files of tracks say of interval, pixel size and size of cells.
    by_track_id : frozenset of str
        Names of the same cells by TRACK_ID, in TrackMate XML.
    by_property : dict of str to frozenset of str
        Numbers of the same cells by the node properties that may number them, in GEFF.
    """

    format: str | None = None
    cells: pd.DataFrame | None = None
    parents_known: bool | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    by_track_id: frozenset[str] = frozenset()
    by_property: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def states_deaths(self) -> bool:
        """Whether the format, or a column, can state that a cell died."""
        return self.format == "btrack" or "fate" in (self.value("tracks.columns") or {})

    def shows(self, fate: str) -> bool:
        """Whether tracks of the first recordings show or state a fate."""
        return self.cells is not None and bool((self.cells["fate"] == fate).any())


def recognise_tracks(survey: Survey, images: Images) -> Tracks:
    """Recognise the tracks of the recordings of a folder."""
    if images.layout in WITH_TRACKS:
        return _of_layout(survey, images)
    matched = match_files(_candidates(survey, images), images.names, images.files)
    order = sorted(matched, key=lambda one: (-len(matched[one]), one.lower().endswith(TIFF_ENDINGS), one))
    order = order[:_MOST_TEMPLATES]
    kinds = {one: kind_of(survey, next(iter(matched[one].values()), one), images.header) for one in order}
    usable = {
        kind: [
            one
            for one in order
            if kinds[one] == kind and (matched[one] or len(images.names) == 1 or kind in ("csv", "cellprofiler_csv"))
        ]
        for kind in DEFAULT_FILES
    }
    chosen = {kind: fullest(templates, matched) for kind, templates in usable.items() if templates}
    if not any(matched[one] for templates in chosen.values() for one in templates):
        parts = _by_parts(survey, images, {one: kind for one, kind in kinds.items() if kind in DEFAULT_FILES})
        if parts is not None:
            return parts
    if len(chosen) > 1 and not any(_are_tracks(survey, images, one, matched) for one in chosen.get("csv", ())):
        chosen.pop("csv", None)
    if len(chosen) > 1:
        return _of_several(chosen, matched, images)
    if chosen:
        kind, templates = chosen.popitem()
        return _of_format(survey, images, kind, templates, matched, kinds)
    tables = [one for one in order if kinds[one] in ("table", "graph") and (matched[one] or len(images.names) == 1)]
    tables = [one for one in tables if may_be_tracks(survey.root / next(iter(matched[one].values()), one))]
    if tables:  # in another language, say: it is asked what their columns are
        return _of_format(survey, images, "csv", fullest(tables, matched), matched, kinds)
    simple = [next(iter(matched[one].values()), one) for one in order if kinds[one] == "simple_xml"]
    return _none(images, simple)


def _are_tracks(survey: Survey, images: Images, template: str, matched: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a table has cells with several rows, so that it is no table of fates with positions."""
    file = next(iter(matched[template].values()), template)
    columns = guess_columns(survey.root, file, images, next(iter(matched[template]), None))
    given = _named_columns(columns)
    return bool(given.get("spot_id", given.get("cell_id", OPEN)) != OPEN)


def _of_several(chosen: Mapping[str, list[str]], matched: Mapping[str, Mapping[str, str]], images: Images) -> Tracks:
    """Ask which tracks are meant, where there are some in several formats."""
    seen = []
    for kind, templates in chosen.items():
        n_files = len(matched[templates[0]])
        covers = f" ({n_files} of {len(images.names)} recordings)" if n_files else ""
        seen.append(f"{kind} in {shown(templates)}{covers}")
    words = (
        f"There are tracks in {len(chosen)} formats: {'; '.join(seen)}. Take those that are not meant out of the "
        "folder and run this command again, or give format, files and what belongs to them."
    )
    used = {name for each in chosen.values() for one in each for name in (one, *matched[one].values())}
    examples = shown((templates[0] for templates in chosen.values()), len(chosen))
    files = ask("tracks.files", f"Give the file of the format that is meant ({examples}); see tracks.format.")
    return Tracks(values=(ask("tracks.format", words), files), used=frozenset(used))


def _by_parts(survey: Survey, images: Images, kinds: Mapping[str, str | None]) -> Tracks | None:
    """Ask to rename tracks that state the image of a recording, or are called like a part of its name."""
    for kind in DEFAULT_FILES:
        files = [file for file, one in kinds.items() if one == kind]
        fits = _of_stated_images(survey, images, files) if kind == "trackmate_xml" else {}
        fits = fits or match_parts(files, images.names)
        if len(fits) > 1:
            folder = os.path.commonpath([folder_of(file) for file in fits.values()])
            renamed = (f"{file} -> {PurePosixPath(folder, rename(file, name))}" for name, file in fits.items())
            beside = (
                f", the files of {_BESIDE[kind][0]} beside them likewise" if kind in _BESIDE and kind != "csv" else ""
            )
            words = (
                f"{len(fits)} of {len(images.names)} recordings have tracks that are not called like them: rename "
                f"{shown(renamed, 12)}{beside}, and run this command again."
            )
            first = next(iter(fits.values()))
            values = (found("tracks.format", kind, first), ask("tracks.files", words))
            facts = trackmate_facts(survey.root / first) if kind == "trackmate_xml" else {}
            return Tracks(format=kind, values=values, facts=facts, used=frozenset(fits.values()))
    return None


def _of_stated_images(survey: Survey, images: Images, files: Sequence[str]) -> dict[str, str]:
    """Find the TrackMate file of each recording whose image it says it was made on, where names say it of one."""
    bare = [PurePosixPath(image).name for image in images.files.values()]
    by_image = {image: name for image, name in zip(bare, images.files, strict=True) if bare.count(image) == 1}
    stated = {file: by_image.get(stated_image(survey.root / file)) for file in files}
    return {name: file for file, name in stated.items() if name and list(stated.values()).count(name) == 1}


def _candidates(survey: Survey, images: Images) -> list[str]:
    endings = (".xml", ".h5", ".hdf5", ".hdf", ".trk", ".npz", ".json", *TIFF_ENDINGS, *TABLES)
    files = [name for name in survey.with_endings(*endings) if name not in images.used]
    return [*files, *(name for name in survey.stores if name not in images.used and name != ".")]


def _none(images: Images, simple: list[str]) -> Tracks:
    hint = f"; {simple[0]} is TrackMate's short export without families: save the whole file (Save)" if simple else ""
    question = (
        f"No tracks were found beside the recordings{hint}. Put them into the folder, named like the recordings "
        f"({images.names[0] if images.names else 'A01'}), and run this command again; docs/tracks.md lists the formats."
    )
    return Tracks(values=(ask("tracks.format", question),))


def _of_layout(survey: Survey, images: Images) -> Tracks:
    """Tracks that lie with the images; an annotation file is read whole anyway, for all its recordings."""
    given = {one.key.removeprefix("recordings."): one for one in images.values}
    in_file = images.layout == "coco_vid"
    words = f"the annotations in {given['annotation_file'].value}" if in_file else "the tracks of the layout"
    tracks = Tracks(values=(found("tracks.format", None, words),), parents_known=not in_file)
    if in_file and given["cell_categories"].is_open:
        return tracks
    return _with_first(survey, images, tracks, list(images.names if in_file else images.names[:FIRST]))


def _of_format(
    survey: Survey,
    images: Images,
    kind: str,
    templates: list[str],
    matched: Mapping[str, Mapping[str, str]],
    kinds: Mapping[str, str | None],
) -> Tracks:
    template = templates[0]
    files = dict(matched[template]) or dict.fromkeys(images.names[:1], template)
    first = next(iter(files.values()), template)
    values = [found("tracks.format", kind, first)]
    if len(templates) > 1 or not images.names:
        values.append(ask_files(len(images.names), templates, len(files) if matched[template] else 0))
        used = {name for one in templates for name in (one, *matched[one].values())}
        return Tracks(format=kind, values=tuple(values), used=frozenset(used))
    used = {*files.values(), template}
    values += _columns_of(survey, images, kind, first, matched[template])
    files = _in_table(survey, first, images, values) or files
    facts: dict[str, float] = {}
    if kind == "trackmate_xml":
        facts = trackmate_facts(survey.root / first)
    elif kind == "trackmate_csv":
        facts = table_facts(survey.root / first, images.header.pixel_size_um if images.header else None)
    elif kind == "labels":
        facts = {"cell_px": label_diameter(survey.root / first) or 0}
    columns = _named_columns(values)
    if kind in _BESIDE and not {"parent_id", "parent_spot_id"} & columns.keys():
        part, key = _BESIDE[kind]
        beside = [one for one, what in kinds.items() if what == part and (matched[one] or len(images.names) == 1)]
        file = next(iter(fullest(beside, matched)), None)
        values.append(_beside(part, key, file))
        used |= {file, *matched[file].values()} if file else set()
    told = f"{len(files)} of {len(images.names)} recordings have tracks"
    coverage = "which recordings it has is asked" if columns.get("recording_id") == OPEN else told
    values.insert(1, found("tracks.files", template, f"{first}; {coverage}"))
    notes = tuple(_unmatched(files, images))
    tracks = Tracks(format=kind, values=tuple(values), facts=facts, used=frozenset(used), notes=notes)
    return _with_first(survey, images, tracks, list(files)[:FIRST])


def _beside(part: str, key: str, file: str | None) -> Proposal:
    words = "beside the tracks" if file else f"no table of {part} beside the tracks: parents are not known"
    return found(f"tracks.{key}", file, words)


def _columns_of(survey: Survey, images: Images, kind: str, name: str, matched: Mapping[str, str]) -> list[Proposal]:
    """Tell what a file of tracks of a format says by names of its own."""
    if kind == "csv":
        return guess_columns(survey.root, name, images, next(iter(matched), None))
    if kind == "cellprofiler_csv" and not matched and len(images.names) > 1:
        return shared_objects(survey.root, name, images)
    if kind == "trackmate_csv":
        return _unstated_unit(survey, name, images)
    tell = {"geff": _geff_columns, "cell_acdc": _dead_cells, "trackmate_xml": _typed_fates}.get(kind)
    return tell(survey, name) if tell else []


def _named_columns(values: Sequence[Proposal]) -> Mapping[str, Any]:
    return next((one.value for one in values if one.key == "tracks.columns"), {})


def _in_table(survey: Survey, name: str, images: Images, values: Sequence[Proposal]) -> dict[str, str]:
    """List the recordings that one table of tracks names; all where it is asked which column names them."""
    by = _named_columns(values).get("recording_id")
    if by is None:
        return {}
    if by == OPEN:
        return dict.fromkeys(images.names, name)
    told = named_recordings(read_table(survey.root / name)[by], images.names).values()
    return {one: name for one in images.names if one in told}


def _geff_columns(survey: Survey, name: str) -> list[Proposal]:
    """Find the node properties that state fates: one called so, beside one that says when."""
    properties = _node_properties(survey, name)
    fate, events = find_column("fate", properties), find_columns("event_frame", properties)
    events = [one for one in events if one != fate]
    if fate is None or not events:
        return []
    frames = [one for one in events if time_unit(one) in (None, "frame")]
    columns = {"fate": fate, "event_frame": [*frames, OPEN][0]}
    if frames:
        return [found("tracks.columns", columns, f"the node properties of {name}")]
    question = (
        f"{name} has no frames of events: {', '.join(events)} is a time. Name a property that holds frames; or set "
        "fate and event_frame to null, and state both in a table of a row a cell, which may hold hours "
        "(tracks.fates_file)."
    )
    return [ask("tracks.columns", question, columns)]


def _unstated_unit(survey: Survey, name: str, images: Images) -> list[Proposal]:
    """Tell the unit of positions in a table of spots without the lines below the header, which state it."""
    table, axes = read_table(survey.root / name), ("POSITION_Y", "POSITION_X")
    if any(not np.isfinite(parse_numbers(table[axis])).all() for axis in axes):
        return []
    return [position_unit(table, *axes, name, images)]


def _dead_cells(survey: Survey, name: str) -> list[Proposal]:
    """Find cells that Cell-ACDC marks as dead."""
    table = read_table(survey.root / name)
    marks = set(table["is_cell_dead"].str.strip().str.lower()) if "is_cell_dead" in table else set()
    if not marks & {"1", "1.0", "true"}:
        return []
    return [found("tracks.columns", {"fate": "is_cell_dead"}, f"{name} marks cells as dead: taken for apoptosis")]


def _typed_fates(survey: Survey, name: str) -> list[Proposal]:
    """Find fates that a person typed into the names of spots."""
    words = typed_words(survey.root / name)
    if not {meaning(word) for word in words} & {APOPTOSIS, MITOSIS}:
        return []
    typed = found("tracks.columns", {"fate": "name"}, f"names of spots in {name} are words for fates")
    return [typed, *fate_words(words, f"the names of spots in {name}")]


def _unmatched(files: Mapping[str, str], images: Images) -> Iterator[str]:
    without = [name for name in images.names if name not in files]
    if without:
        yield (
            f"{len(files)} of {len(images.names)} recordings have tracks; without are {shown(without, 5)}. A run stops "
            "at these: add their tracks, or set recordings.on_bad_recording to skip."
        )


def _with_first(survey: Survey, images: Images, tracks: Tracks, names: list[str]) -> Tracks:
    """Read the tracks of the first recordings; where that fails, say why."""
    given = {one.key.removeprefix("tracks."): one.value for one in tracks.values}
    read = read_first(survey, images, given, names, tracks.facts)
    values = [*tracks.values, *(ask(key, _ASKED.get(key, reason)) for key, reason in read.settled_by.items())]
    notes = (f"Of the first tracks: {reason}" for reason in read.reasons if reason not in read.settled_by.values())
    tracks = replace(tracks, notes=(*tracks.notes, *notes))
    if read.cells is None and tracks.format and read.reasons and not (read.settled_by or read.is_large):
        words = f"No tracks of the first recordings can be read as {tracks.format}: {read.reasons[0]}"
        values.append(ask("tracks.format", words))
    if read.cells is None:
        by_file = bool(given.get("graph_file") or given.get("edges_file"))
        known = by_file or tracks.parents_known or tracks.format in ("trackmate_xml", "btrack", "geff")
        return replace(tracks, values=tuple(values), parents_known=known)
    by_id: frozenset[str] = frozenset()
    if tracks.format == "trackmate_xml":
        again = read_first(
            survey, images, {**given, "on_merge": "cut", "name_cells_by": "track_id"}, names, tracks.facts
        )
        by_id = frozenset() if again.cells is None else frozenset(again.cells["cell_name"].dropna())
    by_property = _number_by_properties(survey, images, given, names, read.cells) if tracks.format == "geff" else {}
    return replace(
        tracks,
        values=tuple(values),
        cells=read.cells,
        parents_known=bool(read.cells["lineage_id"].notna().any()),
        by_track_id=by_id,
        by_property=by_property,
    )


def _number_by_properties(
    survey: Survey, images: Images, given: Mapping[str, Any], names: list[str], cells: pd.DataFrame
) -> dict[str, frozenset[str]]:
    """Read the numbers that cells have by each node property that can number them, and numbers them otherwise."""
    first = name_file(str(given["files"]), names[0], images.files.get(names[0], names[0]))
    numbered = {}
    for one in find_columns("cell_id", _node_properties(survey, first)):
        columns = {**given.get("columns", {}), "cell_id": one}
        read = read_first(survey, images, {**given, "on_merge": "cut", "columns": columns}, names, {})
        if read.cells is not None and not _ordered(read.cells).equals(_ordered(cells)):
            numbered[one] = frozenset(read.cells["cell_id"].astype(str))
    return numbered


def _ordered(cells: pd.DataFrame) -> pd.DataFrame:
    columns = ["recording_id", "cell_id", "parent_id", "first_frame", "last_frame"]
    return cells[columns].sort_values(columns[:2], ignore_index=True)


def _node_properties(survey: Survey, name: str) -> list[str]:
    folder = survey.root / name / "nodes" / "props"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
