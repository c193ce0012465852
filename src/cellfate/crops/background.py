"""Background subtraction: what camera and medium add to a crop is taken out of it."""

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.medians import masked_median


def lift_above_background(
    frames_tchw: NDArray[np.generic], inside_thw: NDArray[np.bool_], sd_c: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Subtract from each crop and channel its median and compress it: ``asinh((counts - median) / sd)``.

    Unlike standardisation this takes out what the camera and the medium add, frame by frame, and keeps how bright the
    cell is: linear near the background, logarithmic far above it.

    Parameters
    ----------
    frames_tchw : ndarray, any numeric dtype
        Crops on the camera's own scale.
    inside_thw : ndarray of bool
        Pixels that lie in the image; the others become 0.
    sd_c : ndarray, shape (C,)
        Unit of each channel, in counts.

    Returns
    -------
    ndarray of float32, shape (T, C, H, W)
        A copy.
    """
    n_frames, n_channels = frames_tchw.shape[:2]
    lifted = frames_tchw.astype(np.float32)
    pixels = lifted.reshape(n_frames * n_channels, -1)
    inside = np.repeat(inside_thw.reshape(n_frames, -1), n_channels, axis=0)
    pixels -= np.nan_to_num(masked_median(pixels, inside))[:, None].astype(np.float32)
    lifted /= np.asarray(sd_c, dtype=np.float32)[:, None, None]
    np.arcsinh(lifted, out=lifted)
    lifted *= inside_thw[:, None]
    return lifted
