"""The prediction set of a forecast: the outcomes that are left open at a level that was set."""

import numpy as np
import pandas as pd

from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.tables import CELL
from cellfate.statistics.conformal import list_members

IN_SET = " or "
"""Between the outcomes of a set."""


def add_sets(forecasts: pd.DataFrame, groups: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Add the prediction set of each forecast, and whether it leaves the outcome open.

    Parameters
    ----------
    forecasts
        Predictor, recording_id, cell_id, within_h (NaN: which fate comes) and `p_<outcome>`.
    groups
        recording_id, cell_id and group_id. A group that has a threshold of its own is one that calibrated those of the
        others; all others, those of new cells among them, have the one that all calibrated.
    thresholds
        Table `SetThresholds`.

    Returns
    -------
    DataFrame
        With `prediction_set`, outcomes joined by `or`, and `undecided`: it has more than one. Both are null where there
        is no threshold. Outcomes that cannot come (which fate comes: none) are in no set.
    """
    keyed = forecasts.merge(groups[[*CELL, "group_id"]], on=CELL, how="left", validate="many_to_one")
    keyed = keyed.assign(asked_h=keyed["within_h"].fillna(0.0), place=np.arange(len(keyed)))
    table = thresholds.assign(asked_h=thresholds["within_h"].fillna(0.0))
    about = ["predictor", "asked_h"]
    own = table[table["group_id"].notna()][[*about, "group_id", "threshold"]]
    of_new = table[table["group_id"].isna()][[*about, "threshold"]].rename(columns={"threshold": "of_new"})
    joined = keyed.merge(own, on=[*about, "group_id"], how="left", indicator="source").merge(
        of_new, on=about, how="left"
    )
    threshold_n = joined["threshold"].where(joined["source"] == "both", joined["of_new"]).to_numpy(np.float64)
    names = np.array(listed_outcomes(forecasts.columns), dtype=object)
    probabilities = forecasts[[probability_column(name) for name in names]].to_numpy(np.float64)
    which_fate_n1 = forecasts["within_h"].isna().to_numpy()[:, None]
    possible_nk = ~np.isnan(probabilities) & ~(which_fate_n1 & (names == "none"))
    members_nk = list_members(np.where(possible_nk, probabilities, -1.0), threshold_n) & possible_nk
    written = pd.Series([IN_SET.join(names[row]) for row in members_nk], index=forecasts.index, dtype=object)
    undecided = pd.Series(members_nk.sum(axis=1) > 1, index=forecasts.index, dtype="boolean")
    has_n = ~np.isnan(threshold_n)
    return forecasts.assign(prediction_set=written.where(has_n, None), undecided=undecided.where(has_n, pd.NA))
