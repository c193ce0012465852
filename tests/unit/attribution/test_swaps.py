"""Masks of strangers: what attention that only follows the clock, or a group, gives too is no excess."""

import numpy as np
import pytest

from cellfate.attribution.attention_statistics import AttentionCase, top_attention
from cellfate.attribution.attention_summary import compare_with_strangers, excess_over_strangers
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.statistics.effect_sizes import cliffs_delta

SETTINGS = AttentionStatisticsSettings(n_bootstrap=400)


def case(number: int, values: np.ndarray, attention: np.ndarray, group: str, dose: str = "Low") -> AttentionCase:
    n = len(values)
    back = np.arange(n)[::-1] + 3
    top = top_attention(attention)
    return AttentionCase(f"s{number}", "mitosis", dose, group, back, attention, top, values[:, None].astype(float))


def smooth(rng: np.random.Generator, n: int) -> np.ndarray:
    """An autocorrelated trace."""
    return np.convolve(rng.normal(size=n + 20), np.ones(15) / 15, mode="same")[:n]


def cohort(n_cells: int, seed: int, *, follows_cell: bool, n_groups: int = 6) -> list[AttentionCase]:
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(n_cells):
        values = smooth(rng, 40)
        attention = values - values.min() if follows_cell else np.arange(40.0)
        cases.append(case(number, values, attention + 1e-6 * rng.random(40), f"g{number % n_groups}"))
    return cases


def test_attention_that_follows_the_cell_is_found() -> None:
    table = compare_with_strangers(cohort(24, seed=0, follows_cell=True), ("area",), SETTINGS)
    assert (table["p_swap"] <= 0.01).all()
    assert (table["excess"] > 0.5).all()
    assert table["dose"].tolist() == ["Low", "all"]


def test_attention_that_follows_the_clock_is_not() -> None:
    # all masks are alike, so a stranger's gives the same delta
    table = compare_with_strangers(cohort(24, seed=0, follows_cell=False), ("area",), SETTINGS)
    assert table["excess"].tolist() == pytest.approx([0.0, 0.0])
    assert table["p_swap"].tolist() == [1.0, 1.0]


def test_attention_and_feature_of_a_group_are_no_finding() -> None:
    """Cells of a group that share one trace and one mask are one piece of evidence, however many they are."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shared = [(smooth(rng, 40), smooth(rng, 40)) for _ in range(5)]
        cases = [
            case(number, values + 0.05 * rng.normal(size=40), attention, f"g{group}")
            for group, (values, attention) in enumerate(shared)
            for number in range(8 * group, 8 * group + 8)
        ]
        found.append(compare_with_strangers(cases, ("area",), SETTINGS)["p_swap"].iloc[0] <= 0.05)
    assert np.mean(found) <= 0.15  # 40 times at .05: more than 6 come three times in a thousand


@pytest.mark.parametrize(("n_cells", "n_groups"), [(19, 6), (24, 1)])
def test_few_cells_or_one_group_have_no_p(n_cells: int, n_groups: int) -> None:
    cases = cohort(n_cells, seed=0, follows_cell=True, n_groups=n_groups)
    assert compare_with_strangers(cases, ("area",), SETTINGS)[["excess", "p_swap"]].isna().all(axis=None)


def test_masks_are_aligned_at_the_event() -> None:
    rng = np.random.default_rng(0)
    long, short = rng.normal(size=30), rng.normal(size=20)
    late = np.arange(30.0)
    cases = [case(0, long, late, "a"), case(1, short, np.arange(20.0), "b")]
    last = [np.arange(20) >= 20 - n for n in (2, 3)]
    own, strange = (cliffs_delta(short[:, None], mask[None])[0, 0] for mask in last)
    assert excess_over_strangers(cases, 10)[1, 0] == pytest.approx(own - strange)
    early = excess_over_strangers([case(0, long, late[::-1], "a"), cases[1]], 10)
    assert np.isnan(early[1, 0])  # the stranger's frames lie before this cell's first


def test_strangers_are_nearest_in_length_and_of_other_groups() -> None:
    rng = np.random.default_rng(1)
    lengths, groups = [30, 31, 33, 60], ["a", "a", "b", "c"]
    cases = [case(n, rng.normal(size=length), np.arange(length) * 1.0, group) for n, (length, group) in
             enumerate(zip(lengths, groups, strict=True))]  # fmt: skip
    near = excess_over_strangers([cases[0], cases[2]], 1)[0, 0]
    assert excess_over_strangers(cases, 1)[0, 0] == near
    assert excess_over_strangers(cases, 2)[0, 0] != near
