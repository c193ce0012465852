"""The table of findings: rows of offending cases become sentences, the worst first, and none is dropped in silence."""

from collections.abc import Iterable

import pandas as pd

from cellfate.core.tables import PREFLIGHT_ERRORS, PREFLIGHT_WARNINGS, PreflightFindings

CHECKS = (*PREFLIGHT_ERRORS, *PREFLIGHT_WARNINGS)
"""All checks, errors first, in the order in which findings are listed."""
_EACH_ITS_OWN = (
    "folder",
    "recording",
    "tracks",
    "other_image",
    "other_facts",
    "unread_sheet",
    "merge",
    "nearest_links",
    "missing_parent",
    "spot_feature",
    "switch_outside",
    "never_switches",
)
"""Checks whose findings differ in kind: none of them stands for the others of its recording."""


def list_findings(
    cases: pd.DataFrame, check: str, sentence: str, max_rows: int, *, larger_is_worse: bool = True
) -> pd.DataFrame:
    """Turn offending cases into findings.

    `cases` has recording_id, value and what the sentence names; cell_id, frame, channel, file and limit where they are
    known. The sentence is a format string without the recording and the full stop. The `max_rows` worst cases of a
    recording are listed one by one, the others counted in one more row; `larger_is_worse` says which end of `value` is
    the worst.
    """
    if cases.empty:
        return PreflightFindings.empty()
    worst = cases.sort_values("value", ascending=not larger_is_worse, kind="stable", ignore_index=True)
    listed = worst.groupby("recording_id", sort=False).head(max_rows)
    rows = [{str(key): value for key, value in row.items()} for row in listed.to_dict("records")]
    sentences = [f"In recording '{row['recording_id']}' {sentence.format(**row)}." for row in rows]
    told = make_findings(check, listed.assign(finding=sentences, n_cases=1))
    others = _count_others(worst.drop(listed.index), check, max_rows)
    return pd.concat([told, others], ignore_index=True)


def make_findings(check: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows that have a sentence the columns of `PreflightFindings`; the check decides the severity.

    Columns of the table that `rows` lack become null, n_cases 1.
    """
    severity = "error" if check in PREFLIGHT_ERRORS else "warning"
    none = PreflightFindings.empty()
    table = rows.assign(check=check, severity=severity).reindex(columns=none.columns)
    return table.assign(n_cases=table["n_cases"].fillna(1)).astype(none.dtypes).reset_index(drop=True)


def order_cases(findings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the cases of all checks together: errors first, then by check and recording, the worst of these first."""
    none = PreflightFindings.empty()
    table = pd.concat([none, *findings], ignore_index=True)
    rank = table["check"].map(CHECKS.index)
    table = table.assign(rank=rank).sort_values(["rank", "recording_id"], kind="stable", ignore_index=True)
    return table.drop(columns="rank").astype(none.dtypes)


def gather_findings(cases: pd.DataFrame) -> pd.DataFrame:
    """Gather the cases of each check and recording into one finding: the worst case, and how many there are.

    `cases` has the worst of a check and recording first; findings have errors first, then the gravest checks, then the
    most cases.
    """
    place = cases["recording_id"].mask(cases["check"].isin(_EACH_ITS_OWN), cases["finding"])
    groups = cases.groupby([cases["check"], place], sort=False, dropna=False)
    gathered = cases.assign(n_cases=groups["n_cases"].transform("sum"), rank=cases["check"].map(CHECKS.index))
    worst = gathered[groups.cumcount() == 0]
    count = worst["n_cases"].astype("str")
    told = worst["finding"].str.removesuffix(".") + " (the worst of " + count + " such cases in this recording)."
    worst = worst.assign(finding=worst["finding"].where(worst["n_cases"] == 1, told))
    ordered = worst.sort_values(["rank", "n_cases"], ascending=[True, False], kind="stable", ignore_index=True)
    return ordered.drop(columns="rank").astype(cases.dtypes)


def _count_others(others: pd.DataFrame, check: str, max_rows: int) -> pd.DataFrame:
    if others.empty:
        return PreflightFindings.empty()
    counts = others.groupby("recording_id").agg(n_cases=("value", "size"), value=("value", "first")).reset_index()
    sentences = [
        f"In recording '{name}' {count} further cases of the check '{check}' are not listed one by one; to see them, "
        f"set preflight.max_rows_a_check above {max_rows}."
        for name, count in zip(counts["recording_id"], counts["n_cases"], strict=True)
    ]
    return make_findings(check, counts.assign(finding=sentences))


def name_files(frame_files: pd.DataFrame) -> pd.DataFrame:
    """Name the file of every frame in a finding: the first of them where channels or planes have files of their own.

    recording_id, frame and file, one row a frame.
    """
    first = frame_files.drop_duplicates(["recording_id", "frame"])
    return first[["recording_id", "frame", "file_name"]].rename(columns={"file_name": "file"})
