"""How far scorers agree on the cells that they both scored."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, LabelAgreement
from cellfate.statistics.bootstrap import draw_groups, number_groups, summarise

_RESAMPLES, _SEED, _CONFIDENCE = 2000, 0, 0.95
Floats = np.typing.NDArray[np.float64]


def compare_scorers(labels: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Hold every pair of scorers against each other.

    Parameters
    ----------
    labels, cells, recordings : DataFrame
        Tables `Labels`, `Cells` and `Recordings`; the second says which group a cell is of, the third gives hours.

    Returns
    -------
    DataFrame
        Table `LabelAgreement`, without rows where nobody scored a cell that another scored. An interval of kappa draws
        whole groups.

    Notes
    -----
    Cohen, Educ. Psychol. Meas. 20, 37 (1960). What one scorer saw of a cell can have been on the page of the other, but
    for cells that were scored blind: agreement of independent scorers is that of blind labels.
    """
    told = labels[labels["fate"].notna()].merge(cells[[*CELL, "group_id"]], on=CELL)
    told = told.merge(recordings[["recording_id", "frame_interval_min"]], on="recording_id")
    rows = []
    for one, other in combinations(sorted(told["scorer"].unique()), 2):
        both = told[told["scorer"] == one].merge(told[told["scorer"] == other], on=CELL, suffixes=("", "_other"))
        if len(both):
            rows.append({"scorer": one, "other_scorer": other, **_compare(both)})
    return LabelAgreement.validate(pd.DataFrame(rows, columns=list(LabelAgreement.to_schema().columns)))


def _compare(both: pd.DataFrame) -> dict[str, Any]:
    said, names = pd.factorize(np.concatenate([both["fate"], both["fate_other"]]))
    groups_n = number_groups(both["group_id"].to_numpy(object))
    n_groups = int(groups_n.max()) + 1
    counts_rg = draw_groups(n_groups, _RESAMPLES, _SEED)
    kappa_r = _kappa(said[: len(both)], said[len(both) :], len(names), groups_n, counts_rg)
    kappa = summarise(kappa_r, _CONFIDENCE, n_groups)
    same_event = both[(both["fate"] == both["fate_other"]) & both["fate"].isin(EVENTS)]
    frames = (same_event["event_frame"] - same_event["event_frame_other"]).abs().dropna()
    apart_h = frames.astype(np.float64) * same_event.loc[frames.index, "frame_interval_min"] / 60
    reason = None
    if np.isnan(kappa.estimate):
        reason = "both said the same of every cell, and nothing else"
    elif np.isnan(kappa.low):
        reason = "the cells are of one group" if n_groups < 2 else "too few groups hold more than one fate"
    return {
        "n_cells": len(both),
        "n_groups": n_groups,
        "share_same": float((both["fate"] == both["fate_other"]).mean()),
        "kappa": kappa.estimate,
        "low": kappa.low,
        "high": kappa.high,
        "n_events": len(apart_h),
        "median_apart_h": apart_h.median(),
        "largest_apart_h": apart_h.max(),
        "reason": reason,
    }


def _kappa(
    one_n: np.typing.NDArray[np.int64],
    other_n: np.typing.NDArray[np.int64],
    n_names: int,
    groups_n: np.typing.NDArray[np.int64],
    counts_rg: Floats,
) -> Floats:
    """Cohen's kappa of every resample of groups, (r,); NaN where chance alone would agree on every cell."""
    tables_gkk = np.zeros((counts_rg.shape[1], n_names, n_names))
    np.add.at(tables_gkk, (groups_n, one_n, other_n), 1)
    shares_rkk = np.einsum("rg,gkl->rkl", counts_rg, tables_gkk)
    shares_rkk /= shares_rkk.sum(axis=(1, 2), keepdims=True)
    same_r = np.trace(shares_rkk, axis1=1, axis2=2)
    chance_r = (shares_rkk.sum(axis=2) * shares_rkk.sum(axis=1)).sum(axis=1)
    return np.asarray((same_r - chance_r) / np.where(chance_r < 1 - 1e-12, 1 - chance_r, np.nan), dtype=np.float64)
