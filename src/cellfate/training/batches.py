"""From units of samples to the arrays a network is given.

Axes: n packed frames, c channels, h rows, w columns, m packed frames of samples, b samples.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence, CropStore
from cellfate.training.augmentation import augment_frames, choose_frames
from cellfate.training.sampling import Unit
from cellfate.training.settings import AugmentationSettings

IntArray = NDArray[np.int64]
BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples of a batch; a frame that several samples of a cell share stands in it once.

    Attributes
    ----------
    frames_nchw : ndarray of float32
        Normalised frames of all cells, one after the other; no padding.
    gather_m : ndarray of int64
        For each frame of each sample, one after the other, its place in `frames_nchw`.
    positions_m : ndarray of int64
        Frame number minus the sample's first frame number.
    lengths_b : ndarray of int64
        Frames of each sample; their sum is M.
    rows_b : ndarray of int64
        Row of each sample in the sample table.
    """

    frames_nchw: NDArray[np.float32]
    gather_m: IntArray
    positions_m: IntArray
    lengths_b: IntArray
    rows_b: IntArray


class SequenceReader:
    """Reads the cells of samples, and keeps them in memory up to a limit.

    Parameters
    ----------
    crops
        Crop store.
    samples
        Table `Samples`: the frames of a cell that some sample needs.
    limit_mb
        Megabytes to keep.
    segment
        Finds the masks of a cell (T, H, W) where the network sees them; None reads none.
    """

    def __init__(
        self,
        crops: CropStore,
        samples: pd.DataFrame,
        limit_mb: int,
        segment: Callable[[CellSequence], NDArray[np.bool_]] | None = None,
    ) -> None:
        cells = samples.groupby(["recording_id", "cell_id"])
        ranges = cells.agg(first=("first_frame", "min"), last=("last_frame", "max"))
        self._crops = crops
        self._segment = segment
        self._ranges: dict[Any, tuple[int, int]] = {
            key: (int(first), int(last)) for key, first, last in ranges.itertuples(name=None)
        }
        self._kept: dict[tuple[str, int], CellSequence] = {}
        self._bytes_left = limit_mb * BYTES_PER_MB

    def read(self, recording_id: str, cell_id: int) -> CellSequence:
        """Frames of a cell that the samples need, in camera dtype."""
        key = (recording_id, cell_id)
        if key in self._kept:
            return self._kept[key]
        sequence = self._crops.read(recording_id, cell_id, *self._ranges[key], with_masks=self._segment is not None)
        if self._segment is not None:
            sequence = replace(sequence, masks_thw=self._segment(sequence))
        size = sequence.frames_tchw.nbytes + (1 + (self._segment is not None)) * sequence.inside_thw.nbytes
        if size <= self._bytes_left:
            self._bytes_left -= size
            self._kept[key] = sequence
        return sequence


@dataclass(frozen=True, eq=False)
class BatchMaker:
    """Makes batches of the samples of one fold.

    Attributes
    ----------
    reader : SequenceReader
        Source of pixels.
    first_n, last_n : ndarray of int64
        First and last frame of each sample; units name samples by place.
    preprocessing : Preprocessing
        What is done to crops, with the statistics of the fold's training cells.
    whole_track : bool
        Whether samples are whole tracks.
    augmentation : AugmentationSettings or None
        None shows every sample as it is.
    """

    reader: SequenceReader
    first_n: IntArray
    last_n: IntArray
    preprocessing: Preprocessing
    whole_track: bool
    augmentation: AugmentationSettings | None = None

    def make(self, units: list[Unit], rng: np.random.Generator) -> Batch:
        """Read, choose, normalise, augment and pack the samples of some units.

        Parameters
        ----------
        units
            Samples, by cell.
        rng
            Source of randomness of the augmentation.

        Returns
        -------
        Batch
        """
        frames, gathers, positions, rows, n_packed = [], [], [], [], 0
        for unit in units:
            frames_tchw, shown = self._read_unit(unit, rng)
            frames.append(frames_tchw)
            for row, (gather_t, positions_t) in zip(unit.rows, shown, strict=True):
                gathers.append(gather_t + n_packed)
                positions.append(positions_t)
                rows.append(row)
            n_packed += len(frames_tchw)
        return Batch(
            frames_nchw=np.concatenate(frames),
            gather_m=np.concatenate(gathers),
            positions_m=np.concatenate(positions),
            lengths_b=np.array([len(gather_t) for gather_t in gathers], dtype=np.int64),
            rows_b=np.array(rows, dtype=np.int64),
        )

    def _read_unit(
        self, unit: Unit, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[tuple[IntArray, IntArray]]]:
        """Frames that a unit shows, and for each of its samples their places among these and their positions."""
        sequence = self.reader.read(unit.recording_id, unit.cell_id)
        chosen = [self._choose(sequence.frame_numbers_t, row, rng) for row in unit.rows]
        used_t = np.unique(np.concatenate(chosen))
        frames_tchw = self.preprocessing.prepare(sequence.take(used_t))
        if self.augmentation is not None:
            frames_tchw = augment_frames(frames_tchw, self.augmentation, rng)
        numbers_t = sequence.frame_numbers_t
        firsts = numbers_t[np.searchsorted(numbers_t, self.first_n[list(unit.rows)])]
        shown = [
            (np.searchsorted(used_t, places_t), numbers_t[places_t] - first)
            for places_t, first in zip(chosen, firsts, strict=True)
        ]
        return frames_tchw, shown

    def _choose(self, frame_numbers_t: IntArray, row: int, rng: np.random.Generator) -> IntArray:
        """Places, in a cell's frames, of the frames that a sample shows this time."""
        start = int(np.searchsorted(frame_numbers_t, self.first_n[row]))
        stop = int(np.searchsorted(frame_numbers_t, self.last_n[row], side="right"))
        if self.augmentation is None:
            return np.arange(start, stop)
        return start + choose_frames(stop - start, self.whole_track, self.augmentation, rng)
