"""Does it help to learn from cells whose end is not seen? Known hazards, about 60 % of the cells censored.

Simulates the recordings of `--env known_hazards` with a higher rate of loss, trains the fate clock once on all cells
and once on decided cells only, and compares both on the same test landmarks, by the distance to the true incidence.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.clock_ablation import boost_features, forecast_variant, load_run
from benchmarks.measure import print_table
from cellfate.core.fates import probability_column
from cellfate.metrics.incidence_comparisons import compare_incidence
from cellfate.metrics.incidence_scoring import score_incidence
from cellfate.statistics.bootstrap import Estimate, draw_groups, sum_by_group, summarise

ROOT = Path(__file__).resolve().parents[1]
LOSS_PER_H = 0.05
ALL, DECIDED = "default", "decided cells only"


def main() -> bool:
    """Train both ways; true when learning from all cells is closer to the truth of every event, beyond chance."""
    with tempfile.TemporaryDirectory() as name:
        project = make_study(Path(name))
        data, settings = load_run("known_hazards", project)
        truth = pd.read_parquet(project / "data/known_hazards/01_raw/true_incidence.parquet")
        boosted = boost_features(data, settings)
        tables = {name: forecast_variant(name, data, settings, boosted)[name] for name in (ALL, DECIDED)}
        censored = float((data["follow_ups"]["fate"] == "censored").mean())
        print(f"{len(data['follow_ups'])} cells, {censored:.0%} of them censored")
        return judge(tables, truth, data, settings)


def make_study(project: Path) -> Path:
    """Simulate the recordings and make the tables that a training takes, in a project folder of its own."""
    shutil.copytree(ROOT / "conf", project / "conf")
    for file in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / file, project / file)
    (project / "src").mkdir()
    (project / "src" / "cellfate").symlink_to(ROOT / "src" / "cellfate")
    parameters = project / "conf" / "known_hazards" / "parameters" / "simulation.yml"
    text = parameters.read_text()
    assert "loss_per_h: 0.01" in text, "conf/known_hazards names another rate of loss"
    parameters.write_text(text.replace("loss_per_h: 0.01", f"loss_per_h: {LOSS_PER_H}"))
    command = [sys.executable, "-m", "kedro", "run", "--env", "known_hazards", "--pipelines", "known_hazards"]
    ends = "list_landmarks,fit_clock_normalisation,measure_cells,list_known_incidence"
    subprocess.run([*command, "--to-nodes", ends], cwd=project, check=True, stdout=sys.stderr.fileno())
    return project


def judge(tables: dict[str, pd.DataFrame], truth: pd.DataFrame, data: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Print scores of both and paired differences; say whether all cells is closer to the truth of every event."""
    follow_up, scores, landmarks = settings["follow_up"], settings["scores"], data["landmarks"]
    difference = compare_incidence(
        tables[ALL].assign(predictor="clock"), tables[DECIDED].assign(predictor="dose"), landmarks, follow_up, scores
    ).query("within_h == @follow_up.headline_h")
    rows, better = [], True
    for event in follow_up.events:
        for name, table in tables.items():
            metrics = score_incidence(table, table.iloc[:0], landmarks, follow_up, scores)
            kept = metrics.query("condition == 'all' and within_h == @follow_up.headline_h and outcome == @event")
            found = kept.set_index("metric")["estimate"]
            values = [float(found[metric]) for metric in ("auroc", "average_precision", "brier", "calibration_slope")]
            compared = beside_truth(table, truth, event, follow_up.headline_h)
            rows.append((event, name, *values, *compared[["forecast", "true", "error"]].mean()))
        paired = difference.query("metric == 'brier' and outcome == @event").iloc[0]
        interval = f"[{paired['low']:+.4f}, {paired['high']:+.4f}]"
        print(f"{event}: Brier score, all minus decided {paired['difference']:+.4f} {interval}")
        error = compare_errors(tables, truth, event, settings)
        print(
            f"{event}: distance to truth, all minus decided {error.estimate:+.4f} [{error.low:+.4f}, {error.high:+.4f}]"
        )
        better &= error.high < 0
    print_table(
        ("event", "trained on", "AUROC", "AP", "Brier", "slope", "mean forecast", "mean truth", "error to truth"), rows
    )
    return better


def beside_truth(table: pd.DataFrame, truth: pd.DataFrame, event: str, within_h: float) -> pd.DataFrame:
    """Forecast, truth and their absolute difference at the same frames."""
    keys, column = ["recording_id", "cell_id", "frame", "within_h"], probability_column(event)
    both = table.query("within_h == @within_h").merge(truth[[*keys, column]], on=keys, suffixes=("", "_true"))
    error = (both[column] - both[f"{column}_true"]).abs()
    return both[keys].assign(forecast=both[column], true=both[f"{column}_true"], error=error)


def compare_errors(
    tables: dict[str, pd.DataFrame], truth: pd.DataFrame, event: str, settings: dict[str, Any]
) -> Estimate:
    """Difference of the mean distances to the truth, all less decided, with an interval that resamples recordings."""
    scores = settings["scores"]
    each = [beside_truth(tables[name], truth, event, settings["follow_up"].headline_h) for name in (ALL, DECIDED)]
    groups = np.unique(each[0]["recording_id"], return_inverse=True)[1]
    counts = draw_groups(int(groups.max()) + 1, scores.n_resamples, scores.seed)
    difference = (each[0]["error"] - each[1]["error"]).to_numpy()
    means = sum_by_group(difference, groups, counts) / sum_by_group(np.ones(len(groups)), groups, counts)
    return summarise(means, scores.confidence, int(groups.max()) + 1)


if __name__ == "__main__":
    sys.exit(not main())
