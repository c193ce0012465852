"""Splits: which cells train, which validate, which test. No group, and no cell, stands on both sides of a fold."""

import logging
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.dealing import deal_units
from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import WHICH_FATE, shown_events
from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, PARTS, Splits
from cellfate.core.words import list_words

logger = logging.getLogger(__name__)

MANY_FOLDS: Final = 10
"""Where more models than that are trained, it is said beforehand how many."""


def split_cells(
    follow_ups: pd.DataFrame,
    cells: pd.DataFrame,
    detections: pd.DataFrame,
    follow_up: FollowUpSettings,
    splits: SplitSettings,
    recordings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Part followed cells into training, validation and test, once for everything that is asked of them.

    Groups are dealt so that every part gets its share of each fate, of each dose and of the groups, as far as whole
    groups allow; censored cells are shared out like any other. `spatial_blocks` orders the groups of a recording by
    where their founder was first seen, along the axis on which founders spread furthest, and cuts that order into bands
    of about equal numbers of cells; each band is tested once. `by_condition` and `leave_one_recording_out` test the
    recordings that are asked for. Validation groups are dealt from what is not tested. Cells that are for training
    only, because forecasts chose them or were in sight when they were scored, are left out where their group validates
    or tests.

    Parameters
    ----------
    follow_ups, cells, detections : DataFrame
        Tables `FollowUps`, and `Cells` and `Detections`, which say where founders were first seen.
    follow_up : FollowUpSettings
        Events that are shown: each has to be in every part; others should be where it is asked which fate comes.
    splits : SplitSettings
        Scheme, shares and seed.
    recordings : DataFrame, optional
        Table `Recordings`; read by scheme `by_condition` alone.

    Returns
    -------
    DataFrame
        Table `Splits`: one row a followed cell and fold, but for those left out.

    Raises
    ------
    InputError
        If there are fewer groups than the split needs, or a part of a fold lacks an event (test parts of
        `leave_one_recording_out` may). And if no recording has a condition that is to be tested, all have, or a group
        would stand on both sides.
    """
    units, rng = _units(follow_ups, splits), np.random.default_rng(splits.seed)
    occurring = competing_events(follow_ups)
    shown = shown_events(occurring, follow_up)
    needed = occurring if WHICH_FATE in follow_up.questions else shown
    if splits.scheme in ("grouped_holdout", "random_by_cell"):
        parts_by_fold = [_hold_out(units, needed, splits, rng)]
    else:
        folds_g = _tested_in(units, needed, follow_ups, cells, detections, recordings, splits, rng)
        tested = range(folds_g.max() + 1)
        parts_by_fold = [_hold_out(units, needed, splits, rng, folds_g == fold) for fold in tested]
    tables = [_fold_table(follow_ups, units, parts_g, fold, splits) for fold, parts_g in enumerate(parts_by_fold)]
    tables = _keep_from_tests(tables, cells, splits)
    # a single recording need not hold every event: the test parts of all folds are scored together
    checked = PARTS[:2] if splits.scheme == "leave_one_recording_out" else PARTS
    for table in tables:
        _check_parts(table, follow_ups, shown, splits, checked)
    return Splits.validate(pd.concat(tables, ignore_index=True))


def select_part(table: pd.DataFrame, splits: pd.DataFrame, fold: int, part: str) -> pd.DataFrame:
    """Rows of a table of cells, landmarks or frames whose cell plays a part in a fold; order and index stay."""
    members = splits.loc[(splits["fold"] == fold) & (splits["part"] == part), CELL]
    of_part = pd.MultiIndex.from_frame(table[CELL]).isin(pd.MultiIndex.from_frame(members))
    return table[of_part]


def list_unseen(splits: pd.DataFrame, fold: int | None = None) -> pd.DataFrame:
    """List cells that some member did not train on and that a fold does not test: what may be fitted beside its model.

    Parameters
    ----------
    splits : DataFrame
        Table `Splits`.
    fold : int, optional
        Fold whose test cells are left out, because what is fitted will be scored on them; null: none are.

    Returns
    -------
    DataFrame
        recording_id, cell_id, and fold: the member that did not train on the cell. With several folds, cells are
        forecast by the member of the fold that tests them; with one, by the member that they validate or test.
    """
    held_out = splits["part"] == "test"
    if len(splits["fold"].unique()) > 1:
        return splits.loc[held_out & (splits["fold"] != fold), [*CELL, "fold"]].reset_index(drop=True)
    open_to_fit = (splits["part"] == "validation") | (held_out & (fold is None))
    return splits.loc[open_to_fit, [*CELL, "fold"]].reset_index(drop=True)


def _units(follow_ups: pd.DataFrame, settings: SplitSettings) -> pd.DataFrame:
    """Count, for every unit that is dealt whole, its cells of each fate and dose; the index names the units."""
    names, fates = unit_names(follow_ups, settings), follow_ups["fate"].astype(str)
    by_fate = pd.crosstab(names, fates)
    by_dose = pd.crosstab(names, follow_ups["dose"].astype(str) + "|" + fates)
    one = pd.DataFrame({"unit": 1}, index=by_fate.index)
    counts: pd.DataFrame = pd.concat([one, by_fate, by_dose], axis=1, keys=["one", "fate", "dose"])
    return counts


def unit_names(follow_ups: pd.DataFrame, settings: SplitSettings) -> "pd.Series[str]":
    """Name, for every cell, the unit that a scheme deals whole: the cell for `random_by_cell`, else the group."""
    if settings.scheme == "random_by_cell":
        return follow_ups["recording_id"].astype(str) + ":" + follow_ups["cell_id"].astype(str)
    return follow_ups["group_id"].astype(str)


def _hold_out(
    units: pd.DataFrame,
    needed: tuple[str, ...],
    settings: SplitSettings,
    rng: np.random.Generator,
    tested_g: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Give every unit its part, as an index into `PARTS`; with `tested_g`, the test part is fixed."""
    validation = settings.validation_share
    if tested_g is None:
        test = settings.test_share
        return _deal(units, needed, np.array([1 - test - validation, validation, test]), rng, settings)
    parts_g = np.full(len(units), PARTS.index("test"))
    parts_g[~tested_g] = _deal(units[~tested_g], needed, np.array([1 - validation, validation]), rng, settings)
    return parts_g


def _deal(
    units: pd.DataFrame,
    needed: tuple[str, ...],
    shares_p: NDArray[np.float64],
    rng: np.random.Generator,
    settings: SplitSettings,
) -> NDArray[np.int64]:
    if len(units) < len(shares_p):
        untested = "that are not tested " if settings.scheme in ("by_condition", "leave_one_recording_out") else ""
        raise InputError(
            f"Scheme '{settings.scheme}' needs at least {len(shares_p)} groups to deal, but the cells {untested}come "
            f"from {len(units)}, and a model must be tested on groups that did not train it; add recordings, set "
            "recordings.group_by to 'lineage' where parents are known, or change splits.scheme or n_folds."
        )
    kinds, names = units.columns.get_level_values(0), units.columns.get_level_values(1)
    needed_s = np.asarray((kinds == "fate") & names.isin(needed))
    return deal_units(units.to_numpy(np.int64), shares_p, needed_s, rng)


def _tested_in(
    units: pd.DataFrame,
    needed: tuple[str, ...],
    follow_ups: pd.DataFrame,
    cells: pd.DataFrame,
    detections: pd.DataFrame,
    recordings: pd.DataFrame | None,
    settings: SplitSettings,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Fold in which every group is tested; -1: in none."""
    if settings.scheme == "grouped_folds":
        return _deal(units, needed, np.full(settings.n_folds, 1 / settings.n_folds), rng, settings)
    if settings.scheme == "spatial_blocks":
        folds = spatial_blocks(follow_ups, cells, detections, settings.n_folds)
    elif settings.scheme == "by_condition":
        assert recordings is not None, "by_condition reads the table of recordings"
        folds = _test_conditions(follow_ups, recordings, settings)
    else:
        folds = _leave_out(follow_ups)
    return np.asarray(folds.reindex(units.index), dtype=np.int64)


def _test_conditions(follow_ups: pd.DataFrame, recordings: pd.DataFrame, settings: SplitSettings) -> "pd.Series[int]":
    """0 for every group whose recordings have the conditions that are tested, -1 for the others."""
    followed = recordings[recordings["recording_id"].isin(follow_ups["recording_id"])]
    tested = pd.Series(True, index=followed.index)
    for column, values in settings.test_conditions.items():
        found = sorted(set(followed[column].astype(str)))
        unknown = sorted(set(values) - set(found))
        if unknown:
            raise InputError(
                f"Parameter splits.test_conditions asks for {column} '{unknown[0]}', which no recording with followed "
                f"cells has; choose among {list_words(found)}."
            )
        tested &= followed[column].astype(str).isin(values)
    if tested.all() or not tested.any():
        raise InputError(
            f"Parameter splits.test_conditions takes {int(tested.sum())} of {len(tested)} recordings for the test, but "
            "some have to be tested and others have to train; choose other values."
        )
    names = set(followed.loc[tested, "recording_id"])
    sides = follow_ups["recording_id"].isin(names).groupby(follow_ups["group_id"].astype(str)).agg(["any", "all"])
    torn = sides.index[sides["any"] & ~sides["all"]]
    if len(torn):
        raise InputError(
            f"Group '{torn[0]}' has recordings that splits.test_conditions tests and others that train, but no group "
            "may stand on both sides; choose whole groups by {group_id: [...]}, or let every recording be a group of "
            "its own with recordings.conditions_columns: {group_id: null}."
        )
    return sides["any"].astype(int) - 1


def _leave_out(follow_ups: pd.DataFrame) -> "pd.Series[int]":
    """Give every group the number of its recording or, where groups hold whole recordings, a number of its own."""
    several = follow_ups.groupby("recording_id")["group_id"].nunique().gt(1).any()
    left_out = follow_ups["recording_id" if several else "group_id"].astype(str)
    folds = left_out.rank(method="dense").astype(int) - 1
    n_folds = int(folds.max()) + 1
    if n_folds < 2:
        raise InputError(
            "Scheme 'leave_one_recording_out' needs at least 2 recordings, or groups of them, but the cells come from "
            f"'{left_out.iloc[0]}' alone; add recordings, or choose another scheme."
        )
    if n_folds > MANY_FOLDS:
        logger.warning(
            "Scheme 'leave_one_recording_out' trains every network %d times, once for each recording left out; "
            "grouped_folds with n_folds 5 tests every recording once as well, and trains 5",
            n_folds,
        )
    return folds.groupby(follow_ups["group_id"].astype(str)).first()


def spatial_blocks(
    follow_ups: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, n_blocks: int
) -> "pd.Series[int]":
    """Cut every recording into bands, by where the founder of each group was first seen.

    Parameters
    ----------
    follow_ups, cells, detections : DataFrame
        Tables `FollowUps`, `Cells`, `Detections`.
    n_blocks : int
        Number of bands.

    Returns
    -------
    Series of int
        Band of every group in `follow_ups`, indexed by group_id. Bands hold about equal numbers of cells.

    Raises
    ------
    InputError
        If a recording has fewer groups than bands.
    """
    founders = _founders(cells, detections)
    sizes = follow_ups.groupby(["recording_id", "group_id"], as_index=False).size()
    placed = sizes.merge(founders, on=["recording_id", "group_id"], how="left")
    bands = []
    for recording_id, groups in placed.groupby("recording_id"):
        if len(groups) < n_blocks:
            raise InputError(
                f"Recording '{recording_id}' has {len(groups)} groups of cells, fewer than {n_blocks} spatial blocks; "
                "set recordings.group_by to 'lineage', take fewer n_folds, or choose another scheme."
            )
        bands.append(_bands(groups, n_blocks))
    return pd.concat(bands)


def _founders(cells: pd.DataFrame, detections: pd.DataFrame) -> pd.DataFrame:
    """First detection of the earliest cell (then the lowest cell_id) of every group."""
    first = detections.sort_values("frame").drop_duplicates(CELL)
    seen = cells[[*CELL, "group_id"]].merge(first, on=CELL)
    return seen.sort_values(["frame", "cell_id"]).drop_duplicates(["recording_id", "group_id"])


def _bands(groups: pd.DataFrame, n_blocks: int) -> "pd.Series[int]":
    spread = groups[["y_px", "x_px"]].max() - groups[["y_px", "x_px"]].min()
    ordered = groups.sort_values([str(spread.idxmax()), "group_id"])
    middle = ordered["size"].cumsum() - ordered["size"] / 2
    blocks = (middle * n_blocks // ordered["size"].sum()).astype(int)
    return pd.Series(blocks.to_numpy(), index=ordered["group_id"])


def _fold_table(
    follow_ups: pd.DataFrame, units: pd.DataFrame, parts_g: NDArray[np.int64], fold: int, settings: SplitSettings
) -> pd.DataFrame:
    part_of_unit = pd.Series(np.array(PARTS)[parts_g], index=units.index)
    parts = unit_names(follow_ups, settings).map(part_of_unit).to_numpy()
    return follow_ups[CELL].reset_index(drop=True).assign(scheme=settings.scheme, fold=fold, part=parts)


def _keep_from_tests(tables: list[pd.DataFrame], cells: pd.DataFrame, settings: SplitSettings) -> list[pd.DataFrame]:
    """See that cells for training only neither validate nor test; by cell they train, else their group is held out."""
    if not (only := cells.reindex(columns=["training_only"])["training_only"].eq(True)).any():
        return tables
    kept = []
    for table in tables:
        is_only = pd.MultiIndex.from_frame(table[CELL]).isin(pd.MultiIndex.from_frame(cells.loc[only, CELL]))
        if settings.scheme == "random_by_cell":
            kept.append(table.assign(part=table["part"].mask(is_only, "train")))
        else:
            kept.append(table[~is_only | (table["part"] == "train")].reset_index(drop=True))
    counts = int(only.sum()), sum(len(table) for table in tables) - sum(len(table) for table in kept)
    logger.info("%d cells are for training only: they are left out %d times where their group is held out", *counts)
    return kept


def _check_parts(
    table: pd.DataFrame,
    follow_ups: pd.DataFrame,
    shown: tuple[str, ...],
    settings: SplitSettings,
    parts: Sequence[str],
) -> None:
    """Refuse a fold in which one of some parts lacks an event that is shown."""
    fates = table.merge(follow_ups[[*CELL, "fate"]], on=CELL)
    counts = pd.crosstab(fates["part"], fates["fate"]).reindex(index=list(parts), columns=list(shown), fill_value=0)
    for part, row in counts.iterrows():
        if (row == 0).any():
            lacking = row.index[row == 0][0]
            held = follow_ups[follow_ups["fate"] == lacking]
            n_groups = unit_names(held, settings).nunique()
            advice = (
                "choose other splits.test_conditions, or leave the event out of follow_up.events."
                if settings.scheme == "by_condition"
                else "add recordings, take larger shares or fewer folds, or another seed or scheme of parameter splits."
            )
            raise InputError(
                f"Part '{part}' of fold {table['fold'].iloc[0]} has no cell that ends in {lacking} (scheme "
                f"'{settings.scheme}': {len(held)} such cells in {n_groups} groups), but every part needs each event; "
                f"{advice}"
            )
