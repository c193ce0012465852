"""Faithfulness: whether the forecast falls when what an attribution calls important is removed.

Parts are the time windows of what is shown, or channels in time windows where the method tells channels apart; absent
is what `explanation.absent` says. Where other cells stand in, they are others than those beside which the values were
found: an order that knows only who stood in there gains nothing here. Deletion starts with the whole and removes the
most important part first; insertion starts with nothing and puts it back first (Samek et al. 2017; Petsiuk et al.
2018). The order of a method is held against

- random orders of the same parts, on the mean;
- the best of these for all cells together. Each random order is one and the same for all cells, so that an order that
  knows nothing but is shared comes out on top of the 19 others in one study of twenty;
- the order of the same method's values of matched cells, and that of the mean of its values of all other cells of which
  the same was forecast.

In reverse order the coalitions are the same: deletion in reverse is insertion read backwards. A step takes one
window, or as many parts as there are channels, and more where there are over `MOST_STEPS` windows. How far the forecast
moves up and down, part by part in the order of the size of values, is the matter of `cumulative`.

Array suffixes: p parts, k windows + 1 steps, b coalitions, t frames, c channels, o orders, e deletion and insertion.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.cumulative import CUMULATIVE, N_WALKED, gains_of_moves
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.games import all_subsets
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.opening import OpenedLandmark, open_landmarks
from cellfate.attribution.other_cells import LaidValues, OtherCells, gather_cells
from cellfate.attribution.random_networks import CONSTANT, is_constant
from cellfate.attribution.scoring import average_cells
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.stand_ins import CURVE_STAND_INS, take_curve_stand_ins
from cellfate.core.tables import AttributionCells, FaithfulnessCurves
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel
from cellfate.statistics.effect_sizes import rank_correlation

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MOST_STEPS: Final = 6
"""Most steps of a curve: each is paid for by as many forecasts as orders are traced."""
SHARES = np.linspace(0, 1, 11)
"""Shares of the parts at which curves of unlike length are averaged."""
DELETION, INSERTION = "deletion", "insertion"
OWN, RANDOM, REVERSE = "own", "random", "reverse"
ALIKE: Final = "alike_in_cells"
HELD_AGAINST: Final = ("gain", "over_shared", "over_matched", "over_mean")
OVER_ORDERS: Final = tuple(f"{curve}_{name}" for name in HELD_AGAINST for curve in (DELETION, INSERTION))
GAINS: Final = (*OVER_ORDERS, "over_reverse", *CUMULATIVE, ALIKE)
"""Scores of the orders; what each means: `tabulate_gains`."""
ONE_PART: Final = "what is shown is a single part, which has no order"
NO_MATCH: Final = "too few other cells of the same outcome and length were explained"
NO_OTHER: Final = "no other cell of the same forecast was explained"
NOT_WALKED: Final = "only at the first max_cumulative_landmarks parts are removed one by one"
NO_STAND_INS: Final = "no other training cells were left to stand in for absent parts"


def trace_faithfulness(
    crops: FrameSource,
    explained_landmarks: pd.DataFrame,
    attributions: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trace deletion and insertion of every method over the landmarks marked `shapley`.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells.
    explained_landmarks, attributions
        Tables of `explained_landmarks.choose_explained_landmarks` and `gathering.gather_attributions`.
    model
        The model; TreeSHAP of the boosting is scored by it too, by windows: does it point at hours that matter?
    explanation
        Windows, random orders, matched cells, resamples.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, from `tabulate_gains`.
    curves : pandas.DataFrame
        Table `FaithfulnessCurves`.
    """
    chosen = explained_landmarks[explained_landmarks["shapley"]]
    if chosen.empty:
        return AttributionCells.empty(), FaithfulnessCurves.empty()
    view = view_model(model, explanation)
    able = chosen[CURVE_STAND_INS].map(len) > 0 if explanation.absent == "other_cells" else chosen["shapley"]
    opened = open_landmarks(crops, take_curve_stand_ins(chosen[able]), view, all_subsets, "Deleting and inserting")
    cells = gather_cells(attributions, chosen, view.channels, explanation)
    traces = list(trace_orders(opened, cells, attributions, explanation))
    untraced = _say_untraced(attributions[attributions["landmark_id"].isin(chosen.loc[~able, "landmark_id"])])
    if not traces:
        return untraced, FaithfulnessCurves.empty()
    table = pd.concat([tabulate_gains(traces), untraced], ignore_index=True)
    return AttributionCells.validate(table), _average_curves(traces, explanation)


