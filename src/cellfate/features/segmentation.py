"""One mask of the tracked cell a frame, used for every channel.

Shape suffixes: t frames of a cell, c channels, h rows, w columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.features.cellpose_masks import label_cells
from cellfate.features.settings import FeatureSettings
from cellfate.statistics.medians import masked_median

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

OTSU_BINS = 128
MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation is this times its median absolute deviation."""


def segment_cell(
    frames_tchw: NDArray[Any],
    inside_thw: BoolArray,
    masks_thw: BoolArray | None,
    channel_numbers: tuple[int, ...],
    settings: FeatureSettings,
) -> BoolArray:
    """Find the tracked cell in each of its crops.

    The tracker's mask is taken where it gave one of at least `min_area_px`. Elsewhere the crop is thresholded
    (`threshold_cell`), or Cellpose looks for the cell (`find_by_cellpose`).

    Parameters
    ----------
    frames_tchw
        Crops in the camera's scale, (T, C, H, W).
    inside_thw
        True where a pixel lies in the image, (T, H, W).
    masks_thw
        The tracker's masks, (T, H, W), or None.
    channel_numbers
        Channels that are looked at.
    settings
        Method, smoothing, least area and contrast, farthest offset.

    Returns
    -------
    numpy.ndarray
        Masks, bool (T, H, W); a frame without a single True pixel is a failed segmentation.
    """
    given_thw: BoolArray = np.zeros_like(inside_thw) if masks_thw is None else masks_thw & inside_thw
    given_t = given_thw.sum(axis=(1, 2)) >= settings.lengths(*inside_thw.shape[1:]).min_area_px
    found_thw: BoolArray = given_thw & given_t[:, None, None]
    if not given_t.all():
        rest_t = ~given_t
        frames = frames_tchw[rest_t][:, list(channel_numbers)]
        find = find_by_cellpose if settings.method == "cellpose" else threshold_cell
        found_thw[rest_t] = find(frames, inside_thw[rest_t], settings)
    return found_thw


def find_by_cellpose(frames_tchw: NDArray[Any], inside_thw: BoolArray, settings: FeatureSettings) -> BoolArray:
    """Take, of the cells Cellpose finds, the one at, or nearest to, the crop's centre.

    Cellpose sees one grey image a frame: the smoothed brightness over the surroundings of `smoothed_scores`. A cell is
    refused where it is too small or too far from the centre.

    Returns
    -------
    numpy.ndarray
        Masks, bool (T, H, W), empty where nothing passed.
    """
    crop_px = inside_thw.shape[1:]
    lengths = settings.lengths(*crop_px)
    scores_thw = smoothed_scores(frames_tchw, inside_thw, settings.smoothing_px)
    labels_thw = np.where(inside_thw, label_cells(scores_thw, lengths.min_area_px), 0)
    masks_thw = nearest_label(labels_thw, distance_to_centre(*crop_px), lengths.max_offset_px)
    large_t = masks_thw.sum(axis=(1, 2)) >= lengths.min_area_px
    kept_thw: BoolArray = masks_thw & large_t[:, None, None]
    return kept_thw


def threshold_cell(frames_tchw: NDArray[Any], inside_thw: BoolArray, settings: FeatureSettings) -> BoolArray:
    """Segment by Otsu's threshold and take the component at, or nearest to, the crop's centre.

    Pixels brighter than the brightest near the centre are clipped first, so that a bright neighbour does not lift the
    threshold above the tracked cell. A component is refused where it is too small, too far from the centre or too
    faint.

    Returns
    -------
    numpy.ndarray
        Masks, bool (T, H, W), empty where nothing passed.
    """
    scores_thw = smoothed_scores(frames_tchw, inside_thw, settings.smoothing_px)
    lengths, distance_hw = settings.lengths(*inside_thw.shape[1:]), distance_to_centre(*inside_thw.shape[1:])
    disc_hw = distance_hw <= max(lengths.max_offset_px, 1.5)
    ceiling_t = scores_thw[:, disc_hw].max(axis=1)
    clipped_thw = np.minimum(scores_thw, ceiling_t[:, None, None])
    bright_thw = (clipped_thw > otsu_thresholds(clipped_thw, inside_thw)[:, None, None]) & inside_thw
    masks_thw = fill_holes(central_components(bright_thw, distance_hw, lengths.max_offset_px))
    keep_t = (masks_thw.sum(axis=(1, 2)) >= lengths.min_area_px) & (
        contrasts(scores_thw, masks_thw, inside_thw) >= settings.min_contrast
    )
    kept_thw: BoolArray = masks_thw & keep_t[:, None, None]
    return kept_thw


def smoothed_scores(frames_tchw: NDArray[Any], inside_thw: BoolArray, smoothing_px: float) -> FloatArray:
    """Brightness over the crop's median in units of its spread, smoothed, averaged over the channels, (T, H, W).

    Pixels outside the image count as background (0).
    """
    from scipy.ndimage import gaussian_filter

    n_frames, n_channels, *_ = frames_tchw.shape
    pixels = frames_tchw.reshape(n_frames * n_channels, -1).astype(np.float32)
    inside = np.repeat(inside_thw.reshape(n_frames, -1), n_channels, axis=0)
    centred = pixels - masked_median(pixels, inside)[:, None]
    spread = MAD_TO_SD * masked_median(np.abs(centred), inside)[:, None]
    scores = np.where(inside, centred / np.where(spread > 0, spread, 1.0), 0.0).reshape(frames_tchw.shape).mean(axis=1)
    return np.asarray(gaussian_filter(scores, sigma=(0, smoothing_px, smoothing_px), mode="nearest"), dtype=np.float64)


