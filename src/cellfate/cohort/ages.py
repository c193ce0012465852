"""What the fate clock is told about the age of a cell."""

import numpy as np
from numpy.typing import NDArray

USUAL_CYCLE_H = 20.0
"""Unit of age: about one cell cycle."""


def age_inputs(frames_t: NDArray[np.int64], hours_a_frame: float) -> NDArray[np.float32]:
    """Describe the age of a cell at each of its frames.

    Parameters
    ----------
    frames_t : ndarray of int64, shape (T,)
        Frame numbers of the recording, ascending, from the cell's first tracked frame on.
    hours_a_frame : float
        Time between two frames, in hours.

    Returns
    -------
    ndarray of float32, shape (T, 3)
        Hours since the track began, in units of `USUAL_CYCLE_H`; half the logarithm of 1 + these hours; and 1 where the
        track began after the recording did, so that its age counts from a division or an entry into the field, else 0.

    Examples
    --------
    >>> age_inputs(np.array([4, 44]), 0.5)[:, [0, 2]].tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    hours_t = (frames_t - frames_t[0]) * hours_a_frame
    seen_begin_t = np.full(len(frames_t), float(frames_t[0] > 0))
    return np.stack((hours_t / USUAL_CYCLE_H, np.log1p(hours_t) / 2, seen_begin_t), axis=1).astype(np.float32)
