"""The call of a forecast, and how sure it is: decided here and nowhere else."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import HARDLY_SURE, SURE, listed_outcomes, probability_column
from cellfate.core.tables import CELL, FRAME

SURE_RATIO: Final = 2.0
"""A call is sure where it is so many times as likely as the next likeliest outcome: of two outcomes, from 2/3 on."""


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