def _say_untraced(attributions: pd.DataFrame) -> pd.DataFrame:
    """Table `AttributionCells` of landmarks at which no curve can be traced: no value, but the reason."""
    of_landmarks = attributions[["landmark_id", "group_id", "method"]].drop_duplicates()
    scores = pd.DataFrame({"score": GAINS, "value": np.nan, "reason": NO_STAND_INS})
    return AttributionCells.validate(of_landmarks.merge(scores, how="cross"))


@dataclass(frozen=True, eq=False)
class Trace:
    """One method at one landmark: areas under deletion and insertion (E,), and the curves that are drawn.

    Attributes
    ----------
    facts
        landmark_id, group_id and method.
    unordered
        Why its values give the parts no order; None: they do.
    own_e, mean_e, matched_e
        Areas of its own order, of that of the mean of all other cells, and mean area of those of matched cells; NaN
        without such cells.
    random_oe
        Areas of random orders.
    moved_e
        Gains of `cumulative.gains_of_moves`; NaN where no order was walked part by part.
    alike
        Rank correlation of the values with the mean of all other cells.
    curves
        By curve and order: log odds at the shares `SHARES`.
    """

    facts: dict[str, str]
    unordered: str | None
    own_e: FloatArray
    mean_e: FloatArray
    matched_e: FloatArray
    random_oe: FloatArray
    moved_e: FloatArray
    alike: float
    curves: dict[tuple[str, str], FloatArray]


def trace_orders(
    opened_landmarks: Iterable[OpenedLandmark],
    cells: OtherCells,
    attributions: pd.DataFrame,
    explanation: ExplanationSettings,
) -> Iterator[Trace]:
    """Trace the orders of every method over opened landmarks, of which game, windows and channels are used.

    Parameters
    ----------
    opened_landmarks
        The landmarks.
    cells
        Their values, from `other_cells.gather_cells`.
    attributions
        Table of `gathering.gather_attributions`; its `towards` is used.
    explanation
        Random orders, seed.
    """
    towards = attributions.groupby("landmark_id")["towards"].first()
    for number, opened in enumerate(opened_landmarks):
        walk = number < explanation.max_cumulative_landmarks
        yield from _trace_landmark(opened, cells, float(towards[opened.landmark_id]), explanation, walk)


def _trace_landmark(
    opened: OpenedLandmark, cells: OtherCells, towards: float, explanation: ExplanationSettings, walk: bool
) -> Iterator[Trace]:
    """Trace all methods at one landmark; `walk` also part by part."""
    laid = {name: cells.lay_on(opened.landmark_id, name, opened.windows.windows_back) for name in cells.values_nwc}
    valued = {name: values for name, values in laid.items() if not np.isnan(values.own_p).any()}
    for by_channel in sorted({COMPARED[name].by_image_channel for name in valued}):
        of_methods = {name: valued[name] for name in valued if COMPARED[name].by_image_channel == by_channel}
        orders = {name: _orders_of(values) for name, values in of_methods.items()}
        at_random = shared_orders(opened, by_channel, explanation)
        parts_ptc = parts_of(opened, by_channel)
        shares_k = steps_of(len(parts_ptc), len(opened.windows)) / len(parts_ptc)
        all_orders = np.array(at_random + [order for own in orders.values() for order in own])
        curves_oek = curves_of_orders(opened, parts_ptc, all_orders, towards)
        sizes = [len(at_random), *(len(own) for own in orders.values())]
        random_oek, *by_method = np.split(curves_oek, np.cumsum(sizes)[:-1])
        own_op = np.array([values.own_p for values in of_methods.values()])
        moved_oe = (
            _trace_moves(opened, parts_ptc, own_op, at_random, towards) if walk else np.full((len(own_op), 2), np.nan)
        )
        for (name, values), own_oek, moved_e in zip(of_methods.items(), by_method, moved_oe, strict=True):
            facts = {"landmark_id": opened.landmark_id, "group_id": opened.group_id, "method": name}
            yield _trace_method(facts, values, own_oek, random_oek, shares_k, moved_e)


