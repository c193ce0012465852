"""Which test samples are explained."""

import numpy as np
import pandas as pd

from cellfate.attribution.settings import ExplanationSettings
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
    generator = np.random.default_rng([explanation.seed, 3])
    shuffled = known.sort_values("sample_id").iloc[generator.permutation(len(known))]
    one_a_cell = shuffled.drop_duplicates(["recording_id", "cell_id", "outcome"])
    turn = one_a_cell.groupby("outcome").cumcount()
    ordered = one_a_cell.assign(turn=turn).sort_values(["turn", "outcome"], kind="stable").drop(columns="turn")
    chosen = ordered.head(explanation.max_attention_samples).reset_index(drop=True)
    return chosen.assign(
        occluded=chosen.index < explanation.max_occlusion_samples,
        shapley=chosen.index < explanation.max_shapley_samples,
    )
