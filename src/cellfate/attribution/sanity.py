"""Sanity: an attribution must change when the model does, and must not when only the seed does.

The samples are explained again by the model with its layers randomised one after the other, by a model trained on
permuted outcomes, by a model trained again with another seed, and, for Shapley values, with other orders of the
players. What is compared is the order of the parts of each sample (Adebayo et al. 2018).
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.attribution.agreement import correlate_parts
from cellfate.attribution.explaining import one_thread
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gathering import share_windows
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.intervals import summarise_means
from cellfate.attribution.methods import ATTENTION, OCCLUSION_CHANNEL, ROLLOUT, SHAPLEY
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import (
    AttentiveMember,
    DifferentiableMember,
    ExplainedMember,
    OpenedSample,
    explained_outcome,
    open_samples,
)
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.tables import AttributionCells, RandomisedWeights
from cellfate.prediction import TrainedModel, load_fold
from cellfate.prediction.randomised import randomise_layers
from cellfate.sequences.store import CropStore

RANDOMISED: Final = "randomised_weights"
PERMUTED: Final = "label_permuted"
RETRAINED: Final = "retrained"
SEEDS: Final = "seed_stability"


def check_sanity(
    crops: CropStore,
    explained_samples: pd.DataFrame,
    model: TrainedModel,
    permuted_model: TrainedModel,
    retrained_model: TrainedModel,
    explanation: ExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Explain samples again by models that are not the trained one, and compare.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples
        Table of `selection.select_explained_samples`; the first `max_sanity_samples` of the fold the two other models
        were trained in. With none of them the tables are empty.
    model, permuted_model, retrained_model
        The trained model; one trained on permuted outcomes; one trained again with another seed.
    explanation
        Windows, orders of the players, seed, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, scores `randomised_weights` (all layers), `label_permuted`, `retrained` and
        `seed_stability`: rank correlation with the values of the trained model.
    table : pandas.DataFrame
        Table `RandomisedWeights`.
    """
    fold = permuted_model.config.members[0].fold
    chosen = explained_samples[explained_samples["fold"] == fold].head(explanation.max_sanity_samples)
    if chosen.empty:
        return AttributionCells.empty(), RandomisedWeights.empty()
    explain = partial(_explain_all, crops, chosen, model.config.channels, model.config.outcomes, explanation)
    trained = load_fold(model, fold)
    own = explain(trained, explanation.seed)
    stages = [_compare(own, own).assign(stage=0, layer="none")]
    for stage, (layer, member) in enumerate(randomise_layers(trained, explanation.seed), start=1):
        stages.append(_compare(own, explain(member, explanation.seed)).assign(stage=stage, layer=layer))
    others: dict[str, tuple[ExplainedMember, int]] = {
        PERMUTED: (load_fold(permuted_model, fold), explanation.seed),
        RETRAINED: (load_fold(retrained_model, fold), explanation.seed),
        SEEDS: (trained, explanation.seed + 1),
    }
    compared = [_compare(own, explain(member, seed)).assign(score=score) for score, (member, seed) in others.items()]
    seeded = compared.pop()
    by_stage = pd.concat(stages, ignore_index=True)
    table = summarise_means(by_stage, ["method", "stage", "layer"], explanation)
    table = table.rename(columns={"value": "rank_correlation"}).drop(columns="n_failed")
    cells = [stages[-1].drop(columns=["stage", "layer"]).assign(score=RANDOMISED), *compared]
    cells.append(seeded[seeded["method"] == SHAPLEY])
    return pd.concat(cells, ignore_index=True), RandomisedWeights.validate(table)


def _explain_all(
    crops: CropStore,
    samples: pd.DataFrame,
    channels: tuple[str, ...],
    outcomes: tuple[str, ...],
    explanation: ExplanationSettings,
    member: ExplainedMember,
    seed: int,
) -> pd.DataFrame:
    """Explain samples by all methods of the network, by one member."""
    number = explained_outcome(outcomes, explanation.outcome)
    opened = open_samples(
        crops,
        samples,
        dict.fromkeys(samples["fold"], member).__getitem__,
        explanation,
        number,
        all_subsets(len(channels)),
    )
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
