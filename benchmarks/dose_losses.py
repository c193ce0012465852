"""Error of AUROC and observed share where more cells are lost at one dose than at the other: 200 draws.

At the high dose cells die three times as fast and are lost seven times as fast. The truth is what the same cells would
show had nobody been lost. Beside it, what one chance of being watched for all doses gives, as before.
"""

from typing import Final
from unittest.mock import patch

import numpy as np

from benchmarks.measure import print_table
from cellfate.statistics import censoring
from cellfate.statistics import scores as score
from cellfate.statistics.aalen_johansen import standardised_incidence

N_DRAWS, N_CELLS, WITHIN_H = 200, 1500, 5.0
MOST_ERROR: Final = 0.005
NAMES: Final = ("AUROC", "observed share, weights", "observed share, Aalen-Johansen")


def main() -> bool:
    """Measure both ways; true when the mean errors of the weights by dose are within the bound."""
    by_dose, pooled = _measure(), {}
    with patch.object(censoring, "LEAST_LOSSES", N_CELLS):
        pooled = _measure()
    rows = [
        (name, *(f"{means.mean():+.4f} (se {means.std() / np.sqrt(N_DRAWS):.4f})" for means in (by_dose[n], pooled[n])))
        for n, name in enumerate(NAMES)
    ]
    print_table(("mean error of", "weights by dose", "one weight for all"), rows)
    return bool((np.abs(by_dose.mean(axis=1)) <= MOST_ERROR).all())


def _measure() -> np.ndarray:
    """Errors of every name and draw."""
    rng = np.random.default_rng(12)
    return np.array([_draw(rng) for _ in range(N_DRAWS)]).T


def _draw(rng: np.random.Generator) -> tuple[float, float, float]:
    """Errors of one study."""
    high = rng.random(N_CELLS) < 0.5
    risk = np.exp(rng.normal(0, 0.8, N_CELLS)) * np.where(high, 0.45, 0.15)
    event_h, lost_h = rng.exponential(1 / risk), rng.exponential(np.where(high, 2.5, 18.0))
    time, event = np.minimum(event_h, lost_h), (event_h <= lost_h).astype(int)
    found = censoring.list_outcomes(time, event, np.full(N_CELLS, np.inf), WITHIN_H, high)
    known, died = found.event_n >= 0, event_h <= WITHIN_H
    groups, once = np.zeros(N_CELLS, dtype=int), np.ones((1, 1))
    weighted = score.auroc(risk[known], found.event_n[known] == 1, groups[known], once, found.weights_n[known])[0]
    share = found.weights_n[found.event_n == 1].sum() / found.weights_n.sum()
    observed = standardised_incidence(time, event, 1, [WITHIN_H], found.strata_n, groups, once)[0, 0, 0]
    truth = score.auroc(risk, died, groups, once)[0]
    return weighted - truth, share - died.mean(), observed - died.mean()
