"""What each part of the fate clock adds: one part is changed at a time, everything else stays (not part of `all`).

Takes the tables that `kedro run --env ENV --pipelines fate_clock` left behind: `python -m benchmarks.clock_ablation ENV
[VARIANT ...]`. Every variant is trained in every fold and forecasts the test landmarks; its scores
at the headline horizon stand beside paired differences to the default (if that is asked for) and to boosting alone.
"""

import copy
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from cellfate.cohort.follow_ups import label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.features.landmarks import describe_landmarks
from cellfate.features.settings import FeatureSettings
from cellfate.metrics.incidence_comparisons import compare_incidence
from cellfate.metrics.incidence_scoring import score_incidence
from cellfate.metrics.settings import ScoreSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.settings import EnsembleSettings, ModelSettings
from cellfate.pipelines.fate_clock.nodes import train_clock
from cellfate.prediction.clock_ensemble import blend_hazards, read_landmarks
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.forecast_tables import tabulate_incidence
from cellfate.training.settings import ClockTrainingSettings

ROOT = Path(__file__).resolve().parents[1]
BOOSTING = "boosting alone"
TABLES = ("crops", "follow_ups", "landmarks", "clock_splits", "clock_normalisation", "frame_features")
SETTINGS: Final = {
    "follow_up": FollowUpSettings,
    "clock_network": ModelSettings,
    "clock_training": ClockTrainingSettings,
    "features": FeatureSettings,
    "ensemble": EnsembleSettings,
    "scores": ScoreSettings,
}
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "seed 1": {"clock_training.seed": 1},
    "seed 2": {"clock_training.seed": 2},
    "one Transformer layer beside the statistics": {"clock_network.n_layers": 1},
    "one Transformer layer, no statistics": {"clock_network.n_layers": 1, "clock_network.causal.statistics_frames": ()},
    "statistics of the last 3 frames only": {"clock_network.causal.statistics_frames": (3,)},
    "no mask channel": {"clock_network.causal.mask_channel": False},
    "standardised intensity": {"clock_network.intensity": "standardised"},
    "no age": {"clock_network.causal.age": False},
    "encoder averages over the crop (keeps no position)": {"clock_network.encoder_grid": 1},
    "no pretraining, encoder learns with the hazards": {
        "clock_training.pretraining_epochs": 0,
        "clock_training.encoder_rate": 1.0,
        "clock_training.max_epochs": 24,
        "clock_training.max_frames_per_batch": 800,
    },
    "encoder goes on learning, features beside the hazards": {
        "clock_training.encoder_rate": 0.3,
        "clock_training.feature_weight": 1.0,
        "clock_training.max_epochs": 16,
        "clock_training.max_frames_per_batch": 800,
    },
    "time arrow beside features in the pretraining": {"clock_training.time_arrow_weight": 0.3},
    "decided cells only": {"clock_training.train_on": "decided"},
}


def main(env: str, names: list[str]) -> None:
    """Train and score the variants, and print one line each as it is done."""
    data, settings = load_run(env)
    boosted = boost_features(data, settings)
    share_pretraining()
    tables = {BOOSTING: forecast_boosting(data, settings, boosted)}
    for name in names or VARIANTS:
        started = time.process_time()
        tables |= forecast_variant(name, data, settings, boosted)
        cpu_s = time.process_time() - started
        print_variant(name, cpu_s, tables, data, settings)


def load_run(env: str, project: Path = ROOT) -> tuple[dict[str, Any], dict[str, Any]]:
    """Load tables and settings of the last run, through the catalog."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    with KedroSession.create(project_path=project, env=env) as session:
        catalog = session.load_context().catalog
        data = {name: catalog.load(name) for name in TABLES}
        settings = {name: kind.model_validate(catalog.load(f"params:{name}")) for name, kind in SETTINGS.items()}
    return data, settings


def share_pretraining() -> None:
    """Pretrain an encoder once for all variants that have it in common."""
    from cellfate.training import clock_module

    pretrain, kept = clock_module.pretrain_encoder, {}

    def pretrain_once(network: Any, data: Any, training: ClockTrainingSettings) -> float:
        parts = (network.encoder, network.features) if network.features is not None else (network.encoder,)
        shapes = [tuple(value.shape) for part in parts for value in part.state_dict().values()]
        preprocessing = data.train.maker.preprocessing
        n_cells = len(data.train.follow_ups)
        pretraining = training.pretraining_epochs, training.time_arrow_weight, training.seed
        key = repr((data.fold, shapes, preprocessing.intensity, n_cells, pretraining))
        if not training.pretraining_epochs:
            return float("nan")
        if key not in kept:
            error = pretrain(network, data, training)
            kept[key] = error, [copy.deepcopy(part.state_dict()) for part in parts]
        error, states = kept[key]
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
        return error

    clock_module.pretrain_encoder = pretrain_once


def change(settings: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Change some fields of the settings, named with dots."""
    raw = {name: model.model_dump() for name, model in settings.items()}
    for path, value in changes.items():
        *parents, field = path.split(".")
        held = raw
        for parent in parents:
            held = held[parent]
        held[field] = value
    return {name: kind.model_validate(raw[name]) for name, kind in SETTINGS.items()}


