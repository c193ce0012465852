"""Splits: nothing stands on both sides, every part holds every outcome, shares are kept as far as groups allow."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.cohort.splits import list_unseen, select_part, spatial_blocks, split_cells
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, PARTS, Splits

NOTHING = pd.DataFrame()


def cells_of(n_groups: int, cells_per_group: int = 4, seed: int = 0, n_recordings: int | None = None) -> pd.DataFrame:
    """Cells of two outcomes in groups of two doses; without `n_recordings` a group is a recording."""
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(n_groups):
        recording = f"{group if n_recordings is None else group % n_recordings:03d}"
        for cell in range(cells_per_group):
            fate = "apoptosis" if cell == 0 or (cell > 1 and rng.random() < 0.3) else "mitosis"
            rows.append(
                {
                    "recording_id": recording,
                    "cell_id": 100 * group + cell,
                    "group_id": f"g{group:03d}",
                    "dose": "High" if group % 2 else "Low",
                    "fate": fate,
                }
            )
    return pd.DataFrame(rows)


FOLLOW_UP = FollowUpSettings()


def part(followed: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, splits: SplitSettings) -> pd.DataFrame:
    return split_cells(followed, cells, detections, FOLLOW_UP, splits)


def parts_of(followed: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    return splits.merge(followed, on=["recording_id", "cell_id"])


@pytest.mark.parametrize("scheme", ["grouped_holdout", "random_by_cell", "grouped_folds"])
@settings(max_examples=8, deadline=None)
@given(n_groups=st.integers(8, 30), seed=st.integers(0, 5))
def test_no_unit_stands_on_both_sides(scheme: str, n_groups: int, seed: int) -> None:
    followed = cells_of(n_groups, seed=seed)
    split = SplitSettings.model_validate({"scheme": scheme, "n_folds": 3, "seed": seed})
    table = part(followed, NOTHING, NOTHING, split)
    Splits.validate(table)
    joined = parts_of(followed, table)
    unit = "cell_id" if scheme == "random_by_cell" else "group_id"
    assert (joined.groupby(["fold", unit])["part"].nunique() < 2).all()
    assert (table.groupby("fold")["cell_id"].nunique() == len(followed)).all()  # every sample plays a part in each fold
    assert (joined.groupby(["fold", "part"])["fate"].nunique() == 2).all()
    assert (joined.groupby("fold")["part"].nunique() == 3).all()


def test_holdout_keeps_shares_of_outcomes_and_doses() -> None:
    followed = cells_of(40, cells_per_group=10)
    table = part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    joined = parts_of(followed, table)
    shares = joined["part"].value_counts(normalize=True)
    # whole groups of 40: a part is off by at most about one group
    assert shares[list(PARTS)].to_numpy() == pytest.approx([0.6, 0.15, 0.25], abs=0.03)
    for column in ("fate", "dose"):
        by_part = pd.crosstab(joined[column], joined["part"], normalize="index")[list(PARTS)]
        assert by_part.to_numpy() == pytest.approx(np.tile([0.6, 0.15, 0.25], (2, 1)), abs=0.06)


def test_few_groups_still_give_every_part_every_outcome() -> None:
    # of seven groups only three hold apoptosis: a deal that forgets a part is not accepted
    followed = cells_of(7, cells_per_group=3)
    rare = followed["group_id"].isin(["g001", "g004", "g006"])
    followed["fate"] = followed["fate"].where(rare, "mitosis")
    joined = parts_of(followed, part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout")))
    assert (joined.groupby("part")["fate"].nunique() == 2).all()


def test_each_group_is_tested_once() -> None:
    followed = cells_of(13)
    table = part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=4))
    tested = parts_of(followed, table).query("part == 'test'")
    assert sorted(tested["cell_id"]) == sorted(followed["cell_id"])


def test_the_seed_decides() -> None:
    followed = cells_of(20)
    first, again, other = (
        part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout", seed=seed)) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["part"].equals(other["part"])


def lineages(n: int = 20) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """n lineages of one wide recording: founders along x, daughters anywhere."""
    rng = np.random.default_rng(3)
    x = rng.permutation(n) * 50.0
    followed = cells_of(n, cells_per_group=2, n_recordings=1)
    followed["fate"] = np.where(np.arange(len(followed)) % 2, "mitosis", "censored")
    cells = followed[["recording_id", "cell_id", "group_id"]].copy()
    founder = cells["cell_id"] % 100 == 0
    place = cells["group_id"].str[1:].astype(int)
    detections = pd.DataFrame(
        {
            "recording_id": "000",
            "cell_id": cells["cell_id"],
            "frame": np.where(founder, 0, 5),
            "y_px": rng.uniform(0, 100, len(cells)),
            "x_px": np.where(founder, x[place], rng.uniform(0, 50 * n, len(cells))),
        }
    )
    later = detections.assign(frame=detections["frame"] + 1, x_px=rng.uniform(0, 50 * n, len(cells)))
    return followed, cells, pd.concat([later, detections], ignore_index=True)


def test_blocks_are_bands_of_the_longer_axis_by_founder() -> None:
    followed, cells, detections = lineages()
    blocks = spatial_blocks(followed, cells, detections, 5)
    founders = detections[(detections["cell_id"] % 100 == 0) & (detections["frame"] == 0)]
    x = founders.set_index("cell_id")["x_px"]
    expected = {
        f"g{cell // 100:03d}": int(where // 200) for cell, where in x.items()
    }  # 4 founders, 50 px apart, a band
    assert blocks.to_dict() == expected


def test_spatial_folds_test_one_band_each() -> None:
    followed, cells, detections = lineages()
    settings_ = SplitSettings(scheme="spatial_blocks", n_folds=5, validation_share=0.25)
    table = part(followed, cells, detections, settings_)
    Splits.validate(table)
    joined = parts_of(followed, table)
    blocks = spatial_blocks(followed, cells, detections, 5)
    tested = joined[joined["part"] == "test"]
    assert (blocks[tested["group_id"]].to_numpy() == tested["fold"]).all()
    assert sorted(tested["cell_id"]) == sorted(followed["cell_id"])
    assert (joined.groupby(["fold", "group_id"])["part"].nunique() < 2).all()
    assert (joined.query("part == 'validation'").groupby("fold").size() == 8).all()  # a quarter of 32


def test_a_recording_with_one_group_has_no_blocks() -> None:
    followed = cells_of(4)
    cells = followed[["recording_id", "cell_id", "group_id"]].drop_duplicates()
    detections = cells[["recording_id", "cell_id"]].assign(frame=0, y_px=1.0, x_px=2.0)
    with pytest.raises(
        InputError, match=r"Recording '000' has 1 groups of cells, fewer than 5 spatial blocks; set recordings.group_by"
    ):
        part(followed, cells, detections, SplitSettings(scheme="spatial_blocks"))


def test_fewer_groups_than_parts_are_refused() -> None:
    with pytest.raises(InputError, match="needs at least 3 groups to deal, but the cells come from 2"):
        part(cells_of(2), NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    with pytest.raises(InputError, match="needs at least 5 groups to deal, but the cells come from 4"):
        part(cells_of(4), NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=5))


def test_a_part_without_an_outcome_is_refused() -> None:
    followed = cells_of(6)
    followed["fate"] = np.where(followed["group_id"] == "g000", "apoptosis", "mitosis")
    with pytest.raises(InputError, match=r"has no cell that ends in apoptosis .* 4 such cells in 1 groups"):
        part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))


def test_shares_that_leave_no_training_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"test_share 0.6 and validation_share 0.4 leave nothing"):
        SplitSettings(scheme="grouped_holdout", test_share=0.6, validation_share=0.4)


def follow_ups_of(n_groups: int, censored_groups: tuple[int, ...] = (), seed: int = 0) -> pd.DataFrame:
    """Eight cells a group, every other one censored; in `censored_groups` all are."""
    table = cells_of(n_groups, cells_per_group=8, seed=seed)
    lost = (table["cell_id"] % 2 == 1) | table["group_id"].isin([f"g{group:03d}" for group in censored_groups])
    return table.assign(fate=table["fate"].where(~lost, "censored"))


@pytest.mark.parametrize("scheme", ["grouped_holdout", "random_by_cell", "grouped_folds"])
@settings(max_examples=8, deadline=None)
@given(n_groups=st.integers(9, 24), seed=st.integers(0, 5))
def test_every_part_of_the_follow_ups_holds_each_event(scheme: str, n_groups: int, seed: int) -> None:
    follow_ups = follow_ups_of(n_groups, censored_groups=(1, 4), seed=seed)
    before = follow_ups.copy()
    split = SplitSettings.model_validate({"scheme": scheme, "n_folds": 3, "seed": seed})
    table = Splits.validate(part(follow_ups, NOTHING, NOTHING, split))
    joined = parts_of(follow_ups, table)
    assert (table.groupby("fold")["cell_id"].nunique() == len(follow_ups)).all()  # censored cells play a part too
    events = joined[joined["fate"] != "censored"]
    assert (events.groupby(["fold", "part"])["fate"].nunique() == 2).all()
    unit = "cell_id" if scheme == "random_by_cell" else "group_id"
    assert (joined.groupby(["fold", unit])["part"].nunique() < 2).all()
    pd.testing.assert_frame_equal(follow_ups, before)


def test_censored_cells_are_shared_out_too() -> None:
    follow_ups = follow_ups_of(40)
    joined = parts_of(follow_ups, part(follow_ups, NOTHING, NOTHING, SplitSettings(scheme="random_by_cell")))
    shares = joined.loc[joined["fate"] == "censored", "part"].value_counts(normalize=True)
    assert shares[list(PARTS)].to_numpy() == pytest.approx([0.6, 0.15, 0.25], abs=0.02)


def test_a_part_may_be_without_censored_cells_but_not_without_an_event() -> None:
    follow_ups = follow_ups_of(6)
    few = follow_ups["group_id"].isin(["g000"])
    lost = follow_ups["fate"] == "censored"
    with_few = follow_ups.assign(fate=follow_ups["fate"].where(~lost | few, "mitosis"))
    table = part(with_few, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    joined = parts_of(with_few, table)
    assert len(set(joined.loc[joined["fate"] == "censored", "part"])) == 1
    dying = follow_ups["fate"] == "apoptosis"
    with_one = follow_ups.assign(fate=follow_ups["fate"].where(~dying | few, "mitosis"))
    with pytest.raises(InputError, match=r"has no cell that ends in apoptosis .* in 1 groups"):
        part(with_one, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))


def test_an_event_comes_before_censored_cells() -> None:
    # Four groups for three parts: apoptosis parts g0, g1 and g2; mitosis then wants g3 beside g1, and censored cells
    # want it beside g2, which would also come closer to the shares.
    counts = {"g0": (12, 12, 12), "g1": (5, 0, 5), "g2": (3, 1, 0), "g3": (0, 1, 3)}
    fates = ("apoptosis", "mitosis", "censored")
    rows = [(group, fate) for group, ns in counts.items() for fate, n in zip(fates, ns, strict=True) for _ in range(n)]
    follow_ups = pd.DataFrame(rows, columns=["group_id", "fate"]).assign(
        recording_id="r", cell_id=range(54), dose="Low"
    )
    joined = parts_of(follow_ups, part(follow_ups, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout")))
    of_group = joined.groupby("group_id")["part"].first()
    assert of_group["g3"] == of_group["g1"]
    assert sorted(of_group[["g0", "g1", "g2"]]) == sorted(PARTS)


def test_an_event_that_is_not_shown_may_be_lacking_in_a_part() -> None:
    followed = cells_of(6)
    followed["fate"] = np.where(followed["group_id"] == "g000", "apoptosis", "mitosis")
    only_mitosis = FollowUpSettings(events=("mitosis",))
    table = split_cells(followed, NOTHING, NOTHING, only_mitosis, SplitSettings(scheme="grouped_holdout"))
    assert set(table["part"]) == set(PARTS)


@pytest.mark.parametrize("seed", range(5))
def test_every_part_gets_both_fates_where_it_is_asked_which_comes_though_one_is_not_shown(seed: int) -> None:
    # Half of the cells of three groups in twelve die: enough for three parts, and the classifier needs them in each.
    followed = cells_of(12, seed=seed)
    dying = followed["group_id"].isin(["g000", "g001", "g002"]) & (followed.groupby("group_id").cumcount() % 2 == 0)
    followed = followed.assign(fate=np.where(dying, "apoptosis", "mitosis"))
    only_mitosis, splits = FollowUpSettings(events=("mitosis",)), SplitSettings(scheme="grouped_holdout", seed=seed)
    joined = parts_of(followed, split_cells(followed, NOTHING, NOTHING, only_mitosis, splits))
    assert set(joined.loc[joined["fate"] == "apoptosis", "part"]) == set(PARTS)


def test_a_part_is_selected_by_cell_whatever_the_table() -> None:
    followed = cells_of(6)
    table = part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=3))
    twice = pd.concat([followed, followed]).assign(frame=1)  # landmarks of the same cells
    tested = [select_part(twice, table, fold, "test") for fold in range(3)]
    assert sum(map(len, tested)) == 2 * len(followed)
    assert not set(tested[0]["group_id"]) & set(select_part(followed, table, 0, "train")["group_id"])


def test_what_may_be_fitted_beside_a_fold_was_neither_tested_by_it_nor_trained_on_by_the_member() -> None:
    followed = cells_of(12)
    table = part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=4))
    for fold in (None, *range(4)):
        unseen = list_unseen(table, fold)
        of_member = unseen.merge(table, on=[*CELL, "fold"])["part"]
        tested = select_part(followed, table, -1 if fold is None else fold, "test")
        assert set(of_member) == {"test"}
        assert not unseen.duplicated(CELL).any()
        assert len(unseen) == len(followed) - len(tested)
        assert unseen.merge(tested, on=CELL).empty


def test_a_holdout_is_fitted_beside_on_its_validation_cells_and_for_new_cells_on_tested_ones_too() -> None:
    followed = cells_of(12)
    table = part(followed, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    cells = {name: table.loc[table["part"] == name, CELL] for name in PARTS}
    pd.testing.assert_frame_equal(list_unseen(table, 0)[CELL], cells["validation"].reset_index(drop=True))
    everything = pd.concat([cells["validation"], cells["test"]]).sort_index().reset_index(drop=True)
    pd.testing.assert_frame_equal(list_unseen(table)[CELL], everything)


def recordings_of(followed: pd.DataFrame) -> pd.DataFrame:
    """Recordings of cells, half of them of drug a and half of drug b."""
    recordings = followed.drop_duplicates("recording_id")[["recording_id", "dose", "group_id"]].reset_index(drop=True)
    return recordings.assign(condition=np.where(np.arange(len(recordings)) < len(recordings) / 2, "a", "b"))


def part_by(followed: pd.DataFrame, conditions: dict[str, list[str]]) -> pd.DataFrame:
    settings_ = SplitSettings.model_validate({"scheme": "by_condition", "test_conditions": conditions})
    return split_cells(followed, NOTHING, NOTHING, FOLLOW_UP, settings_, recordings_of(followed))


def test_the_conditions_that_are_asked_for_are_tested_and_no_others() -> None:
    followed = cells_of(12)
    tested = parts_of(followed, part_by(followed, {"dose": ["High"]})).query("part == 'test'")
    assert set(tested["dose"]) == {"High"}
    assert len(tested) == (followed["dose"] == "High").sum()
    both = parts_of(followed, part_by(followed, {"dose": ["High"], "condition": ["b"]})).query("part == 'test'")
    assert sorted(set(both["group_id"])) == ["g007", "g009", "g011"]  # odd groups have the high dose, the later drug b
    joined = parts_of(followed, part_by(followed, {"recording_id": ["003", "004"]}))
    assert set(joined.loc[joined["part"] == "test", "group_id"]) == {"g003", "g004"}
    assert (joined.groupby("group_id")["part"].nunique() < 2).all()
    assert set(joined["part"]) == set(PARTS)


def test_a_condition_that_no_recording_has_is_refused() -> None:
    followed = cells_of(12)
    with pytest.raises(InputError, match=r"asks for dose 'Hgih', which no recording .* choose among High and Low\.$"):
        part_by(followed, {"dose": ["High", "Hgih"]})
    with pytest.raises(InputError, match=r"takes 12 of 12 recordings for the test, but"):
        part_by(followed, {"dose": ["High", "Low"]})
    with pytest.raises(InputError, match=r"takes 0 of 12 recordings for the test, but"):
        part_by(followed, {"recording_id": ["001"], "dose": ["Low"]})


def test_a_group_of_both_kinds_of_recordings_is_refused() -> None:
    followed = cells_of(12).assign(
        group_id=lambda table: "plate" + (table["recording_id"].astype(int) // 2).astype(str)
    )
    with pytest.raises(InputError, match=r"Group 'plate0' has recordings that .* tests and others that train"):
        part_by(followed, {"dose": ["High"]})
    assert len(part_by(followed, {"group_id": ["plate0"]}))


def test_a_tested_condition_without_an_event_is_refused_with_advice_that_helps() -> None:
    followed = cells_of(12)
    followed["fate"] = np.where((followed["dose"] == "Low") & (followed["cell_id"] % 4 == 0), "apoptosis", "mitosis")
    with pytest.raises(InputError, match=r"'test' .* no cell that ends in apoptosis .* choose other splits.test_cond"):
        part_by(followed, {"dose": ["High"]})
    only_mitosis = FollowUpSettings(events=("mitosis",))
    settings_ = SplitSettings(scheme="by_condition", test_conditions={"dose": ("High",)})
    table = split_cells(followed, NOTHING, NOTHING, only_mitosis, settings_, recordings_of(followed))
    assert set(table["part"]) == set(PARTS)


@pytest.mark.parametrize(("scheme", "conditions", "words"), [
    ("by_condition", {}, "needs test_conditions"),
    ("grouped_folds", {"dose": ["High"]}, "scheme 'grouped_folds' does not read them"),
    ("by_condition", {"drug": ["a"]}, "condition"),
    ("by_condition", {"dose": []}, "at least 1 item"),
])  # fmt: skip
def test_conditions_and_scheme_go_together(scheme: str, conditions: dict[str, list[str]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SplitSettings.model_validate({"scheme": scheme, "test_conditions": conditions})


LEAVE_OUT = SplitSettings(scheme="leave_one_recording_out", validation_share=0.3)


def test_each_recording_is_tested_by_itself_though_it_lacks_an_event() -> None:
    followed = cells_of(6)
    followed.loc[followed["group_id"] == "g002", "fate"] = "mitosis"
    joined = parts_of(followed, part(followed, NOTHING, NOTHING, LEAVE_OUT))
    tested = joined[joined["part"] == "test"]
    assert tested.groupby("fold")["recording_id"].agg(lambda names: sorted(set(names))).tolist() == [
        [f"{number:03d}"] for number in range(6)
    ]
    assert (joined.groupby(["fold", "group_id"])["part"].nunique() < 2).all()
    assert (joined.groupby("fold")["part"].nunique() == 3).all()


def test_recordings_of_a_group_are_left_out_together_and_lineages_of_a_recording_too() -> None:
    plates = cells_of(8).assign(group_id=lambda table: "p" + (table["recording_id"].astype(int) // 2).astype(str))
    tested = parts_of(plates, part(plates, NOTHING, NOTHING, LEAVE_OUT)).query("part == 'test'")
    assert (tested.groupby("fold")["recording_id"].nunique() == 2).all()
    assert (tested.groupby("fold")["group_id"].nunique() < 2).all()
    lineages_ = cells_of(8, n_recordings=2)  # four groups in each of two recordings
    joined = parts_of(lineages_, part(lineages_, NOTHING, NOTHING, LEAVE_OUT))
    assert joined["fold"].nunique() == 2
    assert (joined.query("part == 'test'").groupby("fold")["recording_id"].nunique() < 2).all()
    assert (joined.query("part != 'test'").groupby("fold")["recording_id"].nunique() < 2).all()


def test_leaving_out_the_only_recording_or_one_of_two_is_refused() -> None:
    with pytest.raises(InputError, match=r"needs at least 2 recordings, .* come from '000' alone"):
        part(cells_of(8, n_recordings=1), NOTHING, NOTHING, LEAVE_OUT)
    with pytest.raises(InputError, match="at least 2 groups to deal, but the cells that are not tested come from 1,"):
        part(cells_of(2), NOTHING, NOTHING, LEAVE_OUT)


def test_the_cost_of_many_recordings_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        part(cells_of(10), NOTHING, NOTHING, LEAVE_OUT)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        part(cells_of(11), NOTHING, NOTHING, LEAVE_OUT)
    assert "trains every network 11 times" in caplog.text


@pytest.mark.parametrize("scheme", ["grouped_holdout", "grouped_folds", "random_by_cell"])
def test_cells_for_training_only_neither_validate_nor_test(scheme: str) -> None:
    followed, settings = cells_of(20), SplitSettings(scheme=scheme)
    every, none = followed[CELL], pd.DataFrame(columns=["recording_id", "cell_id", "frame", "y_px", "x_px"])
    usual = split_cells(followed, every, none, FOLLOW_UP, settings)
    pd.testing.assert_frame_equal(
        split_cells(followed, every.assign(training_only=False), none, FOLLOW_UP, settings), usual
    )
    only = np.arange(len(every)) % 3 == 0
    parts = split_cells(followed, every.assign(training_only=only), none, FOLLOW_UP, settings)
    told = parts.merge(every.assign(only=only), on=CELL)
    assert set(told.loc[told["only"], "part"]) == {"train"}
    others = [table.merge(every[~only], on=CELL) for table in (parts, usual)]
    pd.testing.assert_frame_equal(*others)  # nobody else changes sides
    n_lost = (usual.merge(every[only], on=CELL)["part"] != "train").sum()
    assert len(usual) - len(parts) == (0 if scheme == "random_by_cell" else n_lost)
    assert n_lost
