"""Scores of shortened inputs: how early a fate can be known, and how much of a track that takes."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.tables import EVERYTHING, MaskingCurves
from cellfate.metrics.forecasts import call_outcomes, encode_outcomes
from cellfate.metrics.masking import KEEP_LAST, REMOVE_LAST
from cellfate.metrics.settings import MaskingSettings, ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, number_groups, summarise


def score_masking(
    masked_predictions: pd.DataFrame, samples: pd.DataFrame, masking: MaskingSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Score shortened inputs along the curves, on a cohort that stays the same and on one that shrinks.

    Parameters
    ----------
    masked_predictions
        Table `MaskedPredictions`.
    samples
        Table `Samples`.
    masking
        The points of the curves.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `MaskingCurves`. Cohort `fixed`: samples longer than the largest k of the experiment, the same at every
        point. Cohort `shrinking`: every sample with a frame left, as published; when the end is removed the short ones
        drop out point by point, when the end is kept they stay whole. Recall is given per outcome, with its own
        `n_samples`; other scores over all. NaN and one warning where a cohort lacks an outcome.
    """
    outcomes = listed_outcomes(masked_predictions.columns)
    known = samples.dropna(subset=["outcome"])[["sample_id", "outcome", "group_id", "n_frames"]]
    joined = masked_predictions.merge(known, on="sample_id", how="inner", validate="many_to_one")
    largest_k = np.where(
        joined["experiment"] == REMOVE_LAST, max(masking.remove_last_frames), max(masking.keep_last_frames)
    )
    long_enough = joined["n_frames"].to_numpy() > largest_k
    rows = [
        {"experiment": experiment, "cohort": cohort, "k_frames": k_frames, **row}
        for cohort, members in (("fixed", joined[long_enough]), ("shrinking", joined))
        for experiment, points in ((REMOVE_LAST, masking.remove_last_frames), (KEEP_LAST, masking.keep_last_frames))
        for k_frames in points
        for row in _score_point(_at(members, experiment, k_frames), outcomes, scores)
    ]
    table = pd.DataFrame(rows, columns=list(MaskingCurves.to_schema().columns))
    if table["estimate"].isna().any():
        undefined = table[table["estimate"].isna()]
        curves = undefined.drop_duplicates(["experiment", "cohort"]).to_dict("records")
        named = "; ".join(f"{c['experiment']}, {c['cohort']} cohort, from k = {c['k_frames']} on" for c in curves)
        warnings.warn(
            f"Masking scores are undefined and stay NaN where a cohort lacks an outcome: {named}.", stacklevel=2
        )
    return table


def _at(members: pd.DataFrame, experiment: str, k_frames: int) -> pd.DataFrame:
    return members[(members["experiment"] == experiment) & (members["k_frames"] == k_frames)]


def _score_point(
    members: pd.DataFrame, outcomes: tuple[str, ...], settings: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one point of a curve."""
    truth_n = encode_outcomes(members["outcome"], outcomes)
    probabilities_nk = members[[probability_column(name) for name in outcomes]].to_numpy(np.float64)
    groups_n = number_groups(members["group_id"].to_numpy(object))
    n_groups = len(np.unique(groups_n))
    counts_rg = draw_groups(max(1, n_groups), settings.n_resamples, settings.seed)
    for (metric, outcome), values_r in _curve_scores(truth_n, probabilities_nk, groups_n, counts_rg, outcomes).items():
        kept_n = (
            np.ones(len(members), dtype=bool) if outcome == EVERYTHING else members["outcome"].to_numpy() == outcome
        )
        yield {
            "metric": metric,
            "outcome": outcome,
            **summarise(values_r, settings.confidence, n_groups)._asdict(),
            "n_samples": int(kept_n.sum()),
            "n_groups": len(np.unique(groups_n[kept_n])),
        }


def _curve_scores(
    truth_n: IntArray,
    probabilities_nk: FloatArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    outcomes: tuple[str, ...],
) -> dict[tuple[str, str], FloatArray]:
    k = len(outcomes)
    confusion = score.count_confusion(truth_n, call_outcomes(probabilities_nk), groups_n, counts_rg, k)
    aurocs = [score.auroc(probabilities_nk[:, c], truth_n == c, groups_n, counts_rg) for c in range(1 if k == 2 else k)]
    by_outcome = score.recall(confusion)
    return {
        ("balanced_accuracy", EVERYTHING): score.balanced_accuracy(confusion),
        ("macro_f1", EVERYTHING): score.macro_f1(confusion),
        ("auroc", EVERYTHING): np.mean(aurocs, axis=0),
        **{("recall", outcome): by_outcome[:, i] for i, outcome in enumerate(outcomes)},
    }
