"""The predictor from Python: its first call, and a forecast of cells of 60 frames, against the bare network.

The floor of many cells is the encoder alone on their prepared frames; what 10,000 cells take is told from 100. Networks
are the demo's with weights of chance, and boosting is of the demo's size; neither changes what they cost.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.measure import Usage, measure_command, print_table
from cellfate import Predictor
from cellfate.cohort.ages import age_inputs
from cellfate.cohort.landmarks import list_forecast_frames
from cellfate.cohort.settings import FollowUpSettings
from cellfate.crops.settings import CropSettings
from cellfate.features.settings import FeatureSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import FateClock
from cellfate.models.settings import BlendSettings, ClockNetworkSettings, ModelSettings
from cellfate.prediction import ClassifierConfig, ClockConfig, MemberConfig, TrainedModel, save_model_folder
from cellfate.prediction.arrays import hold_cells
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.clock_member import load_clock_member

ROOT = Path(__file__).resolve().parents[1]
CHANNELS, EVENTS, INTERVAL_MIN, SIZE_PX, N_FRAMES, N_CELLS = ("a", "b", "c"), ("apoptosis", "mitosis"), 30, 40, 60, 100
N_FLOOR = 20
REPEATS = 9
FIRST_CALL_S, NETWORK_S = 4.0, 0.05
"""Most CPU seconds of a process that forecasts one cell, imports included, and of the network on one cell."""
NETWORK: dict[str, Any] = {"encoder_channels": (16, 32, 64), "embedding_size": 64, "feed_forward_size": 128}
NOTHING = {"masks": None, "frame_numbers": None, "age_at_start_h": None, "n_neighbors": None}
FIRST_CALL = """
import sys, numpy, cellfate
predictor = cellfate.Predictor.from_folder(sys.argv[1])
predictor.forecast_arrays(numpy.load(sys.argv[2]), ("a", "b", "c"), 30)
"""


def main() -> bool:
    """Print CPU times of both models, on one thread; true when first call and network are within their limits."""
    torch.set_num_threads(1)
    cells = draw_cells()
    models = {"classifier": make_classifier(), "fate clock": make_clock(cells[0])}
    rows, many, good = [], [], True
    for name, model in models.items():
        predictor = Predictor(model)
        first = measure_first_call(model, cells[0])
        bare_s, network_s = (measure(call) for call in network_calls(model, cells[0]))
        one_s = measure(lambda: predictor.forecast_arrays(cells[0], CHANNELS, INTERVAL_MIN))  # noqa: B023
        many_s = measure(lambda: predictor.forecast_arrays(cells, CHANNELS, INTERVAL_MIN), 1) / N_CELLS  # noqa: B023
        good &= first.cpu_s <= FIRST_CALL_S and network_s <= NETWORK_S
        milliseconds = [f"{seconds * 1e3:.1f}" for seconds in (bare_s, network_s, one_s, many_s)]
        floor_s = measure(encoder_call(model, cells[:N_FLOOR]), 3) / N_FLOOR
        many.append((name, 1 / many_s, 1 / floor_s, many_s * 10_000 / 60, many_s / floor_s))
        rows.append((name, first.wall_s, first.cpu_s, *milliseconds, one_s / bare_s, many_s / bare_s))
    heads = ("first call, wall s", "CPU s", "bare network, ms", "from crops", "one cell", f"each of {N_CELLS}")
    print_table(("model", *heads, "one cell / bare", "many / bare"), rows)
    heads = ("cells a CPU s", "encoder alone", "10,000 cells, CPU min", "over the encoder's floor")
    print_table(("many cells", *heads), many)
    print(
        f"first call at most {FIRST_CALL_S:g} CPU s; the network from the crops at most {NETWORK_S * 1e3:g} ms a cell"
    )
    return good


def measure(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median CPU seconds, after a call to warm up."""
    call()
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return median(taken)


def measure_first_call(model: TrainedModel, frames: np.ndarray) -> Usage:
    """Account for a new process that forecasts one cell, the second of two."""
    with tempfile.TemporaryDirectory() as work:
        folder, array = Path(work) / "model", Path(work) / "frames.npy"
        save_model_folder(model, folder)
        np.save(array, frames)
        command = [sys.executable, "-c", FIRST_CALL, str(folder), str(array)]
        measure_command(command, ROOT)
        return measure_command(command, ROOT)


