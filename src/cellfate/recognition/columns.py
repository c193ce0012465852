"""What columns of a table mean: told by their names, and held against what is in them."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS, UNSCORED
from cellfate.core.text_tables import parse_numbers, read_table
from cellfate.imaging.recording_names import match_names
from cellfate.tracks.settings import TrackSettings

NAMES: dict[str, str] = {
    "cell_id": (
        "cellid trackid tracklabel trackletid tracknumber trackobjectslabel cell cellnumber cellno cellnr "
        "track tracklet particle trackname label id object objectid number nr spot spotid nodeid nucleus"
    ),
    "frame": ("frame frames framenumber frameid timepoint timeframe t slice imagenumber time"),
    "y": (
        "ypx y positiony posy centery centroidy centroid0 yposition ycenter ycentroid locationcentery cy yc "
        "ypos row yum ymicron axis1 centeroidy positionypx positionyum"
    ),
    "x": (
        "xpx x positionx posx centerx centroidx centroid1 xposition xcenter xcentroid locationcenterx cx xc "
        "xpos col column xum xmicron axis2 centeroidx positionxpx positionxum"
    ),
    "parent_id": (
        "parentid parent parenttrackid parenttrack parentlabel parentcell mother motherid mothercell "
        "mothertrackid parentnumber parentspot parentspotid"
    ),
    "fate": ("fate outcome end ending event eventtype endpoint fates result celldestiny destiny status class"),
    "event_frame": "event when",
    "time": "time hours hour h hrs timeh timehours timehrs frame frames t timepoint slice when min minutes timemin",
    "recording_id": (
        "recordingid recording movie video image imagename file filename position pos well field fov site xy series "
        "name stack sample recordingnumber movienumber movieno movienr movieid videonumber videono positionnumber "
        "positionno positionid wellid fovid fieldid"
    ),
    "condition": (
        "condition treatment drug compound agent drugname treatmentname stimulus inhibitor perturbation substance"
    ),
    "dose": ("dose concentration conc dosage level doselevel um nm mm ugml ngml mgml"),
    "dose_unit": "doseunit unit units concunit concentrationunit",
    "group_id": ("groupid group plate plateid day date experiment replicate batch well repeat donor"),
}
"""Names that a column goes by, in small letters and digits only; the likeliest first."""
_EVENTS = r"(?:event|fate|deaths?|die[ds]?|dead|divisions?|divide[ds]?|div|mitosis|apoptosis|end)"
_MOMENTS = r"(?:frame|slice|timepoint|time|hours?|hrs?|h|minutes?|mins?|t)"
_EVENT_TIME = re.compile(rf"{_MOMENTS}(?:of|at)?{_EVENTS}(?:{_MOMENTS})?|{_EVENTS}(?:at)?{_MOMENTS}+")
"""Names that say by themselves that something happened then."""
_MOST_WORDS = 30
"""Different words of a column of fates."""
_TIME_UNITS = {
    "h": r"(?<![a-z])(?:h|hrs?)$|time ?h$|hours?$|hrs$",
    "min": r"(?<![a-z])mins?$|time ?min$|mins$|minutes?$",
    "s": r"(?<![a-z])(?:m?s|secs?)$|secs?$|seconds?$",
    "frame": r"frame|slice|timepoint",
    "d": r"(?<![a-z])d$|days?$",
}
"""Units of time in the name of a column."""
_IN_BRACKETS = re.compile(r"[(\[]\s*([^\s()\[\]]{1,6})\s*[)\]]\s*$")
"""What may be a unit at the end of a name."""
_SAME_TIMES = 0.999
"""Correlation from which two columns of times tell the same, frames and rounded hours for instance."""
_MOST_LISTED = 50
"""Fields of a column that are held against parts of names."""
WORDS: dict[str, str] = {
    **dict.fromkeys(["died", "dead", "death", "dies", "die", "dying", "apoptotic", "killed", "cell_death"], APOPTOSIS),
    **dict.fromkeys(
        ["divided", "division", "divides", "divide", "dividing", "mitotic", "split", "cell_division"], MITOSIS
    ),
    **dict.fromkeys(["left", "out_of_field", "left_field", "end_of_movie", "no_division", "undivided"], CENSORED),
}
"""Words for fates that are proposed, beside those that are always known."""


def plain(name: str) -> str:
    """Name of a column in small letters and digits only.

    Examples
    --------
    >>> plain("Position X (µm)"), plain("Track_ID"), plain("centroid-0")
    ('positionxum', 'trackid', 'centroid0')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("µ", "u").replace("μ", "u"))


