"""Which test samples are explained."""

import numpy as np
import pandas as pd

from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.samples import draw_one_a_cell
from cellfate.core.errors import InputError


def select_explained_samples(
    samples: pd.DataFrame, splits: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Choose the test samples to explain, and their order.

    One sample a cell and outcome, chosen by chance, so that landmarks of one cell do not count as many cells. Outcomes
    take turns in the order, so that any first so many samples are spread over the outcomes.

    Parameters
    ----------
    samples, splits
        Tables `Samples` and `Splits`; with several folds a sample is explained by the member of the fold that tests it.
    explanation
        How many, and the seed.

    Returns
    -------
    pandas.DataFrame
        Table `Samples`, at most `max_attention_samples` rows in order of choice, with `fold` and two marks: `occluded`
        and `shapley`, the first `max_occlusion_samples` and `max_shapley_samples` of them.

    Raises
    ------
    InputError
        When no test sample has a known outcome.
    """
    tested = splits.loc[splits["part"] == "test", ["sample_id", "fold"]]
    known = samples[samples["outcome"].notna()].merge(tested, on="sample_id", validate="one_to_one")
    if known.empty:
        message = (
            f"None of {len(samples)} samples is in a test part with a known outcome, but at least one is needed to "
            "explain the model; give more recordings or a larger splits.test_share."
        )
        raise InputError(message)
    chosen = _take_turns(known, explanation)
    return chosen.assign(
        occluded=chosen.index < explanation.max_occlusion_samples,
        shapley=chosen.index < explanation.max_shapley_samples,
    )


def select_training_samples(
    samples: pd.DataFrame, splits: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Choose training samples whose attention is read, to be held apart from the test samples.

    Parameters
    ----------
    samples, splits
        Tables `Samples` and `Splits`; with several folds the training samples of the first one.
    explanation
        How many, and the seed.

    Returns
    -------
    pandas.DataFrame
        Table `Samples`, at most `max_attention_samples` rows in order of choice, with `fold`.
    """
    first = splits["fold"] == splits["fold"].min()
    trained = splits.loc[first & (splits["part"] == "train"), ["sample_id", "fold"]]
    known = samples[samples["outcome"].notna()].merge(trained, on="sample_id", validate="one_to_one")
    return _take_turns(known, explanation)


def _take_turns(known: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Draw one sample a cell and outcome, and let the outcomes take turns in the order."""
    one_a_cell = draw_one_a_cell(known, np.random.default_rng([explanation.seed, 3]))
    turn = one_a_cell.groupby("outcome").cumcount()
    ordered = one_a_cell.assign(turn=turn).sort_values(["turn", "outcome"], kind="stable").drop(columns="turn")
    return ordered.head(explanation.max_attention_samples).reset_index(drop=True)
