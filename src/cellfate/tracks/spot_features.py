"""What a tracker measured of each spot, handed on beside its detections: one way for all formats."""

import logging
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.spot_features import SPOT_KIND, spot_column
from cellfate.core.text_tables import optional_real_numbers
from cellfate.tracks.settings import TrackSettings

_log = logging.getLogger(__name__)
PARAMETER = "tracks.spot_features"
_NEAR, _LISTED = 5, 20
_ALIKE = 0.5
"""Similarity of two names, 0 to 1, from which on one is shown for the other."""


def check_features(wanted: Iterable[str], found: Iterable[str], path: Path, kind: str) -> None:
    """Refuse a file that lacks a spot feature; `kind` is what the format calls them: column, attribute of its spots.

    Raises
    ------
    InputError
        If one is missing: with the names that are like it, or else all.
    """
    names = list(dict.fromkeys(found))
    missing = [name for name in wanted if name not in names]
    if missing:
        small = {name.lower(): name for name in reversed(names)}
        near = [small[name] for name in get_close_matches(missing[0].lower(), small, _NEAR, _ALIKE)]
        told = f"near are {', '.join(near)}" if near else f"it has {', '.join(names[:_LISTED])[:300] or 'none'}"
        raise InputError(
            f"{path} has no {kind} '{missing[0]}' ({told}), which {PARAMETER} names; correct the name, or take it "
            "from the list.",
            PARAMETER,
        )


def add_text_features(marks: pd.DataFrame, table: pd.DataFrame, tracks: TrackSettings, path: Path) -> pd.DataFrame:
    """Put spot features from columns of text, indexed by line, beside the detections of the same rows.

    Raises
    ------
    InputError
        If a field is neither a number nor blank; with file and line.
    """
    advice = "correct the file, or take {} from " + PARAMETER
    read = {name: optional_real_numbers(table[name], path, advice.format(name)) for name in tracks.spot_features}
    return add_features(marks, read, path)


def add_features(marks: pd.DataFrame, features: Mapping[str, NDArray[np.float64]], path: Path) -> pd.DataFrame:
    """Put spot features beside detections, as float32; NaN where nothing, or something infinite, was measured.

    `features` has an array of float64 of each, in the order of the rows.
    """
    columns = {}
    for name, values in features.items():
        with np.errstate(over="ignore"):
            narrow = values.astype(SPOT_KIND)
        infinite = np.isinf(narrow)
        if infinite.any():
            text = "%s: %d spots have an infinite %s, which is taken for not measured"
            _log.warning(text, path, infinite.sum(), name)
        columns[spot_column(name)] = np.where(infinite, np.float32(np.nan), narrow)
    return marks.assign(**columns)