def _trace_moves(
    opened: OpenedLandmark, parts_ptc: BoolArray, own_op: FloatArray, at_random: list[IntArray], towards: float
) -> FloatArray:
    """Gains of `cumulative.gains_of_moves` of the own values of some methods, (O, P): (O, E)."""
    by_size = np.argsort(-np.abs(own_op), axis=1, kind="stable")
    walked = np.array([*at_random[:N_WALKED], *by_size])
    walked_oek = curves_of_orders(opened, parts_ptc, walked, towards, np.arange(len(parts_ptc) + 1))
    return gains_of_moves(walked_oek, len(walked) - len(by_size))


def _orders_of(laid: LaidValues) -> list[IntArray]:
    """Orders of the parts by a method's values: its own, that of the mean of the others, and those of matched cells."""
    means = [] if laid.mean_p is None else [laid.mean_p]
    return [np.argsort(-values_p, kind="stable") for values_p in (laid.own_p, *means, *laid.matched_kp)]


def _trace_method(
    facts: dict[str, str],
    laid: LaidValues,
    curves_oek: FloatArray,
    random_oek: FloatArray,
    shares_k: FloatArray,
    moved_e: FloatArray,
) -> Trace:
    """Trace one method from the curves of the orders of `_orders_of`, and of random ones, at these shares of parts."""
    unknown_e = np.full(2, np.nan)
    own_ek, random_ek = curves_oek[0], random_oek.mean(axis=0)
    n_first = 1 if laid.mean_p is None else 2
    matched_ke = _area(curves_oek[n_first:], shares_k)
    back_k = 1 - shares_k[::-1]
    drawn = {OWN: (own_ek, shares_k), REVERSE: (own_ek[::-1, ::-1], back_k), RANDOM: (random_ek, shares_k)}
    return Trace(
        facts=facts,
        unordered=ONE_PART if len(laid.own_p) == 1 else CONSTANT if is_constant(laid.own_p) else None,
        own_e=_area(own_ek, shares_k),
        mean_e=unknown_e if laid.mean_p is None else _area(curves_oek[1], shares_k),
        matched_e=matched_ke.mean(axis=0) if len(matched_ke) else unknown_e,
        random_oe=_area(random_oek, shares_k),
        moved_e=moved_e,
        alike=np.nan if laid.mean_p is None else rank_correlation(laid.own_p, laid.mean_p),
        curves={
            (curve, order): np.interp(SHARES, at_k, curve_k)
            for order, (curves_ek, at_k) in drawn.items()
            for curve, curve_k in zip((DELETION, INSERTION), curves_ek, strict=True)
        },
    )


def _area(curves: FloatArray, shares_k: FloatArray) -> FloatArray:
    """Area under curves over the shares of the parts; the last axis is their steps."""
    return np.asarray(np.trapezoid(curves, x=shares_k, axis=-1))


def steps_of(n_parts: int, n_windows: int) -> IntArray:
    """Parts that are gone, or back, at each step of a curve, (K,).

    Examples
    --------
    >>> steps_of(4, 2).tolist(), steps_of(12, 12).tolist()
    ([0, 2, 4], [0, 2, 4, 6, 8, 10, 12])
    """
    return np.rint(np.linspace(0, n_parts, min(n_windows, MOST_STEPS) + 1)).astype(np.int64)


def shared_orders(opened: OpenedLandmark, by_channel: bool, explanation: ExplanationSettings) -> list[IntArray]:
    """Random orders of a landmark's parts, each cut out of one order of all windows and channels of all cells."""
    generator = np.random.default_rng([explanation.seed, 7])
    size = (explanation.n_random_orders, explanation.n_windows, len(opened.channels) if by_channel else 1)
    ranks_owc = generator.random(size)[:, opened.windows.windows_back]
    return list(np.argsort(ranks_owc.reshape(len(ranks_owc), -1), axis=1))


def parts_of(opened: OpenedLandmark, by_channel: bool) -> BoolArray:
    """Frames and channels of every part, (P, T, C): windows, or window by window its channels."""
    n_channels = len(opened.channels)
    in_window_wt = opened.windows.window_of_t == np.arange(len(opened.windows))[:, None]
    if not by_channel:
        return np.repeat(in_window_wt[:, :, None], n_channels, axis=2)
    parts_wctc = in_window_wt[:, None, :, None] & np.eye(n_channels, dtype=bool)[None, :, None, :]
    parts_ptc: BoolArray = parts_wctc.reshape(-1, in_window_wt.shape[1], n_channels)
    return parts_ptc


