"""Scores over trainings from several seeds: what another training would give, and what this procedure gives on average.

Array suffixes: s seeds, r rows of counts.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import REFERENCES
from cellfate.core.tables import SeedScores
from cellfate.metrics.comparisons import best_of, leading_predictors
from cellfate.metrics.forecasts import Asked, read_forecasts, require_same_landmarks
from cellfate.metrics.scoring import Values, compare_scores
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.undefined import reason_against
from cellfate.statistics.bootstrap import Estimate, FloatArray, draw_groups
from cellfate.statistics.seeds import LEAST_SEEDS, summarise_seeds

TWO_SEEDS = f"no interval: {LEAST_SEEDS} seeds at least tell how much they differ"


def score_seeds(
    forecasts: pd.DataFrame,
    classifier_seed_forecasts: pd.DataFrame,
    clock_seed_forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Score the trainings from all seeds together, and hold the leading predictors against the best reference.

    Parameters
    ----------
    forecasts
        Table `Forecasts`: the kept models, from the first seed, and the references.
    classifier_seed_forecasts, clock_seed_forecasts
        Tables `SeedForecasts` of the further seeds.
    landmarks, follow_up, scores
        As of `scoring.score_forecasts`.

    Returns
    -------
    DataFrame
        Table `SeedScores`; without rows where each model was trained once. The scores are those of `comparisons`, over
        all test landmarks. The reference is the best of all without a network, by this score on these landmarks.
    """
    further: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for table in (classifier_seed_forecasts, clock_seed_forecasts):
        for _, rows in table.groupby("seed"):
            for asked in read_forecasts(rows, landmarks, follow_up):
                further[_key(asked)].append(asked)
    found: list[dict[str, object]] = []
    if further:
        kept = read_forecasts(forecasts, landmarks, follow_up)
        for first in (one for one in kept if _key(one) in further):
            beside = [one for one in kept if _key(one)[1] == _key(first)[1]]
            found += _score([first, *further[_key(first)]], beside, scores)
    return pd.DataFrame(found, columns=list(SeedScores.to_schema().columns))


def _key(asked: Asked) -> tuple[str, str]:
    """Predictor and question; the hours as text, because NaN is not equal to itself."""
    return asked.predictor, str(asked.within_h)


def _score(asked_s: list[Asked], beside: list[Asked], settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one predictor and question: its scores and, where it leads, its differences to the best reference."""
    leads = asked_s[0].predictor in leading_predictors([one.predictor for one in beside])
    references = [one for one in beside if one.predictor in REFERENCES] if leads else []
    require_same_landmarks([*asked_s, *references])
    known = asked_s[0].known()
    counts_rg = draw_groups(known.n_groups, settings.n_resamples, settings.seed)
    values_s = [compare_scores(asked.known(), counts_rg) for asked in asked_s]
    held_against = {one.predictor: compare_scores(one.known(), counts_rg) for one in references}
    for key in values_s[0]:
        values_sr = np.stack([values[key] for values in values_s])
        yield _tidy(known, key, None, values_sr, settings)
        best = _find_best(held_against, key)
        if best is not None:
            yield _tidy(known, key, best, values_sr - held_against[best][key], settings)


def _find_best(values: dict[str, Values], key: tuple[str, str]) -> str | None:
    return best_of(REFERENCES, key[0], {name: float(of[key][0]) for name, of in values.items()})


def _tidy(
    known: Asked, key: tuple[str, str], reference: str | None, values_sr: FloatArray, settings: ScoreSettings
) -> dict[str, object]:
    n_event_groups = known.count_event_groups(key[1])
    found = summarise_seeds(values_sr, settings.confidence, n_event_groups)
    least = 0.0 if reference is None else -1.0  # each of these scores lies between 0 and 1
    bounds = {name: float(np.clip(value, least, 1.0)) for name, value in found._asdict().items() if "_" in name}
    reason = reason_against(known, *key, Estimate(found.mean, found.another_low, found.another_high))
    return {
        "predictor": known.predictor,
        "reference": reference,
        "within_h": known.within_h,
        **dict(zip(("metric", "outcome"), key, strict=True)),
        "n_seeds": len(values_sr),
        "kept": float(values_sr[0, 0]),
        **found._asdict(),
        **bounds,
        "n_groups": known.n_groups,
        "n_event_groups": n_event_groups,
        "reason": TWO_SEEDS if np.isfinite(found.mean) and len(values_sr) < LEAST_SEEDS else reason,
    }
