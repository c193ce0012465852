"""Scoring: CPU seconds of all scores, with intervals of 2000 resamples, of five predictors in four doses."""

import sys
import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from cellfate.metrics import ScoreSettings, score_predictions

N_SAMPLES, N_GROUPS = 2500, 40
PREDICTORS = ("cellfate", "a", "b", "c", "d")
DOSES = ("Control", "Low", "Medium", "High")
TARGET_S = 15
"""Largest accepted CPU time."""


def simulate() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make samples with known outcomes, and probabilities of all predictors that know a little of them."""
    rng = np.random.default_rng(0)
    ids = np.array([f"s{i:04d}" for i in range(N_SAMPLES)])
    group, died = rng.integers(N_GROUPS, size=N_SAMPLES), rng.random(N_SAMPLES) < 0.4
    groups = np.array([f"g{number:02d}" for number in group])
    samples = pd.DataFrame({"sample_id": ids, "recording_id": groups, "group_id": groups, "cell_id": range(N_SAMPLES)})
    samples = samples.assign(dose=np.array(DOSES)[group % len(DOSES)], outcome=np.where(died, "apoptosis", "mitosis"))
    tables = []
    for name in PREDICTORS:
        p = 1 / (1 + np.exp(-(1.5 * (died - 0.5) + rng.normal(size=N_SAMPLES))))
        columns = {"sample_id": ids, "p_apoptosis": p, "p_mitosis": 1 - p}
        tables.append(pd.DataFrame(columns).assign(predictor=name, scheme="grouped_holdout", fold=0, part="test"))
    return samples, pd.concat(tables, ignore_index=True)


def main() -> bool:
    """Print the CPU time; true when it is within the target."""
    samples, predictions = simulate()
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = score_predictions(predictions, predictions.iloc[:0], samples, ScoreSettings())
    used_s = time.process_time() - started
    print_table(("predictors", "samples", "scores", "CPU s"), [(len(PREDICTORS), N_SAMPLES, len(table), used_s)])
    return used_s <= TARGET_S


if __name__ == "__main__":
    sys.exit(not main())
