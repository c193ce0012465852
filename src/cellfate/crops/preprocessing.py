"""From camera counts to what a network is given; the same in training and in use."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.background import lift_above_background
from cellfate.crops.normalisation import normalise
from cellfate.crops.store import CellSequence


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """What is done to crops before a network sees them.

    Attributes
    ----------
    mean_c, sd_c : ndarray of float64
        Mean and standard deviation of each channel over the pixels of the training cells, on the camera's scale.
    intensity : str
        `standardised`: less the mean, in standard deviations. `above_background`: see `lift_above_background`.
    mask_channel : bool
        Append the mask of the cell as one more channel, 1 in the cell and 0 elsewhere.
    """

    mean_c: NDArray[np.float64]
    sd_c: NDArray[np.float64]
    intensity: Literal["standardised", "above_background"] = "standardised"
    mask_channel: bool = False

    @property
    def n_pixel_channels(self) -> int:
        """Channels of prepared frames, the mask included."""
        return len(self.mean_c) + self.mask_channel

    def prepare(self, sequence: CellSequence) -> NDArray[np.float32]:
        """Prepare the frames of a cell.

        Parameters
        ----------
        sequence
            Crops in camera dtype; with masks, if these are a channel.

        Returns
        -------
        ndarray of float32, shape (T, C, H, W)
            Pixels outside the image are 0; C counts the mask channel.

        Raises
        ------
        InputError
            If masks are asked for and the sequence has none.
        """
        if self.intensity == "standardised":
            frames_tchw = normalise(sequence.frames_tchw, sequence.inside_thw, self.mean_c, self.sd_c)
        else:
            frames_tchw = lift_above_background(sequence.frames_tchw, sequence.inside_thw, self.sd_c)
        if not self.mask_channel:
            return frames_tchw
        if sequence.masks_thw is None:
            raise InputError(
                f"Cell {sequence.cell_id} of recording {sequence.recording_id} has no masks, but the model has a mask "
                "channel; segment the cell first."
            )
        return np.concatenate((frames_tchw, sequence.masks_thw[:, None].astype(np.float32)), axis=1)
