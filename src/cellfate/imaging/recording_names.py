"""Names of recordings as tables write them, held against those of a folder."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from cellfate.core.errors import InputError
from cellfate.imaging.folder_contents import TIFF_ENDINGS, VENDOR_ENDINGS

_ENDINGS: Final = (".ome", ".zarr", ".png", *TIFF_ENDINGS, *VENDOR_ENDINGS)
_SHOWN_NAMES: Final = 5
_MOST_BYTES: Final = 200
"""Bytes of a name in UTF-8: file systems take 255, and files are named after recordings, with an ending."""


def check_name(recording_id: str) -> str:
    """Check that files can be named after a recording, on any system.

    Raises
    ------
    InputError
        If the name is blank or of dots alone, has a slash or a control character, or is too long.
    """
    reasons = {
        "is blank": not recording_id.strip(". "),
        "has blanks at an end": recording_id != recording_id.strip(),
        "has a slash": bool({"/", "\\"} & set(recording_id)),
        "has a character that cannot be shown": not recording_id.isprintable(),
        f"is longer than {_MOST_BYTES} bytes": len(recording_id.encode("utf-8", "replace")) > _MOST_BYTES,
    }
    wrong = [reason for reason, is_so in reasons.items() if is_so]
    if wrong:
        raise InputError(
            f"The name of the recording {recording_id[:80]!r} {' and '.join(wrong)}, and files are named after it; "
            "give it another name (rename its file or folder; in an annotation file, the video)."
        )
    return recording_id


def match_names(listed: Iterable[str], recording_ids: Sequence[str], where: str) -> dict[str, str | None]:
    """Find the recordings that a table means; None where the folder has none of a name.

    A name is first looked for as it is written, without blanks around it; then without the ending of an image, in any
    case and Unicode form, with folders joined by an underscore; then without zeros before a number, since spreadsheets
    make 1 of 001. `where` is what the table is, for messages, such as "The table of fates fates.csv".

    Raises
    ------
    InputError
        If a name could be that of several recordings, or names that differ by more than zeros could be of one.

    Examples
    --------
    >>> match_names(["a01.TIF", "2", "C03"], ["A01", "002"], "The table")
    {'a01.TIF': 'A01', '2': '002', 'C03': None}
    """
    found: dict[str, str | None] = dict.fromkeys(listed)
    for form in (str.strip, fold_name, _fold_numbers):
        by_form = _group(recording_ids, form)
        taken = {recording_id for recording_id in found.values() if recording_id is not None}
        meant = {name: by_form.get(form(name), []) for name, match in found.items() if match is None}
        for name, matches in meant.items():
            if len(matches) > 1:
                raise InputError(
                    f"{where} has the recording {name!r}, which can be {' or '.join(map(repr, matches[:3]))}; write it "
                    "as the folder does."
                )
        matched = {name: matches[0] for name, matches in meant.items() if matches}
        if form is _fold_numbers:
            _check_apart(found, matched, taken, where)
        found |= matched
    return found


def list_names(names: Iterable[str]) -> str:
    """Names in quotes for a message: the first few, and how many there are.

    Examples
    --------
    >>> list_names(["b", "a"])
    "'a', 'b'"
    """
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN_NAMES} more" if len(ordered) > _SHOWN_NAMES else ""
    return ", ".join(map(repr, ordered[:_SHOWN_NAMES])) + more


def _group(recording_ids: Iterable[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    groups = defaultdict(list)
    for recording_id in recording_ids:
        groups[form(recording_id)].append(recording_id)
    return groups


def fold_name(name: str) -> str:
    """Name without the ending of a file, in one Unicode form and in small letters, by which names are compared."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold().replace("\\", "_").replace("/", "_")
    while folded.endswith(_ENDINGS):
        folded = folded.rpartition(".")[0]
    return folded


def _fold_numbers(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", fold_name(name))


def _check_apart(found: dict[str, str | None], matched: dict[str, str], taken: set[str], where: str) -> None:
    """Refuse A1 beside A01 where the folder has only one of them: these may be two recordings."""
    users = _group(matched, matched.__getitem__)
    for recording_id, names in users.items():
        names = names + [name for name, match in found.items() if match == recording_id and recording_id in taken]
        if len({fold_name(name) for name in names}) > 1:
            raise InputError(
                f"{where} has the recordings {list_names(names)}, but the folder has only '{recording_id}'; write it "
                "as the folder does, and remove the other."
            )
