"""Splits: nothing stands on both sides, every part holds every outcome, shares are kept as far as groups allow."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.cohort.settings import SplitSettings
from cellfate.cohort.splits import spatial_blocks, split_follow_ups, split_samples
from cellfate.core.errors import InputError
from cellfate.core.tables import PARTS, Splits

NOTHING = pd.DataFrame()


def samples_of(
    n_groups: int, cells_per_group: int = 4, samples_per_cell: int = 2, seed: int = 0, n_recordings: int | None = None
) -> pd.DataFrame:
    """Cells of two outcomes in groups of two doses; without `n_recordings` a group is a recording."""
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(n_groups):
        recording = f"{group if n_recordings is None else group % n_recordings:03d}"
        for cell in range(cells_per_group):
            outcome = "apoptosis" if cell == 0 or (cell > 1 and rng.random() < 0.3) else "mitosis"
            rows += [
                {
                    "sample_id": f"{group}:{cell}:{number}",
                    "recording_id": recording,
                    "cell_id": 100 * group + cell,
                    "group_id": f"g{group:03d}",
                    "dose": "High" if group % 2 else "Low",
                    "outcome": outcome,
                }
                for number in range(samples_per_cell)
            ]
    return pd.DataFrame(rows)


def parts_of(samples: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    return splits.merge(samples, on="sample_id")


@pytest.mark.parametrize("scheme", ["grouped_holdout", "random_by_cell", "grouped_folds"])
@settings(max_examples=8, deadline=None)
@given(n_groups=st.integers(8, 30), seed=st.integers(0, 5))
def test_no_unit_stands_on_both_sides(scheme: str, n_groups: int, seed: int) -> None:
    samples = samples_of(n_groups, seed=seed)
    split = SplitSettings.model_validate({"scheme": scheme, "n_folds": 3, "seed": seed})
    table = split_samples(samples, NOTHING, NOTHING, split)
    Splits.validate(table)
    joined = parts_of(samples, table)
    unit = "cell_id" if scheme == "random_by_cell" else "group_id"
    assert (joined.groupby(["fold", unit])["part"].nunique() < 2).all()
    assert (
        table.groupby("fold")["sample_id"].nunique() == len(samples)
    ).all()  # every sample plays a part in each fold
    assert (joined.groupby(["fold", "part"])["outcome"].nunique() == 2).all()
    assert (joined.groupby("fold")["part"].nunique() == 3).all()


def test_holdout_keeps_shares_of_outcomes_and_doses() -> None:
    samples = samples_of(40, cells_per_group=10)
    table = split_samples(samples, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    joined = parts_of(samples, table)
    shares = joined["part"].value_counts(normalize=True)
    # whole groups of 40: a part is off by at most about one group
    assert shares[list(PARTS)].to_numpy() == pytest.approx([0.6, 0.15, 0.25], abs=0.03)
    for column in ("outcome", "dose"):
        by_part = pd.crosstab(joined[column], joined["part"], normalize="index")[list(PARTS)]
        assert by_part.to_numpy() == pytest.approx(np.tile([0.6, 0.15, 0.25], (2, 1)), abs=0.06)


def test_few_groups_still_give_every_part_every_outcome() -> None:
    # of seven groups only three hold apoptosis: a deal that forgets a part is not accepted
    samples = samples_of(7, cells_per_group=3)
    rare = samples["group_id"].isin(["g001", "g004", "g006"])
    samples["outcome"] = samples["outcome"].where(rare, "mitosis")
    joined = parts_of(samples, split_samples(samples, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout")))
    assert (joined.groupby("part")["outcome"].nunique() == 2).all()


def test_each_group_is_tested_once() -> None:
    samples = samples_of(13)
    table = split_samples(samples, NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=4))
    tested = parts_of(samples, table).query("part == 'test'")
    assert sorted(tested["sample_id"]) == sorted(samples["sample_id"])


def test_the_seed_decides() -> None:
    samples = samples_of(20)
    first, again, other = (
        split_samples(samples, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout", seed=seed))
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["part"].equals(other["part"])


def lineages(n: int = 20) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """n lineages of one wide recording: founders along x, daughters anywhere."""
    rng = np.random.default_rng(3)
    x = rng.permutation(n) * 50.0
    samples = samples_of(n, cells_per_group=2, samples_per_cell=1, n_recordings=1)
    samples["outcome"] = np.where(np.arange(len(samples)) % 2, "mitosis", "none")
    cells = samples[["recording_id", "cell_id", "group_id"]].copy()
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
    return samples, cells, pd.concat([later, detections], ignore_index=True)


def test_blocks_are_bands_of_the_longer_axis_by_founder() -> None:
    samples, cells, detections = lineages()
    blocks = spatial_blocks(samples, cells, detections, 5)
    founders = detections[(detections["cell_id"] % 100 == 0) & (detections["frame"] == 0)]
    x = founders.set_index("cell_id")["x_px"]
    expected = {
        f"g{cell // 100:03d}": int(where // 200) for cell, where in x.items()
    }  # 4 founders, 50 px apart, a band
    assert blocks.to_dict() == expected


def test_spatial_folds_test_one_band_each() -> None:
    samples, cells, detections = lineages()
    settings_ = SplitSettings(scheme="spatial_blocks", n_folds=5, validation_share=0.25)
    table = split_samples(samples, cells, detections, settings_)
    Splits.validate(table)
    joined = parts_of(samples, table)
    blocks = spatial_blocks(samples, cells, detections, 5)
    tested = joined[joined["part"] == "test"]
    assert (blocks[tested["group_id"]].to_numpy() == tested["fold"]).all()
    assert sorted(tested["sample_id"]) == sorted(samples["sample_id"])
    assert (joined.groupby(["fold", "group_id"])["part"].nunique() < 2).all()
    assert (joined.query("part == 'validation'").groupby("fold").size() == 8).all()  # a quarter of 32


def test_a_recording_with_one_group_has_no_blocks() -> None:
    samples = samples_of(4)
    cells = samples[["recording_id", "cell_id", "group_id"]].drop_duplicates()
    detections = cells[["recording_id", "cell_id"]].assign(frame=0, y_px=1.0, x_px=2.0)
    with pytest.raises(
        InputError, match=r"Recording '000' has 1 groups of cells, fewer than 5 spatial blocks; set group_by"
    ):
        split_samples(samples, cells, detections, SplitSettings(scheme="spatial_blocks"))


def test_fewer_groups_than_parts_are_refused() -> None:
    with pytest.raises(InputError, match="needs at least 3 groups to deal, but the samples come from 2"):
        split_samples(samples_of(2), NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    with pytest.raises(InputError, match="needs at least 5 groups to deal, but the samples come from 4"):
        split_samples(samples_of(4), NOTHING, NOTHING, SplitSettings(scheme="grouped_folds", n_folds=5))


def test_a_part_without_an_outcome_is_refused() -> None:
    samples = samples_of(6)
    samples["outcome"] = np.where(samples["group_id"] == "g000", "apoptosis", "mitosis")
    with pytest.raises(InputError, match=r"has no sample with outcome 'apoptosis' .* 8 such samples in 1 groups"):
        split_samples(samples, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))


def test_shares_that_leave_no_training_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"test_share 0.6 and validation_share 0.4 leave nothing"):
        SplitSettings(scheme="grouped_holdout", test_share=0.6, validation_share=0.4)


def follow_ups_of(n_groups: int, censored_groups: tuple[int, ...] = (), seed: int = 0) -> pd.DataFrame:
    """Eight cells a group, every other one censored; in `censored_groups` all are."""
    table = samples_of(n_groups, cells_per_group=8, samples_per_cell=1, seed=seed)
    lost = (table["cell_id"] % 2 == 1) | table["group_id"].isin([f"g{group:03d}" for group in censored_groups])
    table["fate"] = table["outcome"].where(~lost, "censored")
    table["outcome"] = table["outcome"].where(~lost)
    return table


@pytest.mark.parametrize("scheme", ["grouped_holdout", "random_by_cell", "grouped_folds"])
@settings(max_examples=8, deadline=None)
@given(n_groups=st.integers(9, 24), seed=st.integers(0, 5))
def test_every_part_of_the_follow_ups_holds_each_event(scheme: str, n_groups: int, seed: int) -> None:
    follow_ups = follow_ups_of(n_groups, censored_groups=(1, 4), seed=seed)
    before = follow_ups.copy()
    split = SplitSettings.model_validate({"scheme": scheme, "n_folds": 3, "seed": seed})
    table = Splits.validate(split_follow_ups(follow_ups, NOTHING, NOTHING, split))
    joined = parts_of(follow_ups, table)
    assert (table.groupby("fold")["sample_id"].nunique() == len(follow_ups)).all()  # censored cells play a part too
    events = joined[joined["fate"] != "censored"]
    assert (events.groupby(["fold", "part"])["fate"].nunique() == 2).all()
    unit = "cell_id" if scheme == "random_by_cell" else "group_id"
    assert (joined.groupby(["fold", unit])["part"].nunique() < 2).all()
    pd.testing.assert_frame_equal(follow_ups, before)


def test_censored_cells_are_shared_out_too() -> None:
    follow_ups = follow_ups_of(40)
    joined = parts_of(
        follow_ups, split_follow_ups(follow_ups, NOTHING, NOTHING, SplitSettings(scheme="random_by_cell"))
    )
    shares = joined.loc[joined["fate"] == "censored", "part"].value_counts(normalize=True)
    assert shares[list(PARTS)].to_numpy() == pytest.approx([0.6, 0.15, 0.25], abs=0.02)


def test_a_part_may_be_without_censored_cells_but_not_without_an_event() -> None:
    follow_ups = follow_ups_of(6)
    few = follow_ups["group_id"].isin(["g000"])
    lost = follow_ups["fate"] == "censored"
    with_few = follow_ups.assign(fate=follow_ups["fate"].where(~lost | few, "mitosis"))
    table = split_follow_ups(with_few, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    joined = parts_of(with_few, table)
    assert len(set(joined.loc[joined["fate"] == "censored", "part"])) == 1
    dying = follow_ups["fate"] == "apoptosis"
    with_one = follow_ups.assign(fate=follow_ups["fate"].where(~dying | few, "mitosis"))
    with pytest.raises(InputError, match=r"has no sample with outcome 'apoptosis' .* in 1 groups"):
        split_follow_ups(with_one, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))


def test_an_event_comes_before_censored_cells() -> None:
    # Four groups for three parts: apoptosis parts g0, g1 and g2; mitosis then wants g3 beside g1, and censored cells
    # want it beside g2, which would also come closer to the shares.
    counts = {"g0": (12, 12, 12), "g1": (5, 0, 5), "g2": (3, 1, 0), "g3": (0, 1, 3)}
    fates = ("apoptosis", "mitosis", "censored")
    rows = [(group, fate) for group, ns in counts.items() for fate, n in zip(fates, ns, strict=True) for _ in range(n)]
    follow_ups = pd.DataFrame(rows, columns=["group_id", "fate"]).assign(
        recording_id="r", cell_id=range(54), dose="Low"
    )
    follow_ups["sample_id"] = follow_ups["cell_id"].astype(str)
    joined = parts_of(
        follow_ups, split_follow_ups(follow_ups, NOTHING, NOTHING, SplitSettings(scheme="grouped_holdout"))
    )
    of_group = joined.groupby("group_id")["part"].first()
    assert of_group["g3"] == of_group["g1"]
    assert sorted(of_group[["g0", "g1", "g2"]]) == sorted(PARTS)


def test_without_censored_cells_follow_ups_split_as_samples_do() -> None:
    samples = samples_of(20, samples_per_cell=1)
    settings_ = SplitSettings(scheme="grouped_folds", n_folds=4)
    of_samples = split_samples(samples, NOTHING, NOTHING, settings_)
    of_follow_ups = split_follow_ups(samples.assign(fate=samples["outcome"]), NOTHING, NOTHING, settings_)
    pd.testing.assert_frame_equal(of_samples, of_follow_ups)
