"""How often prediction sets hold what comes to a landmark of a new group: at least the level, by number of groups.

2,000 draws. Groups differ in how often cells die and divide, in size, and in how far the forecast is off; cells are
lost, at a rate that is the group's own. The worst tenth of groups is told, since no set can promise it.
"""

from typing import Final

import numpy as np

from benchmarks.measure import print_table
from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray
from cellfate.statistics.conformal import find_threshold, list_members

N_DRAWS: Final = 2000
LEVEL: Final = 0.9
GROUPS: Final = (9, 10, 20, 40)
MOST_LANDMARKS: Final = 60


def main() -> bool:
    """Measure every number of groups; true when the mean reaches the level less two Monte Carlo errors."""
    rows, good = [], True
    for n_groups in GROUPS:
        held, undecided = measure(n_groups, N_DRAWS)
        error = float(held.std() / np.sqrt(len(held)))
        good &= bool(held.mean() >= LEVEL - 2 * error)
        worst = np.sort(held)[: len(held) // 10].mean()
        rows.append((n_groups, f"{held.mean():.3f}", f"{error:.3f}", f"{worst:.3f}", f"{undecided:.2f}"))
    print_table(("groups", "held", "error", "worst tenth of new groups", "undecided"), rows)
    return good


def measure(n_groups: int, n_draws: int) -> tuple[FloatArray, float]:
    """Share of each new group's landmarks whose set holds what came, (draws,); and the share undecided."""
    rng, held, undecided = np.random.default_rng(n_groups), np.zeros(n_draws), np.zeros(n_draws)
    for draw in range(n_draws):
        p_nk, truth_n, groups_n, weights_n = simulate(n_groups + 1, rng)
        told_n = groups_n < n_groups
        scores_n = 1 - p_nk[np.arange(len(truth_n)), truth_n]
        threshold = find_threshold(scores_n[told_n], groups_n[told_n], weights_n[told_n], LEVEL)
        members_nk = list_members(p_nk[~told_n], np.full((~told_n).sum(), threshold))
        held[draw] = _hold(members_nk, truth_n[~told_n]).mean()
        undecided[draw] = (members_nk.sum(axis=1) > 1).mean()
    return held, float(undecided.mean())


def simulate(n_groups: int, rng: np.random.Generator) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Forecasts of three outcomes, what came, groups, and weights: inverse probability of being known, or 0."""
    sizes_g = rng.integers(4, MOST_LANDMARKS, n_groups)
    groups_n = np.repeat(np.arange(n_groups), sizes_g)
    common_nk = np.array([-1.5, -1.0, 0.5]) + rng.normal(0, 1.2, (len(groups_n), 3))
    off_gk = rng.normal(0, 0.8, (n_groups, 3))
    truth_p = _softmax(common_nk + off_gk[groups_n])
    truth_n = (truth_p.cumsum(axis=1) < rng.random((len(groups_n), 1))).sum(axis=1).clip(max=2)
    watched_n = rng.uniform(0.4, 1.0, n_groups)[groups_n]
    known_n = rng.random(len(groups_n)) < watched_n
    return _softmax(1.4 * common_nk), truth_n, groups_n, known_n / watched_n


def _softmax(logits_nk: FloatArray) -> FloatArray:
    p_nk = np.exp(logits_nk)
    return np.asarray(p_nk / p_nk.sum(axis=1, keepdims=True), dtype=np.float64)


def _hold(members_nk: BoolArray, truth_n: IntArray) -> BoolArray:
    return np.asarray(members_nk[np.arange(len(truth_n)), truth_n], dtype=bool)
