"""Problems found in tracks: a table with a sentence each, so that all checks run before anything is decided."""

import logging
from collections.abc import Iterable

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import PREFLIGHT_ERRORS
from cellfate.imaging.opening import all_set_aside_message, set_aside_table
from cellfate.imaging.settings import RecordingSettings

_log = logging.getLogger(__name__)
STAGE = "import_tracks"
_COLUMNS = ("recording_id", "reason")


def problem_table(rows: Iterable[tuple[str, str]] = (), check: str = "tracks", parameter: str = "") -> pd.DataFrame:
    """Table of problems: recording_id and reason, one sentence each; check of the preflight that tells them; parameter.

    The parameter is that of the `InputError` that was raised.
    """
    table = pd.DataFrame(list(rows), columns=list(_COLUMNS), dtype="str")
    return table.assign(check=check, parameter=parameter).astype("str")


def one_problem_a_recording(found: pd.DataFrame, sentence: str) -> pd.DataFrame:
    """Turn offending rows into problems: the first of each recording, and how many there are.

    `sentence` is a format string that names columns of `found`, without the full stop.
    """
    if found.empty:
        return problem_table()
    counts = found.groupby("recording_id", sort=True).size()
    firsts = found.drop_duplicates("recording_id").to_dict("records")
    rows = [{str(key): value for key, value in row.items()} for row in firsts]
    return problem_table(
        (row["recording_id"], f"{sentence.format(**row)}{_more(int(counts[row['recording_id']]))}.") for row in rows
    )


def set_aside_or_stop(
    problems: pd.DataFrame, recordings: pd.DataFrame, settings: RecordingSettings
) -> tuple[set[str], pd.DataFrame]:
    """Stop at the first error if `on_bad_recording` is `stop`, or set the recordings with errors aside; log the rest.

    Parameters and what is returned are those of `set_aside`; problems whose check is a warning do no harm.

    Raises
    ------
    InputError
        If there is an error and `on_bad_recording` is `stop`, or no recording is left.
    """
    harmful = problems["check"].isin(PREFLIGHT_ERRORS)
    for reason in problems.loc[~harmful, "reason"]:
        _log.warning("%s", reason)
    problems = problems[harmful]
    if len(problems) and settings.on_bad_recording == "stop":
        raise InputError(str(problems["reason"].iloc[0]), str(problems["parameter"].iloc[0]))
    return set_aside(problems, recordings, STAGE)


def set_aside(problems: pd.DataFrame, recordings: pd.DataFrame, stage: str) -> tuple[set[str], pd.DataFrame]:
    """Set the recordings with problems (recording_id, reason) aside: those that are kept, and table `SetAside`.

    Raises
    ------
    InputError
        If no recording is left.
    """
    reasons = dict(problems.drop_duplicates("recording_id")[list(_COLUMNS)].astype(object).to_numpy().tolist())
    kept = set(recordings["recording_id"]) - set(reasons)
    if not kept:
        raise InputError(all_set_aside_message("the folder of recordings", reasons))
    return kept, set_aside_table(reasons, stage)


def _more(count: int) -> str:
    return f" ({count} such cases in this recording)" if count > 1 else ""
