"""Words for units of time and of length, as image and track files spell them: one list for all formats."""

import re

MINUTES = {
    **dict.fromkeys(("ns", "nanosecond"), 1e-9 / 60),
    **dict.fromkeys(("µs", "us", "microsecond"), 1e-6 / 60),
    **dict.fromkeys(("ms", "millisecond"), 1e-3 / 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 60),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 1.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
    **dict.fromkeys(("d", "day", "days"), 1440.0),
}
"""Minutes in a unit of time."""
FRAME_WORDS = frozenset({"frame", "frames", "timepoint", "timepoints", "time point", "time points"})
"""Words that say that time is counted in frames."""
PIXEL_WORDS = frozenset({"px", "pixel", "pixels"})
"""Words that say that lengths are counted in pixels."""
MICROMETRES = {
    "pm": 1e-6,
    "Å": 1e-4,
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("\u00b5m", "\u03bcm", "\\u00B5m", "um", "micron", "microns"), 1.0),
    **dict.fromkeys(("micrometer", "micrometre", "micrometers", "micrometres"), 1.0),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter"), 1e4),
    **dict.fromkeys(("m", "meter"), 1e6),
    **dict.fromkeys(("in", "inch"), 25400.0),
}
"""Micrometres in a unit of length."""
_KNOWN = {word.lower() for word in (*MINUTES, *FRAME_WORDS, *PIXEL_WORDS, *MICROMETRES, "")}


def is_known(unit: str) -> bool:
    """Whether a word is one for a unit of time or of length, or blank.

    Examples
    --------
    >>> is_known("Hrs"), is_known("furlong")
    (True, False)
    """
    return unit.strip().lower() in _KNOWN


def unit_in_name(name: str) -> str:
    """Find the unit of length at the end of the name of a column; empty where there is none.

    Examples
    --------
    >>> unit_in_name("X (µm)"), unit_in_name("y_um"), unit_in_name("x")
    ('um', 'um', '')
    """
    found = re.search(r"(?<=[\[( _])([a-zµμ]+)[\])]?$", name.strip().lower())
    word = found[1] if found else ""
    return "um" if MICROMETRES.get(word) == 1.0 else "px" if word in PIXEL_WORDS else ""
