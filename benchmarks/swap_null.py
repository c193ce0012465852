"""False claims of the attention statistics, where attention and features know nothing of each other.

Both are autocorrelated series, of the cell and partly of its group (two outcomes, all cells of a group aligned at the
event). The test in use lays masks of cells of other groups on a cell and resamples groups; the one before it swapped
masks between cells; the naive one permutes the frames of a cell. Claims are corrected p at most .05 over all outcomes,
doses and features that the report shows.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from benchmarks.measure import print_table
from cellfate.attribution.attention_statistics import AttentionCase, top_attention
from cellfate.attribution.attention_summary import KEYS, compare_with_strangers
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core.tables import EVERYTHING
from cellfate.statistics.effect_sizes import cliffs_delta
from cellfate.statistics.permutation_tests import correct_p_values, draw_subsets, permutation_p_value, two_sided_p

N_REPEATS, N_FEATURES, N_TRUE, N_SWAPS, N_NAIVE = 100, 8, 2, 499, 400
LENGTHS, LEVEL, EFFECT = (40, 60), 0.05, 0.5
GROUPS = {"10 groups": (3, 2, 3, 2), "24 groups": (6, 6, 6, 6)}
"""Groups of each of four doses."""
CELLS = {"10 groups": 8, "24 groups": 4}
"""Cells of a group and outcome, more or less."""
SERIES = {"AR .90": 0.9, "drifting": None}
SHARED = (0.0, 0.3, 0.7)
"""Share of the variance of attention and of features that is the group's."""
RATES, MOST_FALSE = (0.03, 0.075), LEVEL + 2 * np.sqrt(LEVEL / N_REPEATS)
"""Limits of the share of p at most .05, and of the share of claims that are false, with two standard errors."""
SETTINGS = AttentionStatisticsSettings(n_bootstrap=499)
FEATURES = tuple(map(str, range(N_FEATURES)))


def main() -> bool:
    """Simulate every kind of study; true when the test in use keeps its level and its share of false claims."""
    rows, good = [], True
    for (name, groups), series, shared in itertools.product(GROUPS.items(), SERIES, SHARED):
        rates, false, power = [], {"nothing": [], "two": []}, []
        for effect, kind in ((0.0, "nothing"), (EFFECT, "two")):
            rng = np.random.default_rng(0)
            for _ in range(N_REPEATS):
                cases = simulate(groups, CELLS[name], shared, SERIES[series], effect, rng)
                both = [_judge(table, effect > 0) for table in (swap_cells(cases, rng), _compare(cases, rng))]
                false[kind].append([one[0] for one in both])
                if effect:
                    power.append([one[1] for one in both])
                else:
                    rates.append([one[2] for one in both])
        before, now = np.mean(rates, axis=0)
        nothing, two = (np.mean(false[kind], axis=0) for kind in ("nothing", "two"))
        found = np.mean(power, axis=0)
        good &= RATES[0] <= now <= RATES[1] and max(nothing[1], two[1]) <= MOST_FALSE
        values = (before, now, *nothing, *two, *found)
        rows.append((f"{name}, {series}, {shared:.0%} shared", *(f"{value:.3f}" for value in values)))
    tests = ("before", "now")
    heads = [f"{what}, {test}" for what in ("p <= .05", "claims false, nothing true", "the same, 2 of 8 true", "found")
             for test in tests]  # fmt: skip
    print_table(("study", *heads), rows)
    rng = np.random.default_rng(0)
    for series, coefficient in SERIES.items():
        naive = np.mean([_naive_p_value(coefficient, rng) <= LEVEL for _ in range(N_NAIVE)])
        print(f"frames permuted, {series}: p <= .05 in {naive:.3f}")
    return bool(good)


def draw_series(n_frames: int, coefficient: float | None, rng: np.random.Generator) -> np.ndarray:
    """Attention and features as autoregressive series of first order, or random walks with drifts, (T, 1 + F)."""
    steps = rng.normal(size=(n_frames, 1 + N_FEATURES))
    if coefficient is None:
        drift = np.arange(n_frames)[:, None] * rng.normal(0, 0.3, 1 + N_FEATURES)
        return (np.cumsum(steps, axis=0) + drift) / np.sqrt(n_frames / 2)
    steps[1:] *= np.sqrt(1 - coefficient**2)
    return np.asarray(lfilter([1], [1, -coefficient], steps, axis=0))


