"""In which order cells come to be scored."""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS, NONE, listed_outcomes, probability_column
from cellfate.core.predictors import BLEND, BOOSTING, CLASSIFIER, NETWORK
from cellfate.core.tables import CELL
from cellfate.labels.label import QUEUES
from cellfate.statistics.conformal import list_members

_ASKED: Final = (BLEND, BOOSTING, CLASSIFIER)
"""Whose forecasts order cells: the first that there is."""
Cells = list[tuple[str, int]]


def order_cells(
    queue: str,
    cells: pd.DataFrame,
    labels: pd.DataFrame,
    seed: int = 0,
    *,
    scorer: str = "",
    forecasts: pd.DataFrame | None = None,
    set_thresholds: pd.DataFrame | None = None,
    splits: pd.DataFrame | None = None,
) -> Cells:
    """Order the cells that a scorer has not scored.

    Parameters
    ----------
    queue : str
        `random`: by lot, one group after the other; cells whose event is known come last. `uncertain`: cells that have
        no fate, and whose groups train, those first whose forecast leaves most open: the largest prediction set, then
        the highest entropy, then the greatest difference between network and boosting. `disagreement`: cells whose
        fate is not the one forecast, the surest forecasts first. `by_recording` and `search`: as they are listed.
    cells, labels : DataFrame
        Tables `Cells` and `Labels`.
    seed : int
        Of `random`; the order is the same for all scorers.
    scorer : str
        Whose labels count; with "" nobody's.
    forecasts : DataFrame, optional
        Table `Forecasts`, of cells that did not train the model: `unscored_forecasts` for `uncertain`, `forecasts` for
        `disagreement`.
    set_thresholds, splits : DataFrame, optional
        Tables of the same names, for `uncertain`; without the first all sets are of one size, without the second all
        groups may train.

    Returns
    -------
    list of (recording_id, cell_id)

    Raises
    ------
    InputError
        If there is no such queue, or it needs forecasts and there are none.
    """
    if queue not in QUEUES:
        raise InputError(f"There is no queue '{queue}'; choose one of {', '.join(QUEUES)}.")
    waiting = _leave_out(cells, labels[(labels["scorer"] == scorer) & labels["fate"].notna()], queue)
    if queue in ("by_recording", "search"):
        return _keys(waiting)
    if queue == "random":
        return _deal(waiting, seed)
    if forecasts is None or forecasts.empty:
        raise InputError(
            f"The queue '{queue}' needs forecasts, and there are none yet; train a model first, or take random."
        )
    if queue == "disagreement":
        return _disagreeing(waiting, forecasts)
    return _uncertain(waiting, forecasts, set_thresholds, splits)


def _leave_out(cells: pd.DataFrame, scored: pd.DataFrame, queue: str) -> pd.DataFrame:
    """Cells without those that were scored; for `disagreement` without those that were looked at for that."""
    done = scored[scored["queue"] == queue] if queue == "disagreement" else scored
    return cells[~pd.MultiIndex.from_frame(cells[CELL]).isin(pd.MultiIndex.from_frame(done[CELL]))]


def _keys(cells: pd.DataFrame) -> Cells:
    return [(str(name), int(number)) for name, number in cells[CELL].itertuples(index=False)]


def _deal(cells: pd.DataFrame, seed: int) -> Cells:
    """Take cells by lot, one of each group in turn; cells whose event is known come after all others."""
    # every cell of the study has its own number, so that the order of the others stays when some were scored
    lots = [_draw_lot(seed, *key) for key in _keys(cells)]
    group_lots = {name: _draw_lot(seed, str(name), -1) for name in cells["group_id"].unique()}
    known = cells["fate"].isin(EVENTS)
    drawn = cells.assign(lot=lots, known=known, group_lot=cells["group_id"].map(group_lots)).sort_values("lot")
    drawn["turn"] = drawn.groupby(["known", "group_id"]).cumcount()
    return _keys(drawn.sort_values(["known", "turn", "group_lot", "lot"]))


def _draw_lot(seed: int, name: str, number: int) -> float:
    mixed = np.random.SeedSequence([seed, crc32(name.encode()), number + 2**32])
    return float(mixed.generate_state(1, np.uint64)[0])


