"""What tables of conditions and of fates state about the images, held against the recordings."""

from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.text_tables import parse_numbers, read_header, read_text_columns
from cellfate.imaging.recording_names import match_names
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.stated import Fact, compare_facts
from cellfate.preflight.findings import make_findings
from cellfate.tracks.settings import PLACEHOLDER, TrackSettings

_STATED = ("n_frames", "frame_interval_min", "pixel_size_um")
"""Columns of a table that state something of a recording, by these names."""


def check_tables(
    root: Path, recordings: pd.DataFrame, settings: RecordingSettings, tracks: TrackSettings
) -> pd.DataFrame:
    """Find what the tables of conditions and of fates state otherwise than the recordings.

    Parameters
    ----------
    root : Path
        Folder of recordings.
    recordings : DataFrame
        Table `Recordings`.
    settings, tracks : RecordingSettings, TrackSettings
        Name the tables, and their columns of recordings.

    Returns
    -------
    DataFrame
        Table `PreflightFindings` of the check `other_facts`: a row a recording, table and fact.

    Raises
    ------
    InputError
        If a table cannot be read.
    """
    tables: list[tuple[str | None, str | None]] = [(settings.conditions_file, settings.conditions_columns.recording_id)]
    tables.append((tracks.fates_file, tracks.fates_columns.recording_id))
    told: list[tuple[str, str]] = []
    for name, by in tables:
        if name is not None and by is not None and PLACEHOLDER not in name:
            told += _compare(root / name, by, recordings)
    rows = pd.DataFrame(told, columns=["recording_id", "finding"], dtype="str")
    return make_findings("other_facts", rows.drop_duplicates())


def _compare(path: Path, by: str, recordings: pd.DataFrame) -> list[tuple[str, str]]:
    if not {*read_header(path)} & {*_STATED}:
        return []
    table = read_text_columns(path, [by], _STATED)
    names = match_names(table[by].unique(), recordings["recording_id"].tolist(), f"The table {path.name}")
    known = recordings.set_index("recording_id")
    told = []
    for what in (what for what in _STATED if what in table):
        for listed, value in zip(table[by], parse_numbers(table[what]), strict=True):
            name = names[listed]
            if name is None or not np.isfinite(value):
                continue
            row = known.loc[name]
            counts = [Fact(f"recording '{name}' ({row['source']})", what, row[what])]
            told += [(name, f"{sentence}.") for _, sentence in compare_facts([Fact(path.name, what, value)], counts)]
    return told
