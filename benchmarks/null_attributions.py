"""How often attributions that know nothing of a cell get the verdict about this cell, and how often true ones do.

Cells are games whose answer is known: every channel in every window has a weight, one part of it shared by all cells
and one of the cell's own, and the log odds saturate with their sum. Where a part is absent something stands in for it
that says something of its own, drawn for every cell: once for its values and once, apart, for its curves. Five
attributions know nothing of a cell: values by chance, one order for all cells, the values of another cell, the mean of
all others, and that mean less what stands in for the cell's values. Every simulated study is examined as a real one is.
To see what the draws apart are good for, the last is examined with the curves in the draws of the values, too.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.measure import print_table
from cellfate.attribution.faithfulness import tabulate_gains, trace_orders
from cellfate.attribution.methods import SHAPLEY
from cellfate.attribution.other_cells import gather_cells
from cellfate.attribution.scoring import score_attributions
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import cut_time_windows
from cellfate.core.attribution_thresholds import OVER_OTHERS, OVER_RANDOM, check_scores

FloatArray = NDArray[np.float64]

N_STUDIES, MOST_NULL, LEAST_TRUE = 200, 0.05, 0.9
N_CELLS, N_GROUPS, N_WINDOWS, CHANNELS = 32, 16, 8, ("a", "b")
OWN_SHARES: Final = {"all hours shared": 0.0, "half of the variance shared": 0.5, "hours of each cell": 1.0}
"""Share of the variance of the weights that is the cell's own."""
STAND_INS_SD: Final = 0.5
"""Standard deviation of what stands in says; that of the weights is 1."""
STOOD_IN: Final = "mean of the others, own stand-ins"
SAME_DRAWS: Final = f"{STOOD_IN}, curves with the same"
SETTINGS: Final = ExplanationSettings(n_windows=N_WINDOWS, n_bootstrap=400)


@dataclass(frozen=True)
class Saturating:
    """Log odds that saturate with the sum of the weights (T, C) of what is present, and of what else stands in."""

    weights_tc: FloatArray
    stand_ins_tc: FloatArray

    def values(self, present_btc: NDArray[np.bool_]) -> FloatArray:
        """Log odds of coalitions, (B,)."""
        return 4 * np.tanh(np.where(present_btc, self.weights_tc, self.stand_ins_tc).sum(axis=(1, 2)) / 4)


def main() -> bool:
    """Examine simulated studies; true when no null gets the verdict too often, and true values do where they can."""
    rows, good = [], True
    for name, own_share in OWN_SHARES.items():
        counts = count_verdicts(own_share, N_STUDIES)
        rows.append((name, *(f"{of_model:.3f} / {of_cell:.3f}" for of_model, of_cell in counts.values())))
        nulls = counts.keys() - {"true", SAME_DRAWS}
        good &= all(counts[method][1] <= MOST_NULL for method in nulls)
        good &= counts["true"][1] >= LEAST_TRUE or own_share == 0
    print_table(("weights", *counts), rows)
    print(f"share of {N_STUDIES} studies with the verdict about the model / this cell; nulls: at most {MOST_NULL}")
    return good


def count_verdicts(own_share: float, n_studies: int) -> dict[str, tuple[float, float]]:
    """Share of simulated studies in which each attribution passes about the model, and about this cell too."""
    passed: dict[str, list[tuple[bool, bool]]] = {}
    for seed in range(n_studies):
        rng = np.random.default_rng([seed, round(100 * own_share)])
        weights_nwc = draw_weights(own_share, rng)
        stand_ins_nwc, on_curves_nwc = rng.normal(0, STAND_INS_SD, (2, *weights_nwc.shape))
        attributed = attribute(weights_nwc, stand_ins_nwc, rng)
        for method, values_nwc in attributed.items():
            found = examine(weights_nwc, on_curves_nwc, values_nwc, seed)
            passed.setdefault(method, []).append(found)
        found = examine(weights_nwc, stand_ins_nwc, attributed[STOOD_IN], seed)
        passed.setdefault(SAME_DRAWS, []).append(found)
    return {method: tuple(np.mean(found, axis=0)) for method, found in passed.items()}


def draw_weights(own_share: float, rng: np.random.Generator) -> FloatArray:
    """Weights of every channel in every window of every cell, (N, W, C)."""
    shared_wc = rng.normal(size=(N_WINDOWS, len(CHANNELS)))
    own_nwc = rng.normal(size=(N_CELLS, *shared_wc.shape))
    return np.sqrt(1 - own_share) * shared_wc + np.sqrt(own_share) * own_nwc


def attribute(weights_nwc: FloatArray, stand_ins_nwc: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Values of the true attribution, with an error of a quarter of their size, and of five that know nothing."""
    true_nwc = weights_nwc - stand_ins_nwc + rng.normal(0, 0.25, weights_nwc.shape)
    n_cells = len(weights_nwc)
    others_nwc = (true_nwc.sum(axis=0) - true_nwc) / (n_cells - 1)
    return {
        "true": true_nwc,
        "chance": rng.normal(size=weights_nwc.shape),
        "one order": np.broadcast_to(rng.normal(size=weights_nwc.shape[1:]), weights_nwc.shape),
        "another cell": true_nwc[(np.arange(n_cells) + rng.integers(1, n_cells)) % n_cells],
        "mean of the others": others_nwc,
        STOOD_IN: others_nwc - stand_ins_nwc,
    }


def examine(weights_nwc: FloatArray, stand_ins_nwc: FloatArray, values_nwc: FloatArray, seed: int) -> tuple[bool, bool]:
    """Whether values pass deletion and insertion about the model, and about this cell too."""
    explanation = SETTINGS.model_copy(update={"seed": seed})
    names = [f"{number}" for number in range(len(weights_nwc))]
    landmarks = pd.DataFrame({"landmark_id": names, "outcome": "mitosis", "shown_from": 0, "last_frame": N_WINDOWS - 1})
    opened: list[Any] = [
        SimpleNamespace(
            landmark_id=name, group_id=f"{number % N_GROUPS}", reference_log_odds=0.0, channels=CHANNELS,
            game=Saturating(weights_nwc[number], stand_ins_nwc[number]),
            windows=cut_time_windows(np.arange(N_WINDOWS), 1, N_WINDOWS),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    n_parts = N_WINDOWS * len(CHANNELS)
    table = pd.DataFrame(
        {
            "landmark_id": np.repeat(names, n_parts),
            "method": SHAPLEY,
            "windows_back": np.tile(np.repeat(np.arange(N_WINDOWS)[::-1], len(CHANNELS)), len(names)),
            "channel": np.tile(CHANNELS, N_WINDOWS * len(names)),
            "value": values_nwc.ravel(),
            "towards": 1.0,
        }
    )
    cells = tabulate_gains(
        list(trace_orders(opened, gather_cells(table, landmarks, CHANNELS, explanation), table, explanation))
    )
    scores = score_attributions(cells, cells.head(0), cells.head(0), explanation)
    passed = check_scores(scores[scores["method"] == SHAPLEY])
    of_model = all(passed[score] for score in OVER_RANDOM)
    return of_model, of_model and all(passed[score] for score in OVER_OTHERS)
