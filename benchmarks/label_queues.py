"""How many labels `uncertain` needs for the accuracy that `random` reaches with 200: it must not need more.

Which fate comes, by boosting on the true reporters of simulated cells; labels are given in batches, each order chosen
by `labels.queues.order_cells` after a training on the labels so far, and scored on cells of other recordings.
"""

import sys
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.measure import print_table
from cellfate.core.fates import EVENTS, UNSCORED
from cellfate.core.predictors import BOOSTING
from cellfate.core.tables import CELL
from cellfate.features.summaries import summarise_history
from cellfate.labels.queues import order_cells
from cellfate.labels.table import labels_table
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.settings import BoostingSettings
from cellfate.simulation import SimulationSettings, list_truth, simulate_study, trace_reporters
from cellfate.simulation.settings import CHANNELS

N_SEEDS: Final = 40
N_RECORDINGS, N_TESTED = 100, 40
FIRST, BATCH, MOST = 40, 40, 320
"""Labels at random to begin with, labels from one training to the next, and the most."""
AIM: Final = 200
HISTORY_H, GUARD_FRAMES = 12.0, 2
BOOSTING_SETTINGS: Final = BoostingSettings(n_trees=150, max_leaf_nodes=8, min_samples_leaf=40, learning_rate=0.05)
Floats = NDArray[np.float64]


