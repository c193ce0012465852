"""Pixels of cells with which nothing can be computed: found where crops are cut, where file and cell are known."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.records import Recording

SCALE: Final = (1e-12, 1e12)
"""Between these, squares and ratios of pixels are numbers of float32."""


def check_pixels(crops_ncyx: NDArray[Any], recording: Recording, frame: int, cell_ids_n: NDArray[np.int64]) -> None:
    """Check the crops of one frame; whole numbers are always well.

    Parameters
    ----------
    crops_ncyx : ndarray, shape (N, C, H, W)
        Crops of the cells in that frame, 0 outside the image.
    recording : Recording
        Where they come from.
    frame : int
        The frame.
    cell_ids_n : ndarray of int64, shape (N,)
        The cells.

    Raises
    ------
    InputError
        If a pixel is NaN or infinite, or the largest of a cell and channel is not 0 and outside `SCALE`; the first
        such cell is named.
    """
    if crops_ncyx.dtype.kind != "f" or not crops_ncyx.size:
        return
    largest_nc = np.abs(crops_ncyx).max(axis=(2, 3))  # NaN if any pixel is
    usable_nc = (largest_nc == 0) | ((largest_nc >= SCALE[0]) & (largest_nc <= SCALE[1]))
    if usable_nc.all():
        return
    n, c = (int(place) for place in np.argwhere(~usable_nc)[0])
    raise InputError(
        f"Cell {cell_ids_n[n]} has a pixel of {largest_nc[n, c]:g} in channel {recording.channels[c]} of frame {frame} "
        f"of recording '{recording.recording_id}' ({recording.source.place(frame)}), but expected are 0 and finite "
        f"numbers of {SCALE[0]:g} to {SCALE[1]:g}; mend or rescale the image, or set on_bad_recording to 'skip'."
    )
