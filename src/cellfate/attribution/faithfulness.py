"""Faithfulness: whether the forecast falls when what an attribution calls important is removed.

Parts are the time windows of a sample, or channels in time windows where the method tells channels apart; absent is 0
after normalisation. Deletion starts with the whole sample and removes the most important part first; insertion starts
with nothing and puts it back first (Samek et al. 2017; Petsiuk et al. 2018). Both are held against random orders of the
same parts. In reverse order the coalitions are the same: deletion in reverse is insertion read backwards.

Array suffixes: p parts of a sample, k = p + 1 steps, b coalitions, t frames, c channels, o orders.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.explained_models import Explainable, view_model
from cellfate.attribution.explaining import one_thread
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.intervals import summarise_means
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.opening import OpenedSample, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import FaithfulnessCurves
from cellfate.crops.store import CropStore

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SHARES = np.linspace(0, 1, 11)
"""Shares of the parts at which curves of samples of unlike length are averaged."""
DELETION, INSERTION = "deletion", "insertion"
OWN, RANDOM, REVERSE = "own", "random", "reverse"


def trace_faithfulness(
    crops: CropStore,
    explained_samples: pd.DataFrame,
    attributions: pd.DataFrame,
    model: Explainable,
    explanation: ExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trace deletion and insertion of every method over the samples marked `shapley`.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples, attributions
        Tables of `selection.select_explained_samples` and `gathering.gather_attributions`.
    model
        The model; TreeSHAP of the boosting is scored by it too, by windows: does it point at hours that matter?
    explanation
        Windows, random orders, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, in logits: `deletion_gain` and `insertion_gain`, by how much the area of the own order
        is better than that of random orders, and `over_reverse`, by how much it is better than that of the reverse
        order.
    curves : pandas.DataFrame
        Table `FaithfulnessCurves`.
    """
    view = view_model(model, explanation.outcome)
    chosen = explained_samples[explained_samples["shapley"]]
    values = dict(list(attributions.assign(value=towards_forecast(attributions)).groupby("sample_id")))
    subsets = all_subsets(len(view.channels))
    opened = open_samples(crops, chosen, view.member_for, explanation, view.outcome_number, subsets)
    with one_thread():
        parts = [
            curves
            for sample in tqdm(opened, total=len(chosen), desc="Deleting and inserting", disable=None)
            for curves in _trace_sample(sample, values[sample.sample_id], view.channels, explanation)
        ]
    table = pd.concat(parts, ignore_index=True)
    return _gains(table), _mean_curves(table, explanation)


def _trace_sample(
    sample: OpenedSample, values: pd.DataFrame, channels: tuple[str, ...], explanation: ExplanationSettings
) -> Iterator[pd.DataFrame]:
    """Trace all methods of one sample: one row a method, curve, order and share."""
    seed = zlib.crc32(f"{explanation.seed}:orders:{sample.sample_id}".encode())
    towards, group_id = float(values["towards"].iloc[0]), values["group_id"].iloc[0]
    random_by_parts = {
        by_channel: _random_curves(parts_of(sample, len(channels), by_channel), sample, towards, explanation, seed)
        for by_channel in (False, True)
    }
    for method, rows in values.groupby("method", sort=False):
        by_channel = COMPARED[str(method)].by_channel and COMPARED[str(method)].of_network
        order_p = np.argsort(-importance_of_parts(rows, channels, by_channel), kind="stable")
        parts_ptc = parts_of(sample, len(channels), by_channel)
        deletion_k, insertion_k = curves_of_order(sample, parts_ptc, order_p, towards)
        random_deletion_k, random_insertion_k = random_by_parts[by_channel]
        curves = {
            (DELETION, OWN): deletion_k,
            (INSERTION, OWN): insertion_k,
            (DELETION, REVERSE): insertion_k[::-1],
            (INSERTION, REVERSE): deletion_k[::-1],
            (DELETION, RANDOM): random_deletion_k,
            (INSERTION, RANDOM): random_insertion_k,
        }
        for (curve, order), values_k in curves.items():
            on_grid = np.interp(SHARES, np.linspace(0, 1, len(values_k)), values_k)
            facts = {"sample_id": sample.sample_id, "group_id": group_id, "method": method, "curve": curve}
            area = float(np.trapezoid(values_k, dx=1 / (len(values_k) - 1)))
            yield pd.DataFrame({**facts, "order": order, "share": SHARES, "value": on_grid, "area": area})


