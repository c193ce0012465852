"""The blend of the fate clock: hazards of unlike forecasters, joined by the weighted mean of their log odds.

Array suffixes: n landmarks, k bins of time, e events.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.predictors import BLEND, BOOSTING, BOOSTING_ON_EMBEDDINGS, NETWORK
from cellfate.crops.digest import CellReader
from cellfate.prediction.boosting import load_boosting
from cellfate.prediction.clock_member import load_clock_member, read_landmarks
from cellfate.prediction.records import TrainedModel

FloatArray = NDArray[np.float64]
Describe = Callable[[pd.DataFrame], pd.DataFrame]
"""Gives what boosted hazards on measurements see of landmarks, in their order."""

LEAST_HAZARD = 1e-5
"""Hazards are clipped to this before their log odds are taken; one part that is too sure does not rule the others."""


def clock_hazards(
    crops: CellReader | None,
    frames: pd.DataFrame,
    describe: Describe,
    model: TrainedModel,
    folds: Sequence[int],
    owner: str,
) -> dict[str, FloatArray]:
    """Hazards (n, k, e) of everything that a fate clock holds, by predictor.

    Parameters
    ----------
    crops, model
        Frames of the cells (`shown_frames.show_frames`), None where the fate clock has no network; and the fate clock.
    frames
        Rows of table `Landmarks`; at least one.
    describe
        Gives what `boosting` sees of them.
    folds
        Members that are asked. Several are blended as the parts of the blend are, so it does not matter which is
        blended first, all horizons and the expected time follow from one set of hazards, and the blend keeps what the
        members agree on: a mean of probabilities that are calibrated each is itself too unsure (Ranjan and Gneiting,
        J. R. Stat. Soc. B 72, 71 (2010)).
    owner
        Whose `boosting` is asked; see `load_boosting`.

    Returns
    -------
    dict of str to ndarray
        `network` where there is one, `boosting`, `boosting_on_embeddings` where it is blended, and `blend`, with the
        owner's weights.
    """
    hazards = part_hazards(crops, frames, describe, model, folds, owner)
    weights = model.clock_config.weights_of(owner)
    return hazards | {BLEND: blend_hazards([hazards[part] for part in weights], list(weights.values()))}


def part_hazards(
    crops: CellReader | None,
    frames: pd.DataFrame,
    describe: Describe,
    model: TrainedModel,
    folds: Sequence[int],
    owner: str,
) -> dict[str, FloatArray]:
    """As `clock_hazards`, without the blend."""
    boosting_nke = load_boosting(model, owner, BOOSTING).hazards(describe(frames))
    networks: list[FloatArray] = []
    on_embeddings: list[FloatArray] = []
    reading = folds if model.config.has_networks else ()
    for fold in tqdm(reading, desc="Reading members", disable=None if len(folds) > 1 else True):
        assert crops is not None, "networks read frames"
        network_nke, embedded = read_landmarks(crops, frames, load_clock_member(model, fold))
        networks.append(network_nke)
        if BOOSTING_ON_EMBEDDINGS in model.clock_config.blend.parts:
            on_embeddings.append(load_boosting(model, f"fold_{fold}", BOOSTING_ON_EMBEDDINGS).hazards(embedded))
    read = {NETWORK: networks, BOOSTING: [boosting_nke], BOOSTING_ON_EMBEDDINGS: on_embeddings}
    return {name: blend_hazards(members) for name, members in read.items() if members}


def blend_hazards(parts: Sequence[FloatArray], weights: Sequence[float] | None = None) -> FloatArray:
    """Blend hazards by the weighted mean of their log odds against nothing happening.

    Parameters
    ----------
    parts
        Hazards (n, k, e) of every part.
    weights
        Weight of each; they sum to 1. Null: all count alike.

    Returns
    -------
    ndarray of float64, shape (n, k, e)
        Over the events they sum to less than 1. A part that has all the weight is given as it is.

    Examples
    --------
    >>> blend_hazards([np.array([[[0.2]]]), np.array([[[0.8]]])]).round(3).tolist()
    [[[0.5]]]
    >>> blend_hazards([np.array([[[0.2]]]), np.array([[[0.8]]])], [1.0, 0.0]).tolist()
    [[[0.2]]]
    """
    given = [1 / len(parts)] * len(parts) if weights is None else weights
    counted = [(part, weight) for part, weight in zip(parts, given, strict=True) if weight > 0]
    if len(counted) == 1:
        return counted[0][0]
    log_odds = sum(weight * log_odds_of(part) for part, weight in counted)
    odds_nke = np.exp(log_odds)
    return np.asarray(odds_nke / (1 + odds_nke.sum(axis=-1, keepdims=True)), dtype=np.float64)


def log_odds_of(hazards_nke: FloatArray) -> FloatArray:
    """Log odds of each event against nothing happening, (n, k, e); hazards under `LEAST_HAZARD` count as that."""
    none_nk1 = np.maximum(1 - hazards_nke.sum(axis=-1, keepdims=True), LEAST_HAZARD)
    return np.asarray(np.log(np.maximum(hazards_nke, LEAST_HAZARD) / none_nk1), dtype=np.float64)
