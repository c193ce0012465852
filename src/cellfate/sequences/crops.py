"""Cutting cells out of recordings: every image is decoded once, and one recording is in memory at a time.

Axes: n frames of all cells, t frames of one cell, c channels, h rows, w columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.opening import lazy_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.windows import cut_window, window_origin
from cellfate.sequences.settings import CropSettings


@dataclass(frozen=True)
class RecordingCrops:
    """All crops of one recording; the frames of a cell stand together, ordered by frame number.

    Attributes
    ----------
    recording_id : str
        Name of the recording.
    channels : tuple of str
        Channel names, in the order of axis c.
    frame_interval_min : float
        Time between two frames, in minutes.
    height_px, width_px : int
        Rows and columns of the whole image.
    frames_nchw : ndarray, camera dtype
        Crops; pixels outside the image are 0.
    masks_nhw : ndarray of bool, or None
        Pixels of the cell itself; None where the recording has no label images.
    cell_ids : ndarray of int64, shape (n_cells,)
        Cells in the order of their crops.
    offsets : ndarray of int64, shape (n_cells + 1,)
        Crops of cell i are those from ``offsets[i]`` up to, not including, ``offsets[i + 1]``.
    frame_numbers : ndarray of int64, shape (n,)
        Frame of every crop.
    y0_px, x0_px : ndarray of int64, shape (n,)
        First row and column of every window in the image; they may lie outside it.
    """

    recording_id: str
    channels: tuple[str, ...]
    frame_interval_min: float
    height_px: int
    width_px: int
    frames_nchw: NDArray[Any]
    masks_nhw: NDArray[np.bool_] | None
    cell_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    frame_numbers: NDArray[np.int64]
    y0_px: NDArray[np.int64]
    x0_px: NDArray[np.int64]


@dataclass(frozen=True)
class BadRecording:
    """A recording that could not be cropped and is set aside.

    Attributes
    ----------
    recording_id : str
        Name of the recording.
    reason : str
        What was wrong, as a sentence.
    """

    recording_id: str
    reason: str


@dataclass(frozen=True, eq=False)
class CropPlan:
    """What to crop; iterating does it, one recording at a time. It can be iterated more than once.

    Attributes
    ----------
    folder : RecordingFolder
        Where the images are.
    recordings, frame_files, detections : DataFrame
        Tables `Recordings`, `FrameFiles`, `Detections`; every recording has detections.
    settings : CropSettings
        Size of a crop.
    skip_bad_recordings : bool
        Yield a `BadRecording` for a recording that cannot be read, instead of raising.
    """

    folder: RecordingFolder
    recordings: pd.DataFrame
    frame_files: pd.DataFrame
    detections: pd.DataFrame
    settings: CropSettings
    skip_bad_recordings: bool = False

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.recordings)

    def __iter__(self) -> Iterator[RecordingCrops | BadRecording]:
        """Crop one recording after the other.

        Raises
        ------
        InputError
            If a recording cannot be read and bad recordings are not skipped.
        """
        detections = dict(tuple(self.detections.groupby("recording_id")))
        intervals_min = self.recordings.set_index("recording_id")["frame_interval_min"]
        for recording in lazy_recordings(self.folder, self.recordings, self.frame_files):
            name = recording.recording_id
            try:
                crops = crop_recording(recording, detections[name], self.settings, float(intervals_min[name]))
            except InputError as error:
                if not self.skip_bad_recordings:
                    raise
                yield BadRecording(name, str(error))
            else:
                yield crops


def plan_crops(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    crops: CropSettings,
    recordings_settings: RecordingSettings,
) -> CropPlan:
    """Plan the crops of all cells of all recordings that have cells; nothing is decoded until the plan is iterated.

    Parameters
    ----------
    folder : RecordingFolder
        Where the images are.
    recordings, frame_files, detections : DataFrame
        Tables `Recordings`, `FrameFiles`, `Detections`.
    crops : CropSettings
        Size of a crop.
    recordings_settings : RecordingSettings
        Says whether a bad recording stops the run or is set aside.

    Returns
    -------
    CropPlan
        To be written by `write_crops`.
    """
    with_cells = recordings[recordings["recording_id"].isin(detections["recording_id"])]
    skip = recordings_settings.on_bad_recording == "skip"
    return CropPlan(folder, with_cells, frame_files, detections, crops, skip)


def crop_recording(
    recording: Recording, detections: pd.DataFrame, settings: CropSettings, frame_interval_min: float
) -> RecordingCrops:
    """Cut every cell of one recording out of every image it is in, decoding each image once.

    Parameters
    ----------
    recording : Recording
        Where the pixels come from.
    detections : DataFrame
        Table `Detections`, of this recording only, at most one row a cell and frame.
    settings : CropSettings
        Size of a crop.
    frame_interval_min : float
        Time between two frames, in minutes.

    Returns
    -------
    RecordingCrops
        Windows of rows ``floor(y + .5) - H // 2`` and H of them, likewise columns.

    Raises
    ------
    InputError
        If an image cannot be read.
    """
    ordered = detections.sort_values(["cell_id", "frame"], kind="stable", ignore_index=True)
    cell_ids, starts = np.unique(ordered["cell_id"].to_numpy(np.int64), return_index=True)
    frames_nchw, masks_nhw = _cut_windows(recording, ordered, settings)
    origins = [
        window_origin(y, x, settings.height_px, settings.width_px)
        for y, x in zip(ordered["y_px"], ordered["x_px"], strict=True)
    ]
    y0_px, x0_px = np.array(origins, dtype=np.int64).reshape(-1, 2).T
    return RecordingCrops(
        recording_id=recording.recording_id,
        channels=recording.channels,
        frame_interval_min=frame_interval_min,
        height_px=recording.height_px,
        width_px=recording.width_px,
        frames_nchw=frames_nchw,
        masks_nhw=masks_nhw,
        cell_ids=cell_ids,
        offsets=np.append(starts, len(ordered)).astype(np.int64),
        frame_numbers=ordered["frame"].to_numpy(np.int64),
        y0_px=y0_px,
        x0_px=x0_px,
    )


def _cut_windows(
    recording: Recording, ordered: pd.DataFrame, settings: CropSettings
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    n, height, width = len(ordered), settings.height_px, settings.width_px
    frames_nchw = np.zeros((n, len(recording.channels), height, width), dtype=recording.dtype)
    masks_nhw = np.zeros((n, height, width), dtype=bool)
    labelled = False
    frame: Any
    for frame, rows in ordered.groupby("frame"):
        image_cyx = recording.read_frame(int(frame))
        labels_yx = recording.read_labels(int(frame))
        for row, cell_id, y, x in zip(rows.index, rows["cell_id"], rows["y_px"], rows["x_px"], strict=True):
            frames_nchw[row] = cut_window(image_cyx, y, x, height, width)
            if labels_yx is not None:
                masks_nhw[row] = cut_window(labels_yx[None], y, x, height, width)[0] == cell_id
        labelled = labelled or labels_yx is not None
    return frames_nchw, masks_nhw if labelled else None


def pixels_inside(
    y0_px: NDArray[np.int64], x0_px: NDArray[np.int64], crop_shape: tuple[int, int], image_shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell which pixels of crop windows lie in the image.

    Parameters
    ----------
    y0_px, x0_px : ndarray of int64, shape (T,)
        First row and column of every window.
    crop_shape, image_shape : (int, int)
        Rows and columns of a window, and of the image.

    Returns
    -------
    ndarray of bool, shape (T, H, W)
        True inside the image.

    Examples
    --------
    >>> pixels_inside(np.array([-1]), np.array([0]), (2, 2), (5, 5))[0].tolist()
    [[False, False], [True, True]]
    """
    rows_th = y0_px[:, None] + np.arange(crop_shape[0])
    columns_tw = x0_px[:, None] + np.arange(crop_shape[1])
    inside_th = (rows_th >= 0) & (rows_th < image_shape[0])
    inside_tw = (columns_tw >= 0) & (columns_tw < image_shape[1])
    return inside_th[:, :, None] & inside_tw[:, None, :]
