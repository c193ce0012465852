"""Sanity: an attribution must change when the model does, and must not when only the seed does.

Landmarks are explained again by the model with its layers randomised one after the other and, for Shapley values, with
other orders of the players; and, where comparison trainings were run, by a model trained on permuted fates and by one
trained again with another seed. What is compared is the order of the parts at each landmark (Adebayo et al. 2018).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.attribution.agreement import correlate_parts
from cellfate.attribution.explained_models import AttentiveMember, ModelView, view_model
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gathering import share_windows
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.methods import ATTENTION, OCCLUSION_CHANNEL, ROLLOUT, SHAPLEY
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import OpenedLandmark, open_landmarks
from cellfate.attribution.scoring import PERMUTED, RANDOMISED, RETRAINED, SEEDS, average_cells
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, AttributionCells, RandomisedWeights
from cellfate.crops.store import CropStore
from cellfate.prediction.records import TrainedModel


def check_sanity(
    crops: CropStore, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain landmarks again by the model with randomised layers, and with other orders of the players.

    Parameters
    ----------
    crops
        Crop store.
    explained_landmarks
        Table of `explained_landmarks.choose_explained_landmarks`; of the fold with most of them the first
        `max_sanity_landmarks`.
    model, explanation
        The model and what is explained of it; windows, orders of the players, seed, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, scores `randomised_weights` (all layers) and `seed_stability`: rank correlation with
        the values of the model as it is.
    table : pandas.DataFrame
        Table `RandomisedWeights`.
    """
    if explained_landmarks.empty:
        return AttributionCells.empty(), RandomisedWeights.empty()
    fold = int(explained_landmarks["fold"].mode().iloc[0])
    chosen, view = _first_of_fold(explained_landmarks, fold, explanation), view_model(model, explanation)
    own = _explain_all(crops, chosen, view, explanation.seed)
    stages = [_compare(own, own).assign(stage=0, layer="none")]
    for stage, (layer, randomised) in enumerate(view.randomised(fold, explanation.seed), start=1):
        again = _explain_all(crops, chosen, randomised, explanation.seed)
        stages.append(_compare(own, again).assign(stage=stage, layer=layer))
    means = average_cells(pd.concat(stages, ignore_index=True), ["method", "stage", "layer"], explanation)
    table = means.rename(columns={"value": "rank_correlation"}).drop(columns="n_failed")
    seeded = _compare(own, _explain_all(crops, chosen, view, explanation.seed + 1)).assign(score=SEEDS)
    noise = stages[-1].drop(columns=["stage", "layer"]).assign(score=RANDOMISED)
    cells = pd.concat([noise, seeded[seeded["method"] == SHAPLEY]], ignore_index=True)
    return AttributionCells.validate(cells), RandomisedWeights.validate(table)


def compare_trainings(
    crops: CropStore,
    explained_landmarks: pd.DataFrame,
    model: TrainedModel,
    permuted_model: TrainedModel,
    retrained_model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Explain landmarks again by models of comparison trainings.

    Parameters
    ----------
    crops, explained_landmarks, model, explanation
        As in `check_sanity`; landmarks of the fold that the other models were trained in.
    permuted_model, retrained_model
        A model trained on the fates of `permute_fates`, and one trained again with another seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionCells`, scores `label_permuted` and `retrained`: rank correlation with the values of the
        model; for `scoring.add_training_scores`.
    """
    folds = [*permuted_model.config.folds, -1]
    chosen = _first_of_fold(explained_landmarks, folds[0], explanation)
    if chosen.empty:
        return AttributionCells.empty()
    own = _explain_all(crops, chosen, view_model(model, explanation), explanation.seed)
    others = ((PERMUTED, permuted_model), (RETRAINED, retrained_model))
    tables = [
        _compare(own, _explain_all(crops, chosen, view_model(other, explanation), explanation.seed)).assign(score=score)
        for score, other in others
    ]
    return AttributionCells.validate(pd.concat(tables, ignore_index=True))


def permute_fates(
    landmarks: pd.DataFrame, splits: pd.DataFrame, explanation: ExplanationSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Permute the fates of the first fold's training cells, and of its validation cells.

    Fates that were seen change hands among the cells of a part, so that each is as common as before; event frames and
    censored cells stay as they are.

    Parameters
    ----------
    landmarks
        Table `Landmarks` or `FollowUps`.
    splits
        Table `Splits`.
    explanation
        Seed of the permutation.

    Returns
    -------
    permuted : pandas.DataFrame
        `landmarks` with other fates, every cell with one fate in all its rows.
    first_fold_splits : pandas.DataFrame
        Table `Splits` of the first fold.
    """
    first = splits[splits["fold"] == splits["fold"].min()].reset_index(drop=True)
    generator = np.random.default_rng([explanation.seed, 6])
    fates = landmarks.drop_duplicates(CELL).set_index(CELL)["fate"].astype(object)
    seen = fates[fates.isin(EVENTS)].index
    for part in ("train", "validation"):
        cells = pd.MultiIndex.from_frame(first.loc[first["part"] == part, CELL])
        fated = cells[cells.isin(seen)]
        fates[fated] = generator.permutation(fates[fated].to_numpy())
    return landmarks.assign(fate=fates[pd.MultiIndex.from_frame(landmarks[CELL])].to_numpy()), first


def _first_of_fold(landmarks: pd.DataFrame, fold: int, explanation: ExplanationSettings) -> pd.DataFrame:
    """Landmarks of a fold that are explained again."""
    return landmarks[landmarks["fold"] == fold].head(explanation.max_sanity_landmarks)


def _explain_all(crops: CropStore, landmarks: pd.DataFrame, view: ModelView, seed: int) -> pd.DataFrame:
    """Explain landmarks by all methods of the network, as it is viewed."""
    parts = [
        rows.assign(landmark_id=opened.landmark_id, group_id=opened.group_id)
        for opened in open_landmarks(crops, landmarks, view, all_subsets, "Explaining again")
        for rows in _attribute(opened, view.explanation, seed)
    ]
    return pd.concat(parts, ignore_index=True)


def _attribute(opened: OpenedLandmark, explanation: ExplanationSettings, seed: int) -> Iterator[pd.DataFrame]:
    """Attribute one landmark by every method that its member allows: columns of `Attributions` but `landmark_id`."""
    game, windows, channels = opened.game, opened.windows, opened.channels
    occlusion = occlude(game, windows, channels, explanation.occluded_windows)
    yield occlusion[occlusion["method"] != OCCLUSION_CHANNEL]
    yield shapley_values(game, windows, channels, explanation.n_permutations, seed)
    if isinstance(opened.member, AttentiveMember):
        whole = [game.whole_td], [game.positions_t]
        for method, read in ((ATTENTION, opened.member.attention), (ROLLOUT, opened.member.rollout)):
            yield share_windows(method, read(*whole)[0][1:].astype(np.float64), windows)
    yield gradient_times_input(opened)


def _compare(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Correlate the parts at every landmark by every method: landmark_id, group_id, method, value."""
    tables = [
        correlate_parts(rows, other[other["method"] == method], ["windows_back", "channel"]).assign(method=method)
        for method, rows in own.groupby("method", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)
