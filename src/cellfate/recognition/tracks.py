"""Which tracks belong to the recordings: format and files; the first are read to see that they are tracks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.core.text_tables import read_table
from cellfate.imaging.settings import WITH_TRACKS
from cellfate.recognition.columns import find_column, meaning
from cellfate.recognition.csv_tracks import fate_words, guess_columns
from cellfate.recognition.first_tracks import read_first
from cellfate.recognition.images import FIRST, Images
from cellfate.recognition.naming import fullest, match_files
from cellfate.recognition.proposals import Part, Proposal, ask, found
from cellfate.recognition.survey import Survey, shown
from cellfate.recognition.track_files import TABLES, kind_of, table_facts, trackmate_facts, typed_words

_FORMATS = (
    *("trackmate_xml", "btrack", "geff", "deepcell", "trackmate_csv", "imaris_csv", "cell_acdc", "cellprofiler_csv"),
    *("napari_csv", "csv"),
)
_BESIDE = {"trackmate_csv": ("edges", "edges_file"), "napari_csv": ("graph", "graph_file")}
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
    """

    format: str | None = None
    cells: pd.DataFrame | None = None
    parents_known: bool | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    by_track_id: frozenset[str] = frozenset()

    @property
    def states_deaths(self) -> bool:
        """Whether the format, or a column, can state that a cell died."""
        return self.format == "btrack" or "fate" in (self.value("tracks.columns") or {})

    def shows(self, fate: str) -> bool:
        """Whether tracks of the first recordings show or state a fate."""
        return self.cells is not None and bool((self.cells["fate"] == fate).any())


def recognise_tracks(survey: Survey, images: Images) -> Tracks:
    """Recognise the tracks of the recordings.

    Parameters
    ----------
    survey : Survey
        Names of what lies in the folder.
    images : Images
        Its recordings.
    """
    if images.layout in WITH_TRACKS:
        return _of_layout(survey, images)
    matched = match_files(_candidates(survey, images), images.names)
    order = sorted(matched, key=lambda template: (-len(matched[template]), template))[:_MOST_TEMPLATES]
    kinds = {template: kind_of(survey, next(iter(matched[template].values()), template)) for template in order}
    for kind in _FORMATS:
        templates = [template for template in order if kinds[template] == kind]
        usable = [one for one in templates if matched[one] or len(images.names) == 1 or kind == "csv"]
        if usable:
            return _of_format(survey, images, kind, fullest(usable, matched), matched, kinds)
    simple = [next(iter(matched[one].values()), one) for one in order if kinds[one] == "simple_xml"]
    return _none(images, simple)


def _candidates(survey: Survey, images: Images) -> list[str]:
    endings = (".xml", ".h5", ".hdf5", ".hdf", ".trk", ".npz", ".json", *TABLES)
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
    first = next(iter(files.values()))
    values = [found("tracks.format", kind, first)]
    if len(templates) > 1:
        values.append(ask("tracks.files", f"Tracks may be in {shown(templates, 5)}; say which are meant."))
        used = {name for one in templates for name in (one, *matched[one].values())}
        return Tracks(format=kind, values=tuple(values), used=frozenset(used))
    coverage = f"{first}; {len(files)} of {len(images.names)} recordings have tracks"
    values.append(found("tracks.files", template, coverage))
    used = {*files.values(), template}
    facts: dict[str, float] = {}
    if kind == "csv":
        values += guess_columns(survey.root, first, images, next(iter(matched[template]), None))
    elif kind == "geff":
        values += _geff_columns(survey, first)
    elif kind == "cell_acdc":
        values += _dead_cells(survey, first)
    elif kind == "trackmate_xml":
        facts = trackmate_facts(survey.root / first)
        values += _typed_fates(survey, first)
    elif kind == "trackmate_csv":
        facts = table_facts(survey.root / first, images.header.pixel_size_um if images.header else None)
    if kind in _BESIDE:
        part, key = _BESIDE[kind]
        beside = [one for one, what in kinds.items() if what == part and (matched[one] or len(images.names) == 1)]
        file = next(iter(fullest(beside, matched)), None)
        words = "beside the tracks" if file else f"no table of {part} beside the tracks: parents are not known"
        values.append(found(f"tracks.{key}", file, words))
        used |= set(matched[file].values()) if part == "edges" and file else set()
    tracks = Tracks(format=kind, values=tuple(values), facts=facts, used=frozenset(used))
    if "recording_id" in (tracks.value("tracks.columns") or {}):  # one file for all recordings
        return _with_first(survey, images, tracks, list(images.names)[:FIRST])
    return _with_first(survey, images, replace(tracks, notes=tuple(_unmatched(files, images))), list(files)[:FIRST])


def _geff_columns(survey: Survey, name: str) -> list[Proposal]:
    """Find the node properties that state fates: one called so, beside one that says when."""
    folder = survey.root / name / "nodes" / "props"
    properties = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    fate, event = find_column("fate", properties), find_column("event_frame", properties)
    if fate is None or event is None or fate == event:
        return []
    return [found("tracks.columns", {"fate": fate, "event_frame": event}, f"the node properties of {name}")]


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
    known = bool(read.cells["lineage_id"].notna().any())
    return replace(tracks, values=tuple(values), cells=read.cells, parents_known=known, by_track_id=by_id)