def distance_to_centre(height_px: int, width_px: int) -> FloatArray:
    """Distance in px of every pixel to the window's centre pixel (H // 2, W // 2)."""
    rows, columns = np.mgrid[:height_px, :width_px]
    distance_hw: FloatArray = np.hypot(rows - height_px // 2, columns - width_px // 2)
    return distance_hw


def otsu_thresholds(scores_thw: FloatArray, inside_thw: BoolArray) -> FloatArray:
    """Otsu's threshold of each frame over the pixels inside the image, (T,).

    The threshold that makes the variance between the two classes largest (Otsu 1979), over 128 bins from the frame's
    least to its greatest score; a frame of one value gets that value.
    """
    n_frames = len(scores_thw)
    low_t = np.where(inside_thw, scores_thw, np.inf).min(axis=(1, 2))
    high_t = np.where(inside_thw, scores_thw, -np.inf).max(axis=(1, 2))
    width_t = np.where(high_t > low_t, (high_t - low_t) / OTSU_BINS, 1.0)
    bins = (
        np.floor((scores_thw - low_t[:, None, None]) / width_t[:, None, None]).clip(0, OTSU_BINS - 1).astype(np.int64)
    )
    flat = bins + OTSU_BINS * np.arange(n_frames)[:, None, None]
    counts_tb = np.bincount(flat[inside_thw], minlength=n_frames * OTSU_BINS).reshape(n_frames, OTSU_BINS)
    best_t = _largest_variance_between(counts_tb.astype(np.float64))
    thresholds: FloatArray = np.where(high_t > low_t, low_t + (best_t + 1) * width_t, high_t)
    return thresholds


def _largest_variance_between(counts_tb: FloatArray) -> NDArray[np.int64]:
    """Last bin of the lower class at the split with the largest variance between classes, (T,)."""
    below = np.cumsum(counts_tb, axis=1)[:, :-1]
    above = counts_tb.sum(axis=1, keepdims=True) - below
    moments = counts_tb * np.arange(counts_tb.shape[1])
    moment_below = np.cumsum(moments, axis=1)[:, :-1]
    moment_above = moments.sum(axis=1, keepdims=True) - moment_below
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = moment_below / below - moment_above / above
    return np.asarray(np.nan_to_num(below * above * difference**2).argmax(axis=1), dtype=np.int64)


def central_components(bright_thw: BoolArray, distance_hw: FloatArray, max_offset_px: float) -> BoolArray:
    """Of each frame's connected bright regions, the one nearest the centre; none where all are farther than allowed."""
    from scipy.ndimage import label

    labels_thw, _ = label(bright_thw, structure=_within_frame())
    return nearest_label(labels_thw, distance_hw, max_offset_px)


def nearest_label(labels_thw: NDArray[Any], distance_hw: FloatArray, max_offset_px: float) -> BoolArray:
    """Of each frame's labelled regions (0 is none), the one nearest the centre; none where all are too far."""
    labelled_thw = labels_thw > 0
    farness = np.where(labelled_thw, distance_hw, np.inf).reshape(len(labels_thw), -1)
    nearest_t = farness.argmin(axis=1)
    frame_numbers = np.arange(len(labels_thw))
    labels_t = labels_thw.reshape(len(labels_thw), -1)[frame_numbers, nearest_t]
    reachable_t = farness[frame_numbers, nearest_t] <= max_offset_px
    chosen_thw: BoolArray = (labels_thw == labels_t[:, None, None]) & labelled_thw & reachable_t[:, None, None]
    return chosen_thw


def fill_holes(masks_thw: BoolArray) -> BoolArray:
    """Add the pixels a mask encloses: background regions that touch no border of their frame."""
    from scipy.ndimage import label

    labels_thw, n_labels = label(~masks_thw, structure=_within_frame())
    touches_border = np.zeros(n_labels + 1, dtype=bool)
    for edge in (labels_thw[:, 0], labels_thw[:, -1], labels_thw[:, :, 0], labels_thw[:, :, -1]):
        touches_border[edge.ravel()] = True
    filled_thw: BoolArray = masks_thw | ~touches_border[labels_thw]
    return filled_thw


def _within_frame() -> NDArray[np.int64]:
    """Connect a pixel to its four neighbours of the same frame."""
    structure = np.zeros((3, 3, 3), dtype=np.int64)
    structure[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    return structure


def contrasts(scores_thw: FloatArray, masks_thw: BoolArray, inside_thw: BoolArray) -> FloatArray:
    """Mean score in the mask less the outside's median, in robust standard deviations of the outside, (T,)."""
    n_mask = masks_thw.sum(axis=(1, 2))
    scores = scores_thw.reshape(len(scores_thw), -1)
    outside = (inside_thw & ~masks_thw).reshape(scores.shape)
    level = masked_median(scores, outside)
    spread = MAD_TO_SD * masked_median(np.abs(scores - level[:, None]), outside)
    empty_t = (n_mask == 0) | np.isnan(level)
    mean_in = (scores_thw * masks_thw).sum(axis=(1, 2)) / np.maximum(n_mask, 1)
    height = mean_in - level
    ratio = np.divide(height, spread, out=np.full_like(height, np.inf), where=spread > 0)
    result: FloatArray = np.where(empty_t | (height <= 0), 0.0, ratio)
    return result
