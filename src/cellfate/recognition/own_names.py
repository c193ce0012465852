"""A regular expression for files that a person named: only where position, time, channel and plane can be told apart.

Numbers are told by the letters before them (`t003`, `ch1`, `z02`, `pos4`); a number without such letters is the time
only where it is the one that is left and goes up without a gap. Channels that are words are known words for dyes and
light. Whatever could be one thing or another is not guessed.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cellfate.recognition.naming import common_start

_GENES = "p53|p21|geminin|cdt1|pcna|dhb|erk"
"""Channels that are called by what they report, as knock-downs are."""
CHANNEL_WORDS = (
    "e?gfp|e?yfp|e?cfp|e?bfp|rfp|tagrfp|mcherry|mvenus|venus|mko2?|mturquoise2?|mscarlet|mkate2?|mruby3?|tdtomato|iRFP\\d*|"
    "dapi|hoechst|h2b|sir|cy[357]|fitc|tritc|texasred|alexa\\d+|phase|ph|bf|brightfield|dic|trans|red|green|blue|farred|nir"
    f"|{_GENES}"
)
_UNCLEAR = re.compile(r"(?<![A-Za-z])[cw]\(\?P<channel>", re.IGNORECASE)
"""Letters before the number of a channel, or of a column, condition or well."""
_CHANNEL = re.compile(rf"(?<![A-Za-z0-9])(?:{CHANNEL_WORDS})(?![A-Za-z0-9])", re.IGNORECASE)
_LETTERS = {
    "time": {"t", "time", "frame", "fr", "tp", "timepoint"},
    "channel": {"c", "ch", "channel", "w", "wavelength"},
    "z": {"z", "slice", "plane"},
    "place": {
        "s",
        "p",
        "f",
        "xy",
        "pos",
        "position",
        "site",
        "field",
        "fov",
        "scene",
        "series",
        "stage",
        "point",
        "well",
    },
}
_OTHER = "other"
"""A number after another word: it belongs to the recording's name, unless nothing else can be the time."""
_MASK = "\x01"
_MOST_WORDS = 200
_FULL = 0.9
"""Least share of the planes of a recording that must have a file; which are missing, the reader says."""


@dataclass(frozen=True)
class _Name:
    """A path without its ending: folders, and the texts and numbers that the file's name is made of."""

    folders: tuple[str, ...]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    channels: tuple[str, ...]


def guess_patterns(names: Sequence[str]) -> tuple[str, ...]:
    r"""Guess the regular expressions that sort files by their names, as `recordings.pattern` takes them.

    Parameters
    ----------
    names : sequence of str
        Paths of image files, relative to the recordings' folder.

    Returns
    -------
    tuple of str
        One where the names mean one thing; two where what may be channels may be recordings; none where they could
        mean more.

    Examples
    --------
    >>> guess_patterns(["pos1/img_t0.tif", "pos1/img_t1.tif", "pos2/img_t0.tif", "pos2/img_t1.tif"])
    ('(?P<folder1>[^/]+)/img_t(?P<time>\\d+)\\.tif',)
    """
    stems, endings = zip(*(name.rsplit(".", 1) for name in names), strict=True)
    read = [_read(stem) for stem in stems]
    shapes = {(len(one.folders), len(one.texts), len(one.channels)) for one in read}
    if len(shapes) != 1 or len({ending.lower() for ending in endings}) != 1:
        return ()
    words = _name_words(read)
    roles = None if words is None else _tell_numbers(read)
    if words is None or roles is None:
        return ()
    pattern = _folders(read) + _write(read, words, roles) + rf"\.{'|'.join(sorted(set(endings)))}"
    if not _is_complete(pattern, names):
        return ()
    return (pattern, pattern.replace("<channel>", "<name>")) if _may_be_recordings(pattern, names) else (pattern,)


def _may_be_recordings(pattern: str, names: Sequence[str]) -> bool:
    """Tell whether channels, of the only recording there would be, may be wells, conditions or knock-downs."""
    if set(re.findall(r"\(\?P<(\w+)>", pattern)) - {"time", "z"} != {"channel"}:
        return False
    channels = {match["channel"] for name in names if (match := re.fullmatch(pattern, name))}
    return bool(_UNCLEAR.search(pattern)) or all(re.fullmatch(_GENES, name, re.IGNORECASE) for name in channels)


def _read(stem: str) -> _Name:
    *folders, name = stem.split("/")
    channels = tuple(_CHANNEL.findall(name))
    parts = re.split(r"(\d+)", _CHANNEL.sub(_MASK, name))
    return _Name(tuple(folders), tuple(parts[::2]), tuple(parts[1::2]), channels)


