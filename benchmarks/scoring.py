"""Scoring: CPU seconds of all scores, with intervals of 2000 resamples, of five predictors in four doses."""

import sys
import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from cellfate.cohort.settings import FollowUpSettings
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ScoreSettings

N_CELLS, N_GROUPS = 2500, 40
PREDICTORS = ("classifier", "a", "b", "c", "d")
DOSES = ("Control", "Low", "Medium", "High")
TARGET_S = 15
"""Largest accepted CPU time."""


def simulate() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make last landmarks of cells of known fates, and forecasts of all predictors that know a little of these."""
    rng = np.random.default_rng(0)
    group, died = rng.integers(N_GROUPS, size=N_CELLS), rng.random(N_CELLS) < 0.4
    groups = np.array([f"g{number:02d}" for number in group])
    cells = pd.DataFrame({"recording_id": groups, "cell_id": range(N_CELLS)})
    landmarks = cells.assign(
        landmark_id=[f"s{number:04d}" for number in range(N_CELLS)],
        group_id=groups,
        dose=np.array(DOSES)[group % len(DOSES)],
        first_frame=0,
        last_frame=30,
        n_frames=31,
        age_frames=30,
        frame_interval_min=30.0,
        fate=np.where(died, "apoptosis", "mitosis"),
        event_frame=33,
        time_h=1.5,
        watchable_h=5.0,
        regular=False,
        last=True,
    )
    keys = cells.assign(scheme="grouped_holdout", fold=0, part="test", frame=30, within_h=np.nan, expected_h=np.nan)
    tables = []
    for name in PREDICTORS:
        p = 1 / (1 + np.exp(-(1.5 * (died - 0.5) + rng.normal(size=N_CELLS))))
        tables.append(keys.assign(predictor=name, p_apoptosis=p, p_mitosis=1 - p, p_none=0.0))
    return landmarks, pd.concat(tables, ignore_index=True)


def main() -> bool:
    """Print the CPU time; true when it is within the target."""
    landmarks, forecasts = simulate()
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = score_forecasts(forecasts, landmarks, FollowUpSettings(), ScoreSettings())
    used_s = time.process_time() - started
    print_table(("predictors", "cells", "scores", "CPU s"), [(len(PREDICTORS), N_CELLS, len(table), used_s)])
    return used_s <= TARGET_S


if __name__ == "__main__":
    sys.exit(not main())
