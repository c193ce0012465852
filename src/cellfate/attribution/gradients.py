"""Gradient times input: what a first-order estimate says would be lost if a part were absent.

Absent is 0 after normalisation, so the gradient of the log odds times the input is the slope of occlusion at the input
(Shrikumar et al. 2017). Summed over the pixels of a window and channel it is comparable with the other methods; left
as it is, it shows where in a frame.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_models import DifferentiableMember
from cellfate.attribution.methods import GRADIENT, LOGIT
from cellfate.attribution.opening import OpenedSample
from cellfate.attribution.windows import name_players


def gradient_times_input(sample: OpenedSample, channels: tuple[str, ...], outcome_number: int) -> pd.DataFrame:
    """Attribute the log odds of an outcome to windows and channels by gradient times input.

    Parameters
    ----------
    sample
        The sample; its member gives gradients.
    channels
        Names of the channels.
    outcome_number
        Position of the outcome.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `sample_id`, one row a window and channel, in logits.
    """
    values_tc = pixel_relevance(sample, outcome_number).sum(axis=(2, 3), dtype=np.float64)
    values_wc = np.stack([values_tc[sample.windows.window_of_t == w].sum(axis=0) for w in range(len(sample.windows))])
    return name_players(sample.windows, channels).assign(method=GRADIENT, value=values_wc.ravel(), unit=LOGIT)


def pixel_relevance(sample: OpenedSample, outcome_number: int) -> NDArray[np.float32]:
    """Gradient times input of every pixel, (T, C, H, W), in logits."""
    assert isinstance(sample.member, DifferentiableMember)
    gradients = sample.member.input_gradients(sample.frames_tchw, sample.game.positions_t, outcome_number)
    relevance: NDArray[np.float32] = gradients * sample.frames_tchw
    return relevance
