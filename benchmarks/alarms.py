"""Alarms on the exact incidence of simulated cells: how many are right, and whether the lost are made up for.

Lives are laid down from known hazards, without images; some cells are lost, whatever their state. Alarms are raised on
the true incidence, and what the table of alarms knows is held against what came to every cell, lost or not.
"""

import numpy as np
import pandas as pd
from tests.cases.known_alarms import compare_with_truth

from benchmarks.measure import print_table
from cellfate.prediction.settings import AlarmSettings

N_DRAWS, N_RECORDINGS = 2000, 4
COSTS = ((1.0, 9.0), (3.0, 7.0), (1.0, 1.0))
SLACK = 0.05
"""By how much fewer alarms may be right than the threshold says."""


def main() -> bool:
    """Draw studies; true when alarms are right often enough, and no other share of those that are known is."""
    alarms = [AlarmSettings(cost_false=false, cost_miss=miss) for false, miss in COSTS]
    drawn = pd.concat([compare_with_truth(seed, N_RECORDINGS, alarms) for seed in range(N_DRAWS)])
    rows, good = [], True
    for threshold, counts in drawn.groupby("threshold"):
        total = counts.sum()
        truth, weighted = total["n_right_true"] / total["n_alarms"], total["n_right_weighted"] / total["n_weighted"]
        error = _error_of_difference(counts, truth, weighted)
        good &= truth >= threshold - SLACK and abs(weighted - truth) <= 2 * error
        unknown = total["n_unknown"] / total["n_alarms"]
        shares = (f"{unknown:.3f}", f"{truth:.4f}", f"{weighted:.4f}", f"{weighted - truth:+.4f}", f"{error:.4f}")
        rows.append((f"{threshold:g}", int(total["n_alarms"]), *shares))
    heads = ("t", "alarms", "answer unknown", "right in truth", "right as weighted", "difference", "its standard error")
    print_table(heads, rows)
    print(f"{N_DRAWS} studies of {N_RECORDINGS} recordings; right at least t - {SLACK:g}, difference within two errors")
    return bool(good)


def _error_of_difference(counts: pd.DataFrame, truth: float, weighted: float) -> float:
    """Monte Carlo error of the difference of two ratios over the same draws (linearised)."""
    off_weighted = (counts["n_right_weighted"] - weighted * counts["n_weighted"]) / counts["n_weighted"].mean()
    off_true = (counts["n_right_true"] - truth * counts["n_alarms"]) / counts["n_alarms"].mean()
    return float((off_weighted - off_true).std() / np.sqrt(len(counts)))