def _name_words(read: list[_Name]) -> tuple[int, int, int] | None:
    """Find which text differs between files, and how much its ends have in common; (-1, 0, 0) where none differs."""
    columns = list(zip(*(one.texts for one in read), strict=True))
    differing = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    if not differing:
        return -1, 0, 0
    texts = sorted({one.texts[differing[0]] for one in read})
    if len(differing) > 1 or len(texts) > _MOST_WORDS or any(_MASK in text for text in texts):
        return None
    start = len(common_start(texts))
    end = len(common_start(text[start:][::-1] for text in texts))
    while start and texts[0][start - 1].isalnum():
        start -= 1
    while end and texts[0][len(texts[0]) - end].isalnum():
        end -= 1
    return differing[0], start, end


def _tell_numbers(read: list[_Name]) -> list[str] | None:
    """Tell what each number of a name is: time, channel, z, place, or "" where it is the same in all."""
    columns = list(zip(*(one.numbers for one in read), strict=True))
    varies = [len(set(column)) > 1 for column in columns]
    told = [_role(read[0].texts, place, len(columns)) for place in range(len(columns))]
    roles = [role if change or role == "time" else "" for role, change in zip(told, varies, strict=True)]
    open_to = [place for place, role in enumerate(roles) if varies[place] and role in ("", _OTHER)]
    if "time" not in roles:
        if len(open_to) != 1 or not _is_count(columns[open_to[0]]):
            return None
        roles[open_to[0]] = "time"
    elif any(not roles[place] for place in open_to):
        return None
    roles = ["place" if role == _OTHER else role for role in roles]
    return roles if all(roles.count(role) <= 1 for role in _LETTERS if role != "place") else None


def _role(texts: tuple[str, ...], place: int, n_numbers: int) -> str:
    """Tell a number by the letters before it; empty where there are none."""
    letters = re.search(r"([A-Za-z]*)[\W_]?$", texts[place])
    word = letters.group(1) if letters else ""
    if place == 0 and not texts[0] and n_numbers > 1:
        return "place"
    is_column = word == "c" and texts[place] == "c" and place > 0 and re.search(r"(?<![A-Za-z])r$", texts[place - 1])
    if re.fullmatch("[A-P]", word) or is_column:  # a row of a well plate, or its column, r02c03
        return "place"
    return next((name for name, known in _LETTERS.items() if word.lower() in known), _OTHER if word else "")


def _is_count(values: Sequence[str]) -> bool:
    numbers = sorted({int(value) for value in values})
    return len(numbers) > 2 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _folders(read: list[_Name]) -> str:
    parts = []
    for place, names in enumerate(zip(*(one.folders for one in read), strict=True)):
        distinct = set(names)
        is_channel = len(distinct) > 1 and all(_CHANNEL.fullmatch(name) for name in distinct)
        group = "channel" if is_channel else f"folder{place + 1}"
        parts.append(re.escape(names[0]) if len(distinct) == 1 else rf"(?P<{group}>[^/]+)")
    return "".join(f"{part}/" for part in parts)


def _write(read: list[_Name], words: tuple[int, int, int], roles: list[str]) -> str:
    first, counts = read[0], {"place": 0}
    channels = iter([sorted({one.channels[place] for one in read}) for place in range(len(first.channels))])
    pieces: list[str] = []
    for place, text in enumerate(first.texts):
        if place == words[0]:
            texts = sorted({one.texts[place] for one in read})
            middles = "|".join(re.escape(one[words[1] : len(one) - words[2]]) for one in texts)
            pieces.append(f"{re.escape(text[: words[1]])}(?P<name>{middles}){re.escape(text[len(text) - words[2] :])}")
        else:
            for number, part in enumerate(text.split(_MASK)):
                if number:
                    found = next(channels)
                    pieces.append(found[0] if len(found) == 1 else f"(?P<channel>{'|'.join(found)})")
                pieces.append(re.escape(part))
        if place < len(roles):
            role = roles[place]
            counts["place"] += role == "place"
            name = f"place{counts['place']}" if role == "place" else role
            pieces.append(rf"(?P<{name}>\d+)" if name else first.numbers[place])
    return "".join(pieces).replace(r"\-", "-").replace(r"\ ", " ")


def _is_complete(pattern: str, names: Sequence[str]) -> bool:
    """Tell whether every file has a place of its own and, in each recording, hardly a place is left without a file.

    All recordings must have the same channels and planes: otherwise what was taken for them may be something else.
    """
    try:
        matches = [re.fullmatch(pattern, name) for name in names]
    except re.error:
        return False
    if not all(matches):
        return False
    groups = [match.groupdict() for match in matches if match]
    planes = ("time", "channel", "z")
    by_recording: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for group in groups:
        place = tuple(text for name, text in group.items() if name not in planes)
        by_recording.setdefault(place, set()).add(tuple(group.get(name) or "" for name in planes))
    axes = [list(zip(*kept, strict=True)) for kept in by_recording.values()]
    full = all(
        _FULL * math.prod(len(set(axis)) for axis in own) <= len(kept)
        for own, kept in zip(axes, by_recording.values(), strict=True)
    )
    alike = len({(frozenset(channels), frozenset(planes)) for _, channels, planes in axes}) == 1
    several = all(len(set(times)) > 1 for times, _, _ in axes)
    return full and alike and several and sum(map(len, by_recording.values())) == len(names)
