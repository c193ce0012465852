"""How alike sisters end: whether more alike than other cells of their recording.

If they are, a cell whose sister was trained on is half known, and sisters must not stand on both sides of a split.

Array suffixes: m pairs, k permutations.
"""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import SplitSettings
from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, EVERYTHING, SisterConcordance
from cellfate.statistics.bootstrap import FloatArray
from cellfate.statistics.permutation_tests import permute_pairs

N_PERMUTATIONS: Final = 1999
NO_PARENTS: Final = "the tracks do not say who came from whom"
NO_PAIRS: Final = "no two sisters were both followed to an event"
NOT_ONE_FATE: Final = "no two sisters met the same fate"
NOTHING_TO_PERMUTE: Final = "in every recording there is one pair, or all cells of these pairs ended alike"
_MOTHER: Final = ["recording_id", "parent_id"]
_QUANTILES: Final = (0.025, 0.975)
_SLACK: Final = 1e-9  # sums of the same numbers in another order differ by rounding
_VALUES: Final = ("observed", "expected", "null_low", "null_high", "p_value")


def _is_same(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(first == second, dtype=np.float64)


def _distance(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.abs(first - second)


_MEASURES: Final = {"same_fate": (_is_same, 1), "time_difference_h": (_distance, -1)}
"""How two sisters are compared, and whether more (1) or less (-1) of it is alike."""


def compare_sisters(follow_ups: pd.DataFrame, cells: pd.DataFrame, splits: SplitSettings) -> pd.DataFrame:
    """Compare how often sisters meet the same fate, and at what age, with cells of their recording paired at random.

    Parameters
    ----------
    follow_ups, cells
        Tables `FollowUps` and `Cells`; sisters are the two daughters of a mother who has no third.
    splits
        Seed of the permutations.

    Returns
    -------
    DataFrame
        Table `SisterConcordance`: over all doses, then for each. `same_fate`: share of the pairs that met the same
        fate; the null deals the fates of all cells of such pairs out anew within their recording. `time_difference_h`:
        of these pairs, the mean difference of the hours from the first frame to the event; the null deals out the hours
        among cells of a recording and fate. p is (b + 1) / (n + 1), b of n permutations being at least as alike.

    Notes
    -----
    Only pairs of which both were followed to an event are compared: cells that the guard leaves no frame of, or that
    were lost, say nothing. Sisters are born at one moment and place, and being alike for that counts too.
    """
    pairs = _list_pairs(follow_ups, cells)
    doses = sorted(set(follow_ups["dose"].astype(str)))
    selections = [(EVERYTHING, pairs)]
    selections += [(dose, pairs[pairs["dose"] == dose]) for dose in doses if len(doses) > 1]
    nothing = NO_PAIRS if cells["parent_id"].notna().any() else NO_PARENTS
    rng = np.random.default_rng(splits.seed)
    rows = [row for condition, selected in selections for row in _compare(condition, selected, nothing, rng)]
    return SisterConcordance.validate(pd.DataFrame(rows))


def _list_pairs(follow_ups: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """One row a pair: recording, dose, and number of the fate and age at the event of either, NaN: not seen to end."""
    daughters = cells.loc[cells["parent_id"].notna(), [*CELL, "parent_id"]]
    daughters = daughters[daughters.groupby(_MOTHER)["cell_id"].transform("size") == 2]
    ended = follow_ups[follow_ups["fate"].isin(EVENTS)]
    hours = (ended["end_frame"] - ended["first_frame"]) * ended["frame_interval_min"] / 60
    ended = ended[CELL].assign(fate=ended["fate"].map(EVENTS.index).astype(float), hours=hours)
    doses = follow_ups.drop_duplicates("recording_id").set_index("recording_id")["dose"].astype(str)
    known = daughters.merge(ended, on=CELL, how="left").sort_values([*_MOTHER, "cell_id"])
    first, second = known.iloc[::2].reset_index(drop=True), known.iloc[1::2].reset_index(drop=True)
    pairs = first[["recording_id", "fate", "hours"]].join(second[["fate", "hours"]].add_suffix("_of_sister"))
    return pairs.assign(dose=pairs["recording_id"].map(doses))


def _compare(condition: str, pairs: pd.DataFrame, nothing: str, rng: np.random.Generator) -> list[dict[str, object]]:
    """Rows of one condition."""
    seen = pairs.dropna(subset=["fate", "fate_of_sister"])
    alike = seen[seen["fate"] == seen["fate_of_sister"]]
    lacking = NOT_ONE_FATE if len(seen) else nothing
    rows = [
        _hold_against_chance("same_fate", seen, "fate", ["recording_id"], nothing, rng),
        _hold_against_chance("time_difference_h", alike, "hours", ["recording_id", "fate"], lacking, rng),
    ]
    return [{"condition": condition, "n_unseen": len(pairs) - len(seen), **row} for row in rows]


def _hold_against_chance(
    measure: str, pairs: pd.DataFrame, column: str, within: list[str], lacking: str, rng: np.random.Generator
) -> dict[str, object]:
    """Columns of one measure; `within` names what is alike in all that is dealt out, `lacking` why no pair is there."""
    counted = {"measure": measure, "n_pairs": len(pairs), "n_recordings": pairs["recording_id"].nunique()}
    row: dict[str, object] = {**counted, **dict.fromkeys(_VALUES, np.nan), "reason": lacking}
    if pairs.empty:
        return row
    compare, sign = _MEASURES[measure]
    values_m2 = pairs[[column, f"{column}_of_sister"]].to_numpy(np.float64)
    strata_m = np.asarray(pairs.groupby(within).ngroup(), dtype=np.int64)
    observed = float(compare(values_m2[:, 0], values_m2[:, 1]).mean())
    null_k = permute_pairs(compare, values_m2, strata_m, N_PERMUTATIONS, rng)
    if np.ptp(null_k) < _SLACK:
        return row | {"observed": observed, "reason": NOTHING_TO_PERMUTE}
    n_as_alike = int((sign * (null_k - observed) >= -_SLACK).sum())
    low, high = np.quantile(null_k, _QUANTILES)
    p_value = (n_as_alike + 1) / (N_PERMUTATIONS + 1)
    values = (observed, float(null_k.mean()), float(low), float(high), p_value)
    return row | dict(zip(_VALUES, values, strict=True)) | {"reason": None}
