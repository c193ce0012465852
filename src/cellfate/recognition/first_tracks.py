"""Reading the tracks of the first recordings, with the readers that a run uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.recognition.findings import OPEN
from cellfate.recognition.images import FIRST, Images
from cellfate.recognition.survey import Survey
from cellfate.tracks.importing import IMPORTERS
from cellfate.tracks.records import OpenedRecordings
from cellfate.tracks.settings import PLACEHOLDER, TrackSettings

_LARGE_BYTES = 100_000_000
"""A file of tracks larger than this is not read, only recognised."""


@dataclass(frozen=True, eq=False)
class FirstTracks:
    """What the readers found in the tracks of the first recordings.

    Attributes
    ----------
    cells : DataFrame or None
        Columns `reading.CELL_KINDS`; None where nothing could be read.
    reasons : tuple of str
        What is wrong or odd; of unread tracks, why.
    merge : str or None
        Tracks that merge, in a sentence; they are cut here.
    """

    cells: pd.DataFrame | None
    reasons: tuple[str, ...] = ()
    merge: str | None = None


def read_first(
    survey: Survey, images: Images, given: Mapping[str, Any], names: Sequence[str], facts: Mapping[str, float]
) -> FirstTracks:
    """Read the tracks of the first recordings.

    Parameters
    ----------
    survey : Survey
        Names of what lies in the folder.
    images : Images
        Its recordings.
    given : mapping
        Parameters `tracks`; open ones are left at their defaults.
    names : sequence of str
        Recordings that have tracks.
    facts : dict of str to float
        Interval and pixel size, as far as the files of tracks say them.
    """
    known = {key: value for key, value in given.items() if value != OPEN}
    if images.header is None or "files" not in known or OPEN in known.get("columns", {}).values():
        return FirstTracks(None)
    known["fate_names"] = {word: fate for word, fate in known.get("fate_names", {}).items() if fate != OPEN}
    paths = [survey.root / str(known["files"]).replace(PLACEHOLDER, name) for name in names[:FIRST]]
    if any(path.is_file() and path.stat().st_size > _LARGE_BYTES for path in paths):
        return FirstTracks(None, (f"{paths[0].name} is large and was not read.",))
    table = _table(images, names[:FIRST], facts)
    read = _read(survey, table, known)
    merges = [reason for reason in read.reasons if "on_merge" in reason]
    if read.cells is None and merges:
        cut = _read(survey, table, {**known, "on_merge": "cut"})
        return FirstTracks(cut.cells, cut.reasons, merges[0])
    return read


def _table(images: Images, names: Sequence[str], facts: Mapping[str, float]) -> pd.DataFrame:
    """Columns of `Recordings` that the readers look at."""
    header = images.header
    assert header is not None
    return pd.DataFrame(
        {
            "recording_id": list(names),
            "source": [images.sources.get(name, name) for name in names],
            "n_frames": header.n_frames,
            "frame_interval_min": facts.get("frame_interval_min") or images.frame_interval_min or 1.0,
            "pixel_size_um": header.pixel_size_um or facts.get("pixel_size_um") or float("nan"),
            "height_px": header.height_px,
            "width_px": header.width_px,
        }
    )


def _read(survey: Survey, table: pd.DataFrame, given: Mapping[str, Any]) -> FirstTracks:
    settings = RecordingSettings(layout="tiff_stacks")
    opened = OpenedRecordings(RecordingFolder(survey.root), table, table, settings, TrackSettings(**given))
    try:
        _, cells, problems = IMPORTERS[str(given["format"])](opened)
    except InputError as error:
        return FirstTracks(None, (str(error),))
    return FirstTracks(None if cells.empty else cells, tuple(problems["reason"]))
