"""Amounts of a dose as people write them: `500 nM`, `2.5 uM`, `DMSO`."""

import math
import re
from typing import Final

_UNTREATED: Final = frozenset({"control", "dmso", "mock", "untreated", "vehicle"})
_AMOUNT: Final = re.compile(r"\s*([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
UNIT: Final = re.compile(r"([pnu\u00b5\u03bcmk]?)((?:mol|M|g|Gy|J|U)(?![a-zA-Z]).*)")
_PREFIXES: Final = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "\u00b5": 1e-6, "\u03bc": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}


def is_untreated(dose: str) -> bool:
    """Whether a dose is a word for no treatment, such as Control or DMSO."""
    return dose.casefold() in _UNTREATED


def rank_amount(dose: str) -> tuple[float, str]:
    """Amount of a dose in its unit without prefix; NaN and the dose itself where it is none.

    Examples
    --------
    >>> rank_amount("500 nM") == rank_amount("0.5 uM")
    True
    """
    amount = _AMOUNT.fullmatch(dose)
    if amount is None:
        return math.nan, dose
    number, unit = float(amount.group(1)), amount.group(2)
    known = UNIT.fullmatch(unit)
    return (float(f"{number * _PREFIXES[known.group(1)]:.9g}"), known.group(2)) if known else (number, unit)


def split_amount(dose: str) -> tuple[str, float]:
    """Give the unit of an amount, as written, and what it is worth in the unit without prefix.

    Examples
    --------
    >>> split_amount("500 nM"), split_amount("3")
    (('nM', 1e-09), ('', 1.0))
    """
    amount = _AMOUNT.fullmatch(dose)
    unit = amount.group(2) if amount else ""
    known = UNIT.fullmatch(unit)
    return unit, _PREFIXES[known.group(1)] if known else 1.0


def read_amount(dose: str, unit: str) -> float:
    """Amount of a dose in a unit, with its prefix; 0 without treatment, NaN where it is none of that unit.

    Examples
    --------
    >>> read_amount("2 uM", "nM"), read_amount("DMSO", "nM"), read_amount("High", "nM")
    (2000.0, 0.0, nan)
    """
    (number, base), factor = rank_amount(dose), split_amount(f"1 {unit}")[1]
    if is_untreated(dose) or number == 0:
        return 0.0
    return float(f"{number / factor:.9g}") if base == rank_amount(f"1 {unit}")[1] else math.nan