def open_table(path: Path) -> pd.DataFrame | None:
    """Read a table; None where a file is none, which a run says."""
    try:
        return read_table(path)
    except InputError:
        return None


def find_column(role: str, columns: Sequence[str]) -> str | None:
    """First column that goes by a name of a role; None if none does."""
    return next(iter(find_columns(role, columns)), None)


def find_columns(role: str, columns: Sequence[str]) -> list[str]:
    """All columns that go by a name of a role, the likeliest first; names of times of events before other times."""
    known = {name: place for place, name in enumerate(NAMES[role].split())}
    found = [(known[key], column) for column in columns for key in _keys(column) if key in known]
    if role in ("event_frame", "time"):
        found += [(-1, column) for column in columns if is_event_time(column)]
    return list(dict.fromkeys(column for _, column in sorted(found, key=lambda pair: pair[0])))


def is_event_time(column: str) -> bool:
    """Whether a name says that it is the time of an event.

    Examples
    --------
    >>> [is_event_time(name) for name in ("frame of death", "Fate slice", "t_div", "End frame", "Time", "end")]
    [True, True, True, True, False, False]
    """
    return _EVENT_TIME.fullmatch(plain(column)) is not None


def time_unit(column: str) -> str | None:
    """Tell the unit of times by the name of their column: h, min, s, d or frame, another in brackets; None without one.

    Examples
    --------
    >>> [time_unit(name) for name in ("Event time (h)", "Hours", "t_min", "Frame of death", "length", "Time")]
    ['h', 'h', 'min', 'frame', None, None]
    >>> [time_unit(name) for name in ("Time (days)", "Time [%]", "Time (since start)")]
    ['d', '%', None]
    """
    in_brackets = _IN_BRACKETS.search(column)
    name = re.sub("[^a-z]+", " ", re.sub("(?<=[a-z])(?=[A-Z])", " ", column).lower()).strip()
    known = next((unit for unit, pattern in _TIME_UNITS.items() if re.search(pattern, name)), None)
    return known or (in_brackets.group(1) if in_brackets else None)


def rivals(table: pd.DataFrame, columns: Sequence[str], agree: Callable[[pd.Series, pd.Series], bool]) -> list[str]:
    """Columns that could have one role and do not say the same; none where all agree with the first."""
    if not columns:
        return []
    differing = [column for column in columns[1:] if not agree(table[columns[0]], table[column])]
    return [columns[0], *differing] if differing else []


