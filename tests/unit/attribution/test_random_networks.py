"""What random networks say beside the trained one, and what chance gives, on values whose order is known."""

import numpy as np
import pandas as pd

from cellfate.attribution.random_networks import FEW_PARTS, N_PERMUTED, correlate_by_chance


def table(values_np: np.ndarray) -> pd.DataFrame:
    """Values of cells by part, the parts being windows."""
    rows = [
        {"landmark_id": f"{n}", "group_id": "g", "method": "m", "windows_back": p, "channel": "all", "value": value}
        for n, values_p in enumerate(values_np)
        for p, value in enumerate(values_p)
        if np.isfinite(value)
    ]
    return pd.DataFrame(rows)


def scores_of(own: np.ndarray, *networks: np.ndarray) -> pd.DataFrame:
    cells = correlate_by_chance(table(own), [table(values) for values in networks], 0)
    return cells.pivot_table(index="landmark_id", columns="score", values="value", dropna=False)


def test_the_correlation_is_the_mean_over_networks():
    rising = np.tile(np.arange(8.0), (3, 1))
    half = np.array([[1, 0, 3, 2, 5, 4, 7, 6.0]] * 3)  # rank correlation 1 - 6 * 8 / (8 * 63) = 0.905
    found = scores_of(rising, rising, half)["randomised_weights"]
    np.testing.assert_allclose(found, (1 + 1 - 6 * 8 / (8 * 63)) / 2)
    np.testing.assert_allclose(scores_of(rising, rising, -rising)["randomised_weights"], 0, atol=1e-12)


def test_chance_is_large_where_cells_share_one_pattern_and_small_where_each_has_its_own():
    rng = np.random.default_rng(0)
    shared = np.tile(rng.normal(size=12), (40, 1))
    own, others = rng.normal(size=(40, 12)), rng.normal(size=(40, 12))
    of_shared = scores_of(shared, shared[:, ::-1])["randomised_chance"]
    of_own = scores_of(own, others)["randomised_chance"]
    assert np.ptp(of_shared) < 1e-12  # one permutation serves all cells
    assert of_shared.mean() > 0.3
    assert abs(of_own.mean()) < 0.15


def test_a_random_network_is_above_chance_in_one_study_of_twenty():
    rng, above = np.random.default_rng(1), 0
    for seed in range(200):
        own, other = np.tile(rng.normal(size=(2, 1, 10)), (1, 5, 1))
        cells = correlate_by_chance(table(own), [table(other)], seed).groupby("score")["value"].mean()
        above += cells["randomised_weights"] > cells["randomised_chance"]
    assert 200 / (N_PERMUTED + 1) - 10 <= above <= 200 / (N_PERMUTED + 1) + 10  # 10 +- 3.1


def test_few_parts_and_constant_values_have_no_correlation_but_a_reason():
    own = np.array([np.arange(8.0), np.full(8, 2.0), [*range(7), np.nan]])
    cells = correlate_by_chance(table(own), [table(own[:, ::-1]), table(own)], 0).set_index(["score", "landmark_id"])
    values = cells.loc["randomised_weights", "value"]
    assert values.notna().tolist() == [True, False, False]
    reasons = cells.loc["randomised_weights", "reason"]
    assert reasons.isna().tolist() == [True, False, False]
    assert reasons.tolist()[1:] == ["the values are the same in all parts", FEW_PARTS]
    assert cells.loc["randomised_chance", "value"].notna().tolist() == [True, False, False]
