"""Writing values into the text of a template of parameters: comments stay, a line is found by the key it holds."""

import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cellfate.recognition.proposals import OPEN, Proposal

_KEY = re.compile(r"( *)([A-Za-z_]\w*):(?:\s|$)")
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "none"})
_WIDTH = 118


@dataclass(frozen=True)
class _Block:
    """Lines of a template that belong together: a key with the comments above it, or what belongs to no key."""

    path: str
    lines: tuple[str, ...]


def fill_template(text: str, values: Iterable[Proposal], dropped: Iterable[str] = ()) -> str:
    """Put values into the text of a YAML file.

    Parameters
    ----------
    text : str
        The template: groups of keys, one key a line, with comments above.
    values : iterable of Proposal
        A value found is written with `# found: ...` behind it; a question with `# QUESTION: ...` above it. A key that
        the template lacks is added to its group.
    dropped : iterable of str
        Keys that are left out, with the comments above them.

    Returns
    -------
    str
        The text of the new file.
    """
    wanted, left_out = {value.key: value for value in values}, frozenset(dropped)
    blocks = [block for block in _parse(text.splitlines()) if not _is_under(block.path, left_out)]
    written: set[str] = set()
    filled: list[_Block] = []
    for block in blocks:
        if _is_under(block.path, frozenset(wanted)) and block.path not in wanted:
            continue  # a key within a group that is written as a whole
        if block.path in wanted:
            written.add(block.path)
            comments = [line for line in block.lines if line.lstrip().startswith("#") or not line.strip()]
            filled.append(_Block(block.path, (*comments, *_write(wanted[block.path]))))
        else:
            filled.append(block)
    for key, value in wanted.items():
        if key not in written:
            filled = _add(filled, value)
    return "\n".join(line for block in filled for line in block.lines).rstrip() + "\n"


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


def _parse(lines: list[str]) -> list[_Block]:
    """Blocks of a file; comments and blank lines belong to the key that follows, at the end to none."""
    blocks: list[_Block] = []
    above: list[str] = []
    stack: list[tuple[int, str]] = []
    for line in lines:
        match = _KEY.match(line)
        if match is None:
            if line.strip() and not line.lstrip().startswith("#") and blocks and not above:
                last = blocks.pop()  # a value that goes on
                blocks.append(_Block(last.path, (*last.lines, line)))
            else:
                above.append(line)
            continue
        indent = len(match.group(1))
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, match.group(2)))
        blocks.append(_Block(".".join(name for _, name in stack), (*above, line)))
        above = []
    return [*blocks, _Block("", tuple(above))] if above else blocks


def _is_under(path: str, keys: frozenset[str]) -> bool:
    parts = path.split(".")
    return any(".".join(parts[:length]) in keys for length in range(1, len(parts) + 1))


def _write(proposal: Proposal) -> list[str]:
    """Write a line with what it was taken from behind it, or above where that is too long; a question above."""
    indent, name = "  " * proposal.key.count("."), proposal.key.rpartition(".")[2]
    line, words = f"{indent}{name}: {render(proposal.value)}", " ".join(proposal.words.split())
    if not proposal.is_open and len(line) + len(words) + len("  # found: ") <= _WIDTH:
        return [f"{line}  # found: {words}"]
    start = f"{indent}# {'QUESTION' if proposal.is_open else 'found'}: "
    following = f"{indent}#   "
    return [
        *textwrap.wrap(words, _WIDTH, initial_indent=start, subsequent_indent=following, break_on_hyphens=False),
        line,
    ]


def _add(blocks: list[_Block], proposal: Proposal) -> list[_Block]:
    """Add a key at the end of its group, or with its group at the end of the file."""
    group = proposal.key.rpartition(".")[0]
    places = [place for place, block in enumerate(blocks) if group and _is_under(block.path, frozenset({group}))]
    new = _Block(proposal.key, tuple(_write(proposal)))
    if places:
        return [*blocks[: places[-1] + 1], new, *blocks[places[-1] + 1 :]]
    head = [_Block(group, ("", f"{group}:"))] if group else []
    return [*blocks, *head, new]