def main() -> bool:
    """Simulate, label and train, and print both learning curves; true unless `uncertain` is clearly worse."""
    counts = np.arange(FIRST, MOST + 1, BATCH)
    curves = np.stack([run_seed(seed) for seed in range(N_SEEDS)])  # (seeds, queues, counts)
    mean, error = curves.mean(axis=0), curves.std(axis=0, ddof=1) / np.sqrt(N_SEEDS)
    rows = [(n, *(100 * mean[:, i]), *(100 * error[:, i])) for i, n in enumerate(counts)]
    print_table(("labels", "random, %", "uncertain, %", "standard error", "of uncertain"), rows)
    at_aim = int(np.flatnonzero(counts == AIM)[0])
    difference = curves[:, 1, at_aim] - curves[:, 0, at_aim]
    half = stdtrit(N_SEEDS - 1, 0.975) * difference.std(ddof=1) / np.sqrt(N_SEEDS)
    low, high = difference.mean() - half, difference.mean() + half
    print(
        f"balanced accuracy at {AIM} labels, uncertain less random: {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    )
    rng = np.random.default_rng(0)
    drawn = [curves[rng.integers(0, N_SEEDS, N_SEEDS)].mean(axis=0) for _ in range(2000)]
    needed = [count_needed(counts, curve, at_aim) for curve in drawn]
    bounds = [
        f"over {MOST}" if np.isinf(n) else f"{n:.0f}" for n in np.quantile(needed, (0.025, 0.975), method="nearest")
    ]
    asked = count_needed(counts, mean, at_aim)
    told = f"over {MOST}" if np.isinf(asked) else f"{asked:.0f}"
    print(f"labels that uncertain needs for what random reaches with {AIM}: {told} [{bounds[0]}, {bounds[1]}]")
    return bool(high >= 0)


def run_seed(seed: int) -> Floats:
    """Balanced accuracy of both orders after each batch, (queues, counts)."""
    cells, inputs = simulate(seed)
    names = sorted(cells["recording_id"].unique())
    tested = cells["recording_id"].isin(names[:N_TESTED]).to_numpy()
    pool = cells[~tested]
    order = place(order_cells("random", hide(pool), labels_table([]), seed), cells)
    curves = []
    for queue in ("random", "uncertain"):
        labelled, scores = order[:FIRST], []
        while True:
            p_apoptosis = train(cells, inputs, labelled)
            scores.append(score(cells[tested], p_apoptosis[tested]))
            if len(labelled) >= MOST:
                break
            if queue == "random":
                labelled = order[: len(labelled) + BATCH]
            else:
                waiting = hide(pool.drop(index=labelled))
                forecasts = tabulate(waiting, p_apoptosis)
                asked = order_cells("uncertain", waiting, labels_table([]), forecasts=forecasts)
                labelled = [*labelled, *place(asked[:BATCH], cells)]
        curves.append(scores)
    print(f"seed {seed}: {[round(scores[-1], 3) for scores in curves]}", file=sys.stderr, flush=True)
    return np.asarray(curves)


def simulate(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of one simulation, and what is measured of the last hours that are shown of each."""
    study = simulate_study(SimulationSettings(seed=seed, n_recordings=N_RECORDINGS))
    traces = trace_reporters(study)
    cells = list_truth(study)[[*CELL, "fate"]]
    span = traces.groupby(CELL)["frame"].agg(first_frame="min", last_frame="max").reset_index()
    cells = cells.merge(span, on=CELL).assign(frame_interval_min=study.settings.frame_interval_min)
    cells["last_frame"] -= GUARD_FRAMES
    cells = cells[cells["last_frame"] >= cells["first_frame"]].reset_index(drop=True)
    features = traces[[*CELL, "frame", *CHANNELS]].rename(columns={name: f"intensity_{name}" for name in CHANNELS})
    return cells.assign(group_id=cells["recording_id"]), summarise_history(features, cells, HISTORY_H)


def hide(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells as they are before anybody looked."""
    return cells.assign(fate=UNSCORED)


def place(keys: Sequence[tuple[str, int]], cells: pd.DataFrame) -> list[int]:
    """Rows of cells."""
    rows = {(name, cell): row for row, (name, cell) in enumerate(cells[CELL].itertuples(index=False))}
    return [rows[key] for key in keys]


def train(cells: pd.DataFrame, inputs: pd.DataFrame, labelled: Sequence[int]) -> Floats:
    """Forecast every cell after a training on those that were labelled and had an event, by P(apoptosis), (n,).

    A label of a cell without an event is spent, and teaches nothing about which fate comes.
    """
    taught = cells.iloc[list(labelled)]
    taught = taught[taught["fate"].isin(EVENTS)]
    numbers_n = taught["fate"].map({event: number for number, event in enumerate(EVENTS, 1)}).to_numpy(np.int64)
    if len(set(numbers_n.tolist())) < len(EVENTS):
        return np.full(len(cells), 0.5)
    weights_n = (len(numbers_n) / (2 * np.bincount(numbers_n)[numbers_n])).astype(np.float64)
    given = inputs.loc[taught.index], numbers_n[:, None], len(EVENTS), BOOSTING_SETTINGS, weights_n
    hazards_ne = fit_boosted_hazards(*given).hazards(inputs)[:, 0]
    return np.asarray(hazards_ne[:, EVENTS.index("apoptosis")] / hazards_ne.sum(axis=1), dtype=np.float64)


def score(cells: pd.DataFrame, p_apoptosis: Floats) -> float:
    """Balanced accuracy over cells that had an event."""
    died, divided = (cells["fate"].eq(fate).to_numpy() for fate in ("apoptosis", "mitosis"))
    return float((np.mean(p_apoptosis[died] > 0.5) + np.mean(p_apoptosis[divided] <= 0.5)) / 2)


def tabulate(waiting: pd.DataFrame, p_apoptosis: Floats) -> pd.DataFrame:
    """Forecasts of waiting cells, with the columns that orders look at."""
    p = p_apoptosis[waiting.index]
    columns = {"predictor": BOOSTING, "frame": waiting["last_frame"], "within_h": np.nan}
    return waiting[CELL].assign(**columns, p_apoptosis=p, p_mitosis=1 - p, p_none=0.0)


def count_needed(counts: NDArray[np.int64], mean: Floats, at_aim: int) -> float:
    """Labels with which `uncertain` reaches the score of `random` at the aim, between counts by a line; inf: never."""
    reached = np.flatnonzero(mean[1] >= mean[0, at_aim])
    if not len(reached):
        return np.inf
    i = int(reached[0])
    if i == 0:
        return float(counts[0])
    share = (mean[0, at_aim] - mean[1, i - 1]) / (mean[1, i] - mean[1, i - 1])
    return float(counts[i - 1] + share * (counts[i] - counts[i - 1]))


if __name__ == "__main__":
    sys.exit(not main())
