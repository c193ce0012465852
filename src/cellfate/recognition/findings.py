"""What was recognised: values with what they were taken from, and questions where that could not be told."""

from dataclasses import dataclass
from typing import Any

OPEN = "???"
"""A value that is missing: OmegaConf's mark."""


@dataclass(frozen=True)
class Finding:
    """The value of a parameter, or a question about it.

    Attributes
    ----------
    key : str
        The parameter with its group, such as `recordings.layout`.
    value : object
        Its value; `OPEN` of a question, or a mapping in which some values are `OPEN`.
    words : str
        What it was taken from; of a question: what was seen, and the choices.
    is_question : bool
        Whether a person must answer.
    """

    key: str
    value: Any
    words: str
    is_question: bool = False


def found(key: str, value: Any, source: str) -> Finding:
    """Make a value and what it was taken from."""
    return Finding(key, value, source)


def ask(key: str, question: str, value: Any = OPEN) -> Finding:
    """Make a question: what was seen, and the choices."""
    return Finding(key, value, question, is_question=True)


@dataclass(frozen=True)
class Findings:
    """All that was recognised in a folder.

    Attributes
    ----------
    values : tuple of Finding
        One a parameter.
    notes : tuple of str
        Sentences for the screen.
    """

    values: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[Finding, ...]:
        """Those that a person must answer."""
        return tuple(value for value in self.values if value.is_question)

    def value(self, key: str) -> Any:
        """Value of a parameter; None where nothing is known of it."""
        return next((one.value for one in self.values if one.key == key), None)
