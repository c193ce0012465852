"""The door of the room: from a stranger's folder to the values of its parameters, and the questions that are left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.imaging.settings import Layout
from cellfate.recognition.columns import matching_column, open_table
from cellfate.recognition.conditions import Conditions, recognise_conditions
from cellfate.recognition.fates import ScoredFates, recognise_fates
from cellfate.recognition.hidden_tables import find_hidden
from cellfate.recognition.images import FIRST, Images, recognise_images
from cellfate.recognition.proposals import OPEN, Part, Proposal, ask, found
from cellfate.recognition.study import follow_up_values, grouping_values, plan_hours, questions_values, reference_values
from cellfate.recognition.survey import MOST_ENTRIES, shown, survey_folder
from cellfate.recognition.track_files import TABLES
from cellfate.recognition.tracks import Tracks, recognise_tracks

MOST_ASKED = 20
"""Tables that were not understood of which it is looked whether they name recordings."""
MEASURE = "measure a few cells in Fiji with the line tool (the nucleus, where that is what is imaged)"


@dataclass(frozen=True, kw_only=True)
class Recognised(Part):
    """What was recognised in a folder.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    images : Images
        Its recordings.
    """

    root: Path
    images: Images


def recognise(folder: Path, layout: Layout | None = None) -> Recognised:
    """Look at a folder of recordings: names, the headers of the first images, the first tracks and tables.

    Parameters
    ----------
    folder : Path
        The folder.
    layout : str or None
        Layout of the images that is meant, where there are several.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be made a study.
    """
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder that your recordings are in.")
    survey = survey_folder(root)
    images = recognise_images(survey, layout)
    tracks = recognise_tracks(survey, images)
    images = _with_facts(images, tracks)
    tables = [name for name in survey.with_endings(*TABLES) if name not in images.used | tracks.used]
    fates = recognise_fates(survey, images, tracks, tables)
    conditions = recognise_conditions(survey, images, [name for name in tables if name not in fates.used])
    notes = [*images.notes, *tracks.notes, *fates.notes, *conditions.notes]
    unused = sorted(set(tables) - fates.used - conditions.used)
    if unused:
        notes.append(f"Not used, since neither fates nor treatments were recognised in them: {shown(unused, 5)}.")
    if survey.is_cut:
        notes.append(f"The folder has more than {MOST_ENTRIES} files; only the first were looked at.")
    values = [*images.values, *conditions.values, *tracks.values, *_merged(tracks, fates), _cell_size(images, tracks)]
    values += _of_study(images, tracks, conditions, notes)
    if tracks.cells is not None:
        values += questions_values(_known_events(images, tracks, fates), not fates.values)
    values += reference_values(conditions.has_doses)
    seen = {one.key for one in (*tracks.values, *fates.values, *conditions.values) if one.value is not None}
    seen -= {"tracks.format"} if tracks.value("tracks.format") == OPEN else set()
    values += [one for one in _ask_of(root, unused, images.names) if one.key not in seen]
    values += [one for one in find_hidden(root, tables, unused) if one.key not in seen]
    last = {one.key: one for one in values}  # of each parameter
    return Recognised(root=root, images=images, values=tuple(last.values()), notes=tuple(notes))


def _ask_of(root: Path, unused: list[str], names: tuple[str, ...]) -> Iterator[Proposal]:
    """Ask of a table that names recordings and was not understood: left out, its deaths would be survivors."""
    for name in unused[:MOST_ASKED]:
        table = open_table(root / name)
        column = None if table is None else matching_column(table, names)
        if table is None or column is None:
            continue
        is_map = table[column].nunique() == len(table)
        key, what, columns = ("recordings.conditions_file", "how they were treated", "recordings.conditions_columns")
        if not is_map:
            key, what, columns = ("tracks.fates_file", "how cells end", "tracks.fates_columns")
        listed = ", ".join(map(str, table.columns))
        words = f"{name} names recordings (column {column}), but its other columns were not understood ({listed})."
        yield ask(key, f"{words} If it says {what}, give it, and the names of its columns in {columns}; else null.")
        return


def _with_facts(images: Images, tracks: Tracks) -> Images:
    """Take interval and pixel size from the tracks where the images do not say them."""
    values = []
    for one in images.values:
        fact = tracks.facts.get(one.key.removeprefix("recordings."))
        says_size = images.header is not None and images.header.pixel_size_um
        is_lacking = one.is_open if one.key == "recordings.frame_interval_min" else not says_size
        values.append(found(one.key, fact, "the file of tracks") if fact and is_lacking else one)
    return replace(images, values=tuple(values))


def _merged(tracks: Tracks, fates: ScoredFates) -> Iterator[Proposal]:
    """Words for fates may stand in the tracks and in a table: they are one parameter."""
    words = [one for one in (*tracks.values, *fates.values) if one.key == "tracks.fate_names"]
    yield from (one for one in fates.values if one.key != "tracks.fate_names")
    if len(words) == 2:
        value = {**words[0].value, **words[1].value}
        yield replace(words[0] if words[0].is_open else words[1], value=value)
    else:
        yield from words


def _known_events(images: Images, tracks: Tracks, fates: ScoredFates) -> frozenset[str]:
    """Events that are shown or stated, and those that recordings may show which were not read."""
    events = {fate for fate in EVENTS if tracks.shows(fate)} | (fates.fates & set(EVENTS))
    if len(images.names) > FIRST:
        events |= {MITOSIS} if tracks.parents_known is not False else set()
        events |= {APOPTOSIS} if tracks.states_deaths else set()
    return frozenset(events)


def _cell_size(images: Images, tracks: Tracks) -> Proposal:
    key = "crops.cell_diameter_px"
    if images.cell_px:
        return found(key, round(images.cell_px, 1), "the masks or boxes beside the images")
    if "cell_px" in tracks.facts:
        source = "the labels of the tracks" if tracks.format == "labels" else "twice the radius of a spot in the tracks"
        return found(key, round(tracks.facts["cell_px"], 1), source)
    return ask(key, f"The files do not say how large a cell is: {MEASURE}, and give the usual diameter in pixels.")


def _of_study(images: Images, tracks: Tracks, conditions: Conditions, notes: list[str]) -> list[Proposal]:
    n_frames = images.header.n_frames if images.header else None
    interval_min = images.frame_interval_min
    if n_frames and interval_min and plan_hours(n_frames, interval_min) is None:
        notes.append(
            f"A recording of {n_frames} frames of {interval_min:g} min is too short to ask anything of; `follow_up` "
            "is left as it was."
        )
    interval = next(one for one in images.values if one.key == "recordings.frame_interval_min")
    if interval.is_open and interval_min is None:
        length = f"{n_frames} frames" if n_frames else "the recordings"
        words = f"{interval.words} Then see that horizon_h, report_h and headline_h of follow_up fit into {length}."
        interval = replace(interval, words=words)
    grouping = grouping_values(len(images.names), conditions.n_groups, tracks.parents_known)
    return [interval, *follow_up_values(n_frames, interval_min), *grouping]