def curves_of_orders(
    opened: OpenedLandmark, parts_ptc: BoolArray, orders_op: IntArray, towards: float, gone_k: IntArray | None = None
) -> FloatArray:
    """Remove and put back parts in some orders: log odds above the reference towards the forecast, (O, E, K).

    Orders share many of their coalitions, which are asked once: all of nothing, all of everything, and where parts are
    few most of the others. `gone_k`: parts gone at each step; None: see `steps_of`.
    """
    n_parts = len(parts_ptc)
    rank_op = np.argsort(orders_op, axis=1)
    steps_k = steps_of(n_parts, len(opened.windows)) if gone_k is None else gone_k
    gone_okp = rank_op[:, None] < steps_k[:, None]
    present_oekp = np.stack([~gone_okp, gone_okp], axis=1)
    unique_bp, places = np.unique(present_oekp.reshape(-1, n_parts), axis=0, return_inverse=True)
    present_btc = np.einsum("bp,ptc->btc", unique_bp.astype(np.uint8), parts_ptc.astype(np.uint8)).astype(bool)
    values_b = towards * (opened.game.values(present_btc) - opened.reference_log_odds)
    return np.asarray(values_b[places].reshape(present_oekp.shape[:3]))


def _average_curves(traces: list[Trace], explanation: ExplanationSettings) -> pd.DataFrame:
    """Average the curves over cells: table `FaithfulnessCurves`."""
    tables = [
        pd.DataFrame({**trace.facts, "curve": curve, "order": order, "share": SHARES, "value": values})
        for trace in traces
        for (curve, order), values in trace.curves.items()
    ]
    means = average_cells(pd.concat(tables, ignore_index=True), ["method", "curve", "order", "share"], explanation)
    return FaithfulnessCurves.validate(means.drop(columns="n_failed"))


def tabulate_gains(traces: list[Trace]) -> pd.DataFrame:
    """By how much the own order is better than others, one row a landmark, method and score.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionCells`. Differences of areas in logits, above 0 where the own order is better:
        `deletion_gain` and `insertion_gain` than random orders on the mean, `<curve>_over_shared` than the best of
        these for all cells, `<curve>_over_matched` than those of matched cells on the mean, `<curve>_over_mean` than
        that of the mean of all other cells forecast alike; `over_reverse` than the reverse order. `cumulative_deletion`
        and `cumulative_preservation`: by how much sooner the forecast moves than in random orders where the largest
        values go first, and how much later where the smallest do. `alike_in_cells`: rank correlation of the values with
        the mean of the others. Where a value is NaN, `reason` says why.
    """
    better_e = np.array([-1.0, 1.0])  # less area under deletion is better, more under insertion
    by_method: dict[str, list[Trace]] = {}
    for trace in traces:
        by_method.setdefault(trace.facts["method"], []).append(trace)
    rows = []
    for of_method in by_method.values():
        of_cells_oe = np.mean([trace.random_oe for trace in of_method], axis=0)
        best_e = (better_e * of_cells_oe).argmax(axis=0)
        rows += [row for trace in of_method for row in _gains_of(trace, best_e, better_e)]
    return AttributionCells.validate(pd.DataFrame(rows))


def _gains_of(trace: Trace, best_e: IntArray, better_e: FloatArray) -> list[dict[str, object]]:
    """All scores of one method at one landmark; `best_e` are the best orders that all cells share."""
    others_e = (trace.random_oe.mean(axis=0), trace.random_oe[best_e, [0, 1]], trace.matched_e, trace.mean_e)
    gains = [*np.concatenate([better_e * (trace.own_e - other_e) for other_e in others_e])]
    values = [*gains, float(trace.own_e[1] - trace.own_e[0]), *trace.moved_e, trace.alike]
    reasons = {f"{curve}_over_matched": NO_MATCH for curve in (DELETION, INSERTION)}
    reasons |= {f"{curve}_over_mean": NO_OTHER for curve in (DELETION, INSERTION)}
    reasons |= dict.fromkeys(CUMULATIVE, NOT_WALKED)
    reasons[ALIKE] = NO_OTHER if np.isnan(trace.mean_e).any() else CONSTANT
    if trace.unordered:
        values, reasons = [np.nan] * len(GAINS), dict.fromkeys(GAINS, trace.unordered)
    return [
        {**trace.facts, "score": name, "value": value, "reason": reasons.get(name) if np.isnan(value) else None}
        for name, value in zip(GAINS, values, strict=True)
    ]
