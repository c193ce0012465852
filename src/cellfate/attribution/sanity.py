"""Sanity: an attribution must change when the model does, and must not when only the seed does.

Landmarks are explained again by networks of random weights, one of them randomised layer after layer, and, for Shapley
values, with other orders of the players; and, where comparison trainings were run, by a model trained on permuted fates
and by one trained again with another seed. What is compared is the order of the parts at each landmark (Adebayo et al.
2018), of at least `LEAST_PARTS`: of fewer, chance alone makes large correlations.
"""

from collections.abc import Iterator
from typing import Final

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
from cellfate.attribution.random_networks import CONSTANT, FEW_PARTS, LEAST_PARTS, correlate_by_chance, is_constant
from cellfate.attribution.scoring import (
    ERROR,
    OVER_PERMUTED,
    PERMUTED,
    RETRAINED,
    SEEDS,
    SIZE,
    average_cells,
)
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, AttributionCells, RandomisedWeights
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel

CASCADED: Final = 4
"""Layers are randomised in turn at one landmark in so many: it says where values change, and is no verdict."""


def check_sanity(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain landmarks again by networks of random weights, and with other orders of the players.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells.
    explained_landmarks
        Table of `explained_landmarks.choose_explained_landmarks`; of the fold with most of them the first
        `max_sanity_landmarks`.
    model, explanation
        The model and what is explained of it; windows, random networks, orders of the players, seed, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`. `randomised_weights`: rank correlation with the values of the model as it is, mean
        over `n_random_networks` networks of random weights; `randomised_chance`: the highest of `N_PERMUTED` such means
        with the parts of the networks' values permuted, alike in all cells; both NaN under `LEAST_PARTS` parts. Of
        Shapley values `seed_stability`, the correlation with those of other orders; `monte_carlo_error`, their standard
        error from both draws of orders; `value_size`, the root mean square of the values.
    table : pandas.DataFrame
        Table `RandomisedWeights`: the first random network, layer by layer, at one in `CASCADED` landmarks.
    """
    if explained_landmarks.empty:
        return AttributionCells.empty(), RandomisedWeights.empty()
    fold = int(explained_landmarks["fold"].mode().iloc[0])
    chosen, view = _first_of_fold(explained_landmarks, fold, explanation), view_model(model, explanation)
    own, reordered = _explain_twice(crops, chosen, view, explanation.seed)
    networks = []
    for number in range(explanation.n_random_networks):
        *_, (_, randomised) = view.randomised(fold, explanation.seed + number)
        networks.append(_explain_all(crops, chosen, randomised, explanation.seed))
    noise = correlate_by_chance(own, networks, explanation.seed)
    seeded = _compare_seeds(own, reordered)
    cells = AttributionCells.validate(pd.concat([noise, seeded], ignore_index=True))
    return cells, _randomise_in_turn(crops, chosen.head(-(-len(chosen) // CASCADED)), own, view)


def _randomise_in_turn(crops: FrameSource, landmarks: pd.DataFrame, own: pd.DataFrame, view: ModelView) -> pd.DataFrame:
    """Compare values with those of a network whose layers are randomised in turn: table `RandomisedWeights`."""
    explanation, fold = view.explanation, int(landmarks["fold"].iloc[0])
    shown = own[own["landmark_id"].isin(landmarks["landmark_id"])]
    stages = [_compare(shown, shown).assign(stage=0, layer="none")]
    for stage, (layer, randomised) in enumerate(view.randomised(fold, explanation.seed), start=1):
        again = _explain_all(crops, landmarks, randomised, explanation.seed)
        stages.append(_compare(shown, again).assign(stage=stage, layer=layer))
    means = average_cells(pd.concat(stages, ignore_index=True), ["method", "stage", "layer"], explanation)
    return RandomisedWeights.validate(means.rename(columns={"value": "rank_correlation"}).drop(columns="n_failed"))


def _compare_seeds(own: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Compare Shapley values with those of other orders of the players; see `check_sanity`."""
    one = own[own["method"] == SHAPLEY]
    keys, parts = ["landmark_id", "group_id", "method"], ["windows_back", "channel"]
    both = one.merge(again[["landmark_id", *parts, "value"]], on=["landmark_id", *parts], suffixes=("", "_again"))
    squares = both.assign(square=(both["value"] - both["value_again"]) ** 2 / 2, size=both["value"] ** 2)
    by_cell = squares.groupby(keys, sort=False)
    # half the squared difference of two independent draws is the variance of one of them
    roots = by_cell[["square", "size"]].mean() ** 0.5
    measured = roots.rename(columns={"square": ERROR, "size": SIZE}).reset_index()
    flat = one.groupby("landmark_id")["value"].agg(lambda values: is_constant(values.to_numpy()))
    compared = _compare(one, again).assign(score=SEEDS)
    same = compared["landmark_id"].map(flat).astype(bool)
    reason = pd.Series(CONSTANT, compared.index, dtype=object).where(same, None)
    errors = measured.melt(keys, var_name="score", value_name="value")
    return pd.concat([compared.assign(reason=reason), errors], ignore_index=True)


def compare_trainings(
    crops: FrameSource,
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
        model, NaN under `LEAST_PARTS` parts; `retrained_over_permuted`: the second minus the first, cell by cell. For
        `scoring.add_training_scores`.
    """
    folds = [*permuted_model.config.folds, -1]
    chosen = _first_of_fold(explained_landmarks, folds[0], explanation)
    if chosen.empty:
        return AttributionCells.empty()
    own = _explain_all(crops, chosen, view_model(model, explanation), explanation.seed)
    others = ((PERMUTED, permuted_model), (RETRAINED, retrained_model))
    compared = {
        score: _compare_enough(own, _explain_all(crops, chosen, view_model(other, explanation), explanation.seed))
        for score, other in others
    }
    permuted, retrained = compared[PERMUTED], compared[RETRAINED]
    reasons = retrained["reason"].fillna(permuted["reason"])
    compared[OVER_PERMUTED] = retrained.assign(value=retrained["value"] - permuted["value"], reason=reasons)
    tables = [table.assign(score=score) for score, table in compared.items()]
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


def _explain_all(crops: FrameSource, landmarks: pd.DataFrame, view: ModelView, seed: int) -> pd.DataFrame:
    """Explain landmarks by all methods of the network, as it is viewed."""
    opened = open_landmarks(crops, landmarks, view, all_subsets, "Explaining again")
    return pd.concat([_explain(landmark, view.explanation, seed) for landmark in opened], ignore_index=True)


def _explain_twice(
    crops: FrameSource, landmarks: pd.DataFrame, view: ModelView, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain landmarks by all methods, and by Shapley values with other orders of the players."""
    own, reordered = [], []
    for opened in open_landmarks(crops, landmarks, view, all_subsets, "Explaining again"):
        own.append(_explain(opened, view.explanation, seed))
        players = opened.game, opened.windows, opened.channels
        again = shapley_values(*players, view.explanation.n_permutations, seed + 1)
        reordered.append(again.assign(landmark_id=opened.landmark_id, group_id=opened.group_id))
    return pd.concat(own, ignore_index=True), pd.concat(reordered, ignore_index=True)


def _explain(opened: OpenedLandmark, explanation: ExplanationSettings, seed: int) -> pd.DataFrame:
    """Attribute one landmark by every method that its member allows: columns of `Attributions`, and group_id."""
    table = pd.concat(list(_attribute(opened, explanation, seed)), ignore_index=True)
    return table.assign(landmark_id=opened.landmark_id, group_id=opened.group_id)


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


def _compare_enough(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Correlate as `_compare` does; NaN with its reason under `LEAST_PARTS` parts or where all values are the same."""
    compared = _compare(own, other)
    keys = ["landmark_id", "method"]
    n_parts = own.groupby(keys).size().rename("n_parts").reset_index()
    few = compared.merge(n_parts, on=keys, how="left")["n_parts"].to_numpy() < LEAST_PARTS
    unknown = compared["value"].isna().to_numpy()
    reason = pd.Series(np.where(few, FEW_PARTS, CONSTANT), compared.index, dtype=object).where(few | unknown, None)
    return compared.assign(value=compared["value"].mask(few), reason=reason)
