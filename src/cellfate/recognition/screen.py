"""What `cellfate new` says on the screen."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from cellfate.core.words import show_count
from cellfate.recognition.proposals import OPEN, Proposal
from cellfate.recognition.recognising import Recognised
from cellfate.recognition.yaml_lines import render

_WIDTH = 118
_GROUPS = ("recordings", "tracks", "crops", "follow_up", "splits", "references", "masking")


def describe(recognised: Recognised, folder: Path, name: str, given: str = "") -> Iterator[str]:
    """Lines for the screen: every value and what it was taken from, the questions, the next command.

    `folder` is the new folder of parameters, `given` the options that the next command needs too.
    """
    images, asked = recognised.images, recognised.open_parameters
    yield f"{recognised.root}: {show_count(len(images.names), 'recording')}, layout {images.layout}"
    yield ""
    ordered = sorted(recognised.values, key=lambda one: _GROUPS.index(one.key.split(".")[0]))
    for value in (one for one in ordered if not one.is_open):
        yield from _value(value)
    if recognised.notes:
        yield ""
        for note in recognised.notes:
            yield from _wrapped(note, "Note: ", "      ")
    yield ""
    yield f"Written: {folder / 'globals.yml'} and {folder / 'parameters.yml'}"
    yield from _questions(asked, folder)
    command = f"cellfate --env {name}{given} --pipelines data_processing"
    yield ""
    yield f"Next: {'answer, then ' if asked else ''}{command}"


def _value(value: Proposal) -> Iterator[str]:
    key = f"  {value.key:<30} "
    text = render(value.value)
    head = f"{key}{text}"
    if len(head) + len(value.words) + 2 <= _WIDTH:
        yield f"{head:<48}  {value.words}" if len(head) < 48 else f"{head}  {value.words}"
    else:
        yield head
        yield from _wrapped(value.words, " " * 33, " " * 33)


def _questions(questions: tuple[Proposal, ...], folder: Path) -> Iterator[str]:
    if not questions:
        yield "No question is left."
        return
    n_open = sum(max(1, render(one.value).count(OPEN)) for one in questions)
    values = f" ({n_open} values)" if n_open > len(questions) else ""
    asked = f"{show_count(len(questions), 'question')}{values} to answer in {folder / 'parameters.yml'}"
    yield f"{asked}: put a value in the place of each ???"
    for number, question in enumerate(questions, start=1):
        yield from _wrapped(f"{question.key}: {question.words}", f"  {number}. ", "     ")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False, break_long_words=False
    )
