"""Sanity: an attribution must change when the model does, and must not when only the seed does.

The samples are explained again by the model with its layers randomised one after the other, by a model trained on
permuted outcomes, by a model trained again with another seed, and, for Shapley values, with other orders of the
players. What is compared is the order of the parts of each sample (Adebayo et al. 2018).
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.attribution.agreement import correlate_parts
from cellfate.attribution.explained_models import (
    AttentiveMember,
    DifferentiableMember,
    Explainable,
    ExplainedModel,
    MemberFor,
    view_model,
)
from cellfate.attribution.explaining import one_thread
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gathering import share_windows
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.intervals import summarise_means
from cellfate.attribution.methods import ATTENTION, OCCLUSION_CHANNEL, ROLLOUT, SHAPLEY
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import OpenedSample, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.tables import AttributionCells, RandomisedWeights
from cellfate.crops.store import CropStore

RANDOMISED: Final = "randomised_weights"
PERMUTED: Final = "label_permuted"
RETRAINED: Final = "retrained"
SEEDS: Final = "seed_stability"
NOT_TRAINED: Final = "no such model was trained"


def check_sanity(
    crops: CropStore,
    explained_samples: pd.DataFrame,
    model: Explainable,
    permuted_model: Explainable | None,
    retrained_model: Explainable | None,
    explanation: ExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain samples again by models that are not the trained one, and compare.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples
        Table of `selection.select_explained_samples`; the first `max_sanity_samples` of the fold the two other models
        were trained in (without these, of the fold with most of them). With none of them the tables are empty.
    model, permuted_model, retrained_model
        The trained model; one trained on permuted outcomes; one trained again with another seed. None: no such model
        was trained.
    explanation
        Windows, orders of the players, seed, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, scores `randomised_weights` (all layers), `label_permuted`, `retrained` and
        `seed_stability`: rank correlation with the values of the trained model; NaN, with the reason in `reason`, where
        no such model was trained.
    table : pandas.DataFrame
        Table `RandomisedWeights`.
    """
    view = view_model(model, explanation.outcome)
    others = {
        name: None if other is None else view_model(other, explanation.outcome)
        for name, other in ((PERMUTED, permuted_model), (RETRAINED, retrained_model))
    }
    fold = _common_fold(explained_samples, others.values())
    chosen = explained_samples[explained_samples["fold"] == fold].head(explanation.max_sanity_samples)
    if chosen.empty:
        return AttributionCells.empty(), RandomisedWeights.empty()
    explain = partial(_explain_all, crops, chosen, view, explanation)
    own = explain(view.member_for, explanation.seed)
    stages = [_compare(own, own).assign(stage=0, layer="none")]
    for stage, (layer, member_for) in enumerate(view.randomised(fold, explanation.seed), start=1):
        stages.append(_compare(own, explain(member_for, explanation.seed)).assign(stage=stage, layer=layer))
    compared = [
        _untrained(own, score)
        if other is None
        else _compare(own, explain(other.member_for, explanation.seed)).assign(score=score)
        for score, other in others.items()
    ]
    seeded = _compare(own, explain(view.member_for, explanation.seed + 1)).assign(score=SEEDS)
    by_stage = pd.concat(stages, ignore_index=True)
    table = summarise_means(by_stage, ["method", "stage", "layer"], explanation)
    table = table.rename(columns={"value": "rank_correlation"}).drop(columns="n_failed")
    cells = [stages[-1].drop(columns=["stage", "layer"]).assign(score=RANDOMISED), *compared]
    cells.append(seeded[seeded["method"] == SHAPLEY])
    return pd.concat(cells, ignore_index=True), RandomisedWeights.validate(table)


def _common_fold(samples: pd.DataFrame, others: Iterable[ExplainedModel | None]) -> int:
    """Fold of the models that explanations are held against; without one, the fold with most samples."""
    trained = [other.folds[0] for other in others if other is not None]
    most = [int(fold) for fold in samples["fold"].mode()]
    return [*trained, *most, 0][0]


def _untrained(own: pd.DataFrame, score: str) -> pd.DataFrame:
    """Say of every sample and method that there is no other model to compare with."""
    rows = own[["sample_id", "group_id", "method"]].drop_duplicates(ignore_index=True)
    return rows.assign(score=score, value=np.nan, reason=NOT_TRAINED)


def _explain_all(
    crops: CropStore,
    samples: pd.DataFrame,
    view: ExplainedModel,
    explanation: ExplanationSettings,
    member_for: MemberFor,
    seed: int,
) -> pd.DataFrame:
    """Explain samples by all methods of the network, by the members that are given."""
    channels, number = view.channels, view.outcome_number
    opened = open_samples(crops, samples, member_for, explanation, number, all_subsets(len(channels)))
    groups = samples.set_index("sample_id")["group_id"]
    with one_thread():
        parts = [
            rows.assign(sample_id=sample.sample_id, group_id=groups[sample.sample_id])
            for sample in tqdm(opened, total=len(samples), desc="Explaining again", disable=None)
            for rows in attribute_sample(sample, channels, number, explanation, seed)
        ]
    return pd.concat(parts, ignore_index=True)


def attribute_sample(
    sample: OpenedSample, channels: tuple[str, ...], outcome_number: int, explanation: ExplanationSettings, seed: int
) -> Iterator[pd.DataFrame]:
    """Attribute one sample by every method that its member allows.

    Parameters
    ----------
    sample
        The sample, embedded under every subset of channels.
    channels
        Names of the channels.
    outcome_number
        Position of the outcome.
    explanation
        Windows occluded together, and orders of the players behind Shapley values.
    seed
        Seed of these orders.

    Yields
    ------
    pandas.DataFrame
        Columns of `Attributions` but `sample_id`.
    """
    occlusion = occlude(sample.game, sample.windows, channels, explanation.occluded_windows)
    yield occlusion[occlusion["method"] != OCCLUSION_CHANNEL]
    yield shapley_values(sample.game, sample.windows, channels, explanation.n_permutations, seed)
    if isinstance(sample.member, AttentiveMember):
        whole = [sample.game.embeddings_std[sample.game.subset_rows[-1]]], [sample.game.positions_t]
        for method, read in ((ATTENTION, sample.member.attention), (ROLLOUT, sample.member.rollout)):
            yield share_windows(method, read(*whole)[0][1:].astype(np.float64), sample.windows)
    if isinstance(sample.member, DifferentiableMember):
        yield gradient_times_input(sample, channels, outcome_number)


def _compare(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Correlate the parts of every sample and method: sample_id, group_id, method, value."""
    keys = ["sample_id", "group_id", "windows_back", "channel"]
    tables = []
    for method, rows in own.groupby("method", sort=False):
        first = rows.set_index(keys)["value"].rename("own")
        second = other[other["method"] == method].set_index(keys)["value"].rename("other")
        tables.append(correlate_parts(first, second).assign(method=method))
    return pd.concat(tables, ignore_index=True)
