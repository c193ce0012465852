"""How alike sisters end: pairs counted by hand, and families drawn with and without likeness."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort import sisters
from cellfate.cohort.settings import SplitSettings
from cellfate.core.tables import SisterConcordance

SPLITS = SplitSettings(scheme="grouped_holdout")
Pair = tuple[str, str, tuple[str, float], tuple[str, float]]
"""Recording, dose, and fate and hours of either sister."""
A, M, LOST = "apoptosis", "mitosis", "censored"


def compare(pairs: list[Pair], parents_known: bool = True) -> pd.DataFrame:
    """Table `SisterConcordance` of pairs, indexed by condition and measure; a frame is half an hour."""
    rows = [
        (recording, dose, 2 * number + place, 1000 + number, fate, round(2 * hours))
        for number, (recording, dose, *both) in enumerate(pairs)
        for place, (fate, hours) in enumerate(both)
    ]
    names = ["recording_id", "dose", "cell_id", "parent_id", "fate", "end_frame"]
    table = pd.DataFrame(rows, columns=names).assign(first_frame=0, frame_interval_min=30.0)
    parent_id = table["parent_id"].astype("Int64") if parents_known else pd.array([pd.NA] * len(table), dtype="Int64")
    cells = table[["recording_id", "cell_id"]].assign(parent_id=parent_id)
    found = sisters.compare_sisters(table.drop(columns="parent_id"), cells, SPLITS)
    return SisterConcordance.validate(found).set_index(["condition", "measure"])


def test_pairs_are_counted_and_chance_is_that_of_pairing_anew() -> None:
    found = compare([
        ("r", "d", (A, 1), (A, 2)), ("r", "d", (M, 5), (M, 7)), ("r", "d", (M, 3), (LOST, 9)),
        ("s", "d", (LOST, 3), (LOST, 9)),
    ])  # fmt: skip
    same = found.loc["all", "same_fate"]
    assert (same["observed"], same["n_pairs"], same["n_recordings"], same["n_unseen"]) == (1.0, 2, 1, 2)
    # four cells make three sets of two pairs: one of them is all alike, in the others no pair is
    assert same["expected"] == pytest.approx(1 / 3, abs=0.04)  # four standard errors of 1,999 draws
    assert same["p_value"] == pytest.approx(1 / 3, abs=0.04)
    assert found.loc[("all", "time_difference_h"), "observed"] == 1.5
    assert found.loc[("all", "time_difference_h"), "n_pairs"] == 2
    assert list(found.index.get_level_values("condition")) == ["all", "all"]  # one dose says no more


def test_what_recordings_have_in_common_is_no_likeness_of_sisters() -> None:
    deaths = [("r", "high", (A, 1.0), (A, h)) for h in (2.0, 3.0, 4.0)]
    divisions = [("s", "low", (M, 10.0), (M, h)) for h in (11.0, 12.0, 13.0)]
    found = compare([*deaths, *divisions])
    same = found.loc["all", "same_fate"]
    assert same["observed"] == 1.0
    assert np.isnan([same["expected"], same["p_value"]]).all()
    assert same["reason"] == sisters.NOTHING_TO_PERMUTE
    assert found.loc[("all", "time_difference_h"), "p_value"] > 0.05
    assert found.loc[("high", "same_fate"), "n_pairs"] == 3


@pytest.mark.parametrize(("pairs", "known", "reasons"), [
    ([("r", "d", (A, 1), (A, 2))], False, [sisters.NO_PARENTS] * 2),
    ([("r", "d", (A, 1), (LOST, 2))], True, [sisters.NO_PAIRS] * 2),
    ([("r", "d", (A, 1), (M, 2)), ("r", "d", (A, 1), (M, 2))], True, [None, sisters.NOT_ONE_FATE]),
    ([("r", "d", (A, 1), (A, 2))], True, [sisters.NOTHING_TO_PERMUTE] * 2),
])  # fmt: skip
def test_what_cannot_be_told_is_nan_with_its_reason(pairs: list[Pair], known: bool, reasons: list[str | None]) -> None:
    found = compare(pairs, known)
    assert [reason if isinstance(reason, str) else None for reason in found["reason"]] == reasons
    assert (found["p_value"].isna() == [reason is not None for reason in reasons]).all()


def draw_families(rng: np.random.Generator, likeness: float) -> list[Pair]:
    """Forty pairs in recordings that die more or less; a sister is like the first with some probability."""
    pairs: list[Pair] = []
    for recording in range(4):
        for _ in range(10):
            both = [(A if rng.random() < 0.2 + 0.2 * recording else M, float(rng.integers(5, 40))) for _ in range(2)]
            if rng.random() < likeness:
                both[1] = (both[0][0], both[0][1] + 1)
            pairs.append((f"r{recording}", "d", both[0], both[1]))
    return pairs


def test_planted_likeness_is_found() -> None:
    found = compare(draw_families(np.random.default_rng(1), 0.8))
    assert (found["p_value"] <= 0.005).all()
    same = found.loc["all", "same_fate"]
    assert same["observed"] > same["null_high"] > same["expected"] > same["null_low"]
    hours = found.loc["all", "time_difference_h"]
    assert hours["observed"] < hours["null_low"]


def test_independent_sisters_are_seldom_called_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sisters, "N_PERMUTATIONS", 199)
    rng = np.random.default_rng(2)
    p = np.array([compare(draw_families(rng, 0.0))["p_value"].to_numpy() for _ in range(100)])
    assert ((p <= 0.05).mean(axis=0) <= 0.1).all()  # 5 of 100, and twice their standard error
    assert ((p <= 0.5).mean(axis=0) >= 0.3).all()  # discrete, so somewhat fewer than half
