"""Cells with what was measured of them at every frame: what an encoder is pretrained on.

Array suffixes: n packed frames of a batch, t frames of one cell, f features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.tables import CELL, FRAME
from cellfate.crops.store import CropStore
from cellfate.features.measured_frames import MeasuredFrames
from cellfate.features.summaries import crop_feature_columns
from cellfate.training.batch_plans import mixed_batches
from cellfate.training.batches import IntArray, ShownCells

FARTHEST_FEATURE = 5.0
"""Standardised features are clipped to this, so that a few odd masks do not rule the loss."""
_SAME = 1e-9
"""A feature that varies by less than this share of its mean is the same everywhere, but for rounding."""


@dataclass(frozen=True, eq=False)
class MeasuredCells(ShownCells):
    """Cells of which all frames are shown; `known` holds their `features_nf` (T, F).

    Features are standardised, NaN where not measured; F is 0 where none are learnt.
    """

    @property
    def n_features(self) -> int:
        """Features that an encoder learns to tell; 0: none."""
        return int(self.known["features_nf"][0].shape[1])

    def plan_epoch(self, rng: np.random.Generator) -> list[IntArray]:
        """Part all cells into batches, in random order and company."""
        return mixed_batches(self.lengths_n, self.settings.max_frames_per_batch, rng)


def list_shown_frames(cells: pd.DataFrame, crops: CropStore | MeasuredFrames) -> list[IntArray]:
    """Tracked frames of each cell from its `first_frame` to its `last_frame`, ascending."""
    shown = []
    for recording_id, cell_id, first, last in cells[[*CELL, "first_frame", "last_frame"]].to_numpy(object):
        frames_t = crops.frame_numbers(str(recording_id), int(cell_id))
        shown.append(frames_t[(frames_t >= int(first)) & (frames_t <= int(last))])
    return shown


def look_up_features(
    cells: pd.DataFrame, shown: Sequence[IntArray], features: pd.DataFrame | None
) -> list[NDArray[np.float32]]:
    """Standardised features (T, F) of each cell at the frames that are shown; F is 0 without features."""
    if features is None:
        return [np.zeros((len(frames_t), 0), np.float32) for frames_t in shown]
    lengths = [len(frames_t) for frames_t in shown]
    frames = cells[CELL].loc[cells.index.repeat(lengths)].assign(frame=np.concatenate(shown))
    features_nf = features.reindex(pd.MultiIndex.from_frame(frames[FRAME])).to_numpy(np.float32)
    return np.split(features_nf, np.cumsum(lengths)[:-1])


def standardise_features(frame_features: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Features in standard deviations of the training cells, indexed by recording, cell and frame.

    Only those that can be seen in a crop: the network is taught them while it looks at one.
    """
    names = crop_feature_columns(frame_features)
    in_training = frame_features.merge(train[CELL], on=CELL)[names]
    mean, sd = in_training.mean(), in_training.std(ddof=0)
    kept = [name for name in names if sd[name] > _SAME * abs(mean[name])]
    scaled = ((frame_features[kept] - mean[kept]) / sd[kept]).clip(-FARTHEST_FEATURE, FARTHEST_FEATURE)
    return scaled.set_index(pd.MultiIndex.from_frame(frame_features[FRAME]))
