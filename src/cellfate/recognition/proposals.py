"""What is proposed: values of parameters with what they were taken from, or open where that could not be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cellfate.recognition.survey import shown

OPEN = "???"
"""A value that is missing: OmegaConf's mark."""


@dataclass(frozen=True)
class Proposal:
    """A value for a parameter, or an open parameter and what a person is asked of it.

    Attributes
    ----------
    key : str
        The parameter with its group, such as `recordings.layout`.
    value : object
        Its value; `OPEN`, or a mapping in which some values are, where it is open.
    words : str
        What it was taken from; where it is open: what was seen, and the choices.
    is_open : bool
        Whether a person must answer.
    """

    key: str
    value: Any
    words: str
    is_open: bool = False


def found(key: str, value: Any, source: str) -> Proposal:
    """Propose a value, and say what it was taken from."""
    return Proposal(key, value, source)


def ask(key: str, question: str, value: Any = OPEN) -> Proposal:
    """Leave a parameter open: what was seen, and the choices."""
    return Proposal(key, value, question, is_open=True)


def choose_table(values: list[Proposal], names: Sequence[str], what: str) -> tuple[Proposal, ...]:
    """Take what the first of some tables proposes; which is meant is open where there are several.

    The first of `values` names the table; `what` it holds is said in the question.
    """
    if len(names) == 1:
        return tuple(values)
    return (ask(values[0].key, f"{what} may be in {shown(names, 5)}; say which table is meant."), *values[1:])


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a folder, or one kind of things in it, proposes.

    Attributes
    ----------
    values : tuple of Proposal
        Values of parameters, and open ones.
    notes : tuple of str
        What else was seen: sentences for the screen.
    used : frozenset of str
        Files that it takes.
    """

    values: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()
    used: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def open_parameters(self) -> tuple[Proposal, ...]:
        """Those that a person must answer."""
        return tuple(value for value in self.values if value.is_open)

    def value(self, key: str) -> Any:
        """Value of a parameter; None where nothing is known of it."""
        return next((one.value for one in self.values if one.key == key), None)
