"""From rows of text to detections."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cellfate.core.text_tables import real_numbers, whole_numbers
from cellfate.tracks.records import TrackSource
from cellfate.tracks.settings import TrackSettings


def read_marks(
    table: pd.DataFrame, names: Mapping[str, str], source: TrackSource, tracks: TrackSettings, path: Path
) -> pd.DataFrame:
    """Turn rows of text into detections.

    Parameters
    ----------
    table : DataFrame
        Columns of text, as `read_text_columns` gives them.
    names : dict of str to str
        Columns of cell_id, frame, y and x in it.
    source : TrackSource
        The recording.
    tracks : TrackSettings
        Number of the first frame, unit of the positions (pixels when not given).
    path : Path
        The file, for messages.

    Returns
    -------
    DataFrame
        cell_id, frame (from 0), y_px and x_px.

    Raises
    ------
    InputError
        If a field is no number, or the unit is a length and the size of a pixel is not known.
    """
    y, x = (real_numbers(table[names[axis]], path) for axis in ("y", "x"))
    unit = tracks.position_unit or "px"
    return pd.DataFrame(
        {
            "cell_id": whole_numbers(table[names["cell_id"]], path),
            "frame": whole_numbers(table[names["frame"]], path) - tracks.first_frame,
            "y_px": source.to_pixels(y, unit, path),
            "x_px": source.to_pixels(x, unit, path),
        }
    )
