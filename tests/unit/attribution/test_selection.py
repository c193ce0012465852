"""Which samples are explained."""

import pandas as pd
import pytest

from cellfate.attribution import ExplanationSettings, select_explained_samples
from cellfate.core.errors import InputError


def tables(n_cells: int = 12, a_cell: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = [
        (f"r:{cell}:{k}", "r", cell, "mitosis" if cell % 4 == 0 else "none")
        for cell in range(n_cells)
        for k in range(a_cell)
    ]
    samples = pd.DataFrame(rows, columns=["sample_id", "recording_id", "cell_id", "outcome"])
    parts = ["test" if cell >= 4 else "train" for _, _, cell, _ in rows]
    splits = pd.DataFrame(
        {"scheme": "x", "fold": samples["cell_id"] % 2, "sample_id": samples["sample_id"], "part": parts}
    )
    return samples, splits


def test_one_test_sample_a_cell_and_outcomes_take_turns() -> None:
    settings = ExplanationSettings(max_attention_samples=100, max_occlusion_samples=5, max_shapley_samples=2)
    chosen = select_explained_samples(*tables(), settings)
    assert sorted(chosen["cell_id"]) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert (chosen["fold"] == chosen["cell_id"] % 2).all()
    assert chosen["outcome"].tolist()[:4] == ["mitosis", "none", "mitosis", "none"]
    assert chosen["occluded"].tolist() == [True] * 5 + [False] * 3
    assert chosen["shapley"].sum() == 2


def test_the_seed_decides() -> None:
    chosen = [select_explained_samples(*tables(), ExplanationSettings(seed=s))["sample_id"].tolist() for s in (0, 0, 1)]
    assert chosen[0] == chosen[1]
    assert chosen[0] != chosen[2]


def test_no_test_sample_is_an_error() -> None:
    samples, splits = tables()
    with pytest.raises(InputError, match="None of 36 samples"):
        select_explained_samples(samples, splits.assign(part="train"), ExplanationSettings())
