"""The boosted hazards of the fate clock: one fit a fold, and one to every cell that the model has seen.

`boosting` is both a part of the blend and what the network is held against: the same fit to the same cells with the
same hours of history. It is fitted even where the blend does without it.
"""

from dataclasses import replace
from functools import lru_cache

import pandas as pd

from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.core.predictors import BOOSTING, BOOSTING_ON_EMBEDDINGS
from cellfate.crops.store import CropStore
from cellfate.features.summaries import describe_landmarks
from cellfate.models.boosted_hazards import BoostedHazards, fit_boosted_hazards
from cellfate.prediction.clock_member import load_clock_member, read_landmarks
from cellfate.prediction.records import ALL_CELLS, ClockConfig, TrainedModel
from cellfate.prediction.shown_frames import show_frames


def boost_clock(
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
    crops: CropStore | None = None,
) -> TrainedModel:
    """Fit the boosted hazards of a fate clock at regular landmarks, in every fold at those of its training cells.

    For new recordings `boosting` is fitted once more, to all cells of the run, those that test included.
    `boosting_on_embeddings` belongs to the network whose embeddings it is fitted to, so there is one a fold only;
    networks are read for nothing else.

    Parameters
    ----------
    landmarks, splits, frame_features, crops
        Tables of the same names, and the crop store; None where there are no images.
    model
        The trained networks; without members it is given back as it is.

    Returns
    -------
    TrainedModel
        With boosters.

    Raises
    ------
    InputError
        If no landmark of a fold was watched to the end of some bin of time.
    """
    config = model.clock_config
    if not config.members:
        return model
    regular = landmarks[landmarks["regular"]]
    described = describe_landmarks(frame_features, regular, config.blend.history_h, config.told)
    described = described.dropna(axis="columns", how="all")  # what is known of no landmark is no input
    boosters = {f"{ALL_CELLS}.{BOOSTING}": _fit(described, regular, config)}
    shown = show_frames(config, crops, frame_features, regular)
    for fold in config.folds:
        training = select_part(regular, splits, fold, "train")
        boosters[f"fold_{fold}.{BOOSTING}"] = _fit(described, training, config)
        if BOOSTING_ON_EMBEDDINGS in config.blend.parts and shown is not None:
            _, embedded = read_landmarks(shown, training, load_clock_member(model, fold))
            boosters[f"fold_{fold}.{BOOSTING_ON_EMBEDDINGS}"] = _fit(embedded, training, config)
    return replace(model, boosters=boosters)


def _fit(inputs: pd.DataFrame, landmarks: pd.DataFrame, config: ClockConfig) -> str:
    """Fit to some landmarks, by what was seen after them; as text."""
    labels_nk = label_landmarks(landmarks, config.events, config.follow_up.edges_h)
    fitted = fit_boosted_hazards(inputs.loc[landmarks.index], labels_nk, len(config.events), config.blend.boosting)
    return fitted.to_text()


@lru_cache(maxsize=16)
def load_boosting(model: TrainedModel, owner: str, part: str) -> BoostedHazards:
    """Read the boosted hazards of one member (`fold_<k>`), or those fitted to all cells (`all`).

    Raises
    ------
    InputError
        If the model has none, as before they are fitted, or their text is damaged.
    """
    if f"{owner}.{part}" not in model.boosters:
        raise InputError(
            f"The fate clock has no boosted hazards {owner}.{part}; take the model of a finished run, or fit them by "
            "boost_clock."
        )
    return BoostedHazards.from_text(model.boosters[f"{owner}.{part}"])
