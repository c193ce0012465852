"""False positives of the tests of attention statistics, where attention and features know nothing of each other.

Both are autocorrelated series of their own: autoregressive of first order, or drifting. The valid test swaps attention
masks between cells; the naive one permutes the frames of a cell.
"""

import numpy as np

from benchmarks.measure import print_table
from cellfate.attribution.attention_statistics import AttentionCase, top_attention
from cellfate.attribution.attention_summary import swap_masks
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.statistics.permutation_tests import correct_p_values, draw_subsets, permutation_p_value

N_REPEATS, N_CELLS, N_FEATURES, N_NAIVE = 200, 40, 10, 400
LENGTHS = (40, 60)
LEVEL = 0.05
RATES = (0.03, 0.07)
SETTINGS = AttentionStatisticsSettings(n_swaps=499, min_swap_cells=20)
SERIES = {"AR .80": 0.8, "AR .90": 0.9, "AR .95": 0.95, "drifting": None}


def main() -> bool:
    """Simulate every kind of series; true when the rate of the valid test is within its limits for all of them."""
    rows, good = [], True
    for name, coefficient in SERIES.items():
        rng = np.random.default_rng(0)
        p_values = np.array([_swap_p_values(coefficient, rng) for _ in range(N_REPEATS)])
        passed = [int((correct_p_values(repeat) <= LEVEL).any()) for repeat in p_values]
        naive = np.mean([_naive_p_value(coefficient, rng) <= LEVEL for _ in range(N_NAIVE)])
        rate = float((p_values <= LEVEL).mean())
        error = float((p_values <= LEVEL).mean(axis=1).std() / np.sqrt(N_REPEATS))
        good &= RATES[0] <= rate <= RATES[1] and np.mean(passed) <= LEVEL + 2 * np.sqrt(LEVEL / N_REPEATS)
        rows.append((name, f"{rate:.3f} (se {error:.3f})", f"{np.mean(passed):.3f}", f"{naive:.3f}"))
    heads = ("series", "masks swapped, p <= .05", "any feature after correction", "frames permuted, p <= .05")
    print_table(heads, rows)
    print(f"{N_REPEATS} repeats of {N_CELLS} cells and {N_FEATURES} features; the first must lie in {RATES}")
    return bool(good)


def draw_series(n_frames: int, n_series: int, coefficient: float | None, rng: np.random.Generator) -> np.ndarray:
    """Autoregressive series of first order, or random walks with drifts where there is no coefficient, (T, S)."""
    steps = rng.normal(size=(n_frames, n_series))
    if coefficient is None:
        return np.cumsum(steps, axis=0) + np.arange(n_frames)[:, None] * rng.normal(0, 0.3, n_series)
    series = steps.copy()
    for t in range(1, n_frames):
        series[t] = coefficient * series[t - 1] + np.sqrt(1 - coefficient**2) * steps[t]
    return series


def _make_case(number: int, coefficient: float | None, rng: np.random.Generator) -> AttentionCase:
    """One cell: attention and features that know nothing of each other."""
    n_frames = int(rng.integers(*LENGTHS))
    scores = draw_series(n_frames, 1, coefficient, rng)[:, 0]
    attention = np.exp(scores) / np.exp(scores).sum()
    return AttentionCase(
        landmark_id=str(number), outcome="apoptosis", dose="Control", group_id=str(number),
        frames_back_t=np.arange(n_frames)[::-1].copy(), attention_t=attention, top_t=top_attention(attention),
        values_tf=draw_series(n_frames, N_FEATURES, coefficient, rng),
    )  # fmt: skip


def _swap_p_values(coefficient: float | None, rng: np.random.Generator) -> np.ndarray:
    """P values of all features in one study."""
    cases = [_make_case(number, coefficient, rng) for number in range(N_CELLS)]
    settings = SETTINGS.model_copy(update={"seed": int(rng.integers(1 << 31))})
    table = swap_masks(cases, tuple(map(str, range(N_FEATURES))), settings)
    return table.loc[table["dose"] == "all", "p_swap"].to_numpy(dtype=np.float64)


def _naive_p_value(coefficient: float | None, rng: np.random.Generator) -> float:
    """P value of one feature of one cell, its frames permuted."""
    case = _make_case(0, coefficient, rng)
    drawn = draw_subsets(len(case.top_t), int(case.top_t.sum()), 999, rng)
    return permutation_p_value(case.values_tf[:, 0], case.top_t, drawn)
