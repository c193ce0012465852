"""False alarms of Gray's test where wells differ and doses do not: 500 studies of wells of 25 cells at each of 2 doses.

Cells of a well share how fast they die and divide. Conditions are dealt out anew among wells (p by groups), and the
chi-squared tail of the same statistic takes cells as independent (p of cells).
"""

from typing import Final

import numpy as np
import pandas as pd

from benchmarks.measure import print_table
from cellfate.cohort.settings import FollowUpSettings
from cellfate.metrics.condition_tests import permute_conditions
from cellfate.metrics.settings import ScoreSettings

N_STUDIES: Final = 500
N_CELLS, LAST_FRAME = 25, 96
CASES: Final = ((4, 0.0), (4, 0.5), (4, 1.0), (10, 0.0), (10, 0.5), (10, 1.0))
"""Wells a dose, and the standard deviation of the logarithm of the hazards between wells."""
MOST: Final = 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_STUDIES)


def main() -> bool:
    """Measure; true when p by groups is below .05 no more often than that, in every case, by three standard errors."""
    rows, good = [], True
    for n_wells, spread in CASES:
        shares = _measure(n_wells, spread)
        rows.append((n_wells, spread, *(f"{share:.3f}" for share in shares)))
        good &= shares[0] <= MOST
    print_table(("wells a dose", "sd between wells", "p by groups < .05", "p of cells < .05"), rows)
    return good


def _measure(n_wells: int, spread: float) -> tuple[float, float]:
    """Shares of studies in which either p value is below .05."""
    rng = np.random.default_rng([n_wells, round(10 * spread)])
    scores = ScoreSettings(n_resamples=200)
    found = []
    for _ in range(N_STUDIES):
        tests = permute_conditions(*_draw(n_wells, spread, rng), FollowUpSettings(), scores)
        found.append(tests[tests["outcome"] == "apoptosis"][["p_value", "p_of_cells"]].to_numpy(float)[0])
    by_groups, of_cells = (np.array(found) <= 0.05).mean(axis=0)
    return float(by_groups), float(of_cells)


def _draw(n_wells: int, spread: float, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One study: tables `Cells` and `Recordings`."""
    wells = [f"w{number:02}" for number in range(2 * n_wells)]
    doses = np.repeat(["Control", "High"], n_wells)
    about = {"condition": "drug", "n_frames": LAST_FRAME + 1, "frame_interval_min": 30.0}
    recordings = pd.DataFrame({"recording_id": wells, "dose": doses, **about})
    n = 2 * n_wells * N_CELLS
    rates = np.repeat(np.exp(rng.normal(0, spread, (2 * n_wells, 2))), N_CELLS, axis=0) / [80, 50]
    ends = np.column_stack(
        [np.ceil(rng.exponential(1 / rates)), np.ceil(rng.exponential(150, n)), np.full(n, LAST_FRAME)]
    )
    first = ends.argmin(axis=1)
    end = ends.min(axis=1).astype(int)
    fate = np.array(["apoptosis", "mitosis", "censored", "censored"])[first]
    cells = pd.DataFrame({"recording_id": np.repeat(wells, N_CELLS), "cell_id": np.tile(range(N_CELLS), 2 * n_wells)})
    happened = pd.array(np.where(first < 2, end, -1), dtype="Int64")
    cells = cells.assign(group_id=cells["recording_id"], fate=fate, first_frame=0, last_frame=end)
    return cells.assign(event_frame=pd.Series(happened).where(first < 2)), recordings