def are_same(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns hold the same fields."""
    return bool((one.str.strip() == other.str.strip()).all())


def are_scaled(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns hold the same numbers, in other units perhaps."""
    first, second = parse_numbers(one), parse_numbers(other)
    given = np.isfinite(first) & np.isfinite(second)
    of_first, of_second = np.abs(first[given]).sum(), np.abs(second[given]).sum()
    if not given.any() or (of_first == 0) != (of_second == 0):
        return False
    return bool(np.allclose(first[given] * of_second, second[given] * of_first, rtol=1e-3, atol=1e-6))


def are_same_times(one: pd.Series, other: pd.Series) -> bool:
    """Whether two columns hold the same times, in other units and from another beginning perhaps."""
    first, second = parse_numbers(one), parse_numbers(other)
    given = np.isfinite(first) & np.isfinite(second)
    if not given.any() or np.ptp(first[given]) == 0 or np.ptp(second[given]) == 0:
        return are_scaled(one, other)
    return bool(np.corrcoef(first[given], second[given])[0, 1] > _SAME_TIMES)


def _keys(column: str) -> list[str]:
    """Write a name with, and without, the unit in brackets or after an underscore, and CellProfiler's Metadata_."""
    bare = re.sub(r"^Metadata_|[\[(].*?[\])]|[ _](?:px|pixels?|[num]M|[uµμn]g/ml|[uµμ]m|microns?|%)$", "", column)
    return list(dict.fromkeys((plain(column), plain(bare))))


def whole(column: pd.Series) -> "np.ndarray[tuple[int], np.dtype[np.int64]] | None":
    """Whole numbers of a column that holds nothing else (blank fields are left out); None if it does."""
    given = column[column.str.strip() != ""]
    numbers = parse_numbers(given)
    is_whole = len(numbers) > 0 and bool(np.isfinite(numbers).all()) and bool((numbers % 1 == 0).all())
    return numbers.astype(np.int64) if is_whole and (np.abs(numbers) < 2**53).all() else None


def whole_or_blank(column: pd.Series) -> "np.ndarray[tuple[int], np.dtype[np.int64]] | None":
    """Whole numbers of a column, -1 where a field is blank; None if it holds anything else."""
    blank = column.str.strip().str.lower().isin(["", "nan", "none"])
    return whole(column.mask(blank, "-1"))


def matching_column(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Find the column that names recordings; None if none does, or two equally well that do not say the same.

    A column counts if at least half of what it holds, or half of the recordings, match as they are written, or else as
    names in tables may differ; of several, one that is called so comes first, then the one that matches most. Numbers,
    and what is called a dose, a time or a fate, name recordings only in a column that is called so.
    """
    matching = _matching_columns(table, names)
    return matching[0] if len(matching) == 1 else None


def _matching_columns(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    columns = [str(column) for column in table.columns]
    called_so = find_columns("recording_id", columns)
    taken = {column for role in ("dose", "frame", "time", "fate") for column in find_columns(role, columns)}
    free = [column for column in columns if column in called_so or (column not in taken and _holds_text(table[column]))]
    counts = {column: _count(table[column], names) for column in free}
    ranks = {column: (is_exact, column in called_so, n) for column, (is_exact, n) in counts.items() if n}
    best = [column for column, rank in ranks.items() if rank == max(ranks.values())]
    return rivals(table, best, lambda one, other: _meant(one, names).equals(_meant(other, names))) or best[:1]


def _meant(column: pd.Series, names: Sequence[str]) -> pd.Series:
    return column.str.strip().map(named_recordings(column, names))


def _holds_text(column: pd.Series) -> bool:
    given = column[column.str.strip() != ""]
    return not np.isfinite(parse_numbers(given)).all()


def parts_of_names(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Say that two columns name recordings, or which holds parts of their names, such as the well; empty otherwise."""
    matching = _matching_columns(table, names)
    if len(matching) > 1:
        return f" for certain: columns {', '.join(matching)} both do, and differ"
    for column in map(str, table.columns):
        held = sorted(set(table[column].str.strip()) - {""})
        whole_of = [next((name for name in names if _is_part(text, name)), None) for text in held[:_MOST_LISTED]]
        if len(held) > 1 and all(whole_of) and len(set(whole_of)) == len(whole_of):
            return f"; column {column} holds {held[0]!r}, a part of {whole_of[0]!r}"
    return ""


def _is_part(text: str, name: str) -> bool:
    return text != name and re.search(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])", name) is not None


def named_recordings(column: pd.Series, names: Sequence[str]) -> dict[str, str | None]:
    """Match what a column holds with recordings, as the readers of tables do; empty where names mean several."""
    try:
        return match_names(sorted(set(column.str.strip()) - {""}), names, "The table")
    except InputError:
        return {}


def _count(column: pd.Series, names: Sequence[str]) -> tuple[bool, int]:
    """Whether a column names recordings as they are written, and how many; 0 where they are few."""
    held = set(column.str.strip()) - {""}
    counts = len(held & set(names)), len(set(named_recordings(column, names).values()) - {None})
    enough = [count if 2 * count >= min(len(held), len(names)) else 0 for count in counts]
    return enough[0] > 0, enough[0] or enough[1]


def meaning(word: str) -> str | None:
    """Fate that a word means: one that is always known, or one that is proposed; None if neither."""
    known = TrackSettings().fate_of(word)
    return known if known is not None else _proposed(word)


def _proposed(word: str) -> str | None:
    """Fate that a word is taken for; question marks say that nobody could tell."""
    is_doubt = bool(word.strip()) and not word.strip().strip("?")
    return UNSCORED if is_doubt else WORDS.get(re.sub(r"[\s_-]+", "_", word.strip().lower()))


def fate_column(table: pd.DataFrame) -> str | None:
    """Column of words of which some mean a fate; one that is called so comes first."""
    by_name = find_columns("fate", list(table.columns))
    others = [str(column) for column in table.columns if column not in by_name]
    for column in (*by_name, *others):
        words = set(table[column].str.strip().str.lower()) - {""}
        if len(words) <= _MOST_WORDS and {meaning(word) for word in words} & {APOPTOSIS, MITOSIS}:
            return column
    return None


def fate_names(words: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Give what words mean that are not always known, and the words that nobody knows."""
    proposed: dict[str, str] = {}
    unknown: list[str] = []
    for word in sorted({word.strip() for word in words} - {""}):
        if TrackSettings().fate_of(word) is None:
            fate = _proposed(word)
            if fate is None:
                unknown.append(word)
            else:
                proposed[word] = fate
    return proposed, unknown
