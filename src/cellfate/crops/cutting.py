"""Cutting cells out of recordings: every image is decoded once, and one recording is in memory at a time.

Axes: n frames of all cells, t frames of one cell, c channels, h rows, w columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.flat_field import FlatField, open_flat_field
from cellfate.crops.pixel_checks import check_pixels
from cellfate.crops.scratch import release_pages, zeros_in_memory_or_file
from cellfate.crops.settings import CropBuildSettings, CropSettings
from cellfate.imaging.opening import lazy_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.windows import paste_window, window_origin

IN_MEMORY: Final = CropBuildSettings()
"""In this process, with the usual limit of memory."""
BYTES_IN_MB: Final = 1_000_000
_FRAMES_BETWEEN_RELEASES = 8


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
    n_clipped_pixels : int
        Pixels of all images that the correction would have moved out of the camera's range.
    flat_field_digest : str or None
        SHA-256 of the flat field; None where nothing was corrected.
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
    n_clipped_pixels: int = 0
    flat_field_digest: str | None = None


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

    `write_crops` carries it out recording by recording, in several processes if `building` says so, and leaves out
    the recordings that are in the store already.

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
    building : CropBuildSettings
        Where and how crops are computed.
    """

    folder: RecordingFolder
    recordings: pd.DataFrame
    frame_files: pd.DataFrame
    detections: pd.DataFrame
    settings: CropSettings
    skip_bad_recordings: bool = False
    building: CropBuildSettings = IN_MEMORY

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
        for part in self.parts():
            yield part.carry_out()

    def parts(self) -> Iterator["CropPlan"]:
        """Part the plan into plans of one recording, in the order of `recordings`."""
        files = dict(tuple(self.frame_files.groupby("recording_id")))
        detections = dict(tuple(self.detections.groupby("recording_id")))
        for place, name in enumerate(self.recordings["recording_id"]):
            rows = self.recordings.iloc[place : place + 1]
            yield replace(self, recordings=rows, frame_files=files[name], detections=detections[name])

    def carry_out(self) -> RecordingCrops | BadRecording:
        """Crop the one recording of a part.

        Raises
        ------
        InputError
            If the recording cannot be read and bad recordings are not skipped.
        """
        (recording,) = lazy_recordings(self.folder, self.recordings, self.frame_files)
        interval_min = float(self.recordings["frame_interval_min"].iloc[0])
        try:
            flat_field = open_flat_field(self.folder.root, recording, self.settings)
            return crop_recording(recording, self.detections, self.settings, interval_min, flat_field, self.building)
        except InputError as error:
            if not self.skip_bad_recordings:
                raise
            return BadRecording(recording.recording_id, str(error))


def plan_crops(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    crops: CropSettings,
    recordings_settings: RecordingSettings,
    crop_building: CropBuildSettings = IN_MEMORY,
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
    crop_building : CropBuildSettings
        Where and how crops are computed.

    Returns
    -------
    CropPlan
        To be written by `write_crops`.
    """
    with_cells = recordings[recordings["recording_id"].isin(detections["recording_id"])]
    skip = recordings_settings.on_bad_recording == "skip"
    return CropPlan(folder, with_cells, frame_files, detections, crops, skip, crop_building)


def crop_recording(
    recording: Recording,
    detections: pd.DataFrame,
    settings: CropSettings,
    frame_interval_min: float,
    flat_field: FlatField | None = None,
    building: CropBuildSettings = IN_MEMORY,
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
    flat_field : FlatField, optional
        What every image is corrected by before it is cut.
    building : CropBuildSettings
        How much memory the crops may take before they lie in a scratch file.

    Returns
    -------
    RecordingCrops
        Windows of rows ``floor(y + .5) - H // 2`` and H of them, likewise columns.

    Raises
    ------
    InputError
        If an image cannot be read, or has pixels in a cell with which nothing can be computed.
    """
    ordered = detections.sort_values(["cell_id", "frame"], kind="stable", ignore_index=True)
    cell_ids, starts = np.unique(ordered["cell_id"].to_numpy(np.int64), return_index=True)
    origins = [
        window_origin(y, x, settings.height_px, settings.width_px)
        for y, x in zip(ordered["y_px"], ordered["x_px"], strict=True)
    ]
    y0_px, x0_px = np.array(origins, dtype=np.int64).reshape(-1, 2).T
    frames = ordered["frame"].to_numpy(np.int64)
    frames_nchw, masks_nhw = _empty_crops(recording, frames, settings, building)
    n_clipped = 0
    for count, (frame, rows) in enumerate(_rows_by_frame(frames)):
        image_cyx = recording.read_frame(frame)
        if flat_field is not None:
            image_cyx, n_here = flat_field.correct(image_cyx)
            n_clipped += n_here
        for row in rows:
            paste_window(image_cyx, int(y0_px[row]), int(x0_px[row]), frames_nchw[row])
        if image_cyx.dtype.kind == "f":
            check_pixels(frames_nchw[rows], recording, frame, ordered["cell_id"].to_numpy(np.int64)[rows])
        if masks_nhw is not None:
            _cut_masks(recording.read_labels(frame), ordered["cell_id"], rows, (y0_px, x0_px), masks_nhw)
        if count % _FRAMES_BETWEEN_RELEASES == 0:
            release_pages(frames_nchw)
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
        frame_numbers=frames,
        y0_px=y0_px,
        x0_px=x0_px,
        n_clipped_pixels=n_clipped,
        flat_field_digest=None if flat_field is None else flat_field.digest,
    )


def _empty_crops(
    recording: Recording, frames: NDArray[np.int64], settings: CropSettings, building: CropBuildSettings
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    n, height, width = len(frames), settings.height_px, settings.width_px
    limit = building.memory_limit_mb * BYTES_IN_MB
    scratch = None if building.scratch_folder is None else Path(building.scratch_folder)
    shape_nchw = (n, len(recording.channels), height, width)
    frames_nchw = zeros_in_memory_or_file(shape_nchw, np.dtype(recording.dtype), limit, scratch)
    if not any(recording.label_paths[frame] for frame in np.unique(frames) if 0 <= frame < recording.n_frames):
        return frames_nchw, None
    left = max(0, limit - frames_nchw.nbytes)
    return frames_nchw, zeros_in_memory_or_file((n, height, width), np.dtype(bool), left, scratch)


def _rows_by_frame(frames: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    order = np.argsort(frames, kind="stable")
    numbers, starts = np.unique(frames[order], return_index=True)
    for number, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
        yield int(number), rows


def _cut_masks(
    labels_yx: NDArray[Any] | None,
    cell_ids: "pd.Series[int]",
    rows: NDArray[np.int64],
    origins_px: tuple[NDArray[np.int64], NDArray[np.int64]],
    masks_nhw: NDArray[np.bool_],
) -> None:
    if labels_yx is None:
        return
    for row in rows:
        window = np.zeros(masks_nhw.shape[1:], labels_yx.dtype)
        paste_window(labels_yx, int(origins_px[0][row]), int(origins_px[1][row]), window)
        masks_nhw[row] = window == cell_ids[row]


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