def network_calls(model: TrainedModel, frames: np.ndarray) -> tuple[Callable[[], object], Callable[[], object]]:
    """Give a forward pass of the network on prepared frames, and its reading of the crops."""
    sequence = hold_cells(frames, CHANNELS, INTERVAL_MIN, **NOTHING).sequences[0]
    positions = torch.arange(N_FRAMES), torch.tensor([N_FRAMES])
    if isinstance(model.config, ClockConfig):
        clock = load_clock_member(model, 0)
        prepared = torch.from_numpy(clock.prepare(sequence))
        ages = torch.from_numpy(age_inputs(np.arange(N_FRAMES), INTERVAL_MIN / 60))
        return lambda: _forward(clock.network, prepared, *positions, ages), lambda: clock.read_cell(sequence)
    member = load_classifier_member(model, 0)
    prepared = torch.from_numpy(member.prepare(sequence))
    return (
        lambda: _forward(member.network, prepared, *positions),
        lambda: member.probabilities([member.encode(member.prepare(sequence))], [sequence.frame_numbers_t]),
    )


def encoder_call(model: TrainedModel, cells: list[np.ndarray]) -> Callable[[], object]:
    """Give a pass of the encoder over the prepared frames of many cells, in chunks as the predictor takes them."""
    load = load_clock_member if isinstance(model.config, ClockConfig) else load_classifier_member
    member: Any = load(model, 0)
    sequences = hold_cells(cells, CHANNELS, INTERVAL_MIN, **NOTHING).sequences
    prepared = np.concatenate([member.prepare(sequence) for sequence in sequences.values()])
    return lambda: member.encode(prepared)


def _forward(network: Any, *inputs: torch.Tensor) -> None:
    with torch.inference_mode():
        network(*inputs)


def draw_cells() -> list[np.ndarray]:
    """Cells of 60 frames: a bright disc that flickers, under noise."""
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.mgrid[:SIZE_PX, :SIZE_PX] - SIZE_PX // 2)) <= SIZE_PX // 6
    light = rng.uniform(200, 400, (N_CELLS, N_FRAMES, len(CHANNELS), 1, 1))
    return [rng.poisson(100 + disc * of_cell).astype(np.uint16) for of_cell in light]


def make_classifier() -> TrainedModel:
    """Make the demo's classifier, untrained."""
    settings = ModelSettings(**NETWORK, encoder_grid=5, n_layers=2)
    config = ClassifierConfig(**_about(), architecture=settings)
    return TrainedModel(config, _weights(FateClassifier(settings, len(CHANNELS), len(EVENTS))))


def make_clock(frames: np.ndarray) -> TrainedModel:
    """Make the demo's fate clock, untrained, with boosting fitted to labels of chance."""
    settings = ClockNetworkSettings(**NETWORK, encoder_grid=6, n_layers=0, intensity="above_background")
    config = ClockConfig(**_about(), architecture=settings, features=FeatureSettings(), blend=BlendSettings())
    n_bins = len(config.follow_up.edges_h) - 1
    network = FateClock(settings, len(CHANNELS) + 1, n_bins, len(EVENTS), n_features=0)
    held = hold_cells(frames, CHANNELS, INTERVAL_MIN, **NOTHING)
    asked = list_forecast_frames(held.detections, held.follow_ups, config.follow_up)
    rng = np.random.default_rng(0)
    columns = held.describe(asked, held.measure(config), config).columns
    inputs = pd.DataFrame(rng.normal(size=(2000, len(columns))), columns=columns)
    labels_nk = rng.choice(len(EVENTS) + 1, size=(2000, n_bins), p=(0.8, 0.1, 0.1))
    boosted = fit_boosted_hazards(inputs, labels_nk, len(EVENTS), config.blend.boosting).to_text()
    return TrainedModel(config, _weights(network), {"fold_0.boosting": boosted, "all.boosting": boosted})


def _about() -> dict[str, Any]:
    """Say what both models say of themselves."""
    statistics = {"mean": (150.0,) * len(CHANNELS), "sd": (60.0,) * len(CHANNELS)}
    member = MemberConfig(fold=0, **statistics, best_epoch=0, n_epochs=1, n_train=1, n_validation=1)
    return {
        "events": EVENTS,
        "follow_up": FollowUpSettings(),
        "channels": CHANNELS,
        "crops": CropSettings(height_px=SIZE_PX, width_px=SIZE_PX),
        "frame_interval_min": float(INTERVAL_MIN),
        "scheme": "grouped_holdout",
        "members": (member,),
        "training": {"threads": 1},
    }


def _weights(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {f"fold_0.{name}": held.numpy() for name, held in network.state_dict().items()}


if __name__ == "__main__":
    sys.exit(not main())
