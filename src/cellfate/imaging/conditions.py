"""The table of conditions: which recording was treated how."""

from pathlib import Path

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES

_NEEDED = ("recording_id", "condition", "dose")


def read_conditions(path: Path) -> pd.DataFrame:
    """Read the table of conditions.

    Parameters
    ----------
    path : Path
        CSV with the columns recording_id, condition, dose and, if wanted, group_id.

    Returns
    -------
    DataFrame
        recording_id, condition, dose and group_id (the recording_id where the file has none).

    Raises
    ------
    InputError
        If the file is missing, or lacks a column or a value, or gives a dose a name that scores use for all of them.
    """
    table = _read_text_table(path)
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise InputError(
            f"Conditions file {path} has no column {', '.join(missing)}; expected {', '.join(_NEEDED)}; add the column."
        )
    blank = table[table.isna().any(axis=1)]
    if len(blank):
        raise InputError(
            f"Line {blank.index[0] + 2} of conditions file {path} has an empty field; fill every field of every line."
        )
    reserved = table[table["dose"].str.strip().isin((EVERYTHING, WITHIN_DOSES))]
    if len(reserved):
        raise InputError(
            f"Line {reserved.index[0] + 2} of conditions file {path} names the dose '{reserved['dose'].iloc[0]}', "
            "which in tables of scores stands for all doses together; give the dose another name."
        )
    if "group_id" not in table.columns:
        table = table.assign(group_id=table["recording_id"])
    return table[[*_NEEDED, "group_id"]]


def match_conditions(path: Path, table: pd.DataFrame, recording_ids: list[str]) -> pd.DataFrame:
    """Find the conditions of every recording.

    Parameters
    ----------
    path : Path
        Where the table is from, for messages.
    table : DataFrame
        As `read_conditions` gives it.
    recording_ids : list of str
        Recordings of the folder.

    Returns
    -------
    DataFrame
        condition, dose and group_id, indexed by recording_id.

    Raises
    ------
    InputError
        If the table lists a recording twice, lists an unknown one, or lacks one.
    """
    _check_ids(path, table["recording_id"].tolist(), recording_ids)
    return table.set_index("recording_id")


def _read_text_table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, skipinitialspace=True, keep_default_na=False, na_values=[""])
    except FileNotFoundError as error:
        raise InputError(f"Conditions file {path} is missing; put it there, or set conditions_file to null.") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"Conditions file {path} cannot be read as CSV ({str(error).strip()}); expected {', '.join(_NEEDED)}; "
            "correct it."
        ) from error
    return table


def _check_ids(path: Path, listed: list[str], recording_ids: list[str]) -> None:
    twice = sorted({name for name in listed if listed.count(name) > 1})
    unknown = sorted(set(listed) - set(recording_ids))
    absent = sorted(set(recording_ids) - set(listed))
    for names, problem, advice in (
        (twice, "lists a recording twice", "keep one line a recording"),
        (unknown, "lists recordings that the folder does not have", f"use its names, such as {recording_ids[0]!r}"),
        (absent, "has no line for recordings of the folder", "add one line for each"),
    ):
        if names:
            raise InputError(
                f"Conditions file {path} {problem} ({len(names)}): {', '.join(map(repr, names[:5]))}; {advice}."
            )
