"""Where, in the prepared frames of a member, lie the channels and columns that its explanations speak of.

Shape suffixes: t frames, c channels (those of pixels, then columns of measurements), h rows, w columns of a crop,
x numbers of columns. In frames (T, C, H, W) a column of measurements is a channel of its own, or all of them begin the
last channel; see `column_scales.MeasuredPreprocessing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cellfate.features.column_scales import NUMBERS

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Channels of pixels, and columns, of one member.

    Attributes
    ----------
    n_pixels
        Channels of pixels, a mask included.
    n_columns
        Columns that any member of the model reads.
    read_m
        Which of these this member reads, in its order; to the others it is blind, and their values are 0.
    """

    n_pixels: int
    n_columns: int
    read_m: NDArray[np.int64]

    @classmethod
    def of_columns(cls, n_pixels: int, columns: Sequence[str], read: Sequence[str]) -> Self:
        """Describe a member that reads some of the columns of a model."""
        return cls(n_pixels, len(columns), np.array([columns.index(name) for name in read], dtype=np.int64))

    @classmethod
    def of_pixels(cls, n_pixels: int) -> Self:
        """Describe a member that reads pixels alone."""
        return cls.of_columns(n_pixels, (), ())

    @property
    def n_numbers(self) -> int:
        """Numbers of the member's columns in a frame."""
        return NUMBERS * len(self.read_m)

    def numbers(self, frames_tchw: NDArray[Any]) -> NDArray[Any]:
        """Take the numbers of the columns out of prepared frames, (T, X)."""
        rest_tchw = frames_tchw[:, self.n_pixels :]
        return rest_tchw.reshape(len(rest_tchw), -1)[:, : self.n_numbers] if self.n_numbers else _no_numbers(rest_tchw)

    def spread_columns(self, parts_tc: NDArray[Any]) -> NDArray[Any]:
        """Give every number of a column what its column has, (..., X)."""
        return np.repeat(parts_tc[..., self.n_pixels + self.read_m], NUMBERS, axis=-1)

    def spread(self, parts_tc: NDArray[Any], frames_tchw: NDArray[Any]) -> NDArray[Any]:
        """Give every pixel and number of prepared frames what its channel or column has: (T, C, H, W), or (T, C, 1, 1).

        What no column has, where all of them lie in one channel, is 1.
        """
        if not self.n_numbers:
            return parts_tc[:, : self.n_pixels, None, None]
        shape = frames_tchw[:, self.n_pixels :].shape
        pixels_tchw = np.broadcast_to(
            parts_tc[:, : self.n_pixels, None, None], (len(parts_tc), self.n_pixels, *frames_tchw.shape[2:])
        )
        rest = np.ones((len(parts_tc), int(np.prod(shape[1:]))), parts_tc.dtype)
        rest[:, : self.n_numbers] = self.spread_columns(parts_tc)
        return np.concatenate((pixels_tchw, rest.reshape(shape)), axis=1)

    def sum(self, relevance_tchw: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum what lies in prepared frames over the pixels of each channel and the numbers of each column, (T, C)."""
        sums_tc = np.zeros((len(relevance_tchw), self.n_pixels + self.n_columns))
        sums_tc[:, : self.n_pixels] = relevance_tchw[:, : self.n_pixels].sum(axis=(2, 3), dtype=np.float64)
        numbers_tmx = self.numbers(relevance_tchw).reshape(len(relevance_tchw), -1, NUMBERS)
        sums_tc[:, self.n_pixels + self.read_m] = numbers_tmx.sum(axis=2, dtype=np.float64)
        return sums_tc


def _no_numbers(frames_tchw: NDArray[Any]) -> NDArray[Any]:
    return np.zeros((len(frames_tchw), 0), frames_tchw.dtype)
