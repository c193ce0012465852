"""From what the file of each recording says to the tables of all, one recording after the other."""

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, MITOSIS
from cellfate.imaging.records import RecordingFolder
from cellfate.tracks.lineages import find_divisions, find_founders
from cellfate.tracks.problems import problem_table
from cellfate.tracks.records import TrackedCells, TrackSource
from cellfate.tracks.settings import PLACEHOLDER

_log = logging.getLogger(__name__)
DETECTION_KINDS = {"recording_id": "str", "cell_id": "int64", "frame": "int64", "y_px": "float64", "x_px": "float64"}
CELL_KINDS = {
    "recording_id": "str",
    "cell_id": "int64",
    "parent_id": "Int64",
    "lineage_id": "str",
    "first_frame": "Int64",
    "last_frame": "Int64",
    "fate": "str",
    "event_frame": "Int64",
}


def read_each(
    folder: RecordingFolder, recordings: pd.DataFrame, read_file: Callable[[TrackSource], TrackedCells]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read the tracks of every recording; what is wrong with one does not keep the others from being read.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    recordings : DataFrame
        Table `Recordings`.
    read_file : callable
        Reads the tracks of one recording; raises `InputError` where they are not usable.

    Returns
    -------
    detections : DataFrame
        Columns of `Detections`.
    cells : DataFrame
        Columns of `Cells` but group_id.
    problems : DataFrame
        recording_id and reason; a recording with a problem has no rows in the other two.
    """
    detections, cells, problems = [empty_table(DETECTION_KINDS)], [empty_table(CELL_KINDS)], []
    for source in tqdm(list_sources(folder, recordings), desc="Importing tracks", unit="recording", disable=None):
        try:
            found, tracked = assemble(source.recording_id, read_file(source))
        except InputError as error:
            problems.append((source.recording_id, str(error)))
            continue
        detections.append(found)
        cells.append(tracked)
    return pd.concat(detections, ignore_index=True), pd.concat(cells, ignore_index=True), problem_table(problems)


def list_sources(folder: RecordingFolder, recordings: pd.DataFrame) -> list[TrackSource]:
    """One `TrackSource` a recording, in the order of the table `Recordings`."""
    return [
        TrackSource(
            folder.root,
            str(row["recording_id"]),
            int(row["n_frames"]),
            float(row["frame_interval_min"]),
            float("nan") if pd.isna(row["pixel_size_um"]) else float(row["pixel_size_um"]),
        )
        for row in recordings.to_dict("records")
    ]


def check_one_file_each(template: str, recordings: pd.DataFrame) -> None:
    """Refuse one file for several recordings in a format that does not tell recordings apart.

    Raises
    ------
    InputError
        If `template` has no place for the name of the recording and there are several.
    """
    if PLACEHOLDER not in template and len(recordings) > 1:
        message = (
            f"The parameter tracks.files names the one file {template} for {len(recordings)} recordings, but a file a "
            f"recording was expected; put {PLACEHOLDER} in its name (csv may instead name columns.recording_id)."
        )
        raise InputError(message)


def assemble(recording_id: str, read: TrackedCells) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the tables of one recording, and let mothers with two daughters divide.

    Parameters
    ----------
    recording_id : str
        Name of the recording.
    read : TrackedCells
        What its file says.

    Returns
    -------
    detections : DataFrame
        Columns of `Detections`.
    cells : DataFrame
        Columns of `Cells` but group_id. A cell that neither divides nor has a stated fate is censored.

    Raises
    ------
    InputError
        If a cell has two daughters and a stated fate that is not mitosis.
    """
    cells = read.cells
    seen = read.detections.groupby("cell_id")["frame"].agg(["min", "max"]).reindex(cells["cell_id"]).astype("Int64")
    divisions = find_divisions(cells.assign(begin=seen["min"].to_numpy(np.float64, na_value=np.nan)))
    divides = cells["cell_id"].isin(divisions.index)
    _check_one_fate(recording_id, cells, divides)
    by_daughters = cells["cell_id"].map(divisions["event_frame"]).astype("Int64")
    fate = cells["fate"].where(cells["fate"].notna(), pd.Series(np.where(divides, MITOSIS, CENSORED)))
    founders = find_founders(cells["cell_id"], cells["parent_id"])
    lineages = (f"{recording_id}:" + founders.astype("str")).where(founders.notna() & read.parents_known, None)
    table = pd.DataFrame(
        {
            "recording_id": recording_id,
            "cell_id": cells["cell_id"],
            "parent_id": cells["parent_id"],
            "lineage_id": lineages,
            "first_frame": seen["min"].array,
            "last_frame": seen["max"].array,
            "fate": fate,
            "event_frame": cells["event_frame"].fillna(by_daughters.where(fate == MITOSIS)),
        }
    )
    return read.detections.assign(recording_id=recording_id)[list(DETECTION_KINDS)].astype(
        DETECTION_KINDS
    ), table.astype(CELL_KINDS)


def empty_table(kinds: dict[str, str]) -> pd.DataFrame:
    """Table without rows, with these columns and types."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _check_one_fate(recording_id: str, cells: pd.DataFrame, divides: pd.Series) -> None:
    wrong = cells[divides & cells["fate"].notna() & (cells["fate"] != MITOSIS)]
    if len(wrong):
        row = wrong.iloc[0]
        message = (
            f"In recording '{recording_id}' cell {row['cell_id']} has two daughters but its stated fate is "
            f"{row['fate']}, and a cell has one fate; correct the fate or the tracks."
        )
        raise InputError(message)
