"""Cells cut out of whole images in memory, as they are cut out of files."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.core.numbers import as_whole
from cellfate.core.spot_features import list_spot_columns, spot_column
from cellfate.crops.cutting import RecordingCrops, crop_recording, pixels_inside
from cellfate.crops.store import CellSequence
from cellfate.features.neighbors import count_neighbors
from cellfate.imaging.records import Recording
from cellfate.prediction.arrays import ARRAYS, OPTIONS, CellsInMemory, follow_arrays
from cellfate.prediction.new_recordings import asked_spot_features, tell_lacking
from cellfate.prediction.records import ClassifierConfig, ClockConfig
from cellfate.tracks.reading import assemble
from cellfate.tracks.records import make_tracked
from cellfate.tracks.validate import find_problems

_NEEDED: Final = ("cell_id", "frame", "y_px", "x_px")


@dataclass(frozen=True, eq=False)
class ImagesInMemory:
    """Whole images (T, C, Y, X) as a `FrameSource`."""

    images_tcyx: Any

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.images_tcyx.shape[0])

    def place(self, frame: int) -> str:
        """Say where a frame is."""
        return "in memory"

    def read(self, frame: int) -> NDArray[Any]:
        """Give one frame, (C, Y, X)."""
        return np.asarray(self.images_tcyx[frame])


def cut_images(images: Any, detections: Any, config: ClassifierConfig | ClockConfig) -> CellsInMemory:
    """Cut the cells of one recording out of its images; see `Predictor.forecast_images`.

    Raises
    ------
    InputError
        If these are no images and detections, or they do not fit together.
    """
    recording = _open_images(images, config.channels)
    tracked = _read_detections(detections, recording, config)
    cut = crop_recording(recording, tracked, config.cut, config.frame_interval_min)
    sequences = _part_cells(cut)
    known = count_neighbors(tracked, _radius_px(config))["n_neighbors"].to_numpy(np.float64)
    given = {name: name != OPTIONS["masks"] for name in OPTIONS.values()}
    follow_ups = follow_arrays(list(sequences.values()), [0.0] * len(sequences)).assign(**given)
    follow_ups = follow_ups.assign(recording_frames=recording.n_frames)
    return CellsInMemory(config.channels, sequences, known, follow_ups, tracked[list_spot_columns(tracked.columns)])


def _radius_px(config: ClassifierConfig | ClockConfig) -> float:
    """Radius of neighbours; a classifier looks at none."""
    if isinstance(config, ClassifierConfig):
        return 0.0
    return config.features.lengths(config.cut.height_px, config.cut.width_px).neighbor_radius_px


def _open_images(images: Any, channels: tuple[str, ...]) -> Recording:
    shape, dtype = getattr(images, "shape", None), getattr(images, "dtype", None)
    if shape is None or len(shape) != 4 or np.dtype(dtype).kind not in "iuf":
        found = f"an array of shape {tuple(shape)} and type {dtype}" if shape is not None else f"{images!r:.60}"
        raise InputError(f"images is {found}, but expected is an array (T, C, Y, X) of numbers.")
    if shape[1] != len(channels):
        raise InputError(
            f"images has {shape[1]} channels (shape {tuple(shape)}), but {len(channels)} are named; give the axes in "
            "the order T, C, Y, X."
        )
    source, no_labels = ImagesInMemory(images), (None,) * int(shape[0])
    return Recording(ARRAYS, channels, source, no_labels, int(shape[2]), int(shape[3]), str(dtype))


def _read_detections(detections: Any, recording: Recording, config: ClassifierConfig | ClockConfig) -> pd.DataFrame:
    """Check where cells were tracked, as for tracks in files; table `Detections`, by cell and frame."""
    columns = getattr(detections, "columns", None)
    if columns is None or not {*_NEEDED} <= {*columns} or not len(detections):
        found = f"{detections!r:.60}" if columns is None else f"{len(detections)} rows with columns {list(columns)}"
        raise InputError(
            f"detections is {found}, but expected is a DataFrame of a row a cell and frame, with the columns "
            f"{', '.join(_NEEDED)}."
        )
    odd = "Column {} of detections holds what is no whole number; give the numbers of cells, and of frames from 0."
    whole = {name: as_whole(detections[name].to_numpy(), odd.format(name)) for name in ("cell_id", "frame")}
    if not all(is_numeric_dtype(detections[name]) for name in ("y_px", "x_px")):
        raise InputError("Columns y_px and x_px of detections hold what is no number; give positions in pixels.")
    asked = asked_spot_features(config)
    lacking = [name for name in asked if name not in columns]
    if lacking:
        raise tell_lacking(config, f"detections has no column {lacking[0]}")
    text = [name for name in asked if not is_numeric_dtype(detections[name])]
    if text:
        raise InputError(f"Column {text[0]} of detections holds what is no number; give numbers, NaN for none.")
    measured = {spot_column(name): detections[name] for name in asked}
    tracked, cells = assemble(ARRAYS, make_tracked(detections[[*_NEEDED]].assign(**whole, **measured), None))
    about = {"n_frames": recording.n_frames, "height_px": recording.height_px, "width_px": recording.width_px}
    problems = find_problems(tracked, cells.assign(fate=CENSORED), pd.DataFrame([{"recording_id": ARRAYS, **about}]))
    if len(problems):
        raise InputError(str(problems["reason"].iloc[0]))
    return tracked.sort_values(["cell_id", "frame"], ignore_index=True)


def _part_cells(cut: RecordingCrops) -> dict[int, CellSequence]:
    crop_px, image_px = cut.frames_nchw.shape[2:], (cut.height_px, cut.width_px)
    sequences = {}
    for place, cell_id in enumerate(cut.cell_ids.tolist()):
        rows = slice(cut.offsets[place], cut.offsets[place + 1])
        y0_px, x0_px = cut.y0_px[rows], cut.x0_px[rows]
        sequences[cell_id] = CellSequence(
            frames_tchw=cut.frames_nchw[rows],
            masks_thw=None,
            inside_thw=pixels_inside(y0_px, x0_px, (crop_px[0], crop_px[1]), image_px),
            frame_numbers_t=cut.frame_numbers[rows],
            y0_px=y0_px,
            x0_px=x0_px,
            recording_id=ARRAYS,
            cell_id=cell_id,
            channels=cut.channels,
            frame_interval_min=cut.frame_interval_min,
        )
    return sequences
