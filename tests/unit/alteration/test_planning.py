"""Which cells are altered, when, and what becomes of their fates."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.alteration.planning import list_altered_truth, permute_within_blocks, plan_alterations
from cellfate.alteration.settings import AlterationSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Truth

GIVEN = {"window_h": 2.0, "shortest_h": 6.0, "longest_h": 8.0, "max_cells": 100, "block_h": 8.0, "seed": 3}
N = 40


def study(n_frames: int = 20) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells with a frame each half hour, every second one tracked 20 frames later; areas grow with the number."""
    starts = {cell: 20 * (cell % 2) for cell in range(1, N + 1)}
    rows = [
        {"recording_id": "r", "cell_id": cell, "frame": start + t, "segmented": True, "area": 100.0 + cell + 0.1 * t}
        for cell, start in starts.items()
        for t in range(n_frames)
    ]
    cells = pd.DataFrame({"recording_id": "r", "cell_id": list(starts), "group_id": [f"g{c // 2}" for c in starts]})
    return cells, pd.DataFrame(rows)


def plan_of(kind: str, strength: float | None = None, **given: object) -> pd.DataFrame:
    settings = AlterationSettings(kind=kind, strength=strength, **(GIVEN | given))
    return plan_alterations(*study(), 30.0, 1.0, settings)


def test_a_permutation_within_blocks_keeps_the_counts_of_each_block():
    outcomes = np.array([True] * 9 + [False] * 11)
    blocks = np.array([0, 1] * 10)
    dealt = permute_within_blocks(outcomes, blocks, np.random.default_rng(0))
    for block in (0, 1):
        assert dealt[blocks == block].sum() == outcomes[blocks == block].sum()
    assert (dealt != outcomes).any()


@pytest.mark.parametrize(("kind", "strength"), [("brightness_dip", 0.3), ("size", None), ("none", None)])
def test_half_of_each_block_dies(kind, strength):
    plan = plan_of(kind, strength)
    assert plan.groupby("block")["dies"].agg(["sum", "size"]).to_numpy().tolist() == [[10, 20], [10, 20]]


def test_size_decides_and_where_outcomes_are_permuted_it_does_not():
    plan = plan_of("size")
    assert plan[plan["dies"]].groupby("block")["cell_id"].min().tolist() == [22, 21]  # the upper halves
    dealt = plan_of("none")
    assert set(dealt[dealt["dies"]]["cell_id"]) != set(plan[plan["dies"]]["cell_id"])
    assert dealt["window_first_frame"].isna().all()


@pytest.mark.parametrize("seed", range(4))
def test_windows_lie_where_a_model_sees_them_and_not_all_at_the_same_place(seed):
    plan = plan_of("texture", 2.0, seed=seed)
    assert (plan["event_frame"] - plan["first_frame"] == 15).all()  # 8 h, 16 frames
    assert (plan["last_shown"] == plan["event_frame"] - 3).all()  # a guard of 2 frames
    altered = plan[plan["dies"]]
    assert plan[~plan["dies"]]["window_first_frame"].isna().all()
    assert (altered["window_last_frame"] - altered["window_first_frame"] == 3).all()
    assert (altered["window_first_frame"] >= altered["first_frame"]).all()
    assert (altered["window_last_frame"] <= altered["last_shown"]).all()
    assert (altered["last_shown"] - altered["window_last_frame"]).nunique() > 4


def test_area_is_that_of_the_last_hours_shown():
    plan = plan_of("size").set_index("cell_id")
    assert plan.loc[2, "area"] == pytest.approx(102 + 0.1 * np.mean([13, 14, 15, 16]))


@pytest.mark.parametrize("seed", range(4))
def test_a_visitor_is_of_another_group(seed):
    plan = plan_of("neighbour", 0.0, seed=seed)
    groups = plan.set_index("cell_id")["group_id"]
    assert (groups[plan["visitor_cell"]].to_numpy() != plan["group_id"].to_numpy()).all()


def test_the_truth_says_hours_and_what():
    settings = AlterationSettings(kind="brightness_dip", strength=0.3, **GIVEN)
    truth = Truth.validate(list_altered_truth(plan_of("brightness_dip", 0.3), settings, "h2b"))
    altered = truth[truth["dies"]]
    assert set(altered["deciding_channel"]) == {"h2b"}
    assert altered["window_first_frame"].notna().all()
    assert truth[~truth["dies"]]["deciding_channel"].isna().all()
    sizes = list_altered_truth(plan_of("size"), AlterationSettings(kind="size", **GIVEN), "h2b")
    assert set(sizes["deciding_channel"]) == {"area"}
    assert sizes["window_first_frame"].isna().all()
    assert (sizes["fate"] == "apoptosis").sum() == N / 2
    nothing = list_altered_truth(plan_of("none"), AlterationSettings(kind="none", **GIVEN), "h2b")
    assert nothing["deciding_channel"].isna().all()


def test_too_few_cells_are_told():
    settings = AlterationSettings(kind="none", **GIVEN)
    with pytest.raises(InputError, match="0 of 40 cells are tracked for 6 h"):
        plan_alterations(*study(n_frames=11), 30.0, 1.0, settings)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "size", "strength": 0.3}, "kind is size and strength 0.3"),
        ({"kind": "texture"}, "kind is texture and strength None"),
        ({"kind": "brightness_dip", "strength": 1.5}, "strength of a brightness_dip is 1.5"),
        ({"kind": "none", "window_h": 6.0}, "window_h is 6.0, shortest_h 6.0"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        AlterationSettings(**(GIVEN | given))
