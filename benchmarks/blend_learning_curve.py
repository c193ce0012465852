"""The blend beside its parts by number of lineages: mean excess log loss over the best part at most .002, worst .01.

Trained in three folds on lineages of one side of ctc_hela, scored as new cells on those of the far side; skipped where
../shared/data lacks it.
`python -m benchmarks.blend_learning_curve 12 25` runs some sizes, `all` is every lineage of the near side.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.project import ROOT, load_run, make_project, run
from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.cohort.splits import spatial_blocks, split_cells
from cellfate.core.errors import InputError
from cellfate.core.predictors import BLEND, BOOSTING, NETWORK
from cellfate.core.tables import CELL
from cellfate.crops.normalisation import fit_normalisation
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.features.summaries import describe_landmarks
from cellfate.models.settings import BlendSettings, ClockNetworkSettings
from cellfate.pipelines.model_training.nodes import train_clock_networks
from cellfate.prediction.blending import clock_hazards, log_odds_of
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.records import ALL_CELLS
from cellfate.prediction.weighing import weigh_blend
from cellfate.statistics.stacking import log_loss
from cellfate.training.settings import ClockTrainingSettings

RECORDING: Final = ROOT.parent / "shared" / "data" / "ctc_hela"
SIZES: Final = {"12": 5, "25": 5, "50": 5, "100": 5, "all": 3}
"""Lineages, and draws of so many."""
MOST_MEAN, MOST_WORST, MOST_CPU_S = 0.002, 0.01, 3600
N_FOLDS, VALIDATION_SHARE = 3, 0.2
TABLES: Final = ("crops", "follow_ups", "questions", "frame_features", "landmarks", "detections", "cells")
SETTINGS: Final = {
    "follow_up": FollowUpSettings,
    "clock_network": ClockNetworkSettings,
    "clock_training": ClockTrainingSettings,
    "features": FeatureSettings,
    "blend": BlendSettings,
    "context": ContextSettings,
}
Data = dict[str, Any]


def main(sizes: tuple[str, ...] = ()) -> bool:
    """Train and score every draw, and print its log loss a landmark beside the parts'."""
    if not RECORDING.is_dir():
        print(f"skipped: there is no {RECORDING}")
        return True
    started, excess = time.process_time(), []
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        run(project, "data_processing", "--env", "ctc", "--params", f"recordings_root={RECORDING}")
        data, settings = load_run(project, TABLES, SETTINGS, "ctc")
        for size in sizes or SIZES:
            drawn = [score_draw(data, settings, size, seed, Path(folder)) for seed in range(SIZES[size])]
            excess += [losses[BLEND] - min(losses[BOOSTING], losses[NETWORK]) for losses in drawn]
    mean, worst, cpu_s = float(np.mean(excess)), max(excess), time.process_time() - started
    print(
        f"excess over the best part: mean {mean:+.4f} (at most {MOST_MEAN}), worst {worst:+.4f} (at most {MOST_WORST})"
    )
    print(f"{cpu_s:.0f} s of CPU (at most {MOST_CPU_S})")
    return mean <= MOST_MEAN and worst <= MOST_WORST and cpu_s <= MOST_CPU_S


def score_draw(data: Data, settings: Data, size: str, seed: int, folder: Path) -> dict[str, float]:
    """Train on a draw of lineages: log loss a landmark of the far side, by predictor."""
    splits, far = draw_split(data, size, seed)
    drawn = splits[CELL].drop_duplicates()
    used = {name: data[name].merge(drawn, on=CELL) for name in ("follow_ups", "landmarks")}
    normalisation = fit_normalisation(data["crops"], used["follow_ups"], splits)
    checkpoints = {"seed": seed, "checkpoint_folder": str(folder / f"{size}_{seed}")}
    training = ClockTrainingSettings.model_validate(settings["clock_training"].model_dump() | checkpoints)
    given = (data["crops"], used["follow_ups"], data["questions"], splits, normalisation, data["frame_features"])
    told = [training if name == "clock_training" else settings[name] for name in SETTINGS]
    networks, _ = train_clock_networks(*given, *told)
    fitted_to = used["landmarks"], splits, data["frame_features"]
    model = weigh_blend(*fitted_to, boost_clock(*fitted_to, networks, data["crops"]), data["crops"])
    losses = score_far_side(model, far, data)
    weights = model.clock_config.weights_of(ALL_CELLS)
    print(size, seed, {name: round(loss, 4) for name, loss in losses.items()}, weights, flush=True)
    return losses


def draw_split(data: Data, size: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw lineages of the near side, and part them into folds: splits, and the followed cells of the far side."""
    follow_ups, rng = data["follow_ups"], np.random.default_rng(seed)
    near = spatial_blocks(follow_ups, data["cells"], data["detections"], 2) == 0
    groups = near.index[near].to_numpy(object)
    far = follow_ups[~follow_ups["group_id"].isin(groups)]
    settings = SplitSettings(scheme="grouped_folds", n_folds=N_FOLDS, validation_share=VALIDATION_SHARE, seed=seed)
    follow_up = FollowUpSettings(questions=("within_hours",), events=("mitosis",))
    while True:
        drawn = rng.permutation(groups)[: None if size == "all" else int(size)]
        kept = follow_ups[follow_ups["group_id"].isin(drawn)].reset_index(drop=True)
        try:
            return split_cells(kept, data["cells"], data["detections"], follow_up, settings), far
        except InputError:  # a part without a division: another draw
            continue


def score_far_side(model: Any, far: pd.DataFrame, data: Data) -> dict[str, float]:
    """Log loss of the labels in their bins, a landmark of the far side, by predictor, as of new cells."""
    config = model.clock_config
    landmarks = data["landmarks"]
    tested = landmarks[landmarks["regular"]].merge(far[CELL], on=CELL)

    def describe(frames: pd.DataFrame) -> pd.DataFrame:
        return describe_landmarks(data["frame_features"], frames, config.blend.history_h, config.told)

    hazards = clock_hazards(data["crops"], tested, describe, model, config.folds, ALL_CELLS)
    labels_nk = label_landmarks(tested, config.events, config.follow_up.edges_h)
    return {name: float(log_loss(log_odds_of(of_part), labels_nk).mean()) for name, of_part in hazards.items()}


if __name__ == "__main__":
    sys.exit(not main(tuple(sys.argv[1:])))
