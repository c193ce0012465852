"""What tables of conditions and of fates state about the images, held against the recordings."""

from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.text_tables import find_unread_sheets, parse_numbers, read_header, read_text_columns
from cellfate.imaging.recording_names import list_names, match_names
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.stated import Fact, compare_facts
from cellfate.preflight.findings import make_findings
from cellfate.tracks.records import name_file
from cellfate.tracks.settings import PLACEHOLDER, TrackSettings, is_file_each

_STATED = ("n_frames", "frame_interval_min", "pixel_size_um")
"""Columns of a table that state something of a recording, by these names."""


def check_tables(
    root: Path, recordings: pd.DataFrame, settings: RecordingSettings, tracks: TrackSettings
) -> pd.DataFrame:
    """Find what the tables of conditions and of fates state otherwise than the recordings.

    Check `other_facts`, a row a recording, table and fact, and `unread_sheet`, a row a workbook.

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
    facts = make_findings("other_facts", rows.drop_duplicates())
    names = [name for name, _ in tables if name is not None]
    return pd.concat([facts, _find_unread_sheets(root, recordings, names)], ignore_index=True)


def _find_unread_sheets(root: Path, recordings: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Tell of workbooks that hold something on a sheet behind the first."""
    of_recordings = recordings[["recording_id", "source"]].astype("str").itertuples(index=False)
    files = {
        name_file(name, recording_id, image): recording_id if is_file_each(name) else None
        for recording_id, image in of_recordings
        for name in names
    }
    told = []
    for file, recording_id in files.items():
        first, others = find_unread_sheets(root / file)
        if others:
            sentence = (
                f"Of the workbook {file} only the sheet '{first}' is read, but there is something on "
                f"{list_names(others)} too; copy what belongs to the table to the first sheet, or leave it if nothing "
                "does."
            )
            told.append((recording_id, sentence))
    return make_findings("unread_sheet", pd.DataFrame(told, columns=["recording_id", "finding"]))


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
