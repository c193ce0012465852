"""A layout that the images of a folder may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellfate.imaging.settings import Layout
from cellfate.recognition.proposals import Proposal


@dataclass(frozen=True)
class Candidate:
    """Images of one layout.

    Attributes
    ----------
    layout : str
        The layout.
    words : str
        What was seen, for a sentence.
    settings : dict of str to object, or None
        Parameters `recordings` with which the first recordings are opened; None where a question must be answered
        before.
    values : tuple of Proposal
        What follows for `recordings`, and questions.
    claimed : frozenset of str
        Files that belong to this layout.
    names : tuple of str
        Recordings, where names of files or an annotation file say them for certain.
    notes : tuple of str
        What else was seen.
    cell_px : float or None
        Diameter of a cell in pixels, where the files say it.
    files : dict of str to str
        File or folder of each recording, where each has its own; one may hold several.
    channels : dict of str to str
        Channels of each recording, where names of files say them.
    """

    layout: Layout
    words: str
    settings: dict[str, Any] | None
    values: tuple[Proposal, ...]
    claimed: frozenset[str] = field(repr=False)
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cell_px: float | None = None
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def has_open(self) -> bool:
        """Whether a person must answer before the images can be opened."""
        return any(value.is_open for value in self.values)
