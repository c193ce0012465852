"""Chance level: classifiers trained on permuted fates of the demo must score a balanced accuracy of .5 on true fates.

Fates change hands among the training cells and among the validation cells; the test part keeps its own. Trainings
are shorter than the demo's (declared below). The same short training on true fates is printed beside, so that one sees
that it could have scored more.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from benchmarks.project import load_run, make_project, run
from cellfate.attribution.sanity import permute_fates
from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.settings import FollowUpSettings
from cellfate.features.settings import FeatureSettings
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.models.settings import ModelSettings
from cellfate.pipelines.model_training.nodes import train_classifier
from cellfate.prediction.forecasts import forecast_classifier
from cellfate.training.settings import TrainingSettings

N_RUNS = 5
MAX_EPOCHS = 6
"""Of each training; the demo's own limit stands in conf/base."""
FARTHEST = 2.0
"""Standard errors of the mean of the runs that it may lie from .5."""
TABLES = ("crops", "follow_ups", "landmarks", "questions", "splits", "normalisation", "frame_features")
SETTINGS = {
    "follow_up": FollowUpSettings,
    "model": ModelSettings,
    "training": TrainingSettings,
    "features": FeatureSettings,
}


def main() -> bool:
    """Train on permuted fates; true when the mean score is that of chance."""
    with tempfile.TemporaryDirectory() as name:
        project = make_project(Path(name))
        run(project, "simulation,data_processing")
        data, settings = load_run(project, TABLES, SETTINGS)
        true_score = train_and_score(data, settings, data["landmarks"], seed=0)
        scores = [train_and_score(data, settings, permute(data, seed), seed) for seed in range(N_RUNS)]
    return judge(scores, true_score)


def permute(data: dict[str, Any], seed: int) -> pd.DataFrame:
    """Landmarks with permuted fates; the demo has one fold."""
    return permute_fates(data["landmarks"], data["splits"], ExplanationSettings(seed=seed))[0]


def train_and_score(data: dict[str, Any], settings: dict[str, Any], landmarks: pd.DataFrame, seed: int) -> float:
    """Train on the fates of `landmarks`; balanced accuracy of the test part on the true ones."""
    tables = {**data, "landmarks": landmarks}
    short = settings["training"].model_copy(update={"max_epochs": MAX_EPOCHS, "seed": seed})
    follow_up = settings["follow_up"]
    given = (follow_up, settings["model"], short, settings["features"])
    model, _ = train_classifier(*(tables[name] for name in TABLES), *given)
    forecasts = forecast_classifier(data["crops"], landmarks, data["splits"], model)
    metrics = score_forecasts(forecasts, data["landmarks"], follow_up, ScoreSettings(n_resamples=100))
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
