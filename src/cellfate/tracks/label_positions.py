"""Where cells are in label images, in which every pixel holds the number of its cell or 0."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def place_labels(frames_yx: Iterable[NDArray[np.integer]]) -> pd.DataFrame:
    """Centres of the cells of label images in the order of frames, one held at a time: cell_id, frame, y_px, x_px."""
    found = [find_centroids(labels_yx).assign(frame=frame) for frame, labels_yx in enumerate(frames_yx)]
    return pd.concat(found, ignore_index=True)


def find_centroids(labels_yx: NDArray[np.integer]) -> pd.DataFrame:
    """Centre of the pixels of every label but 0 of an image (Y, X): cell_id (the label), y_px and x_px, by label."""
    y, x = np.nonzero(labels_yx)
    names, place, count = np.unique(labels_yx[y, x], return_inverse=True, return_counts=True)
    return pd.DataFrame(
        {
            "cell_id": names.astype(np.int64),
            "y_px": np.bincount(place, weights=y, minlength=len(names)) / count,
            "x_px": np.bincount(place, weights=x, minlength=len(names)) / count,
        }
    )
