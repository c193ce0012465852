"""The guard: the last hours before the end of every track, which no model is shown."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TOLERANCE = 1e-9  # a guard of 1.0 h at 20 min is 3 frames, whatever the floating-point division says


def guard_frames(guard_h: float, frame_interval_min: ArrayLike) -> NDArray[np.int64]:
    """Frames withheld besides the one of the event: ``ceil(guard_h * 60 / frame_interval_min)``.

    Parameters
    ----------
    guard_h
        Hours that are withheld.
    frame_interval_min
        Minutes between two frames, one number or many.

    Examples
    --------
    >>> guard_frames(1.0, [30.0, 25.0]).tolist()
    [2, 3]
    """
    intervals = np.asarray(frame_interval_min, dtype=np.float64)
    return np.asarray(np.ceil(guard_h * 60 / intervals - _TOLERANCE), dtype=np.int64)