def list_parts(data: dict[str, Any], fold: int) -> pd.DataFrame:
    """Landmarks with the part that their cell plays in a fold."""
    cells = data["follow_ups"][["sample_id", "recording_id", "cell_id"]]
    parts = data["clock_splits"].query("fold == @fold").merge(cells, on="sample_id").drop(columns="sample_id")
    return data["landmarks"].merge(parts, on=["recording_id", "cell_id"])


def boost_features(data: dict[str, Any], settings: dict[str, Any]) -> dict[int, np.ndarray]:
    """Hazards of boosting on handcrafted features, at the test landmarks of every fold."""
    follow_up, ensemble = settings["follow_up"], settings["ensemble"]
    hazards = {}
    for fold in sorted(data["clock_splits"]["fold"].unique()):
        landmarks = list_parts(data, fold)
        inputs = describe_landmarks(data["frame_features"], landmarks, ensemble.history_h)
        labels = label_landmarks(landmarks, follow_up)
        train, test = (landmarks["part"] == part for part in ("train", "test"))
        boosted = fit_boosted_hazards(inputs[train], labels[train], len(follow_up.events), ensemble.boosting)
        hazards[int(fold)] = boosted.hazards(inputs[test])
    return hazards


def forecast_variant(
    name: str, data: dict[str, Any], base: dict[str, Any], boosted: dict[int, np.ndarray]
) -> dict[str, pd.DataFrame]:
    """Train a variant; forecasts of its network and of the blend with boosting, by predictor."""
    with tempfile.TemporaryDirectory() as checkpoints:
        folder = {"clock_training.checkpoint_folder": checkpoints}
        settings = change(base, VARIANTS[name] | folder)
        tables = [data[table] for table in TABLES if table != "landmarks"]
        model, _ = train_clock(*tables, *(settings[part] for part in SETTINGS if part != "scores"))
    found: dict[str, list[pd.DataFrame]] = {name: [], f"{name} + boosting": []}
    for fold in model.config.folds:
        landmarks = list_parts(data, fold).query("part == 'test'").reset_index(drop=True)
        network, _ = read_landmarks(data["crops"], landmarks, load_clock_member(model, fold))
        for predictor, hazards in zip(found, (network, blend_hazards([network, boosted[fold]])), strict=True):
            found[predictor].append(tabulate_fold(predictor, landmarks, fold, hazards, settings["follow_up"]))
    return {predictor: pd.concat(parts, ignore_index=True) for predictor, parts in found.items()}


def forecast_boosting(data: dict[str, Any], settings: dict[str, Any], boosted: dict[int, np.ndarray]) -> pd.DataFrame:
    """Forecasts of boosting on handcrafted features, the one that networks are blended with."""
    tables = [
        tabulate_fold(BOOSTING, list_parts(data, fold).query("part == 'test'"), fold, hazards, settings["follow_up"])
        for fold, hazards in boosted.items()
    ]
    return pd.concat(tables, ignore_index=True)


def tabulate_fold(
    predictor: str, landmarks: pd.DataFrame, fold: int, hazards: np.ndarray, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """Forecasts of the test landmarks of a fold, as table `Incidence`."""
    keys = landmarks[["recording_id", "cell_id"]].assign(
        predictor=predictor, scheme="ablation", fold=fold, part="test", frame=landmarks["last_frame"]
    )
    return tabulate_incidence(keys, hazards, follow_up.events, follow_up.edges_h, follow_up.report_h)


def print_variant(
    name: str, cpu_s: float, tables: dict[str, pd.DataFrame], data: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Print scores at the headline horizon, and paired differences to the default and to boosting alone."""
    follow_up, scores, landmarks = settings["follow_up"], settings["scores"], data["landmarks"]
    rows = []
    for predictor, default in ((name, "default"), (f"{name} + boosting", "default + boosting")):
        table = tables[predictor]
        metrics = score_incidence(table, table.iloc[:0], landmarks, follow_up, scores)
        kept = metrics.query("condition == 'all' and within_h == @follow_up.headline_h")
        references = {"default": tables[default]} if default in tables else {}
        references[BOOSTING] = tables[BOOSTING]
        beside = pd.concat([held.assign(predictor=key) for key, held in references.items()], ignore_index=True)
        differences = compare_incidence(table.assign(predictor="clock"), beside, landmarks, follow_up, scores).query(
            "within_h == @follow_up.headline_h"
        )
        for outcome in sorted(kept["outcome"].unique()):
            row: dict[str, Any] = {"variant": predictor, "event": outcome, "cpu_s": round(cpu_s)}
            for metric in ("auroc", "average_precision", "brier"):
                score = kept.query("metric == @metric and outcome == @outcome").iloc[0]
                row[metric] = f"{score['estimate']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
                for reference in references:
                    paired = differences.query(
                        "metric == @metric and outcome == @outcome and reference == @reference"
                    ).iloc[0]
                    interval = f"[{paired['low']:+.3f}, {paired['high']:+.3f}]"
                    row[f"{metric} minus {reference}"] = f"{paired['difference']:+.3f} {interval}"
            rows.append(row)
            print(json.dumps(row), flush=True)
    print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
