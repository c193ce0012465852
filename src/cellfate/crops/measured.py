"""What was measured of a cell, frame by frame, as it goes with its crops or stands in for them.

Axes: t frames of a cell, f columns.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Measured:
    """Columns of measurements of one cell.

    Attributes
    ----------
    columns : tuple of str
        Their names.
    values_tf : ndarray of float32
        What was measured, in its own unit; NaN: missing.
    rates_tf : ndarray of float32
        Change per hour since the tracked frame before; NaN where either is missing, and in the first frame of a track.
    """

    columns: tuple[str, ...]
    values_tf: FloatArray
    rates_tf: FloatArray

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values_tf.nbytes + self.rates_tf.nbytes

    def take(self, places_t: NDArray[np.int64]) -> Self:
        """Take some of the frames; changes stay those since the frame before in the track."""
        return replace(self, values_tf=self.values_tf[places_t], rates_tf=self.rates_tf[places_t])
