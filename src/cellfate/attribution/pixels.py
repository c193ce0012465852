"""What each pixel of a sample speaks for, to be drawn beside its frames."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_models import Explainable, view_model
from cellfate.attribution.explaining import one_thread
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gradients import pixel_relevance
from cellfate.attribution.opening import open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.crops.store import CropStore


def attribute_pixels(
    crops: CropStore, samples: pd.DataFrame, model: Explainable, explanation: ExplanationSettings
) -> dict[str, NDArray[np.float32]]:
    """Attribute the log odds of the explained outcome to every pixel by gradient times input.

    Parameters
    ----------
    crops
        Crop store.
    samples
        Table `Samples` with `fold`: the member that explains each.
    model
        Classifier or fate clock.
    explanation
        Which outcome of the classifier.

    Returns
    -------
    dict of str to ndarray
        By sample_id, in logits, float32 (T, C, H, W); positive speaks for the outcome. A sample's frames are those that
        were tracked.
    """
    view = view_model(model, explanation.outcome)
    everything = all_subsets(len(view.channels))[-1:]
    with one_thread():
        opened = open_samples(crops, samples, view.member_for, explanation, view.outcome_number, everything)
        return {sample.sample_id: pixel_relevance(sample, view.outcome_number) for sample in opened}
