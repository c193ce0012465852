"""Numbers from columns of text; a decimal comma counts as a point."""

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import LARGEST, are_whole

DECIMAL_COMMA: Final = r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*"
_DECIMAL_POINT: Final = r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*"
_THOUSANDS: Final = r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*"
_DIGITS: Final = re.compile(r"[+-]?\d{1,19}")
_BEYOND: Final = 2**63
"""More than a table can hold of a whole number."""
_BLANK: Final = ["", "nan", "na", "none", "null", "<na>"]


def parse_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Turn text into numbers, `1,5` into 1.5; NaN where a field is no number.

    Examples
    --------
    >>> parse_numbers(pd.Series(["1,5", " -2.25", "x"])).tolist()
    [1.5, -2.25, nan]
    """
    text = column.str.strip()
    if text.str.contains(",", regex=False).any():
        text = text.mask(text.str.fullmatch(DECIMAL_COMMA), text.str.replace(",", ".", regex=False))
    return pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def real_numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    """Turn text into finite numbers.

    Raises
    ------
    InputError
        If a field is blank, no number, NaN or infinite; with file and line.
    """
    numbers = parse_numbers(column)
    _check(column, np.isfinite(numbers), "a number", path)
    return numbers


def whole_numbers(column: pd.Series, path: Path) -> NDArray[np.int64]:
    """Turn text into whole numbers; `3.0` is one. Digits alone are exact up to 2^63.

    Raises
    ------
    InputError
        If a field is anything else; with file and line.

    Examples
    --------
    >>> whole_numbers(pd.Series(["3.0", "1000000000000000001"]), Path("a.csv")).tolist()
    [3, 1000000000000000001]
    """
    numbers = parse_numbers(column)
    long = np.abs(numbers) > LARGEST
    exact = np.zeros(len(column), dtype=np.int64)
    for place in np.flatnonzero(long):
        digits = column.iloc[place].strip()
        if _DIGITS.fullmatch(digits) and abs(int(digits)) < _BEYOND:
            exact[place], long[place] = int(digits), False
    _check(column, ~long, "a whole number below 2^63 in digits (number the rows anew)", path)
    _check(column, are_whole(numbers) | (exact != 0), "a whole number", path)
    return np.where(exact != 0, 0, numbers).astype(np.int64) + exact


def optional_whole_numbers(column: pd.Series, path: Path) -> pd.Series:
    """Turn text into whole numbers; blank fields, `nan` and `na` become null.

    Raises
    ------
    InputError
        If a field is anything else; with file and line.
    """
    given = ~is_blank(column)
    numbers = pd.Series(pd.NA, index=column.index, dtype="Int64")
    numbers[given] = whole_numbers(column[given], path)
    return numbers


def is_blank(column: pd.Series) -> pd.Series:
    """Which fields are blank, or hold a word for nothing such as `nan`."""
    return column.str.strip().str.lower().isin(_BLANK)


def optional_real_numbers(column: pd.Series, path: Path, advice: str = "correct the file") -> NDArray[np.float64]:
    """Turn text into numbers; blank fields, `nan` and `na` become NaN, and infinite ones stay.

    `advice` is what to do where a field is anything else.

    Raises
    ------
    InputError
        If a field is anything else; with file and line.

    Examples
    --------
    >>> optional_real_numbers(pd.Series(["1.5", "", "NaN", "-Infinity"]), Path("a.csv")).tolist()
    [1.5, nan, nan, -inf]
    """
    numbers = parse_numbers(column)
    blank = is_blank(column).to_numpy(bool)
    _check(column, blank | ~np.isnan(numbers), "a number or a blank", path, advice)
    return numbers


def check_decimals(table: pd.DataFrame, separator: str | None, path: Path) -> None:
    """Refuse a table, indexed by line, in which a comma in a number could mean two things.

    `separator` is what separates fields; None in a workbook.

    Raises
    ------
    InputError
        If some numbers have a decimal comma and others a point; or if all commas could set off thousands and fields are
        not separated by semicolons, as they are where the comma is decimal.
    """
    columns = [table[name] for name in table]
    found = [column[column.str.contains(",", regex=False)] for column in columns]
    commas = [column for column in (each[each.str.fullmatch(DECIMAL_COMMA)] for each in found) if len(column)]
    if not commas:
        return
    first = f"Line {commas[0].index[0]} of {path} has {commas[0].iloc[0].strip()!r} in column {commas[0].name}"
    for column in columns:
        points = column[column.str.fullmatch(_DECIMAL_POINT)]
        if len(points):
            raise InputError(
                f"{first} and line {points.index[0]} has {points.iloc[0].strip()!r} in column {column.name}, but a "
                "table has either decimal commas or decimal points; write all numbers alike."
            )
    if separator != ";" and all(column.str.fullmatch(_THOUSANDS).all() for column in commas):
        raise InputError(
            f"{first}, which can mean thousands or a decimal comma; write numbers without separators of thousands and "
            "with a decimal point."
        )


def _check(
    column: pd.Series, usable: NDArray[np.bool_], expected: str, path: Path, advice: str = "correct the file"
) -> None:
    if not usable.all():
        place = int(np.flatnonzero(~usable)[0])
        raise InputError(
            f"Line {column.index[place]} of {path} has {column.iloc[place]!r:.60} in column {column.name}, but "
            f"{expected} was expected ({int((~usable).sum())} such lines); {advice}."
        )
