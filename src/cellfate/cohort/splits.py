"""Splits: which samples train, which validate, which test. No group, and no cell, stands on both sides of a fold."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.dealing import deal_units
from cellfate.cohort.settings import SplitSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.core.tables import PARTS


def split_samples(
    samples: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, splits: SplitSettings
) -> pd.DataFrame:
    """Part samples into training, validation and test.

    Groups are dealt so that every part gets its share of each outcome, of each dose and of the groups, as far as whole
    groups allow. `spatial_blocks` orders the groups of a recording by where their founder was first seen, along the
    axis on which founders spread furthest, and cuts that order into bands of about equal numbers of samples; each band
    is tested once. Validation groups are dealt from what is not tested.

    Parameters
    ----------
    samples : DataFrame
        Table `Samples`; outcomes are known.
    cells : DataFrame
        Table `Cells`.
    detections : DataFrame
        Table `Detections`; says where founders were first seen.
    splits : SplitSettings
        Scheme, shares and seed.

    Returns
    -------
    DataFrame
        Table `Splits`: one row a sample and fold.

    Raises
    ------
    InputError
        If there are fewer groups than the split needs, or a part of a fold lacks an outcome.
    """
    units = _units(samples, splits)
    rng = np.random.default_rng(splits.seed)
    if splits.scheme in ("grouped_holdout", "random_by_cell"):
        parts_by_fold = [_hold_out(units, splits, rng)]
    else:
        blocks_g = _blocks(units, samples, cells, detections, splits, rng)
        parts_by_fold = [_hold_out(units, splits, rng, blocks_g == fold) for fold in range(splits.n_folds)]
    tables = [_fold_table(samples, units, parts_g, fold, splits) for fold, parts_g in enumerate(parts_by_fold)]
    return pd.concat(tables, ignore_index=True)


def split_follow_ups(
    follow_ups: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, splits: SplitSettings
) -> pd.DataFrame:
    """Part followed cells into training, validation and test, as `split_samples` does with samples.

    Censored cells are shared out over the parts like any other; only events must be in every part.

    Parameters
    ----------
    follow_ups : DataFrame
        Table `FollowUps`.
    cells, detections : DataFrame
        Tables `Cells` and `Detections`; they say where founders were first seen.
    splits : SplitSettings
        Scheme, shares and seed.

    Returns
    -------
    DataFrame
        Table `Splits`: one row a followed cell and fold; sample_id is that of `follow_ups`.

    Raises
    ------
    InputError
        If there are fewer groups than the split needs, or a part of a fold lacks an event.
    """
    return split_samples(follow_ups.assign(outcome=follow_ups["fate"]), cells, detections, splits)


def _units(samples: pd.DataFrame, settings: SplitSettings) -> pd.DataFrame:
    """Count, for every unit that is dealt whole, its samples of each outcome and dose; the index names the units."""
    names, outcomes = unit_names(samples, settings), samples["outcome"].astype(str)
    by_outcome = pd.crosstab(names, outcomes)
    by_dose = pd.crosstab(names, samples["dose"].astype(str) + "|" + outcomes)
    one = pd.DataFrame({"unit": 1}, index=by_outcome.index)
    counts: pd.DataFrame = pd.concat([one, by_outcome, by_dose], axis=1, keys=["one", "outcome", "dose"])
    return counts


def unit_names(samples: pd.DataFrame, settings: SplitSettings) -> "pd.Series[str]":
    """Name, for every sample, the unit that a scheme deals whole: the cell for `random_by_cell`, else the group."""
    if settings.scheme == "random_by_cell":
        return samples["recording_id"].astype(str) + ":" + samples["cell_id"].astype(str)
    return samples["group_id"].astype(str)


def _hold_out(
    units: pd.DataFrame, settings: SplitSettings, rng: np.random.Generator, tested_g: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Give every unit its part, as an index into `PARTS`; with `tested_g`, the test part is fixed."""
    validation = settings.validation_share
    if tested_g is None:
        test = settings.test_share
        return _deal(units, np.array([1 - test - validation, validation, test]), rng, settings)
    parts_g = np.full(len(units), PARTS.index("test"))
    parts_g[~tested_g] = _deal(units[~tested_g], np.array([1 - validation, validation]), rng, settings)
    return parts_g


