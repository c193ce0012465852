"""What each part of the fate clock adds: one part is changed at a time, everything else stays (not part of `all`).

Takes the tables that `kedro run --env ENV` left behind: `python -m benchmarks.clock_ablation ENV [VARIANT ...]`. Every
variant is trained in every fold and forecasts the test landmarks; its scores at the headline horizon stand beside
paired differences to the default (if that is asked for) and to boosting alone, which is fitted once for all.
"""

import copy
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.measure import print_table
from benchmarks.project import ROOT, load_run
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import BLEND, BOOSTING, NETWORK
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.metrics.comparisons import compare_forecasts
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.models.settings import BlendSettings, ClockNetworkSettings
from cellfate.pipelines.model_training.nodes import train_clock_networks
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.forecasts import forecast_clock
from cellfate.training.settings import ClockTrainingSettings

DEFAULT = "default"
TRAINED_ON: Final = ("crops", "follow_ups", "questions", "splits", "normalisation", "frame_features")
TABLES: Final = (*TRAINED_ON, "landmarks", "detections")
SETTINGS: Final = {
    "follow_up": FollowUpSettings,
    "clock_network": ClockNetworkSettings,
    "clock_training": ClockTrainingSettings,
    "features": FeatureSettings,
    "blend": BlendSettings,
    "context": ContextSettings,
    "scores": ScoreSettings,
}
METRICS: Final = ("auroc", "average_precision", "brier")
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    DEFAULT: {},
    "seed 1": {"clock_training.seed": 1},
    "seed 2": {"clock_training.seed": 2},
    "one Transformer layer beside the statistics": {"clock_network.n_layers": 1},
    "one Transformer layer, no statistics": {"clock_network.n_layers": 1, "clock_network.causal.statistics_frames": ()},
    "statistics of the last 3 frames only": {"clock_network.causal.statistics_frames": (3,)},
    "no mask channel": {"clock_network.mask_channel": False},
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
Data = dict[str, Any]


def main(env: str, names: list[str]) -> None:
    """Train and score the variants, and print one line each as it is done."""
    data, settings = load_run(ROOT, TABLES, SETTINGS, env)
    share_pretraining()
    forecasts: dict[str, pd.DataFrame] = {}
    boosters: dict[str, str] = {}
    for name in names or VARIANTS:
        started = time.process_time()
        forecasts[name], boosters = forecast_variant(name, data, settings, boosters)
        print_variant(name, time.process_time() - started, forecasts, data, settings)


def share_pretraining() -> None:
    """Pretrain an encoder once for all variants that have it in common."""
    from cellfate.training import pretraining

    pretrain, kept = pretraining.pretrain_encoder, {}

    def pretrain_once(network: Any, data: Any, folder: Path) -> float:
        training, shown = data.settings, data.train.preprocessing
        if not training.pretraining_epochs:
            return float("nan")
        parts = (network.encoder, network.features) if network.features is not None else (network.encoder,)
        shapes = [tuple(value.shape) for part in parts for value in part.state_dict().values()]
        passes = training.pretraining_epochs, training.time_arrow_weight, training.seed
        key = repr((data.fold, shapes, shown.intensity, len(data.train), passes))
        if key not in kept:
            error = pretrain(network, data, folder)
            kept[key] = error, [copy.deepcopy(part.state_dict()) for part in parts]
        error, states = kept[key]
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
        return error

    pretraining.pretrain_encoder = pretrain_once


def change(settings: Data, changes: Data) -> Data:
    """Change some fields of the settings, named with dots."""
    raw = {name: model.model_dump() for name, model in settings.items()}
    for path, value in changes.items():
        *parents, field = path.split(".")
        held = raw
        for parent in parents:
            held = held[parent]
        held[field] = value
    return {name: kind.model_validate(raw[name]) for name, kind in SETTINGS.items()}


def forecast_variant(
    name: str, data: Data, base: Data, boosters: dict[str, str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Train a variant: its forecasts of the test cells within the headline horizon, and the boosters, fitted once."""
    with tempfile.TemporaryDirectory() as checkpoints:
        settings = change(base, VARIANTS[name] | {"clock_training.checkpoint_folder": checkpoints})
        of_training = [settings[part] for part in SETTINGS if part != "scores"]
        networks, _ = train_clock_networks(*(data[table] for table in TRAINED_ON), *of_training)
    model = replace(networks, boosters=boosters)
    if not boosters:
        model = boost_clock(
            *(data[table] for table in ("landmarks", "splits", "frame_features")), networks, data["crops"]
        )
    tables = (data[table] for table in ("crops", "detections", "follow_ups", "splits", "frame_features"))
    forecasts = forecast_clock(*tables, model)
    at_headline = forecasts["within_h"] == settings["follow_up"].headline_h
    return forecasts[at_headline & (forecasts["part"] == "test")], dict(model.boosters)


def ask_headline(follow_up: FollowUpSettings) -> FollowUpSettings:
    """Only the headline horizon is scored."""
    return follow_up.model_copy(update={"report_h": (follow_up.headline_h,)})


def stand_beside(predictor: str, name: str, forecasts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Forecasts of one predictor of a variant, with boosting alone and the same predictor of the default."""
    table = forecasts[name]
    tables = [table[table["predictor"].isin([predictor, BOOSTING])]]
    if DEFAULT in forecasts and name != DEFAULT:
        default = forecasts[DEFAULT]
        tables.append(default[default["predictor"] == predictor].assign(predictor=DEFAULT))
    return pd.concat(tables, ignore_index=True)


def print_variant(name: str, cpu_s: float, forecasts: dict[str, pd.DataFrame], data: Data, settings: Data) -> None:
    """Print scores at the headline horizon, and paired differences to the default and to boosting alone."""
    rows: list[Data] = []
    for predictor in (NETWORK, BLEND):
        asked = (data["landmarks"], ask_headline(settings["follow_up"]), settings["scores"])
        table = stand_beside(predictor, name, forecasts)
        metrics, differences = score_forecasts(table, *asked), compare_forecasts(table, *asked)
        kept = metrics.query("condition == 'all' and predictor == @predictor and metric in @METRICS")
        for outcome in sorted(set(kept["outcome"]) - {"all"}):
            row: Data = {"variant": f"{name}, {predictor}", "event": outcome, "cpu_s": round(cpu_s)}
            for score in kept[kept["outcome"] == outcome].itertuples():
                row[score.metric] = f"{score.estimate:.3f} [{score.low:.3f}, {score.high:.3f}]"
                of_score = differences.query("metric == @score.metric and outcome == @outcome")
                for paired in of_score.itertuples():
                    interval = f"[{paired.low:+.3f}, {paired.high:+.3f}]"
                    row[f"{score.metric} minus {paired.reference}"] = f"{paired.difference:+.3f} {interval}"
            rows.append(row)
            print(json.dumps(row), flush=True)
    print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