def simulate(
    groups: tuple[int, ...], n_cells: int, shared: float, coefficient: float | None, effect: float,
    rng: np.random.Generator,
) -> list[AttentionCase]:  # fmt: skip
    """Cells of groups of four doses; the first `N_TRUE` features follow attention as far as there is an effect."""
    cases = []
    for dose, n_groups in enumerate(groups):
        for outcome, group in itertools.product(("apoptosis", "mitosis"), range(n_groups)):
            common = draw_series(LENGTHS[1], coefficient, rng)
            for _ in range(rng.integers(n_cells - 2, n_cells + 3)):
                n_frames = int(rng.integers(LENGTHS[0], LENGTHS[1] + 1))
                own = draw_series(n_frames, coefficient, rng)
                series = np.sqrt(1 - shared) * own + np.sqrt(shared) * common[-n_frames:]
                series[:, 1 : 1 + N_TRUE] += effect * series[:, :1]
                facts = (str(len(cases)), outcome, str(dose), f"{dose} {group}")
                attention = series[:, 0]
                back = np.arange(n_frames)[::-1].copy()
                cases.append(AttentionCase(*facts, back, attention, top_attention(attention), series[:, 1:]))
    return cases


def swap_cells(cases: list[AttentionCase], rng: np.random.Generator) -> pd.DataFrame:
    """Swap masks between cells of one outcome, dose and about one length, groups or not: the test before."""
    rows = []
    for outcome in ("apoptosis", "mitosis"):
        parts = {}
        for dose in sorted({case.dose for case in cases}):
            parts[dose] = _swap_within([c for c in cases if (c.outcome, c.dose) == (outcome, dose)], rng)
        observed, null = zip(*parts.values(), strict=True)
        parts[EVERYTHING] = np.concatenate(observed), np.concatenate(null, axis=1)
        for dose, (own_jf, null_rjf) in parts.items():
            enough = len(own_jf) >= SETTINGS.min_swap_cells
            medians, null_rf = np.median(own_jf, axis=0), np.nanmedian(null_rjf, axis=1)
            for feature, name in enumerate(FEATURES):
                p = two_sided_p(null_rf[:, feature], float(medians[feature]), 1e-12) if enough else np.nan
                rows.append((outcome, dose, name, p))
    return pd.DataFrame(rows, columns=[*KEYS, "p_swap"])


def _swap_within(cases: list[AttentionCase], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    masks = np.zeros((len(cases), LENGTHS[1]), dtype=bool)
    for mask, case in zip(masks, cases, strict=True):
        mask[case.frames_back_t[case.top_t]] = True
    crossed = np.stack([cliffs_delta(case.values_tf, masks[:, case.frames_back_t]) for case in cases])
    order = np.argsort([len(case.top_t) for case in cases], kind="stable")
    partners = np.tile(np.arange(len(cases)), (N_SWAPS, 1))
    for members in np.array_split(order, max(1, len(order) // 10)):
        partners[:, members] = rng.permuted(partners[:, members], axis=1)
    own = np.arange(len(cases))
    return crossed[own, own], crossed[own, partners]


def _compare(cases: list[AttentionCase], rng: np.random.Generator) -> pd.DataFrame:
    settings = SETTINGS.model_copy(update={"seed": int(rng.integers(1 << 31))})
    return compare_with_strangers(cases, FEATURES, settings)


def _judge(table: pd.DataFrame, some_true: bool) -> tuple[float, float, float]:
    """Share of the claims that are false, share of the truths that are found, and of the other p under the level."""
    p_values = table["p_swap"].to_numpy(np.float64)
    tested = ~np.isnan(p_values)
    true = some_true & (table["feature"].astype(int) < N_TRUE).to_numpy()
    claimed = correct_p_values(p_values) <= LEVEL
    false_share = (claimed & ~true).sum() / max(1, claimed.sum())
    found = (claimed & true).sum() / max(1, (tested & true).sum())
    return false_share, found, (p_values[tested & ~true] <= LEVEL).mean()


def _naive_p_value(coefficient: float | None, rng: np.random.Generator) -> float:
    """P value of one feature of one cell, its frames permuted."""
    series = draw_series(int(rng.integers(*LENGTHS)), coefficient, rng)
    top = top_attention(series[:, 0])
    return permutation_p_value(series[:, 1], top, draw_subsets(len(top), int(top.sum()), 999, rng))


if __name__ == "__main__":
    main()
