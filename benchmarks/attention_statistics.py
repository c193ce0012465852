"""Attention statistics beside SciPy's permutation test, and at the published size (8,402 cells, 10 features)."""

import time

import numpy as np
from scipy.stats import permutation_test

from benchmarks.measure import print_table
from cellfate.statistics.effect_sizes import cliffs_delta
from cellfate.statistics.permutation_tests import draw_subsets, permutation_p_value

N_RESAMPLES, N_COMPARED = 50_000, 5
PUBLISHED_CELLS, PUBLISHED_FEATURES, MEASURED_CELLS = 8402, 10, 60
LENGTHS = (50, 186)
MOST_MINUTES = 15.0


def main() -> bool:
    """Compare with SciPy cell by cell, then measure some cells of the published size and scale up."""
    rng = np.random.default_rng(0)
    rows, good = [], True
    seconds = np.zeros(2)
    for cell in range(N_COMPARED):
        values, top = make_cell(rng)
        started = time.process_time()
        ours = permutation_p_value(values, top, draw_subsets(len(values), int(top.sum()), N_RESAMPLES, rng))
        between = time.process_time()
        theirs = permutation_test(
            (values[top], values[~top]), lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis), vectorized=True,
            n_resamples=N_RESAMPLES, rng=rng,
        ).pvalue  # fmt: skip
        seconds += between - started, time.process_time() - between
        delta = float(cliffs_delta(values[:, None], top[None])[0, 0])
        brute = np.sign(values[top][:, None] - values[~top]).mean()
        error = 4 * np.sqrt(2 * max(theirs, 1 / N_RESAMPLES) / N_RESAMPLES) * 2
        good &= abs(delta - brute) < 1e-12 and abs(ours - theirs) <= error
        rows.append((cell, f"{ours:.4f}", f"{theirs:.4f}", f"{error:.4f}", f"{abs(delta - brute):.0e}"))
    print_table(("cell", "p", "p of SciPy", "Monte-Carlo error allowed", "delta minus brute force"), rows)
    print(f"CPU time of SciPy / ours: {seconds[1] / seconds[0]:.1f}")
    return good & _measure_published(rng)


def make_cell(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Values of one feature and a tenth of the frames marked as top."""
    n_frames = int(rng.integers(*LENGTHS))
    top = np.zeros(n_frames, dtype=bool)
    top[rng.choice(n_frames, (n_frames - 1) // 10 + 1, replace=False)] = True
    return rng.normal(size=n_frames) + 0.4 * top, top


def _measure_published(rng: np.random.Generator) -> bool:
    """Time some cells with all their features, as compare_top_attention_frames does it, and scale to all cells."""
    started = time.process_time()
    for _ in range(MEASURED_CELLS):
        values, top = make_cell(rng)
        drawn = draw_subsets(len(values), int(top.sum()), N_RESAMPLES, rng)
        for _ in range(PUBLISHED_FEATURES):
            permutation_p_value(rng.permutation(values), top, drawn)
    minutes = (time.process_time() - started) * PUBLISHED_CELLS / MEASURED_CELLS / 60
    print(f"published size, scaled from {MEASURED_CELLS} cells: {minutes:.1f} CPU min (at most {MOST_MINUTES})")
    return minutes <= MOST_MINUTES
