"""Faithfulness: whether the forecast falls when what an attribution calls important is removed.

Parts are the time windows of what is shown, or channels in time windows where the method tells channels apart; absent
is 0 after normalisation. Deletion starts with the whole and removes the most important part first; insertion starts
with nothing and puts it back first (Samek et al. 2017; Petsiuk et al. 2018). Both are held against random orders of the
same parts. In reverse order the coalitions are the same: deletion in reverse is insertion read backwards.

Array suffixes: p parts, k = p + 1 steps, b coalitions, t frames, c channels, o orders.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_models import view_model
from cellfate.attribution.games import all_subsets
from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.opening import OpenedLandmark, open_landmarks
from cellfate.attribution.scoring import average_cells
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import AttributionCells, FaithfulnessCurves
from cellfate.crops.store import CropStore
from cellfate.prediction.records import TrainedModel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SHARES = np.linspace(0, 1, 11)
"""Shares of the parts at which curves of unlike length are averaged."""
DELETION, INSERTION = "deletion", "insertion"
OWN, RANDOM, REVERSE = "own", "random", "reverse"


def trace_faithfulness(
    crops: CropStore,
    explained_landmarks: pd.DataFrame,
    attributions: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trace deletion and insertion of every method over the landmarks marked `shapley`.

    Parameters
    ----------
    crops
        Crop store.
    explained_landmarks, attributions
        Tables of `explained_landmarks.choose_explained_landmarks` and `gathering.gather_attributions`.
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
    chosen = explained_landmarks[explained_landmarks["shapley"]]
    if chosen.empty:
        return AttributionCells.empty(), FaithfulnessCurves.empty()
    view = view_model(model, explanation)
    values = dict(list(attributions.assign(value=towards_forecast(attributions)).groupby("landmark_id")))
    parts = [
        curves
        for opened in open_landmarks(crops, chosen, view, all_subsets, "Deleting and inserting")
        for curves in _trace_landmark(opened, values[opened.landmark_id], explanation)
    ]
    table = pd.concat(parts, ignore_index=True)
    means = average_cells(table, ["method", "curve", "order", "share"], explanation)
    return _gains(table), FaithfulnessCurves.validate(means.drop(columns="n_failed"))


def _trace_landmark(
    opened: OpenedLandmark, values: pd.DataFrame, explanation: ExplanationSettings
) -> Iterator[pd.DataFrame]:
    """Trace all methods at one landmark: one row a method, curve, order and share."""
    seed = zlib.crc32(f"{explanation.seed}:orders:{opened.landmark_id}".encode())
    towards = float(values["towards"].iloc[0])
    random_by_parts = {
        by_channel: _random_curves(parts_of(opened, by_channel), opened, towards, explanation, seed)
        for by_channel in (False, True)
    }
    for method, rows in values.groupby("method", sort=False):
        by_channel = COMPARED[str(method)].by_image_channel
        order_p = np.argsort(-importance_of_parts(rows, opened.channels, by_channel), kind="stable")
        parts_ptc = parts_of(opened, by_channel)
        deletion_k, insertion_k = curves_of_order(opened, parts_ptc, order_p, towards)
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
            area = float(np.trapezoid(values_k, dx=1 / (len(values_k) - 1)))
            facts = {"landmark_id": opened.landmark_id, "group_id": opened.group_id, "method": method, "curve": curve}
            yield pd.DataFrame({**facts, "order": order, "share": SHARES, "value": on_grid, "area": area})


def parts_of(opened: OpenedLandmark, by_channel: bool) -> BoolArray:
    """Frames and channels of every part, (P, T, C): windows, or window by window its channels."""
    n_channels = len(opened.channels)
    in_window_wt = opened.windows.window_of_t == np.arange(len(opened.windows))[:, None]
    if not by_channel:
        return np.repeat(in_window_wt[:, :, None], n_channels, axis=2)
    parts_wctc = in_window_wt[:, None, :, None] & np.eye(n_channels, dtype=bool)[None, :, None, :]
    parts_ptc: BoolArray = parts_wctc.reshape(-1, in_window_wt.shape[1], n_channels)
    return parts_ptc


def importance_of_parts(rows: pd.DataFrame, channels: tuple[str, ...], by_channel: bool) -> FloatArray:
    """Values of one method in the order of its parts, (P,); summed over channels where parts are windows."""
    if by_channel:
        table = rows.pivot_table(index="windows_back", columns="channel", values="value", sort=False)
        return table.sort_index(ascending=False)[list(channels)].to_numpy().ravel()
    return rows.groupby("windows_back")["value"].sum().sort_index(ascending=False).to_numpy()


def curves_of_order(
    opened: OpenedLandmark, parts_ptc: BoolArray, order_p: IntArray, towards: float
) -> tuple[FloatArray, FloatArray]:
    """Remove and put back parts in one order: log odds above the reference towards the forecast, (K,) each."""
    n_parts = len(parts_ptc)
    rank_p = np.empty(n_parts, dtype=np.int64)
    rank_p[order_p] = np.arange(n_parts)
    gone_kp = rank_p < np.arange(n_parts + 1)[:, None]
    gone_ktc = np.einsum("kp,ptc->ktc", gone_kp.astype(np.uint8), parts_ptc.astype(np.uint8)).astype(bool)
    values = towards * (opened.game.values(np.concatenate([~gone_ktc, gone_ktc])) - opened.reference_log_odds)
    return values[: n_parts + 1], values[n_parts + 1 :]


def _random_curves(
    parts_ptc: BoolArray, opened: OpenedLandmark, towards: float, explanation: ExplanationSettings, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Mean deletion and insertion over random orders, (K,) each."""
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(parts_ptc)) for _ in range(explanation.n_random_orders)]
    curves_o2k = np.array([curves_of_order(opened, parts_ptc, order, towards) for order in orders])
    deletion_k, insertion_k = curves_o2k.mean(axis=0)
    return deletion_k, insertion_k


def _gains(table: pd.DataFrame) -> pd.DataFrame:
    """Differences of areas, one row a landmark, method and score."""
    keys = ["landmark_id", "group_id", "method"]
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
