"""What each pixel of a sample speaks for, to be drawn beside its frames."""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explaining import one_thread
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gradients import pixel_relevance
from cellfate.attribution.opening import explained_outcome, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.prediction import TrainedModel, load_fold
from cellfate.sequences.store import CropStore


def attribute_pixels(
    crops: CropStore, samples: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> dict[str, NDArray[np.float32]]:
    """Attribute the log odds of the explained outcome to every pixel by gradient times input.

    Parameters
    ----------
    crops
        Crop store.
    samples
        Table `Samples` with `fold`: the member that explains each.
    model
        Trained model.
    explanation
        Which outcome.

    Returns
    -------
    dict of str to ndarray
        By sample_id, in logits, float32 (T, C, H, W); positive speaks for the outcome. A sample's frames are those that
        were tracked.
    """
    outcome = explained_outcome(model.config.outcomes, explanation.outcome)
    everything = all_subsets(len(model.config.channels))[-1:]
    with one_thread():
        opened = open_samples(crops, samples, partial(load_fold, model), explanation, outcome, everything)
        return {sample.sample_id: pixel_relevance(sample, outcome) for sample in opened}
