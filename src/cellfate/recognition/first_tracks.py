"""Reading the tracks of the first recordings, with the readers that a run uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import WITH_TRACKS
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import OPEN, Proposal, ask
from cellfate.recognition.survey import Survey, folder_of, shown
from cellfate.tracks.cell_tracking_challenge import read_without_positions
from cellfate.tracks.importing import IMPORTERS
from cellfate.tracks.reading import list_sources, read_each
from cellfate.tracks.records import OpenedRecordings, name_file
from cellfate.tracks.settings import TrackSettings

_LARGE_BYTES = 100_000_000
"""A file of tracks larger than this is not read, only recognised."""
_LARGE_PX = 300_000_000
"""Likewise labels of more pixels than these, which are packed small and take seconds."""
_MERGE = "tracks.on_merge"


@dataclass(frozen=True, eq=False)
class FirstTracks:
    """What the readers found in the tracks of the first recordings.

    Attributes
    ----------
    cells : DataFrame or None
        Columns `reading.CELL_KINDS`; None where nothing could be read.
    reasons : tuple of str
        What is wrong or odd; of unread tracks, why.
    settled_by : dict of str to str
        Parameters that have to be given before the tracks can be read, and why; tracks that merge are cut here.
    is_large : bool
        Whether they were not read because a file is large.
    """

    cells: pd.DataFrame | None
    reasons: tuple[str, ...] = ()
    settled_by: Mapping[str, str] = field(default_factory=dict)
    is_large: bool = False


def read_first(
    survey: Survey, images: Images, given: Mapping[str, Any], names: Sequence[str], facts: Mapping[str, float]
) -> FirstTracks:
    """Read the tracks of the first recordings, with the parameters `tracks` that are not open.

    `facts` is what the files of tracks say of interval and pixel size.
    """
    known = {key: value for key, value in given.items() if value != OPEN}
    lacks_file = images.layout not in WITH_TRACKS and "files" not in known
    if images.header is None or lacks_file or OPEN in known.get("columns", {}).values():
        return FirstTracks(None)
    known["fate_names"] = {word: fate for word, fate in known.get("fate_names", {}).items() if fate != OPEN}
    template = str(known.get("files"))
    paths = [survey.root / name_file(template, name, images.files.get(name, name)) for name in names]
    n_pixels = images.header.n_frames * images.header.height_px * images.header.width_px
    are_large = known.get("format") == "labels" and n_pixels > _LARGE_PX
    if are_large or any(path.is_file() and path.stat().st_size > _LARGE_BYTES for path in paths):
        return FirstTracks(None, (f"{paths[0].name} is large and was not read.",), is_large=True)
    table = _table(images, names, facts)
    read = _read(survey, images, table, known)
    if read.cells is None and _MERGE in read.settled_by:
        cut = _read(survey, images, table, {**known, "on_merge": "cut"})
        return replace(cut, settled_by={**cut.settled_by, _MERGE: read.settled_by[_MERGE]})
    return read


def _table(images: Images, names: Sequence[str], facts: Mapping[str, float]) -> pd.DataFrame:
    """Columns of `Recordings` that the readers look at."""
    header = images.header
    assert header is not None
    return pd.DataFrame(
        {
            "recording_id": list(names),
            "source": [images.sources.get(name, images.files.get(name, name)) for name in names],
            "n_frames": [images.lengths.get(name, header.n_frames) for name in names],
            "frame_interval_min": facts.get("frame_interval_min") or images.frame_interval_min or 1.0,
            "pixel_size_um": header.pixel_size_um or facts.get("pixel_size_um") or float("nan"),
            "height_px": header.height_px,
            "width_px": header.width_px,
        }
    )


def _read(survey: Survey, images: Images, table: pd.DataFrame, given: Mapping[str, Any]) -> FirstTracks:
    assert images.settings is not None
    folder, tracks = RecordingFolder(survey.root), TrackSettings(**given)
    try:
        if images.layout == "cell_tracking_challenge":  # positions would need every image
            _, cells, problems = read_each(list_sources(folder, table), read_without_positions)
        else:
            read = IMPORTERS[tracks.format or images.layout]
            _, cells, problems = read(OpenedRecordings(folder, table, table, images.settings, tracks))
    except InputError as error:
        return FirstTracks(None, (str(error),))
    told = problems[problems["parameter"] != ""].drop_duplicates("parameter")
    settled_by = {} if len(cells) else dict(zip(told["parameter"], told["reason"], strict=True))
    return FirstTracks(None if cells.empty else cells, tuple(problems["reason"]), settled_by)


def ask_files(n_recordings: int, templates: Sequence[str], n_each: int) -> Proposal:
    """Ask which files hold tracks, where recordings have no names yet (are none), or several templates fit `n_each`."""
    first = templates[0]
    if not n_recordings:
        named = f"{folder_of(first)}{{recording_id}}{PurePosixPath(first).suffix}"
        words = (
            f"How recordings are called is not known yet. Answer the questions about them, and give here where {first} "
            f"lies, with {{recording_id}} where it says the name of its recording, such as '{named}'."
        )
        return ask("tracks.files", words)
    each = f" ({n_each} of {n_recordings} recordings each)" if n_each else ""
    advice = "say which are meant, or move those that are meant together into one folder"
    return ask("tracks.files", f"Tracks may be in {shown(templates, 5)}{each}; {advice}.")
