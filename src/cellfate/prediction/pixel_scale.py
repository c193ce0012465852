"""Whether pixels of new cells are on the scale of those that a model was trained on."""

import logging
from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.tables import CELL
from cellfate.crops.digest import CellReader
from cellfate.prediction.records import FolderConfig

logger = logging.getLogger(__name__)
CELLS_LOOKED_AT: Final = 16
MOST_DEVIATIONS: Final = 3.0
"""Standard deviations of the training pixels that the mean of new ones may be away from theirs."""
MOST_SPREAD: Final = 5.0
"""Times that the standard deviation of new pixels may be larger or smaller than that of the training."""


def warn_of_scale(config: FolderConfig, crops: CellReader, frames: pd.DataFrame) -> None:
    """Warn where the pixels of a channel are far from those of the training: another camera, or counts made fractions.

    Parameters
    ----------
    config : FolderConfig
        The model's, with mean and standard deviation of the pixels of its training cells.
    crops : CellReader
        Crops of the new cells; a few cells, spread evenly, are looked at, in one frame each.
    frames : DataFrame
        recording_id, cell_id and last_frame of every frame that is forecast.
    """
    cells = frames.drop_duplicates(CELL, keep="last")
    some = cells.iloc[np.unique(np.linspace(0, len(cells) - 1, CELLS_LOOKED_AT).astype(int))]
    pixels = []
    for recording_id, cell_id, frame in some[[*CELL, "last_frame"]].itertuples(index=False):
        sequence = crops.read(str(recording_id), int(cell_id), int(frame), int(frame), with_masks=False)
        shown_t, shown_y, shown_x = np.nonzero(sequence.inside_thw)
        pixels.append(sequence.frames_tchw.astype(np.float64)[shown_t, :, shown_y, shown_x])
    pixels_nc = np.concatenate(pixels)
    member = config.members[0]
    mean_c, sd_c = np.asarray(member.mean), np.asarray(member.sd)
    away_c = np.abs(pixels_nc.mean(axis=0) - mean_c) / sd_c
    spread_c = pixels_nc.std(axis=0) / sd_c
    for channel in np.flatnonzero((away_c > MOST_DEVIATIONS) | (spread_c > MOST_SPREAD) | (spread_c < 1 / MOST_SPREAD)):
        logger.warning(
            "Pixels of channel %s are %.4g +- %.2g, but the model was trained on %.4g +- %.2g: forecasts of another "
            "camera or scale mean little",
            *(config.channels[channel], pixels_nc[:, channel].mean(), pixels_nc[:, channel].std()),
            *(mean_c[channel], sd_c[channel]),
        )
