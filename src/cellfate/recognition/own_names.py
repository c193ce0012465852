"""A regular expression for files that a person named: only where position, time, channel and plane can be told apart.

Numbers are told by the letters before them (`t003`, `ch1`, `z02`, `pos4`); a number without such letters is the time
only where it is the one that is left and goes up without a gap. Channels that are words are known words for dyes and
light. Whatever could be one thing or another is not guessed.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence

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
_TOKEN = re.compile(
    rf"(?P<channel>(?<![A-Za-z0-9])(?:{CHANNEL_WORDS})(?![A-Za-z0-9]))"
    r"|(?P<well>(?<![A-Za-z0-9])(?-i:[A-P])\d{1,2}(?![A-Za-z0-9]))|(?P<number>\d+)",
    re.IGNORECASE,
)
_PLACES = ("s", "p", "f", "xy", "pos", "position", "site", "field", "fov", "scene", "series", "stage", "point", "well")
_LETTERS = {
    **dict.fromkeys(("t", "time", "frame", "fr", "tp", "timepoint"), "time"),
    **dict.fromkeys(("c", "ch", "channel", "w", "wavelength"), "channel"),
    **dict.fromkeys(("z", "slice", "plane"), "z"),
    **dict.fromkeys(_PLACES, "place"),
}
"""What a number is by the letters before it."""
_OTHER, _BARE = "other", "bare"
"""A number after another word, which belongs to the recording's name, and one after none; either may be the time."""
_MOST_WORDS = 200
_FULL = 0.9
"""Least share of the planes of a recording that must have a file; which are missing, the reader says."""
_Column = tuple[str, list[str]]
"""What stands at one place of all paths (a folder, a channel word, a number, or the text between), and its texts."""


def guess_patterns(names: Sequence[str]) -> tuple[str, ...]:
    r"""Guess the regular expressions that sort files by their names, as `recordings.pattern` takes them.

    One where the names (paths relative to the recordings' folder) mean one thing; two where what may be channels may be
    recordings; none where they could mean more.

    Examples
    --------
    >>> guess_patterns(["pos1/img_t0.tif", "pos1/img_t1.tif", "pos2/img_t0.tif", "pos2/img_t1.tif"])
    ('(?P<folder1>[^/]+)/img_t(?P<time>\\d+)\\.tif',)
    """
    stems, endings = zip(*(name.rsplit(".", 1) for name in names), strict=True)
    columns = _columns(stems) if len({ending.lower() for ending in endings}) == 1 else []
    roles = _tell_roles(columns)
    pattern = "".join(_write(columns, roles)) + rf"\.{'|'.join(sorted(set(endings)))}"
    if not roles or not _is_complete(pattern, names):
        return ()
    return (pattern, pattern.replace("<channel>", "<name>")) if _may_be_recordings(pattern, names) else (pattern,)


def _may_be_recordings(pattern: str, names: Sequence[str]) -> bool:
    """Tell whether channels, of the only recording there would be, may be wells, conditions or knock-downs."""
    if set(re.findall(r"\(\?P<(\w+)>", pattern)) - {"time", "z"} != {"channel"}:
        return False
    channels = {match["channel"] for name in names if (match := re.fullmatch(pattern, name))}
    return bool(_UNCLEAR.search(pattern)) or all(re.fullmatch(_GENES, name, re.IGNORECASE) for name in channels)


def _columns(stems: Sequence[str]) -> list[_Column]:
    """Take paths apart; nothing where not all are made alike."""
    rows = [list(_tokens(stem)) for stem in stems]
    if len({tuple(kind for kind, _ in row) for row in rows}) > 1:
        return []
    return [(place[0][0], [text for _, text in place]) for place in zip(*rows, strict=True)]


