"""Chance level: models trained on permuted fates of the demo must score a balanced accuracy of .5 on true fates.

Fates are permuted among the training samples and among the validation samples; the test part keeps its own. Trainings
are shorter than the demo's (declared below). The same short training on true fates is printed beside, so that one sees
that it could have scored more.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from cellfate.cohort.settings import SampleSettings
from cellfate.metrics import ScoreSettings, score_predictions
from cellfate.models.settings import ModelSettings
from cellfate.pipelines.model_training.nodes import train_model
from cellfate.prediction import predict_samples
from cellfate.training.settings import TrainingSettings

ROOT = Path(__file__).resolve().parents[1]
N_RUNS = 5
MAX_EPOCHS = 6
"""Of each training; the demo's own limit stands in conf/base."""
FARTHEST = 2.0
"""Standard errors of the mean of the runs that it may lie from .5."""


def main() -> bool:
    """Train on permuted fates; true when the mean score is that of chance."""
    with tempfile.TemporaryDirectory() as name:
        data = load_demo(make_demo(Path(name)))
        true_score = train_and_score(data, data["samples"], Path(name) / "true", seed=0)
        scores = [
            train_and_score(data, permute_outcomes(data["samples"], data["splits"], run), Path(name) / str(run), run)
            for run in range(N_RUNS)
        ]
    return judge(scores, true_score)


def make_demo(project: Path) -> Path:
    """Simulate the demo's recordings and make their samples, in a project folder of its own."""
    shutil.copytree(ROOT / "conf", project / "conf")
    for file in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / file, project / file)
    (project / "src").mkdir()  # Kedro refuses a source folder that is itself a link
    (project / "src" / "cellfate").symlink_to(ROOT / "src" / "cellfate")
    stages = ["--pipelines", "simulation,data_processing", "--to-nodes", "simulate_recordings,fit_normalisation"]
    command = [sys.executable, "-m", "kedro", "run", *stages]
    subprocess.run(command, cwd=project, check=True, stdout=sys.stderr.fileno())
    return project


def load_demo(project: Path) -> dict[str, Any]:
    """Load what training takes, through the catalog."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    with KedroSession.create(project_path=project) as session:
        catalog = session.load_context().catalog
        names = ("crops", "samples", "splits", "normalisation", "recordings")
        settings = {
            "params:samples": SampleSettings,
            "params:model": ModelSettings,
            "params:training": TrainingSettings,
        }
        data = {name: catalog.load(name) for name in names}
        return data | {name: model.model_validate(catalog.load(name)) for name, model in settings.items()}


def permute_outcomes(samples: pd.DataFrame, splits: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Deal the outcomes of each part but test anew among its samples (of one fold)."""
    rng = np.random.default_rng(seed)
    part = samples["sample_id"].map(splits.set_index("sample_id")["part"])
    outcome = samples["outcome"].to_numpy(object, copy=True)
    for name in ("train", "validation"):
        rows = np.flatnonzero(part == name)
        outcome[rows] = rng.permutation(outcome[rows])
    return samples.assign(outcome=outcome)


def train_and_score(data: dict[str, Any], samples: pd.DataFrame, checkpoints: Path, seed: int) -> float:
    """Train on the samples' outcomes; score the test part on the true ones at the threshold .5."""
    short = {"max_epochs": MAX_EPOCHS, "seed": seed, "checkpoint_folder": str(checkpoints)}
    training = data["params:training"].model_copy(update=short)
    model, _ = train_model(
        data["crops"], samples, data["splits"], data["normalisation"], data["recordings"],
        data["params:samples"], data["params:model"], training,
    )  # fmt: skip
    predictions = predict_samples(data["crops"], samples, data["splits"], model)
    tested = predictions[predictions["part"] == "test"]
    metrics = score_predictions(tested, tested.iloc[:0], data["samples"], ScoreSettings(n_resamples=100))
    of_calls = metrics[(metrics["metric"] == "balanced_accuracy") & (metrics["condition"] == "all")]
    return float(of_calls["estimate"].iloc[0])


def judge(scores: Sequence[float], true_score: float) -> bool:
    """Print the scores, and say whether their mean is that of chance."""
    rows = [("true fates", true_score), *((f"permuted, seed {run}", score) for run, score in enumerate(scores))]
    print_table((f"balanced accuracy after {MAX_EPOCHS} epochs at most", ""), rows)
    mean, error = float(np.mean(scores)), float(np.std(scores, ddof=1) / np.sqrt(len(scores)))
    at_chance = abs(mean - 0.5) <= FARTHEST * error
    word = "within" if at_chance else "not within"
    print(f"mean of {len(scores)} permuted runs {mean:.3f}, standard error {error:.3f}: {word} {FARTHEST:g} of .5")
    return at_chance


if __name__ == "__main__":
    sys.exit(not main())
