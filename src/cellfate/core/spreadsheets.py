"""CSV tables for a person: a spreadsheet that opens one runs nothing of it.

A spreadsheet takes text that begins with one of `=`, `+`, `-`, `@`, a tab or a carriage return for a formula, and names
of recordings and cells come from files of others. Such text is written with an apostrophe before it; text that has
apostrophes before such a sign already gets one more, so that reading is exact.
Numbers are never changed.
"""

import re
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
_TEXT: Final = (
    *("recording_id", "cell_name", "condition", "dose", "file", "channel", "finding"),
    *("scorer", "note", "entry_id"),
)
"""Columns that are text even where they look like numbers, or like a missing value."""


def write_csv(table: pd.DataFrame, path: Path | BinaryIO) -> None:
    """Write a table for a person: no text of it is run by a spreadsheet; what is missing is blank."""
    import pyarrow as pa
    from pyarrow.csv import write_csv as write  # ten times as fast as pandas

    write(pa.Table.from_pandas(_guard_text(table), preserve_index=False), path)


def read_csv(path: Path, n_rows: int | None = None) -> pd.DataFrame:
    """Read what `write_csv` wrote, or its first rows."""
    table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, "str"), keep_default_na=False, na_values=[""], nrows=n_rows)
    return unguard_text(table)


def guard(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run.

    Examples
    --------
    >>> [guard(text) for text in ("=1+1", "-3", "'=1", "well 3", "'a'")]
    ["'=1+1", "'-3", "''=1", 'well 3', "'a'"]
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Undo `guard`.

    Examples
    --------
    >>> [unguard(text) for text in ("'=1+1", "'-3", "''=1", "well 3", "'a'")]
    ['=1+1', '-3', "'=1", 'well 3', "'a'"]
    """
    return text[1:] if _GUARDED.match(text) else text


def _guard_text(table: pd.DataFrame) -> pd.DataFrame:
    """Guard columns of text, each different text once; numbers and missing values stay."""
    changed = {}
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column.dtype):
            texts = {text: guard(text) for text in column.dropna().unique() if isinstance(text, str)}
            if any(text != new for text, new in texts.items()):
                changed[str(name)] = column.map(texts, na_action="ignore")
    return table.assign(**changed)


def unguard_text(table: pd.DataFrame) -> pd.DataFrame:
    """Undo in columns of text what `write_csv` did to it, and to names that a person copied from such a table."""
    changed = {
        str(name): column.map(unguard, na_action="ignore")
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column.dtype) and column.str.startswith("'", na=False).any()
    }
    return table.assign(**changed)
