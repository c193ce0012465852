"""Whether the masks of a cell follow from each other over time, and a count of those that do not.

Shape suffixes: t frames of a cell, h rows, w columns, p pixels.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.tables import CELL
from cellfate.features.settings import FeatureSettings
from cellfate.statistics.medians import masked_median

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def check_masks(masks_thw: BoolArray, frame_numbers_t: IntArray, settings: FeatureSettings) -> pd.DataFrame:
    """Compare every mask with the one before and with the usual area of its neighbours in time.

    Parameters
    ----------
    masks_thw
        Masks of one cell, bool (T, H, W); a frame without a True pixel has no mask.
    frame_numbers_t
        Frame numbers, ascending.
    settings
        Largest jump of the area, frames of the running median, least overlap.

    Returns
    -------
    pandas.DataFrame
        One row a frame: `mask_overlap` (see `measure_overlaps`) and `consistent`. A frame is consistent if it has a
        mask, whose area is within `max_area_factor` of the running median, and which overlaps the one before by
        `min_overlap` at least, if there is one. Nothing is removed.
    """
    areas_t = masks_thw.sum(axis=(1, 2)).astype(np.float64)
    overlap_t = measure_overlaps(masks_thw, frame_numbers_t)
    factor_t = areas_t / _running_median(areas_t, settings.median_frames)
    fits_t = (factor_t <= settings.max_area_factor) & (factor_t >= 1 / settings.max_area_factor)
    consistent_t = (areas_t > 0) & fits_t & ~(overlap_t < settings.min_overlap)
    return pd.DataFrame({"mask_overlap": overlap_t, "consistent": consistent_t})


def measure_overlaps(masks_thw: BoolArray, frame_numbers_t: IntArray) -> FloatArray:
    """Intersection over union of every mask with that of the frame before, both moved to a common centre.

    Masks are moved by whole pixels, so that their centres of mass meet; drift of the cell does not count.

    Returns
    -------
    numpy.ndarray
        (T,); NaN in the first frame, after a gap in the track, and where either frame has no mask.
    """
    areas_t = masks_thw.sum(axis=(1, 2)).astype(np.float64)
    frame_p, row_p, column_p = _centred_pixels(masks_thw, areas_t)
    centred_thw = np.zeros((len(masks_thw), row_p.max(initial=0) + 1, column_p.max(initial=0) + 1), dtype=bool)
    centred_thw[frame_p, row_p, column_p] = True
    again_p = centred_thw[frame_p - 1, row_p, column_p]  # of the first frame it means nothing and is not used
    shared_t = np.bincount(frame_p[again_p], minlength=len(areas_t)).astype(np.float64)
    union_t = areas_t[1:] + areas_t[:-1] - shared_t[1:]
    comparable_t = (np.diff(frame_numbers_t) == 1) & (areas_t[1:] > 0) & (areas_t[:-1] > 0)
    overlap_t = np.full(len(areas_t), np.nan)
    overlap_t[1:][comparable_t] = shared_t[1:][comparable_t] / union_t[comparable_t]
    return overlap_t


def _centred_pixels(masks_thw: BoolArray, areas_t: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """Frame, row and column of every mask pixel (P,), masks moved to a common centre of mass; none is negative."""
    frame_p, row_p, column_p = np.nonzero(masks_thw)
    moved = []
    for place_p in (row_p, column_p):
        centre_t = np.floor(np.bincount(frame_p, place_p, len(areas_t)) / np.maximum(areas_t, 1) + 0.5)
        off_p = place_p - centre_t.astype(np.int64)[frame_p]
        moved.append(off_p - off_p.min(initial=0))
    return frame_p, moved[0], moved[1]


def _running_median(areas_t: FloatArray, n_frames: int) -> FloatArray:
    """Median area of the masks among the `n_frames` frames around each, itself included; NaN where there is none."""
    before = n_frames // 2
    padded = np.pad(areas_t, (before, n_frames - 1 - before))
    around_tk = np.lib.stride_tricks.sliding_window_view(padded, n_frames)
    return masked_median(around_tk, around_tk > 0)


def count_failures(frame_features: pd.DataFrame) -> pd.DataFrame:
    """Count, in each recording, where no mask was found and where masks do not follow from each other.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.

    Returns
    -------
    pandas.DataFrame
        One row a recording: `recording_id`, `n_cells`, `n_frames` (of all cells), `n_segmented` (a mask was found),
        `n_inconsistent` (one was found, but `consistent` is false) and `n_cells_never_segmented`.
    """
    marked = frame_features.assign(inconsistent=frame_features["segmented"] & ~frame_features["consistent"])
    cells = marked.groupby(CELL, sort=True).agg(
        n_frames=("frame", "size"), n_segmented=("segmented", "sum"), n_inconsistent=("inconsistent", "sum")
    )
    cells = cells.assign(n_cells=1, n_cells_never_segmented=(cells["n_segmented"] == 0).astype(np.int64))
    columns = ["n_cells", "n_frames", "n_segmented", "n_inconsistent", "n_cells_never_segmented"]
    return cells.groupby(level="recording_id", sort=True)[columns].sum().astype(np.int64).reset_index()
