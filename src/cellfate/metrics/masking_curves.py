"""Scores of shortened inputs: how early a fate can be known, and how much of a track that takes."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.tables import EVERYTHING, FRAME, MaskingCurves
from cellfate.metrics.masking import REMOVE_LAST, list_points
from cellfate.metrics.settings import MaskingSettings, ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import draw_groups, number_groups, summarise
from cellfate.statistics.incidence import number_events


def score_masking(
    masked_forecasts: pd.DataFrame, landmarks: pd.DataFrame, masking: MaskingSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Score shortened inputs along the curves, on a cohort that stays the same and on one that shrinks.

    Parameters
    ----------
    masked_forecasts
        Table `MaskedForecasts`.
    landmarks
        Table `Landmarks`.
    masking
        The points of the curves.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `MaskingCurves`. Cohort `fixed`: cells shown for longer than the largest k of the experiment, the same at
        every point. Cohort `shrinking`: every cell with a frame left, as published; when the end is removed the short
        ones drop out point by point, when the end is kept they stay whole. Recall is given per outcome, with its own
        `n_landmarks`; other scores over all. NaN and one warning where a cohort lacks an outcome. Without rows where
        nothing was forecast.
    """
    outcomes = listed_outcomes(masked_forecasts.columns)
    known = landmarks.rename(columns={"last_frame": "frame"})[[*FRAME, "fate", "group_id", "n_frames"]]
    joined = masked_forecasts.merge(known, on=FRAME, how="inner", validate="many_to_one")
    largest_k = np.where(
        joined["experiment"] == REMOVE_LAST, max(masking.remove_last_frames), max(masking.keep_last_frames)
    )
    long_enough = joined["n_frames"].to_numpy() > largest_k
    rows = [
        {"experiment": experiment, "cohort": cohort, "k_frames": k_frames, **row}
        for cohort, members in (("fixed", joined[long_enough]), ("shrinking", joined))
        for experiment, k_frames in (list_points(masking) if len(joined) else ())
        for row in _score_point(members, experiment, k_frames, outcomes, scores)
    ]
    table = pd.DataFrame(rows, columns=list(MaskingCurves.to_schema().columns))
    undefined = table[table["estimate"].isna()]
    if len(undefined):
        curves = undefined.drop_duplicates(["experiment", "cohort"]).to_dict("records")
        named = "; ".join(f"{c['experiment']}, {c['cohort']} cohort, from k = {c['k_frames']} on" for c in curves)
        warnings.warn(
            f"Masking scores are undefined and stay NaN where a cohort lacks an outcome: {named}.", stacklevel=2
        )
    return table


def _score_point(
    cohort: pd.DataFrame, experiment: str, k_frames: int, outcomes: tuple[str, ...], settings: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one point of a curve."""
    members = cohort[(cohort["experiment"] == experiment) & (cohort["k_frames"] == k_frames)]
    probabilities_nk = members[[probability_column(name) for name in outcomes]].to_numpy(np.float64)
    truth_n, calls_n = number_events(members["fate"], outcomes) - 1, probabilities_nk.argmax(axis=1).astype(np.int64)
    groups_n = number_groups(members["group_id"].to_numpy(object))
    n_groups = len(np.unique(groups_n))
    counts_rg = draw_groups(n_groups, settings.n_resamples, settings.seed)
    confusion_rkk = score.count_confusion(truth_n, calls_n, groups_n, counts_rg, len(outcomes))
    recall_rk = score.recall(confusion_rkk)
    values = {
        ("balanced_accuracy", EVERYTHING): score.balanced_accuracy(confusion_rkk),
        ("macro_f1", EVERYTHING): score.macro_f1(confusion_rkk),
        # the AUROC of the second of two fates is that of the first
        ("auroc", outcomes[0]): score.auroc(probabilities_nk[:, 0], truth_n == 0, groups_n, counts_rg),
        **{("recall", outcome): recall_rk[:, place] for place, outcome in enumerate(outcomes)},
    }
    for (metric, outcome), values_r in values.items():
        kept_n = truth_n == outcomes.index(outcome) if metric == "recall" else np.ones(len(members), dtype=bool)
        held = [len(np.unique(groups_n[kept_n & (truth_n == place)])) for place in np.unique(truth_n[kept_n])]
        yield {
            "metric": metric,
            "outcome": outcome,
            **summarise(values_r, settings.confidence, min(held, default=0))._asdict(),
            "n_landmarks": int(kept_n.sum()),
            "n_groups": len(np.unique(groups_n[kept_n])),
        }
