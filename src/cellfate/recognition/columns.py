"""What columns of a table mean: told by their names, and held against what is in them."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS
from cellfate.core.text_tables import parse_numbers
from cellfate.imaging.recording_names import match_names
from cellfate.tracks.settings import TrackSettings

NAMES: dict[str, str] = {
    "cell_id": (
        "cellid trackid tracklabel trackletid tracknumber trackobjectslabel cell cellnumber cellno cellnr "
        "track tracklet particle trackname label id object objectid number nr spot spotid nucleus"
    ),
    "frame": ("frame frames framenumber frameid timepoint timeframe t slice imagenumber metadatat time"),
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
    "event_frame": ("eventframe frameofevent eventtime tevent fateframe fatetime endframe event timeofevent when"),
    "time": (
        "time hours hour h hrs timeh timehours timehrs eventtime timeofevent eventh tevent eventframe frame "
        "frames t timepoint endframe endtime timeofdeath fatetime slice when frameofevent fateframe min minutes timemin"
    ),
    "recording_id": (
        "recordingid recording movie video image imagename file filename position pos well field fov site xy series "
        "name stack sample"
    ),
    "condition": (
        "condition treatment drug compound agent drugname treatmentname stimulus inhibitor perturbation substance"
    ),
    "dose": ("dose concentration conc dosage level doselevel um nm mm ugml ngml mgml"),
    "dose_unit": "doseunit unit units concunit concentrationunit",
    "group_id": ("groupid group plate plateid day date experiment replicate batch well repeat donor"),
}
"""Names that a column goes by, in small letters and digits only; the likeliest first."""
_TIME_UNITS = "(?:h|hrs?|hours?|mins?|minutes?|s|secs?|seconds?|ms)"
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


def find_column(role: str, columns: Sequence[str]) -> str | None:
    """First column that goes by a name of a role; None if none does."""
    return next(iter(find_columns(role, columns)), None)


def find_columns(role: str, columns: Sequence[str]) -> list[str]:
    """All columns that go by a name of a role, the likeliest first."""
    known = {name: place for place, name in enumerate(NAMES[role].split())}
    found = [(known[key], column) for column in columns for key in _keys(column) if key in known]
    return list(dict.fromkeys(column for _, column in sorted(found, key=lambda pair: pair[0])))


def _keys(column: str) -> list[str]:
    """Write a name with, and without, the unit in brackets or after an underscore."""
    bare = re.sub(r"[\[(].*?[\])]|[ _](?:px|pixels?|[num]M|[uµμn]g/ml|[uµμ]m|microns?|%)$", "", column)
    return list(dict.fromkeys((plain(column), plain(bare))))


def is_time(name: str) -> bool:
    """Whether the name of a column says a unit of time, so that it holds no frames.

    Examples
    --------
    >>> is_time("Time (h)"), is_time("t_min"), is_time("hours"), is_time("Time"), is_time("frames")
    (True, True, True, False, False)
    """
    return re.search(rf"(?:^|[\[( _]){_TIME_UNITS}[\]) ]*$", name.strip(), re.IGNORECASE) is not None


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
    """Find the column that names recordings; None if none does.

    A column counts if at least half of what it holds, or half of the recordings, match as they are written; of several,
    one that is called so comes first, then the one that matches most. If there is none, names may differ as tables'
    names may, in a column that is called so or holds no numbers.
    """
    called_so = find_columns("recording_id", list(table.columns))
    loose = [column for column in table.columns if column in called_so or whole(table[column]) is None]
    for columns, count in ((list(table.columns), _count_exact), (loose, _count_loose)):
        matches = {str(column): count(table[column], names) for column in columns}
        usable = [column for column, n_matches in matches.items() if n_matches]
        if usable:
            return max(usable, key=lambda column: (column in called_so, matches[column]))
    return None


def parts_of_names(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Say which column holds parts of the recordings' names, such as the well; empty if none does."""
    for column in map(str, table.columns):
        held = sorted(set(table[column].str.strip()) - {""})
        whole_of = [
            next(
                (name for name in names if re.search(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])", name)), None
            )
            for text in held[:_MOST_LISTED]
        ]
        if len(held) > 1 and all(whole_of) and len(set(whole_of)) == len(whole_of):
            return f"; column {column} holds {held[0]!r}, a part of {whole_of[0]!r}"
    return ""


def named_recordings(column: pd.Series, names: Sequence[str]) -> dict[str, str | None]:
    """Match what a column holds with recordings, as the readers of tables do; empty where names mean several."""
    try:
        return match_names(sorted(set(column.str.strip()) - {""}), names, "The table")
    except InputError:
        return {}


def _count_exact(column: pd.Series, names: Sequence[str]) -> int:
    held = set(column.str.strip()) - {""}
    return _enough(len(held & set(names)), len(held), len(names))


def _count_loose(column: pd.Series, names: Sequence[str]) -> int:
    matched = named_recordings(column, names)
    return _enough(len(set(matched.values()) - {None}), len(matched), len(names))


def _enough(n_matches: int, n_held: int, n_recordings: int) -> int:
    return n_matches if 2 * n_matches >= n_held or 2 * n_matches >= n_recordings else 0


def meaning(word: str) -> str | None:
    """Fate that a word means: one that is always known, or one that is proposed; None if neither."""
    known = TrackSettings().fate_of(word)
    return known if known is not None else WORDS.get(_simple(word))


def _simple(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().lower())


def fate_column(table: pd.DataFrame) -> str | None:
    """Column of words of which some mean a fate; one that is called so comes first."""
    by_name = find_columns("fate", list(table.columns))
    others = [str(column) for column in table.columns if column not in by_name]
    for column in (*by_name, *others):
        words = set(table[column].str.strip().str.lower()) - {""}
        told = {meaning(word) for word in words}
        if told & {APOPTOSIS, MITOSIS} and len(words) <= 30:
            return column
    return None


def fate_names(words: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Give what words mean that are not always known, and the words that nobody knows."""
    proposed: dict[str, str] = {}
    unknown: list[str] = []
    for word in sorted({word.strip() for word in words} - {""}):
        if TrackSettings().fate_of(word) is None:
            fate = WORDS.get(_simple(word))
            if fate is None:
                unknown.append(word)
            else:
                proposed[word] = fate
    return proposed, unknown
