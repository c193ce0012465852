"""Recordings without images: tables in which rows name the recording they are of."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from string import Formatter

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameFiles, Recordings
from cellfate.core.text_tables import read_header, read_text_columns
from cellfate.imaging.conditions import match_conditions, read_conditions, settle_conditions
from cellfate.imaging.file_search import find_files, recording_name
from cellfate.imaging.recording_names import check_name
from cellfate.imaging.settings import RecordingSettings

_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".csv.gz")
_FILE = "file"
_UNKNOWN = {"condition": "unknown", "dose": "Unknown"}
_WHOLE_FRAMES = 1e-6
"""An end so many frames before a frame is in it: hours are rounded."""


def open_traces(root: Path, settings: RecordingSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the recordings that tables of traces hold.

    Returns
    -------
    recordings : DataFrame
        Table `Recordings`: an image of 0 x 0 pixels, no channels.
    frame_files : DataFrame
        Table `FrameFiles`, without rows.

    Raises
    ------
    InputError
        If there is no table, or none with rows, one is not usable, two hold one recording, rows of a recording state
        several conditions, or it is not said when a recording ended.
    """
    found = pd.concat([_list_recordings(root, path, settings) for path in _find_tables(root, settings)])
    if found.empty:
        raise InputError(f"The tables in {root} have no rows below their headers, but cells were expected; fill them.")
    twice = found[found["recording_id"].duplicated()]
    if len(twice):
        name = twice["recording_id"].iloc[0]
        first, second = found.loc[found["recording_id"] == name, "source"].iloc[:2]
        raise InputError(
            f"The tables {first} and {second} both have rows of recording '{name}'; put {{file}} into its name "
            "(recordings.traces.recording), or the rows into one table."
        )
    found = found.sort_values("recording_id", ignore_index=True)
    if settings.conditions_file is not None:
        path = root / settings.conditions_file
        table = read_conditions(path, settings.conditions_columns, settings.dose_unit)
        treated = match_conditions(path, table, found["recording_id"].tolist())
        found = found[["recording_id", "source"]].join(treated, on="recording_id")
    interval_min = float(settings.frame_interval_min or np.nan)
    ends_h = _settle_ends(found, settings)
    opened = found.drop(columns="recording_end_h").assign(
        axes="T",
        channels="",
        n_frames=np.floor(ends_h * 60 / interval_min + _WHOLE_FRAMES).astype(np.int64) + 1,
        height_px=0,
        width_px=0,
        dtype="float32",
        frame_interval_min=interval_min,
        pixel_size_um=np.nan,
        image_format="none",
    )
    columns = [name for name in Recordings.to_schema().columns if name in opened]
    return opened[columns], FrameFiles.empty()


def name_recordings(table: pd.DataFrame, template: str, source: str) -> pd.Series:
    """Name the recording of each row of a table of text, by `recordings.traces.recording`.

    Examples
    --------
    >>> name_recordings(pd.DataFrame({"well": ["A1", "A2"]}), "{file} {well}", "day1/plate.csv").tolist()
    ['day1_plate A1', 'day1_plate A2']
    """
    names = pd.Series("", index=table.index)
    for text, column, _, _ in Formatter().parse(template):
        names = names + text
        if column == _FILE:
            names = names + recording_name(Path(), Path(source), _ENDINGS)
        elif column is not None:
            names = names + table[column].str.strip()
    return names


def list_name_columns(template: str) -> list[str]:
    """Columns that stand in the name of a recording."""
    return [column for _, column, _, _ in Formatter().parse(template) if column not in (None, _FILE)]


def _find_tables(root: Path, settings: RecordingSettings) -> list[Path]:
    kept_apart = root / str(settings.conditions_file)
    return [path for path in find_files(root, settings, _ENDINGS) if path != kept_apart]


