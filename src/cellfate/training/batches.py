"""From cells to the arrays a network is given.

A batch is a dictionary of arrays, named as the network's inputs; every kind of training adds what it learns from:

- `frames_nchw`, float32: prepared frames of its cells, one after the other, without padding; or `embeddings_nd`, what
  an encoder that no longer learns made of them
- `positions_n`, int64: frame number less the cell's first
- `lengths_b`, int64: frames of each cell; their sum is N

Axes: n packed frames, t frames of one cell, c channels, h rows, w columns, b cells of a batch, d embedding.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.crops.digest import CellReader
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence
from cellfate.features.column_scales import MeasuredPreprocessing
from cellfate.training.augmentation import augment_frames, choose_frames
from cellfate.training.settings import FittingSettings

Batch = dict[str, NDArray[Any]]
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
View = Sequence[tuple[FloatArray, IntArray]]
"""Embeddings (T, D) of every cell, all mirrored and turned in one way, and their positions (T,)."""
BYTES_PER_MB = 1024 * 1024


class CropCache:
    """Reads the frames of cells, and keeps them in memory up to a limit.

    Parameters
    ----------
    crops
        Crop store, or what reads measurements.
    limit_mb
        Megabytes to keep.
    segment
        Finds the masks of a cell (T, H, W) where the network sees them; None reads none.
    """

    def __init__(
        self, crops: CellReader, limit_mb: int, segment: Callable[[CellSequence], NDArray[np.bool_]] | None = None
    ) -> None:
        self._crops = crops
        self._segment = segment
        self._kept: dict[tuple[str, int, int, int], CellSequence] = {}
        self._bytes_left = limit_mb * BYTES_PER_MB
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is kept when this goes to another process, which reads it again."""
        kept = sum(_count_bytes(sequence) for sequence in self._kept.values())
        return self.__dict__ | {"_kept": {}, "_bytes_left": self._bytes_left + kept, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state | {"_lock": Lock()}

    def read(self, recording_id: str, cell_id: int, first_frame: int, last_frame: int) -> CellSequence:
        """Tracked frames of a cell from one frame to another, both included, in camera dtype."""
        key = (recording_id, cell_id, first_frame, last_frame)
        if key in self._kept:
            return self._kept[key]
        sequence = self._crops.read(*key, with_masks=self._segment is not None)
        if self._segment is not None:
            sequence = replace(sequence, masks_thw=self._segment(sequence))
        size = _count_bytes(sequence)
        with self._lock:  # threads make batches
            if size <= self._bytes_left and key not in self._kept:
                self._bytes_left -= size
                self._kept[key] = sequence
        return sequence


def _count_bytes(sequence: CellSequence) -> int:
    held = (sequence.frames_tchw, sequence.inside_thw, sequence.masks_thw, sequence.measured)
    return sum(array.nbytes for array in held if array is not None)


@dataclass(frozen=True, eq=False)
class ShownCells(ABC):
    """Cells of one part of a fold, and how they are shown.

    Attributes
    ----------
    cells : DataFrame
        recording_id, cell_id, first_frame and last_frame of each; batches name cells by place.
    reader : CropCache
        Source of pixels.
    preprocessing : Preprocessing or MeasuredPreprocessing
        What is done to crops and measurements, with the statistics of the fold's training cells.
    settings : FittingSettings
        How the network is fitted.
    known : mapping of str to list of ndarray
        What a network is taught of each cell at each of its frames, one array (T, ...) a cell; batches hold it of the
        frames that are shown.
    views : sequence of View
        What is shown instead of crops where an encoder no longer learns; empty: crops are.
    """

    cells: pd.DataFrame
    reader: CropCache
    preprocessing: Preprocessing | MeasuredPreprocessing
    settings: FittingSettings
    known: Mapping[str, Sequence[NDArray[Any]]] = field(default_factory=dict, kw_only=True)
    views: Sequence[View] = field(default=(), kw_only=True)

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def lengths_n(self) -> IntArray:
        """Frames from the first to the last that is shown of each cell: an upper bound of those tracked."""
        return np.asarray(self.cells["last_frame"] - self.cells["first_frame"] + 1, dtype=np.int64)

    @abstractmethod
    def plan_epoch(self, rng: np.random.Generator) -> list[IntArray]:
        """Draw the cells of each batch of an epoch of training."""

    def batch(self, places_b: IntArray, rng: np.random.Generator | None = None) -> Batch:
        """Make a batch of the cells at some places, augmented by random numbers or, without these, as they are."""
        shown, positions, chosen = zip(*(self._show(place, rng) for place in places_b), strict=True)
        lengths_b = np.array([len(positions_t) for positions_t in positions], dtype=np.int64)
        cells = list(zip(places_b, chosen, strict=True))
        known = {name: np.concatenate([each[place][t] for place, t in cells]) for name, each in self.known.items()}
        return {
            "embeddings_nd" if self.views else "frames_nchw": np.concatenate(shown),
            "positions_n": np.concatenate(positions),
            "lengths_b": lengths_b,
            **known,
        }

    def _show(self, place: int, rng: np.random.Generator | None) -> tuple[FloatArray, IntArray, IntArray]:
        """Show a cell: its prepared frames, or embeddings of a view; their positions, and which of its frames."""
        if self.views:
            view = self.views[0 if rng is None else int(rng.integers(len(self.views)))]
            shown_t, positions_t = view[place]
            chosen_t = self._choose(len(positions_t), rng)
            return shown_t[chosen_t], positions_t[chosen_t], chosen_t
        sequence, positions_t = self._read(place)
        chosen_t = self._choose(len(positions_t), rng)
        return self._prepare(sequence.take(chosen_t), rng), positions_t[chosen_t], chosen_t

    def embed(self, encode: Callable[[FloatArray], FloatArray], rng: np.random.Generator | None = None) -> View:
        """Embed all frames of every cell, mirrored and turned by random numbers or, without these, as they are."""
        read = (self._read(place) for place in range(len(self)))
        return [(encode(self._prepare(sequence, rng)), positions_t) for sequence, positions_t in read]

    def _read(self, place: int) -> tuple[CellSequence, IntArray]:
        cell = self.cells.iloc[place]
        sequence = self.reader.read(
            str(cell["recording_id"]), int(cell["cell_id"]), int(cell["first_frame"]), int(cell["last_frame"])
        )
        return sequence, sequence.frame_numbers_t - sequence.frame_numbers_t[0]

    def _choose(self, n_frames: int, rng: np.random.Generator | None) -> IntArray:
        return np.arange(n_frames) if rng is None else choose_frames(n_frames, self.settings.augmentation, rng)

    def _prepare(self, sequence: CellSequence, rng: np.random.Generator | None) -> FloatArray:
        frames_tchw = self.preprocessing.prepare(sequence)
        n_pixels = self.preprocessing.n_pixel_channels
        return frames_tchw if rng is None else augment_frames(frames_tchw, self.settings.augmentation, rng, n_pixels)
