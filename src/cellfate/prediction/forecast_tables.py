"""Forecasts as rows of tables.

Array suffixes: n landmarks, k bins of time, e events.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import HARDLY_SURE, NONE, SURE, listed_outcomes, probability_column
from cellfate.core.tables import CELL, FRAME, Forecasts
from cellfate.statistics.incidence import cumulative_incidence, expected_time_h

SURE_RATIO: Final = 2.0
"""A call is sure where it is so many times as likely as the next likeliest outcome: of two outcomes, from 2/3 on."""


def tabulate_hazards(
    keys: pd.DataFrame,
    hazards_nke: ArrayLike,
    events: Sequence[str],
    edges_h: Sequence[float],
    report_h: Sequence[float],
) -> pd.DataFrame:
    """Write hazards as rows of table `Forecasts`: one a landmark and hour of the report.

    Parameters
    ----------
    keys
        One row a landmark: predictor, scheme, fold, part, recording_id, cell_id, frame.
    hazards_nke
        Probability of each event in each bin, given that nothing happened before, in the order of `keys`.
    events
        Names of the events, in order.
    edges_h, report_h
        Edges of the bins, and the upper edges that are reported.

    Returns
    -------
    DataFrame
        Table `Forecasts`; the hours of a landmark stand one after the other.
    """
    incidence_nke = cumulative_incidence(hazards_nke)
    bins_h = np.abs(np.asarray(edges_h)[1:] - np.asarray(report_h)[:, None]).argmin(axis=1)
    reported_re = incidence_nke[:, bins_h].reshape(-1, len(events))
    again_r = np.repeat(np.arange(len(keys)), len(report_h))
    return (
        keys.iloc[again_r]
        .reset_index(drop=True)
        .assign(
            within_h=np.tile(np.asarray(report_h, dtype=np.float64), len(keys)),
            **{probability_column(event): reported_re[:, e] for e, event in enumerate(events)},
            **{probability_column(NONE): np.clip(1 - reported_re.sum(axis=1), 0, 1)},
            expected_h=expected_time_h(incidence_nke, edges_h)[again_r],
        )
    )


def tabulate_fate_odds(keys: pd.DataFrame, probabilities_ne: ArrayLike, events: Sequence[str]) -> pd.DataFrame:
    """Write probabilities of fates, given that one comes, as rows of table `Forecasts`: one a landmark.

    Parameters
    ----------
    keys, events
        As in `tabulate_hazards`.
    probabilities_ne
        Probability of each event, in the order of `keys`.
    """
    probabilities = np.asarray(probabilities_ne, dtype=np.float64)
    columns = {probability_column(event): probabilities[:, e] for e, event in enumerate(events)}
    return keys.reset_index(drop=True).assign(
        within_h=np.nan, **columns, **{probability_column(NONE): 0.0}, expected_h=np.nan
    )


def fate_odds(hazards_nke: ArrayLike) -> NDArray[np.float64]:
    """Probability of each event, given that one comes by the end of the last bin, (n, e); equal where none can come.

    Examples
    --------
    >>> fate_odds([[[0.1, 0.3]], [[0.0, 0.0]]]).round(3).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    last_ne = cumulative_incidence(hazards_nke)[:, -1]
    total_n1 = last_ne.sum(axis=1, keepdims=True)
    equal_ne = np.full_like(last_ne, 1 / last_ne.shape[1])
    return np.asarray(np.divide(last_ne, total_n1, out=equal_ne, where=total_n1 > 0), dtype=np.float64)


def empty_forecasts(events: Sequence[str]) -> pd.DataFrame:
    """Table `Forecasts` without rows, with the columns of these events."""
    keys = Forecasts.empty().drop(columns=["within_h", "p_none", "expected_h"])
    return tabulate_fate_odds(keys, np.zeros((0, len(events))), events)


def add_calls(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Add the call of each forecast, and how sure it is; this is the one place where that is decided.

    Parameters
    ----------
    forecasts
        Any table with the columns `p_<outcome>` of one or more outcomes; one alone where no event can come. An outcome
        that a model does not know is NaN beside those that it knows.

    Returns
    -------
    DataFrame
        With `call`: the likeliest outcome, none included, the first of equals; `p_call`: its probability; and `sure`:
        `yes` where that is at least `SURE_RATIO` times the probability of the next likeliest outcome, else `hardly`:
        such a call says little more than that the answer is open.

    Raises
    ------
    InputError
        If a forecast has no probability at all: there is no call without one.

    Examples
    --------
    >>> add_calls(pd.DataFrame({"p_apoptosis": [0.517, 0.7], "p_mitosis": [0.483, 0.3]}))[["call", "sure"]]
            call    sure
    0  apoptosis  hardly
    1  apoptosis     yes
    """
    outcomes = np.array(listed_outcomes(forecasts.columns), dtype=object)
    given_no = forecasts[[probability_column(outcome) for outcome in outcomes]].to_numpy(np.float64)
    nothing = forecasts[np.isnan(given_no).all(axis=1)]
    if len(nothing):
        raise InputError(
            f"{len(nothing)} of {len(forecasts)} forecasts have no probability, but a call needs one (the first is "
            f"{nothing.iloc[0].to_dict()}); look for pixels or measurements that are no numbers."
        )
    probabilities_no = np.nan_to_num(given_no, nan=0.0)
    ordered_no = np.sort(probabilities_no, axis=1)
    likeliest_n = ordered_no[:, -1]
    next_n = ordered_no[:, -2] if len(outcomes) > 1 else np.zeros_like(likeliest_n)
    return forecasts.assign(
        call=outcomes[probabilities_no.argmax(axis=1)],
        p_call=likeliest_n,
        sure=np.where(likeliest_n >= SURE_RATIO * next_n, SURE, HARDLY_SURE).astype(object),
    )


def tabulate_calls(forecasts: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Write forecasts of new cells with their calls, and whether the model was trained on the cell.

    Parameters
    ----------
    forecasts, seen
        From `forecast_new` and `find_seen`.

    Returns
    -------
    DataFrame
        recording_id, cell_id, frame, predictor, within_h, `p_<outcome>`, call, p_call, sure, expected_h,
        seen_in_training.
    """
    probabilities = [probability_column(outcome) for outcome in listed_outcomes(forecasts.columns)]
    columns = [*FRAME, "predictor", "within_h", *probabilities, "call", "p_call", "sure", "expected_h"]
    return add_calls(forecasts)[columns].merge(seen, on=CELL, how="left", validate="many_to_one")
