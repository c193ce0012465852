"""From measurements to the numbers that a network is given: standardised, with what is missing marked.

Axes: t frames of a cell, f columns, c channels, h rows, w columns of a crop, x = 4 numbers a column.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from cellfate.core.errors import InputError
from cellfate.core.settings import Settings
from cellfate.core.tables import CELL
from cellfate.crops.measured import FloatArray, Measured
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence
from cellfate.features.measured_frames import MeasuredFrames

NUMBERS: Final = 4
"""Of a column in a frame: value, whether it is missing, change per hour, whether that is missing."""
FARTHEST: Final = 5.0
"""Standard deviations to which numbers are clipped, so that a few odd ones do not rule."""
_SAME: Final = 1e-6
"""A column that varies by less than this share of its mean is the same everywhere, but for rounding."""


class ColumnScale(Settings):
    """How one column is standardised: by shown frames of the fold's training cells."""

    name: str
    """The column."""
    mean: float
    """Mean of its values, in its own unit."""
    sd: float = Field(gt=0)
    """Their standard deviation; 1 where they are all the same."""
    rate_sd: float = Field(gt=0)
    """Standard deviation of its changes per hour; 1 where they are all the same, or there is none."""


@dataclass(frozen=True, eq=False)
class MeasuredPreprocessing:
    """What is done to measurements, and to the crops beside them, before a network sees them.

    Attributes
    ----------
    scales : tuple of ColumnScale
        The columns, in order.
    pixels : Preprocessing, or None
        What is done to crops; None: they are not looked at.
    """

    scales: tuple[ColumnScale, ...]
    pixels: Preprocessing | None

    @property
    def n_pixel_channels(self) -> int:
        """Channels of pixels, a mask included."""
        return 0 if self.pixels is None else self.pixels.n_pixel_channels

    def prepare(self, sequence: CellSequence) -> NDArray[np.float32]:
        """Prepare the frames of a cell.

        Returns
        -------
        ndarray of float32
            Without crops (T, F, 1, X): a column is a channel. With crops (T, C + 1, H, W): the last channel begins with
            the F X numbers, row by row, and is 0 after them.

        Raises
        ------
        InputError
            If nothing or another column was measured, or a crop is too small to hold the numbers.
        """
        numbers_tfx = scale_columns(_measured(sequence), self.scales)
        if self.pixels is None:
            return numbers_tfx[:, :, None]
        frames_tchw = self.pixels.prepare(sequence)
        n_frames, _, height, width = frames_tchw.shape
        n_numbers = numbers_tfx[:1].size if n_frames else len(self.scales) * NUMBERS
        if n_numbers > height * width:
            raise InputError(
                f"{len(self.scales)} columns are {n_numbers} numbers a frame, but a crop has {height} x {width} pixels "
                "to hold them beside its channels; name fewer columns, or set encoder to features."
            )
        held = np.zeros((n_frames, height * width), np.float32)
        held[:, :n_numbers] = numbers_tfx.reshape(n_frames, n_numbers)
        return np.concatenate((frames_tchw, held.reshape(n_frames, 1, height, width)), axis=1)


def fit_column_scales(frames: MeasuredFrames, cells: pd.DataFrame) -> tuple[ColumnScale, ...]:
    """Fit mean and standard deviations of columns over the shown frames of some cells.

    Parameters
    ----------
    frames
        Reads what was measured.
    cells
        recording_id, cell_id, first_frame and last_frame of the training cells.

    Returns
    -------
    tuple of ColumnScale
        In the order of the columns; without those that say nothing: the same in all frames, or missing in all.

    Raises
    ------
    InputError
        If none is left.
    """
    shown = [
        frames.read_measured(*cell) for cell in cells[[*CELL, "first_frame", "last_frame"]].itertuples(index=False)
    ]
    values_nf = np.concatenate([part.values_tf for part in shown]).astype(np.float64)
    rates_nf = np.concatenate([part.rates_tf for part in shown]).astype(np.float64)
    scales = []
    for name, values_n, rates_n in zip(frames.columns, values_nf.T, rates_nf.T, strict=True):
        known_n = values_n[~np.isnan(values_n)]
        if not len(known_n):
            continue
        mean, sd = float(known_n.mean()), float(known_n.std())
        varies = sd > _SAME * abs(mean)
        if varies or len(known_n) < len(values_n):
            known_rates_n = rates_n[~np.isnan(rates_n)]
            rate_sd = float(known_rates_n.std()) if len(known_rates_n) else 0.0
            rate_sd = rate_sd if rate_sd > _SAME else 1.0
            scales.append(ColumnScale(name=name, mean=mean, sd=sd if varies else 1.0, rate_sd=rate_sd))
    if not scales:
        raise InputError(
            f"The {len(frames.columns)} columns that the network reads ({', '.join(frames.columns)}) are the same, or "
            f"missing, in all frames of {len(cells)} training cells, so they tell nothing; name others."
        )
    return tuple(scales)


def scale_columns(measured: Measured, scales: tuple[ColumnScale, ...]) -> FloatArray:
    """Standardise columns, (T, F, X); a missing number is 0, the mean, and its mark 1.

    Changes are divided by their standard deviation, and not centred: 0 is no change.

    Raises
    ------
    InputError
        If a column was not measured.

    Examples
    --------
    >>> area = Measured(("area",), np.array([[50.0], [np.nan]], np.float32), np.array([[6.0], [np.nan]], np.float32))
    >>> scale_columns(area, (ColumnScale(name="area", mean=40.0, sd=5.0, rate_sd=3.0),)).tolist()
    [[[2.0, 0.0, 2.0, 0.0]], [[0.0, 1.0, 0.0, 1.0]]]
    """
    lacking = [scale.name for scale in scales if scale.name not in measured.columns]
    if lacking:
        raise InputError(
            f"The network reads the column {lacking[0]}, but measured are {', '.join(measured.columns)}; give cells "
            "that were measured as those it was trained on."
        )
    places = [measured.columns.index(scale.name) for scale in scales]
    mean_f, sd_f, rate_sd_f = np.array([(scale.mean, scale.sd, scale.rate_sd) for scale in scales]).T
    values_tf = (measured.values_tf[:, places] - mean_f) / sd_f
    rates_tf = measured.rates_tf[:, places] / rate_sd_f
    numbers = [part for scaled_tf in (values_tf, rates_tf) for part in (_clip(scaled_tf), np.isnan(scaled_tf))]
    return np.stack(numbers, axis=-1).astype(np.float32)


def _clip(scaled_tf: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(np.clip(scaled_tf, -FARTHEST, FARTHEST))


def _measured(sequence: CellSequence) -> Measured:
    if sequence.measured is None:
        raise InputError(
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} comes without measurements, but the network "
            "reads columns of them; give table frame_features too."
        )
    return sequence.measured
