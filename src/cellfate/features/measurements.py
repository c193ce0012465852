"""Morphology and reporters of every cell in every frame.

Shape suffixes: t frames of a cell, n frames of many cells, c channels, h rows, w columns.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import FRAME
from cellfate.crops.digest import CellReader
from cellfate.crops.store import CellSequence
from cellfate.features.changes import RATE, change_per_hour
from cellfate.features.consistency import check_masks
from cellfate.features.morphology import SHAPE_FEATURES, measure_intensities, measure_shapes
from cellfate.features.neighbors import count_neighbors
from cellfate.features.segmentation import segment_cell
from cellfate.features.settings import FeatureSettings
from cellfate.features.texture import measure_textures

BoolArray = NDArray[np.bool_]


class CropReader(CellReader, Protocol):
    """Crops of cells that can be listed: a `CropStore`, or cells in memory."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the crops' axis C."""

    @property
    def tracks(self) -> pd.DataFrame:
        """One row a stored cell: recording_id, cell_id, first_frame, last_frame, n_frames."""

    @property
    def crop_px(self) -> tuple[int, int]:
        """Rows and columns of a crop."""


def measure_cells(
    crops: CropReader, detections: pd.DataFrame, features: FeatureSettings, cells: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Measure cells in every frame: shape, reporters, neighbours, texture, changes, and how sound the mask is.

    Parameters
    ----------
    crops
        The crop store.
    detections
        Table `Detections`; neighbours are counted among the detections of all tracks. Its columns of spot features are
        handed on.
    features
        How to segment, which masks are flagged and how far neighbours reach.
    cells
        Rows that name the cells to measure; every cell of the store when not given.

    Returns
    -------
    pandas.DataFrame
        Table `FrameFeatures` with three columns a channel: `intensity_<channel>`, the mean inside the mask less the
        median of the pixels outside it, on the camera's scale; `texture_<channel>`, see `measure_textures`; and
        `rate_intensity_<channel>`, the change of the intensity per hour, see `change_per_hour`. Where no mask was
        found all but the neighbours and the spot features are NaN.

    Raises
    ------
    InputError
        When the segmentation channel is not a channel of the recordings.
    """
    numbers = segmentation_channels(crops.channels, features)
    measured_cells = _cells(crops.tracks if cells is None else cells)
    parts = [
        measure_sequence(crops.read(recording_id, cell_id), crops.channels, numbers, features).assign(
            recording_id=recording_id, cell_id=cell_id
        )
        for recording_id, cell_id in tqdm(measured_cells, desc="Measuring cells", disable=None)
    ]
    measured = pd.concat(parts, ignore_index=True) if parts else _empty(crops.channels)
    neighbors = count_neighbors(detections, features.lengths(*crops.crop_px).neighbor_radius_px)
    table = measured.merge(neighbors, on=FRAME, how="left", validate="one_to_one")
    by_tracker = list_spot_columns(detections.columns)
    if by_tracker:
        table = table.merge(detections[[*FRAME, *by_tracker]], on=FRAME, how="left", validate="one_to_one")
    summarised = [*SHAPE_FEATURES, "n_neighbors", *intensity_columns(crops.channels)]
    return table[[*FRAME, "segmented", *summarised, *_later_columns(crops.channels), *by_tracker]]


def intensity_columns(channels: Sequence[str]) -> list[str]:
    """Names of the intensity columns, one a channel, in the channels' order."""
    return [f"intensity_{channel}" for channel in channels]


def texture_columns(channels: Sequence[str]) -> list[str]:
    """Names of the texture columns, one a channel, in the channels' order."""
    return [f"texture_{channel}" for channel in channels]


def _later_columns(channels: Sequence[str]) -> list[str]:
    """Name the columns that stand after those that `summaries.feature_columns` lists."""
    rates = [f"{RATE}{name}" for name in ("area", *intensity_columns(channels))]
    return [*texture_columns(channels), *rates, "mask_overlap", "consistent"]


def segmentation_channels(channels: Sequence[str], features: FeatureSettings) -> tuple[int, ...]:
    """Numbers of the channels the segmentation looks at.

    Raises
    ------
    InputError
        When the settings name a channel the recordings do not have.
    """
    if features.segmentation_channel is None:
        return tuple(range(len(channels)))
    if features.segmentation_channel not in channels:
        raise InputError(
            f"Parameter features.segmentation_channel is {features.segmentation_channel!r}, but the recordings have "
            f"the channels {', '.join(channels)}: name one of these, or null for all of them."
        )
    return (list(channels).index(features.segmentation_channel),)


def find_masks(sequence: CellSequence, channels: Sequence[str], features: FeatureSettings) -> BoolArray:
    """Find the masks (T, H, W) of a cell: the tracker's, else those of the method chosen; see `segment_cell`."""
    numbers = segmentation_channels(channels, features)
    return segment_cell(sequence.frames_tchw, sequence.inside_thw, sequence.masks_thw, numbers, features)


def measure_sequence(
    sequence: CellSequence, channels: Sequence[str], channel_numbers: tuple[int, ...], features: FeatureSettings
) -> pd.DataFrame:
    """Measure one cell: one row a frame with all columns of `FrameFeatures` but the neighbours and the cell's name."""
    masks_thw = segment_cell(sequence.frames_tchw, sequence.inside_thw, sequence.masks_thw, channel_numbers, features)
    shapes = measure_shapes(masks_thw)
    intensities_tc = measure_intensities(sequence.frames_tchw, masks_thw, sequence.inside_thw)
    reporters = pd.DataFrame(intensities_tc, columns=intensity_columns(channels))
    textures_tc = measure_textures(sequence.frames_tchw, masks_thw)
    textures = pd.DataFrame(textures_tc, columns=texture_columns(channels))
    frames_t = sequence.frame_numbers_t
    rates = change_per_hour(pd.concat([shapes[["area"]], reporters], axis=1), frames_t, sequence.frame_interval_min)
    table = pd.concat([shapes, reporters, textures, rates, check_masks(masks_thw, frames_t, features)], axis=1)
    return table.assign(frame=frames_t, segmented=np.asarray(masks_thw.any(axis=(1, 2))))


def _cells(tracks: pd.DataFrame) -> list[tuple[str, int]]:
    """List recording and cell of every row."""
    return [(str(r), int(c)) for r, c in zip(tracks["recording_id"], tracks["cell_id"], strict=True)]


def _empty(channels: Sequence[str]) -> pd.DataFrame:
    """Make a table without rows that still has the columns."""
    columns: dict[str, str] = {"recording_id": "str", "cell_id": "int64", "frame": "int64", "segmented": "bool"}
    numbers = (*SHAPE_FEATURES, *intensity_columns(channels), *_later_columns(channels))
    columns |= dict.fromkeys(numbers, "float64") | {"consistent": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
