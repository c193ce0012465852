"""How fast a cell changes from one frame to the next.

Shape suffixes: t frames of a cell, f features.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RATE = "rate_"
"""What the name of a column of changes per hour begins with; the measured column's name follows."""


def change_per_hour(
    measured: pd.DataFrame, frame_numbers_t: NDArray[np.int64], frame_interval_min: float
) -> pd.DataFrame:
    """Difference from the tracked frame before, per hour that lies between; nothing of later frames is looked at.

    Parameters
    ----------
    measured
        What was measured of one cell, one row a tracked frame.
    frame_numbers_t
        Frame numbers, ascending; a gap in the track is a jump here and makes the hours between longer.
    frame_interval_min
        Time between two frames, in minutes.

    Returns
    -------
    pandas.DataFrame
        One column `rate_<name>` a column of `measured`; NaN in the first frame and where either frame was not measured.

    Examples
    --------
    >>> change_per_hour(pd.DataFrame({"area": [50.0, 56.0, 60.0]}), np.array([0, 1, 3]), 30.0)["rate_area"].tolist()
    [nan, 12.0, 4.0]
    """
    values_tf = measured.to_numpy(dtype=np.float64)
    hours_t = np.diff(frame_numbers_t) * frame_interval_min / 60
    rates_tf = np.full_like(values_tf, np.nan)
    rates_tf[1:] = np.diff(values_tf, axis=0) / hours_t[:, None]
    return pd.DataFrame(rates_tf, columns=[f"{RATE}{name}" for name in measured.columns])