def parts_of(sample: OpenedSample, n_channels: int, by_channel: bool) -> BoolArray:
    """Frames and channels of every part, (P, T, C): windows, or window by window its channels."""
    in_window_wt = sample.windows.window_of_t == np.arange(len(sample.windows))[:, None]
    if not by_channel:
        return np.repeat(in_window_wt[:, :, None], n_channels, axis=2)
    parts_wctc = in_window_wt[:, None, :, None] & np.eye(n_channels, dtype=bool)[None, :, None, :]
    parts_ptc: BoolArray = parts_wctc.reshape(-1, in_window_wt.shape[1], n_channels)
    return parts_ptc


def importance_of_parts(rows: pd.DataFrame, channels: tuple[str, ...], by_channel: bool) -> FloatArray:
    """Values of one sample and method in the order of its parts, (P,); summed over channels where parts are windows."""
    if by_channel:
        table = rows.pivot_table(index="windows_back", columns="channel", values="value", sort=False)
        return table.sort_index(ascending=False)[list(channels)].to_numpy().ravel()
    return rows.groupby("windows_back")["value"].sum().sort_index(ascending=False).to_numpy()


def curves_of_order(
    sample: OpenedSample, parts_ptc: BoolArray, order_p: IntArray, towards: float
) -> tuple[FloatArray, FloatArray]:
    """Remove and put back parts in one order: log odds towards the forecast after each step, (K,) each."""
    n_parts = len(parts_ptc)
    rank_p = np.empty(n_parts, dtype=np.int64)
    rank_p[order_p] = np.arange(n_parts)
    gone_kp = rank_p < np.arange(n_parts + 1)[:, None]
    gone_ktc = np.einsum("kp,ptc->ktc", gone_kp.astype(np.uint8), parts_ptc.astype(np.uint8)).astype(bool)
    values = towards * sample.game.values(np.concatenate([~gone_ktc, gone_ktc]))
    return values[: n_parts + 1], values[n_parts + 1 :]


def _random_curves(
    parts_ptc: BoolArray, sample: OpenedSample, towards: float, explanation: ExplanationSettings, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Mean deletion and insertion over random orders, (K,) each."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(parts_ptc)) for _ in range(explanation.n_random_orders)]
    curves_o2k = np.array([curves_of_order(sample, parts_ptc, order, towards) for order in orders])
    deletion_k, insertion_k = curves_o2k.mean(axis=0)
    return deletion_k, insertion_k


def _gains(table: pd.DataFrame) -> pd.DataFrame:
    """Differences of areas, one row a sample, method and score."""
    keys = ["sample_id", "group_id", "method"]
    areas = table.drop_duplicates([*keys, "curve", "order"]).pivot_table(
        index=keys, columns=["curve", "order"], values="area", sort=False
    )
    scores = pd.DataFrame(
        {
            "deletion_gain": areas[DELETION, RANDOM] - areas[DELETION, OWN],
            "insertion_gain": areas[INSERTION, OWN] - areas[INSERTION, RANDOM],
            "over_reverse": areas[INSERTION, OWN] - areas[DELETION, OWN],
        }
    )
    return scores.reset_index().melt(keys, var_name="score", value_name="value")


def _mean_curves(table: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Mean curves over samples, with intervals."""
    means = summarise_means(table, ["method", "curve", "order", "share"], explanation)
    return FaithfulnessCurves.validate(means.drop(columns="n_failed"))