def _uncertain(
    cells: pd.DataFrame, forecasts: pd.DataFrame, set_thresholds: pd.DataFrame | None, splits: pd.DataFrame | None
) -> Cells:
    # none of the study's own evidence, whatever labels of others made of it
    open_cells = cells[~cells["fate"].isin((*EVENTS, CENSORED))]
    if splits is not None:
        parts = splits.merge(cells[[*CELL, "group_id"]], on=CELL)
        held_out = set(parts["group_id"]) - set(parts.loc[parts["part"] == "train", "group_id"])
        open_cells = open_cells[~open_cells["group_id"].isin(held_out)]
    asked = _ask_last(forecasts)
    told = open_cells[CELL].merge(asked, on=CELL)
    probabilities_nk = _probabilities(told)
    thresholds_n = np.full(len(told), _find_threshold(told, set_thresholds))
    sizes = list_members(np.maximum(probabilities_nk, 0), thresholds_n).sum(axis=1)
    entropy = -(probabilities_nk * np.log(np.clip(probabilities_nk, 1e-12, None))).sum(axis=1)
    told = told.assign(size=sizes, entropy=entropy, apart=_differ(told, forecasts))
    return _keys(told.sort_values(["size", "entropy", "apart"], ascending=False, kind="stable"))


def _disagreeing(cells: pd.DataFrame, forecasts: pd.DataFrame) -> Cells:
    """List cells with another fate than the likeliest, by how much likelier that is."""
    told = cells[[*CELL, "fate"]].merge(_ask_last(forecasts), on=CELL)
    outcomes = listed_outcomes(told.columns)
    told = told.assign(outcome=told["fate"].replace({CENSORED: NONE}))
    told = told[told["outcome"].isin(outcomes)]
    probabilities_nk = _probabilities(told)
    of_fate_n = probabilities_nk[np.arange(len(told)), told["outcome"].map(outcomes.index).to_numpy(np.int64)]
    margin_n = probabilities_nk.max(axis=1, initial=0.0) - of_fate_n
    return _keys(told.assign(margin=margin_n).loc[margin_n > 0].sort_values("margin", ascending=False, kind="stable"))


def _ask_last(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Forecast of each cell at the last frame that was shown of it, by one predictor and of one question.

    What happens within the longest hours, where that was asked: it leaves open whether anything happens.
    """
    predictor = _first(_ASKED, forecasts["predictor"])
    rows = forecasts[forecasts["predictor"] == predictor]
    hours = rows["within_h"].max()
    rows = rows[rows["within_h"].isna() if np.isnan(hours) else rows["within_h"] == hours]
    return rows.sort_values("frame", kind="stable").drop_duplicates(CELL, keep="last")


def _first(names: Iterable[str], found: "pd.Series[str]") -> str:
    there = set(found)
    return next((name for name in names if name in there), sorted(there)[0])


def _probabilities(told: pd.DataFrame) -> NDArray[np.float64]:
    columns = [probability_column(outcome) for outcome in listed_outcomes(told.columns)]
    return told[columns].fillna(0.0).to_numpy(np.float64)


def _find_threshold(told: pd.DataFrame, set_thresholds: pd.DataFrame | None) -> float:
    """Threshold of the prediction sets of new cells; NaN where there is none, so that every set is as large."""
    if set_thresholds is None or told.empty:
        return np.nan
    hours, predictor = told["within_h"].iloc[0], told["predictor"].iloc[0]
    same = set_thresholds["within_h"].isna() if np.isnan(hours) else set_thresholds["within_h"] == hours
    rows = set_thresholds[same & (set_thresholds["predictor"] == predictor) & set_thresholds["group_id"].isna()]
    return float(rows["threshold"].iloc[0]) if len(rows) else np.nan


def _differ(told: pd.DataFrame, forecasts: pd.DataFrame) -> NDArray[np.float64]:
    """Largest difference between the probabilities of network and boosting; 0 where there are not both."""
    columns = [probability_column(outcome) for outcome in listed_outcomes(told.columns)]
    key = [*CELL, "frame", "within_h"]
    two = [
        told[key].merge(rows.drop_duplicates(key), on=key, how="left")[columns].to_numpy(np.float64)
        for rows in (forecasts[forecasts["predictor"] == name] for name in (NETWORK, BOOSTING))
    ]
    return np.asarray(np.nan_to_num(np.abs(two[0] - two[1])).max(axis=1, initial=0.0), dtype=np.float64)