def _deal(
    units: pd.DataFrame, shares_p: NDArray[np.float64], rng: np.random.Generator, settings: SplitSettings
) -> NDArray[np.int64]:
    if len(units) < len(shares_p):
        message = (
            f"Scheme '{settings.scheme}' needs at least {len(shares_p)} groups to deal, but the samples come from "
            f"{len(units)}; add recordings, take fewer folds, or choose another scheme of parameter splits."
        )
        raise InputError(message)
    kinds, names = units.columns.get_level_values(0), units.columns.get_level_values(1)
    needed = np.asarray((kinds == "outcome") & (names != CENSORED))  # a part may do without censored cells
    return deal_units(units.to_numpy(np.int64), shares_p, needed, rng)


def _blocks(
    units: pd.DataFrame,
    samples: pd.DataFrame,
    cells: pd.DataFrame,
    detections: pd.DataFrame,
    settings: SplitSettings,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Fold in which every group is tested."""
    if settings.scheme == "grouped_folds":
        return _deal(units, np.full(settings.n_folds, 1 / settings.n_folds), rng, settings)
    blocks = spatial_blocks(samples, cells, detections, settings.n_folds)
    return np.asarray(blocks.reindex(units.index), dtype=np.int64)


def spatial_blocks(
    samples: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, n_blocks: int
) -> "pd.Series[int]":
    """Cut every recording into bands, by where the founder of each group was first seen.

    Parameters
    ----------
    samples, cells, detections : DataFrame
        Tables `Samples`, `Cells`, `Detections`.
    n_blocks : int
        Number of bands.

    Returns
    -------
    Series of int
        Band of every group in `samples`, indexed by group_id. Bands hold about equal numbers of samples.

    Raises
    ------
    InputError
        If a recording has fewer groups than bands.
    """
    founders = _founders(cells, detections)
    sizes = samples.groupby(["recording_id", "group_id"], as_index=False).size()
    placed = sizes.merge(founders, on=["recording_id", "group_id"], how="left")
    bands = []
    for recording_id, groups in placed.groupby("recording_id"):
        if len(groups) < n_blocks:
            message = (
                f"Recording '{recording_id}' has {len(groups)} groups of cells, fewer than {n_blocks} spatial blocks; "
                "set group_by of parameter recordings to 'lineage', take fewer n_folds, or choose another scheme."
            )
            raise InputError(message)
        bands.append(_bands(groups, n_blocks))
    return pd.concat(bands)


def _founders(cells: pd.DataFrame, detections: pd.DataFrame) -> pd.DataFrame:
    """First detection of the earliest cell (then the lowest cell_id) of every group."""
    first = detections.sort_values("frame").drop_duplicates(["recording_id", "cell_id"])
    seen = cells[["recording_id", "cell_id", "group_id"]].merge(first, on=["recording_id", "cell_id"])
    return seen.sort_values(["frame", "cell_id"]).drop_duplicates(["recording_id", "group_id"])


def _bands(groups: pd.DataFrame, n_blocks: int) -> "pd.Series[int]":
    spread = groups[["y_px", "x_px"]].max() - groups[["y_px", "x_px"]].min()
    ordered = groups.sort_values([str(spread.idxmax()), "group_id"])
    middle = ordered["size"].cumsum() - ordered["size"] / 2
    blocks = (middle * n_blocks // ordered["size"].sum()).astype(int)
    return pd.Series(blocks.to_numpy(), index=ordered["group_id"])


def _fold_table(
    samples: pd.DataFrame, units: pd.DataFrame, parts_g: NDArray[np.int64], fold: int, settings: SplitSettings
) -> pd.DataFrame:
    part_of_unit = pd.Series(np.array(PARTS)[parts_g], index=units.index)
    table = pd.DataFrame(
        {
            "scheme": settings.scheme,
            "fold": fold,
            "sample_id": samples["sample_id"].to_numpy(),
            "part": unit_names(samples, settings).map(part_of_unit).to_numpy(),
        }
    )
    _check_parts(table["part"], samples, fold, settings)
    return table


def _check_parts(parts: "pd.Series[str]", samples: pd.DataFrame, fold: int, settings: SplitSettings) -> None:
    counts = pd.crosstab(parts.to_numpy(), samples["outcome"].to_numpy()).reindex(PARTS, fill_value=0)
    for part, row in counts.drop(columns=CENSORED, errors="ignore").iterrows():
        if (row == 0).any():
            lacking = row.index[row == 0][0]
            held = samples[samples["outcome"] == lacking]
            n_groups = unit_names(held, settings).nunique()
            message = (
                f"Part '{part}' of fold {fold} has no sample with outcome '{lacking}' (scheme '{settings.scheme}': "
                f"{len(held)} such samples in {n_groups} groups), but every part needs each outcome; add recordings, "
                "take larger shares or fewer folds, or another seed or scheme of parameter splits."
            )
            raise InputError(message)
