"""Values of parameters as lines of YAML: what each was taken from behind it, and above it what it means."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cellfate.recognition.proposals import OPEN, Proposal

_KEY = re.compile(r"( *)([A-Za-z_]\w*):(?:\s|$)")
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "none"})
_WIDTH = 118


def read_comments(text: str) -> dict[str, list[str]]:
    """Read the comments above the keys of a YAML file of groups of keys, one key a line.

    For each group, and key with its group, in the order of the file, the lines right above it.
    """
    comments: dict[str, list[str]] = {}
    above: list[str] = []
    group = ""
    for line in text.splitlines():
        match = _KEY.match(line)
        if match:
            group = group if match[1] else match[2]
            comments[f"{group}.{match[2]}" if match[1] else group] = above
        above = [*above, line] if line.lstrip().startswith("#") else []
    return comments


def write_values(values: Iterable[Proposal], comments: Mapping[str, Sequence[str]]) -> str:
    """Write values as YAML: `# found: ...` behind a value found, `# QUESTION: ...` above a question.

    `comments` are lines that explain groups and keys; groups, and keys within them, stand in this order, others behind.
    """
    groups: dict[str, dict[str, Proposal]] = {}
    places = {key: place for place, key in enumerate(comments)}
    for value in sorted(values, key=lambda one: places.get(one.key, len(places))):
        groups.setdefault(value.key.rpartition(".")[0], {})[value.key] = value
    lines: list[str] = []
    for group in sorted(groups, key=lambda one: places.get(one, len(places))):
        lines += ["", *comments.get(group, ()), f"{group}:"] if group else []
        for key, value in groups[group].items():
            lines += [*comments.get(key, ()), *_write(value)]
    return "\n".join(lines) + "\n"


def render(value: Any, in_flow: bool = False) -> str:
    r"""Write a value as YAML on one line.

    Examples
    --------
    >>> render({"fate": "end", "time": None})
    '{fate: end, time: null}'
    >>> render(["h2b", "w 1", "5"])
    "[h2b, w 1, '5']"
    >>> render("${HOME} a")
    "'\\${HOME} a'"
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _render_text(value, in_flow)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{render(key, True)}: {render(one, True)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(render(one, True) for one in value) + "]"
    return repr(value)


def _render_text(text: str, in_flow: bool) -> str:
    if text == OPEN:
        return f"'{text}'" if in_flow else text
    text = text.replace("${", r"\${")  # OmegaConf's escape: no interpolation
    if not text.isprintable():
        return json.dumps(text)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    return text if plain else "'" + text.replace("'", "''") + "'"


def _write(proposal: Proposal) -> Iterator[str]:
    """Write a line with what it was taken from behind it, or above where that is too long; a question above."""
    indent, name = "  " * proposal.key.count("."), proposal.key.rpartition(".")[2]
    line, words = f"{indent}{name}: {render(proposal.value)}", " ".join(proposal.words.split())
    if not proposal.is_open and len(line) + len(words) + len("  # found: ") <= _WIDTH:
        yield f"{line}  # found: {words}"
        return
    start = f"{indent}# {'QUESTION' if proposal.is_open else 'found'}: "
    yield from textwrap.wrap(
        words, _WIDTH, initial_indent=start, subsequent_indent=f"{indent}#   ", break_on_hyphens=False
    )
    yield line
