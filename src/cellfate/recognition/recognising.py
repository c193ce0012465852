"""The door of the room: from a stranger's folder to the values of its parameters, and the questions that are left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.imaging.settings import Layout
from cellfate.recognition.fates import FateTable, recognise_fates
from cellfate.recognition.findings import Finding, Findings, ask, found
from cellfate.recognition.images import FIRST, Images, recognise_images
from cellfate.recognition.study import follow_up_values, grouping_values, plan_hours, questions_values, reference_values
from cellfate.recognition.survey import MOST_ENTRIES, shown, survey_folder
from cellfate.recognition.track_files import TABLES
from cellfate.recognition.tracks import Tracks, recognise_tracks
from cellfate.recognition.treatments import Treatments, recognise_treatments

MEASURE = "measure a few cells in Fiji with the line tool (the nucleus, where that is what is imaged)"


@dataclass(frozen=True)
class Recognised:
    """What was recognised in a folder.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    images : Images
        Its recordings.
    findings : Findings
        Values, questions and notes.
    """

    root: Path
    images: Images
    findings: Findings


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
    tables = [name for name in survey.with_endings(*TABLES) if name not in images.claimed | tracks.used]
    fates = recognise_fates(survey, images, tracks, tables)
    treatments = recognise_treatments(survey, images, [name for name in tables if name not in fates.used])
    notes = [*images.notes, *tracks.notes, *fates.notes, *treatments.notes]
    unused = sorted(set(tables) - fates.used - treatments.used)
    if unused:
        notes.append(f"Not used, since they name neither cells nor treatments: {shown(unused, 5)}.")
    if survey.is_cut:
        notes.append(f"The folder has more than {MOST_ENTRIES} files; only the first were looked at.")
    values = [*images.values, *treatments.values, *tracks.values, *_merged(tracks, fates), _cell_size(images, tracks)]
    values += _of_study(images, tracks, treatments, notes)
    if tracks.cells is not None:
        values += questions_values(_known_events(images, tracks, fates), not fates.values)
    values += reference_values(treatments.has_doses)
    return Recognised(root, images, Findings(_once(values), tuple(notes)))


def _with_facts(images: Images, tracks: Tracks) -> Images:
    """Take interval and pixel size from the tracks where the images do not say them."""
    values = []
    for one in images.values:
        fact = tracks.facts.get(one.key.removeprefix("recordings."))
        says_size = images.header is not None and images.header.pixel_size_um
        is_lacking = one.is_question if one.key == "recordings.frame_interval_min" else not says_size
        values.append(found(one.key, fact, "the file of tracks") if fact and is_lacking else one)
    return replace(images, values=tuple(values))


def _merged(tracks: Tracks, fates: FateTable) -> Iterator[Finding]:
    """Words for fates may stand in the tracks and in a table: they are one parameter."""
    words = [one for one in (*tracks.values, *fates.values) if one.key == "tracks.fate_names"]
    yield from (one for one in fates.values if one.key != "tracks.fate_names")
    if len(words) == 2:
        value = {**words[0].value, **words[1].value}
        yield replace(words[0] if words[0].is_question else words[1], value=value)
    else:
        yield from words


def _once(values: list[Finding]) -> tuple[Finding, ...]:
    """Keep the last finding of each parameter."""
    return tuple({one.key: one for one in values}.values())


def _known_events(images: Images, tracks: Tracks, fates: FateTable) -> frozenset[str]:
    """Events that are shown or stated, and those that recordings may show which were not read."""
    events = {fate for fate in EVENTS if tracks.shows(fate)} | (fates.fates & set(EVENTS))
    if len(images.names) > FIRST:
        events |= {MITOSIS} if tracks.parents_known is not False else set()
        events |= {APOPTOSIS} if tracks.states_deaths else set()
    return frozenset(events)


def _cell_size(images: Images, tracks: Tracks) -> Finding:
    key = "crops.cell_diameter_px"
    if images.cell_px:
        return found(key, round(images.cell_px, 1), "the masks or boxes beside the images")
    if "cell_px" in tracks.facts:
        return found(key, round(tracks.facts["cell_px"], 1), "twice the radius of a spot in the tracks")
    return ask(key, f"The files do not say how large a cell is: {MEASURE}, and give the usual diameter in pixels.")


def _of_study(images: Images, tracks: Tracks, treatments: Treatments, notes: list[str]) -> list[Finding]:
    n_frames = images.header.n_frames if images.header else None
    interval_min = images.frame_interval_min
    if n_frames and interval_min and plan_hours(n_frames, interval_min) is None:
        notes.append(
            f"A recording of {n_frames} frames of {interval_min:g} min is too short to ask anything of; `follow_up` "
            "is left as it was."
        )
    if n_frames and interval_min is None:
        notes.append(
            "`follow_up` asks what happens within hours; when you give frame_interval_min, see that horizon_h, "
            f"report_h and headline_h fit into {n_frames} frames."
        )
    grouping = grouping_values(len(images.names), treatments.n_groups, tracks.parents_known)
    return [*follow_up_values(n_frames, interval_min), *grouping]
