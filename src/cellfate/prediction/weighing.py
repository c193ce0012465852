"""How much the network counts beside boosting: chosen on cells that neither was fitted to, and only if it is worth it.

Array suffixes: n landmarks, k bins of time, e events, p parts.
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.splits import list_unseen
from cellfate.core.predictors import BOOSTING
from cellfate.core.tables import CELL
from cellfate.crops.store import CropStore
from cellfate.features.summaries import describe_landmarks
from cellfate.models.settings import BlendPart
from cellfate.prediction.blending import log_odds_of, part_hazards
from cellfate.prediction.records import (
    ALL_CELLS,
    ENOUGH_RECORDINGS,
    BlendWeights,
    ClockConfig,
    TrainedModel,
    describe_weights,
)
from cellfate.prediction.shown_frames import show_frames
from cellfate.statistics.stacking import stack_parts

logger = logging.getLogger(__name__)

MOST_IN_FEW_RECORDINGS: Final = 0.25
"""Largest weight of networks in fewer that did not train them: how they do in another cannot be seen there."""


def weigh_blend(
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
    crops: CropStore | None = None,
) -> TrainedModel:
    """Choose what each part of the blend counts for, in every fold on regular landmarks of cells that it does not test.

    Parameters
    ----------
    landmarks, splits, frame_features, crops
        Tables of the same names, and the crop store; None where there are no images.
    model
        Networks and boosters; without members it is given back as it is.

    Returns
    -------
    TrainedModel
        With `blend_weights`: of each fold, and `all`, for new cells, from every cell that some member did not train on.
        Boosting stands alone unless the gain in log likelihood less one standard error is above zero; see
        `statistics.stacking.stack_parts`.
    """
    config = model.clock_config
    if not config.members:
        return model
    parts = sorted(config.blend.parts, key=lambda part: part != BOOSTING)
    forecast = _forecast_unseen(landmarks[landmarks["regular"]], splits, frame_features, model, crops)
    chosen = {}
    for owner, fold in ((ALL_CELLS, None), *((f"fold_{fold}", fold) for fold in config.folds)):
        open_to_fit = forecast.merge(list_unseen(splits, fold), on=[*CELL, "fold"], validate="many_to_one")
        chosen[owner] = _weigh(open_to_fit, parts, config)
        logger.info("Blend, %s: %s", owner.replace("_", " "), describe_weights(chosen[owner]))
    return replace(model, config=config.model_copy(update={"blend_weights": chosen}))


def _forecast_unseen(
    regular: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
    crops: CropStore | None,
) -> pd.DataFrame:
    """Add to landmarks that some member did not train on its fold and, a column a part, its log odds (k, e).

    `elsewhere` tells those of recordings in which that member trained on no cell at all.
    """
    config, tables = model.clock_config, []
    describe = partial(describe_landmarks, frame_features, history_h=config.blend.history_h, context=config.told)
    shown = show_frames(config, crops, frame_features, regular)

    for fold, cells in list_unseen(splits).groupby("fold"):
        rows = regular.merge(cells, on=CELL)
        if len(rows):
            hazards = part_hazards(shown, rows, describe, model, (int(str(fold)),), f"fold_{fold}")
            trained_in = splits.loc[(splits["fold"] == fold) & (splits["part"] == "train"), "recording_id"]
            rows = rows.assign(elsewhere=~rows["recording_id"].isin(trained_in))
            tables.append(rows.assign(**{part: list(log_odds_of(of_part)) for part, of_part in hazards.items()}))
    return pd.concat(tables, ignore_index=True) if tables else regular.head(0).assign(fold=0, elsewhere=False)


def _weigh(forecast: pd.DataFrame, parts: list[BlendPart], config: ClockConfig) -> BlendWeights:
    """Choose the weights by landmarks that carry the log odds of the parts; the first is to be improved."""
    n_recordings, n_groups = (int(forecast[name].nunique()) for name in ("recording_id", "group_id"))
    n_elsewhere = int(forecast.loc[forecast["elsewhere"].astype(bool), "recording_id"].nunique())
    most = 1.0 if min(n_elsewhere, n_groups) >= ENOUGH_RECORDINGS else MOST_IN_FEW_RECORDINGS
    about: dict[str, Any] = {"n_landmarks": len(forecast), "n_groups": n_groups, "n_recordings": n_recordings}
    weights, judged = np.eye(len(parts))[0], {}
    if len(forecast):
        labels_nk = label_landmarks(forecast, config.events, config.follow_up.edges_h)
        log_odds = np.stack([np.stack(forecast[part].to_list()) for part in parts])
        groups_n = forecast["group_id"].to_numpy(object)
        weights, gain, error = stack_parts(log_odds, labels_nk, groups_n, _units(forecast), most)
        judged = {"gain": _known(gain), "standard_error": _known(error)}
    weighed = dict(zip(parts, weights.tolist(), strict=True))
    return BlendWeights(parts=weighed, alone=parts[0], most=most, **about, **judged)


def _units(forecast: pd.DataFrame) -> NDArray[np.object_]:
    """Choose what inner folds leave out whole: recordings, or groups where these are larger or recordings few."""
    recordings, groups = forecast["recording_id"].to_numpy(object), forecast["group_id"].to_numpy(object)
    n_recordings = len(set(recordings))
    return recordings if n_recordings >= ENOUGH_RECORDINGS and len(set(groups)) >= n_recordings else groups


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