def _list_recordings(root: Path, path: Path, settings: RecordingSettings) -> pd.DataFrame:
    """One row a recording of a table: its name, source, and what the table itself says of it."""
    asked = settings.conditions_columns.model_dump(exclude={"recording_id"})
    stated = {} if settings.conditions_file is not None else {key: name for key, name in asked.items() if name}
    by, source = list_name_columns(settings.traces.recording), path.relative_to(root).as_posix()
    columns = [*by, *stated.values()]
    if not columns:
        read_header(path)  # it must be a table
        table = pd.DataFrame(index=[0])
    else:
        table = read_text_columns(path, by, columns, named_in="recordings.traces.recording")
    table = table.apply(lambda column: column.str.strip()).assign(
        recording_id=name_recordings(table, settings.traces.recording, source)
    )
    _check_filled(table, by, path)
    given = {key: table[name] for key, name in stated.items() if name in table}
    for key, column in given.items():
        _check_one(table["recording_id"], column, key, path)
    first = ~table["recording_id"].duplicated()
    names = table.loc[first, "recording_id"].map(check_name)
    if not {"dose", "condition"} & given.keys():
        given |= {key: pd.Series(word, index=table.index) for key, word in _UNKNOWN.items()}
    told = settle_conditions(
        path, {"recording_id": names} | {key: column[first] for key, column in given.items()}, settings.dose_unit
    )
    groups = told["group_id"].where(told["group_id"] != "", told["recording_id"])
    return told.assign(group_id=groups, source=source)


def _check_filled(table: pd.DataFrame, by: list[str], path: Path) -> None:
    for name in by:
        blank = table.index[table[name] == ""]
        if len(blank):
            raise InputError(
                f"Line {blank[0]} of {path} has a blank in column {name}, which names the recording "
                f"(recordings.traces.recording); fill it on all {len(blank)} such lines."
            )


def _check_one(names: pd.Series, column: pd.Series, key: str, path: Path) -> None:
    """Refuse a recording of which rows state different things."""
    several = column.groupby(names).nunique()
    if (several > 1).any():
        name = several.index[several > 1][0]
        one, other = column[names == name].drop_duplicates().iloc[:2]
        raise InputError(
            f"Recording '{name}' of {path} has {one!r} in column {column.name} on one line and {other!r} on another, "
            f"but a recording has one {key}; name recordings by that column too (recordings.traces.recording: "
            f"'{{file}} {{{column.name}}}'), or set recordings.conditions_columns.{key} to null."
        )


def _settle_ends(found: pd.DataFrame, settings: RecordingSettings) -> pd.Series:
    """Hours to the end of every recording: the parameter's, else those of its table."""
    given = settings.traces.end_h
    if isinstance(given, Mapping):
        ends_h = found["recording_id"].map(lambda name: _match(str(name), given)).astype("float64")
        idle = [key for key in given if not any(fnmatchcase(name, key) for name in found["recording_id"])]
        if idle:
            raise InputError(
                f"Parameter recordings.traces.end_h names '{idle[0]}', but the recordings are "
                f"{', '.join(found['recording_id'][:5])}; correct the name, in which * stands for anything."
            )
    else:
        ends_h = pd.Series(np.nan if given is None else given, index=found.index)
    ends_h = ends_h.fillna(found["recording_end_h"])
    unknown = found["recording_id"][~(ends_h > 0)]
    if len(unknown):
        raise InputError(
            f"It is not said when {len(unknown)} of {len(found)} recordings ended, the first is '{unknown.iloc[0]}'; "
            "give the hours from the first frame to the last filmed in recordings.traces.end_h, or in a column of "
            "recordings.conditions_columns.recording_end_h: the last cell that is seen would give away when it died.",
            "recordings.traces.end_h",
        )
    return ends_h


def _match(name: str, ends_h: Mapping[str, float]) -> float | None:
    """End of a recording by the longest name that fits it."""
    fitting = sorted((key for key in ends_h if fnmatchcase(name, key)), key=len)
    return ends_h[fitting[-1]] if fitting else None
