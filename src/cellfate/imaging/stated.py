"""What files state about a recording, held against each other: a record of a fact, its kinds, and one comparison.

A fact is stated by whoever knows it (headers of images, track files, tables) and compared here. A new kind of fact is a
line in `KINDS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from cellfate.imaging.recording_names import fold_name

_SAME_WITHIN = 0.01
"""Relative difference up to which two files say the same."""


@dataclass(frozen=True)
class Fact:
    """Something that a file states about a recording.

    Attributes
    ----------
    file : str
        Who states it, for messages.
    what : str
        One of `KINDS`.
    value : float, str, or pair of float
        In the unit of the kind.
    """

    file: str
    what: str
    value: Any


@dataclass(frozen=True)
class Kind:
    """How a kind of fact is told and compared.

    Attributes
    ----------
    words : str
        Format string of a value, after "states".
    advice : str
        What to do where two differ.
    differ : callable
        Whether two values contradict each other.
    check : str
        Check of the preflight that tells it.
    """

    words: str
    advice: str
    differ: Callable[[Any, Any], bool]
    check: str = "other_facts"


def _differ_much(stated: float, other: float) -> bool:
    return bool(stated > 0 and other > 0 and abs(stated / other - 1) > _SAME_WITHIN)


def _differ_by_a_pixel(stated: tuple[float, float], other: tuple[float, float]) -> bool:
    return any(abs(one - two) > max(1.0, _SAME_WITHIN * two) for one, two in zip(stated, other, strict=True))


def _name_another(stated: str, other: str) -> bool:
    """Whether neither name holds the other."""
    one, two = fold_image_name(stated), fold_image_name(other)
    return bool(one and two) and one not in two and two not in one


def fold_image_name(name: str) -> str:
    """Fold the name of an image, as `recording_names.fold_name`, without its folder."""
    return fold_name(PurePosixPath(name.replace("\\", "/")).name)


_GIVE_RIGHT = "its positions cannot be right: give the tracks that were made on this recording"
KINDS: Final = {
    "size_px": Kind("an image of {0[0]} x {0[1]} px", _GIVE_RIGHT, lambda one, two: one != two, "other_image"),
    "field_px": Kind("a field of {0[0]:g} x {0[1]:g} px", _GIVE_RIGHT, _differ_by_a_pixel, "other_image"),
    "n_frames": Kind(
        "{0:g} frames", "check that both are of this recording, from its first frame on", lambda one, two: one != two
    ),
    "frame_interval_min": Kind(
        "a frame every {0:g} min", "correct recordings.frame_interval_min, or leave it if that is right", _differ_much
    ),
    "pixel_size_um": Kind(
        "pixels of {0:g} um", "correct recordings.pixel_size_um, or leave it if that is right", _differ_much
    ),
    "image_name": Kind("the image '{0}'", "check that both are of this recording", _name_another),
}
"""Every kind of fact; an image of another size is an error, the others are warnings."""


def compare_facts(stated: Iterable[Fact], counts: Iterable[Fact]) -> list[tuple[str, str]]:
    """Tell where what is stated contradicts what counts: check of the preflight, and a sentence without full stop.

    Of a kind of which several facts count, one that agrees is enough; of a kind that has none, nothing is told. The
    sentence has both values and both files.
    """
    used: dict[str, list[Fact]] = {}
    for fact in counts:
        used.setdefault(fact.what, []).append(fact)
    told = []
    for fact in stated:
        others, kind = used.get(fact.what, []), KINDS[fact.what]
        if others and all(kind.differ(fact.value, other.value) for other in others):
            own, other = kind.words.format(fact.value), kind.words.format(others[0].value)
            told.append((kind.check, f"{fact.file} states {own}, but {others[0].file} has {other}; {kind.advice}"))
    return told
