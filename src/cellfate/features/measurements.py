"""Morphology and reporters of every cell in every frame.

Shape suffixes: t frames of a cell, n frames of many cells, c channels, h rows, w columns.
"""

from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.features.settings import FeatureSettings

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


class CropSequence(Protocol):
    """The crops of one cell, as `sequences.CellSequence` holds them."""

    @property
    def frames_tchw(self) -> NDArray[Any]:
        """Crops in the camera's dtype and scale, (T, C, H, W)."""

    @property
    def masks_thw(self) -> BoolArray | None:
        """The tracker's masks of the cell, (T, H, W), or None where it gave none."""

    @property
    def inside_thw(self) -> BoolArray:
        """True where a pixel of the window lies in the image, (T, H, W)."""

    @property
    def frame_numbers_t(self) -> NDArray[np.int64]:
        """Frame numbers in the recording, (T,)."""


class CropReader(Protocol):
    """A store of crops, as `sequences.CropStore` is one."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the crops' axis C."""

    @property
    def tracks(self) -> pd.DataFrame:
        """One row a stored cell: recording_id, cell_id, first_frame, last_frame, n_frames."""

    def read(self, recording_id: str, cell_id: int) -> CropSequence:
        """Read all crops of one cell."""


def measure_cells(
    crops: CropReader, recordings: pd.DataFrame, detections: pd.DataFrame, features: FeatureSettings
) -> pd.DataFrame:
    """Measure every cell in every frame: shape, reporters, neighbours.

    Parameters
    ----------
    crops
        The crop store.
    recordings, detections
        Tables `Recordings` and `Detections`; neighbours are counted among the detections of all tracks.
    features
        How to segment and how far neighbours reach.

    Returns
    -------
    pandas.DataFrame
        Table `FrameFeatures` with a column `intensity_<channel>` a channel: the mean inside the mask less the median of the
        pixels outside it, on the camera's scale. Where no mask was found shape and intensity are NaN.

    Raises
    ------
    InputError
        When the segmentation channel is not a channel of the recordings.
    """
    raise InputError("The measurements are not written yet.")
