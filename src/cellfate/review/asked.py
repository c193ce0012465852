"""What a page asks, checked before anything is done: what makes no sense is refused with a sentence (400)."""

from typing import Any, Final

from flask import request
from werkzeug.exceptions import BadRequest

from cellfate.core.errors import InputError
from cellfate.review.study import Study

MAX_BODY_BYTES: Final = 64_000
"""Largest body that is read: a label with its note has some 3,000."""
_RELOAD: Final = "reload the page"


def read_body() -> dict[str, Any]:
    """Read the body of a request as an object.

    Raises
    ------
    BadRequest
        If it is none.
    """
    try:
        given = request.get_json(force=True, silent=True)
    except RecursionError:
        given = None
    if not isinstance(given, dict):
        raise BadRequest(f"The body of the request is no JSON object; {_RELOAD}.")
    return given


def read_since(given: Any) -> int:
    """Read a place in the journal: a whole number, or its digits.

    Raises
    ------
    BadRequest
        If it is neither.
    """
    text = str(given)
    if isinstance(given, int | str) and not isinstance(given, bool) and text.removeprefix("-").isdecimal():
        return int(text[:20])  # a place beyond the journal's end is as good as any other
    raise BadRequest(f"'since' was to be a number of bytes, and is none; {_RELOAD}.")


def check_place(study: Study, place: int) -> int:
    """Give the place of a cell back, if the study has one there.

    Raises
    ------
    InputError
        If it has none.
    """
    if place >= len(study.cells):
        raise InputError(f"The study has {len(study.cells)} cells, and no cell {place}; {_RELOAD}.")
    return place
