"""Does it help to learn from cells whose end is not seen? Known hazards, about 60 % of the cells censored.

Simulates the recordings of `--env known_hazards` with a higher rate of loss, trains the fate clock's network once on
all cells and once on decided cells only, and compares both on the same test landmarks, by the distance to the true
incidence.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.clock_ablation import DEFAULT, SETTINGS, TABLES, ask_headline, forecast_variant
from benchmarks.measure import print_table
from benchmarks.project import load_run, make_project, run
from cellfate.core.fates import probability_column
from cellfate.core.predictors import NETWORK
from cellfate.metrics.scoring import score_forecasts
from cellfate.statistics.bootstrap import Estimate, draw_groups, number_groups, sum_by_group, summarise

ENV, LOSS_PER_H = "known_hazards", 0.05
ALL, DECIDED = DEFAULT, "decided cells only"
METRICS = ("auroc", "average_precision", "brier", "calibration_slope")


def main() -> bool:
    """Train both ways; true when learning from all cells is closer to the truth of every event, beyond chance."""
    with tempfile.TemporaryDirectory() as name:
        project = make_study(Path(name))
        data, settings = load_run(project, TABLES, SETTINGS, ENV)
        truth = pd.read_parquet(project / "data/known_hazards/01_raw/true_incidence.parquet")
        forecasts: dict[str, pd.DataFrame] = {}
        boosters: dict[str, str] = {}
        for variant in (ALL, DECIDED):
            table, boosters = forecast_variant(variant, data, settings, boosters)
            forecasts[variant] = table[table["predictor"] == NETWORK]
        censored = float((data["follow_ups"]["fate"] == "censored").mean())
        print(f"{len(data['follow_ups'])} cells, {censored:.0%} of them censored")
        return judge(forecasts, truth, data, settings)


def make_study(project: Path) -> Path:
    """Simulate the recordings and make the tables that a training takes, in a project folder of its own."""
    make_project(project)
    loss = f"simulation.hazards.loss_per_h={LOSS_PER_H}"
    run(project, "simulation,data_processing", "--env", ENV, "--params", loss)
    ends = ("--env", ENV, "--params", loss, "--nodes", "hold_against_truth.list_known_incidence")
    run(project, "known_hazards", *ends)
    return project


def judge(
    forecasts: dict[str, pd.DataFrame], truth: pd.DataFrame, data: dict[str, Any], settings: dict[str, Any]
) -> bool:
    """Print scores and distances to the truth of both; say whether all cells is closer for every event."""
    follow_up = ask_headline(settings["follow_up"])
    rows, better = [], True
    for event in follow_up.events:
        for name, table in forecasts.items():
            metrics = score_forecasts(table, data["landmarks"], follow_up, settings["scores"])
            found = metrics.query("condition == 'all' and outcome == @event").set_index("metric")["estimate"]
            compared = beside_truth(table, truth, event)
            means = compared[["forecast", "true", "error"]].mean()
            rows.append((event, name, *(float(found[metric]) for metric in METRICS), *means))
        error = compare_errors(forecasts, truth, event, settings)
        interval = f"[{error.low:+.4f}, {error.high:+.4f}]"
        print(f"{event}: distance to truth, all minus decided {error.estimate:+.4f} {interval}")
        better &= error.high < 0
    print_table(("event", "trained on", *METRICS, "mean forecast", "mean truth", "error to truth"), rows)
    return better


def beside_truth(table: pd.DataFrame, truth: pd.DataFrame, event: str) -> pd.DataFrame:
    """Forecast, truth and their absolute difference at the same frames."""
    keys, column = ["recording_id", "cell_id", "frame", "within_h"], probability_column(event)
    both = table.merge(truth[[*keys, column]], on=keys, suffixes=("", "_true"))
    error = (both[column] - both[f"{column}_true"]).abs()
    return both[keys].assign(forecast=both[column], true=both[f"{column}_true"], error=error)


def compare_errors(
    forecasts: dict[str, pd.DataFrame], truth: pd.DataFrame, event: str, settings: dict[str, Any]
) -> Estimate:
    """Difference of the mean distances to the truth, all less decided, with an interval that resamples recordings."""
    scores = settings["scores"]
    each = [beside_truth(forecasts[name], truth, event) for name in (ALL, DECIDED)]
    groups = number_groups(each[0]["recording_id"].to_numpy(object))
    n_groups = int(groups.max()) + 1
    counts = draw_groups(n_groups, scores.n_resamples, scores.seed)
    difference = (each[0]["error"] - each[1]["error"]).to_numpy()
    means = sum_by_group(difference, groups, counts) / sum_by_group(np.ones(len(groups)), groups, counts)
    return summarise(means, scores.confidence, n_groups)


if __name__ == "__main__":
    sys.exit(not main())
