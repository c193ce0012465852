"""Tables that no reader finds: below lines of text, or on a sheet behind the first."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.text_tables import read_first_lines
from cellfate.recognition.columns import find_column
from cellfate.recognition.proposals import Proposal, ask

_MOST_LINES = 10
"""Lines in which a header is looked for."""
_MOST_TABLES = 100
_SAYS = {
    "tracks.format": ("tracks", {"cell_id", "frame", "y", "x"}),
    "tracks.fates_file": ("fates", {"cell_id", "fate"}),
    "recordings.conditions_file": ("treatments", {"recording_id", "condition"}),
}
"""What the table is that a parameter names, and the columns that tell it."""


def find_hidden(root: Path, tables: Iterable[str], unused: Iterable[str]) -> Iterator[Proposal]:
    """Find what look like headers of tracks, fates or treatments where they are not read.

    Of tables of which something was recognised, only sheets behind the first are looked at.
    """
    asked: set[str] = set()
    for name in islice(tables, _MOST_TABLES):
        try:
            lines = read_first_lines(root / name, _MOST_LINES)
        except InputError:
            continue
        for sheet, line, fields in lines:
            is_behind = sheet != lines[0][0]
            key = _key(fields) if is_behind or (name in unused and line > 1) else None
            if key is not None and key not in asked:
                asked.add(key)
                yield ask(key, _question(_SAYS[key][0], name, sheet if is_behind else "", line, fields))
                break


def _question(what: str, name: str, sheet: str, line: int, header: list[str]) -> str:
    listed = ", ".join(field.strip() for field in header if field.strip())
    if sheet:
        where = f"sheet {sheet} of {name} seems to hold some ({listed}), and only the first sheet is read: put it first"
    else:
        where = f"the header of {name} seems to stand in line {line} ({listed}): delete the lines above it"
    end = "." if what == "tracks" else "; or set null."
    return f"No table of {what} was recognised, but {where}, and run this command again{end}"


def _key(fields: list[str]) -> str | None:
    """Parameter that names such a table."""
    header = [field.strip() for field in fields if field.strip()]
    for key, (_, roles) in _SAYS.items():
        if len({find_column(role, header) for role in roles} - {None}) == len(roles):
            return key
    return None
