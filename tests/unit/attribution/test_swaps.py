"""Swapping masks between cells: right when attention only follows the clock, and when it follows the cell."""

import numpy as np
import pytest

from cellfate.attribution.attention_statistics import AttentionCase, top_attention
from cellfate.attribution.attention_summary import crossed_deltas, length_bins, swap_masks
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.statistics.effect_sizes import cliffs_delta

SETTINGS = AttentionStatisticsSettings(n_swaps=399)


def case(number: int, values: np.ndarray, attention: np.ndarray, dose: str = "Low") -> AttentionCase:
    n = len(values)
    back = np.arange(n)[::-1] + 3
    return AttentionCase(
        f"s{number}", "mitosis", dose, "r", back, attention, top_attention(attention), values[:, None].astype(float)
    )


def smooth(rng: np.random.Generator, n: int) -> np.ndarray:
    """An autocorrelated trace."""
    return np.convolve(rng.normal(size=n + 20), np.ones(15) / 15, mode="same")[:n]


def cohort(n_cells: int, follows_cell: bool, seed: int) -> list[AttentionCase]:
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(n_cells):
        values = smooth(rng, 40)
        attention = values - values.min() if follows_cell else np.arange(40.0)
        cases.append(case(number, values, attention + 1e-6 * rng.random(40)))
    return cases


def test_attention_that_follows_the_cell_is_found() -> None:
    table = swap_masks(cohort(24, follows_cell=True, seed=0), ("area",), SETTINGS)
    assert (table["p_swap"] <= 0.01).all()
    assert table["dose"].tolist() == ["Low", "all"]


def test_attention_that_follows_the_clock_is_not() -> None:
    p_values = [
        swap_masks(cohort(24, follows_cell=False, seed=seed), ("area",), SETTINGS)["p_swap"].iloc[0]
        for seed in range(10)
    ]
    # all masks are alike, so no swap changes anything
    assert min(p_values) == 1.0


def test_under_twenty_cells_there_is_no_p() -> None:
    assert swap_masks(cohort(19, follows_cell=True, seed=0), ("area",), SETTINGS)["p_swap"].isna().all()


def test_masks_are_aligned_at_the_event() -> None:
    rng = np.random.default_rng(0)
    long, short = rng.normal(size=30), rng.normal(size=20)
    late = np.arange(30.0)
    deltas = crossed_deltas([case(0, long, late), case(1, short, np.arange(20.0))])
    last_three = np.arange(20) >= 17
    assert deltas[1, 0, 0] == pytest.approx(cliffs_delta(short[:, None], last_three[None])[0, 0])
    early = crossed_deltas([case(0, long, late[::-1]), case(1, short, np.arange(20.0))])
    assert np.isnan(early[1, 0, 0])  # the stranger's frames lie before this cell's first


def test_length_bins_hold_neighbours_in_length() -> None:
    bins = length_bins([5, 50, 7, 40, 6, 45], 3)
    assert [sorted(members.tolist()) for members in bins] == [[0, 2, 4], [1, 3, 5]]
    assert len(length_bins([1, 2], 10)) == 1
