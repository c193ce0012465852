"""A layout that the images of a folder may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellfate.imaging.settings import Layout
from cellfate.recognition.proposals import Part


@dataclass(frozen=True, kw_only=True)
class Candidate(Part):
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
    names : tuple of str
        Recordings, where names of files or an annotation file say them for certain.
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
    names: tuple[str, ...] = ()
    cell_px: float | None = None
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