def _tokens(stem: str) -> Iterator[tuple[str, str]]:
    *folders, name = stem.split("/")
    yield from (("folder", folder) for folder in folders)
    end = 0
    for match in _TOKEN.finditer(name):
        yield "text", name[end : match.start()]
        yield str(match.lastgroup), match[0]
        end = match.end()
    yield "text", name[end:]


def _tell_roles(columns: list[_Column]) -> list[str]:
    """Tell what each place is, "" where all paths have the same; nothing where that is not clear."""
    roles = [_role(columns, place) for place in range(len(columns))]
    unknown = [place for place, role in enumerate(roles) if role in (_OTHER, _BARE)]
    if "time" not in roles:
        if len(unknown) != 1 or not _is_count(columns[unknown[0]][1]):
            return []
        roles[unknown[0]] = "time"
    return [] if _BARE in roles else ["place" if role == _OTHER else role for role in roles]


def _role(columns: list[_Column], place: int) -> str:
    """Tell a place by its kind, and a number by the letters before it."""
    kind, texts = columns[place]
    if kind == "number":
        role = _role_of_number(columns, place)
        return role if role == "time" or len(set(texts)) > 1 else ""
    if len(set(texts)) == 1:
        return ""
    if kind == "well" and "well" in [one for one, _ in columns[:place]] and all(text.startswith("C") for text in texts):
        return "channel"  # B02_C1: of two, the second is no well
    are_channels = kind == "folder" and all((match := _TOKEN.fullmatch(text)) and match["channel"] for text in texts)
    folder = "channel" if are_channels else f"folder{place + 1}"
    return {"text": "name", "channel": "channel", "well": "place"}.get(kind, folder)


def _role_of_number(columns: list[_Column], place: int) -> str:
    before = columns[place - 1][1][0]
    letters = re.search(r"([A-Za-z]*)[\W_]?$", before)
    word = letters[1] if letters else ""
    follows = columns[place - 2][0] if place > 1 else "folder"
    is_column = before == "c" and follows == "number" and re.search(r"(?<![A-Za-z])r$", columns[place - 3][1][0])
    is_start = not before and follows == "folder" and [kind for kind, _ in columns].count("number") > 1
    if before == "C" and follows == "number" and columns[place - 3][1][0].endswith("Z"):
        return "channel"  # as Yokogawa calls it, A01Z01C01
    if is_start or is_column or re.fullmatch("[A-P]", word):  # the last two: of a well plate, r02c03 or B02
        return "place"
    return _LETTERS.get(word.lower(), _OTHER if word else _BARE)


def _is_count(values: Sequence[str]) -> bool:
    numbers = sorted({int(value) for value in values})
    return len(numbers) > 2 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _write(columns: list[_Column], roles: list[str]) -> Iterator[str]:
    """Write what stands at each place as a regular expression."""
    n_places = itertools.count(1)
    for (kind, texts), role in zip(columns, roles, strict=False):
        distinct = sorted(set(texts))
        if role == "name":
            yield _write_name(distinct)
        elif role:
            what = {"number": r"\d+", "folder": "[^/]+", "well": r"[A-P]\d+"}.get(kind, "|".join(distinct))
            yield f"(?P<{f'place{next(n_places)}' if role == 'place' else role}>{what})"
        else:
            yield _escape(distinct[0])
        yield "/" * (kind == "folder")


def _write_name(texts: list[str]) -> str:
    """Write what differs between texts as the group `name`, in whole words."""
    start = re.sub(r"[^\W_]+$", "", common_start(texts))
    rests = [text.removeprefix(start) for text in texts]
    end = re.sub(r"^[^\W_]+", "", common_start(rest[::-1] for rest in rests)[::-1])
    middles = "|".join(_escape(rest.removesuffix(end)) for rest in rests[: _MOST_WORDS + 1])
    return f"{_escape(start)}(?P<name>{middles}){_escape(end)}"


def _escape(text: str) -> str:
    return re.escape(text).replace(r"\-", "-").replace(r"\ ", " ")


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
