"""Which samples an epoch shows, and with whom they share a batch."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.training.length_buckets import length_bucketed_batches
from cellfate.training.settings import TrainingSettings

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Unit:
    """Samples of one cell that are shown together, so that a frame they share is encoded once.

    Attributes
    ----------
    recording_id : str
        Recording of the cell.
    cell_id : int
        The cell.
    rows : tuple of int
        Rows of the sample table, each at most once.
    """

    recording_id: str
    cell_id: int
    rows: tuple[int, ...]


def outcome_weights(targets_n: IntArray, n_outcomes: int) -> NDArray[np.float64]:
    """Weight of each sample so that every outcome weighs the same in total; the mean weight is 1.

    Examples
    --------
    >>> outcome_weights(np.array([0, 1, 1, 1]), 2).round(2).tolist()
    [2.0, 0.67, 0.67, 0.67]
    """
    counts_k = np.bincount(targets_n, minlength=n_outcomes).astype(np.float64)
    n_present = int((counts_k > 0).sum())
    return np.asarray(len(targets_n) / (n_present * counts_k[targets_n]), dtype=np.float64)


def plan_epoch(
    samples: pd.DataFrame, weights_n: NDArray[np.float64], settings: TrainingSettings, rng: np.random.Generator
) -> list[list[Unit]]:
    """Draw the samples of an epoch and part them into batches.

    Parameters
    ----------
    samples
        Table `Samples`, training part.
    weights_n
        Weight of each sample that makes outcomes equal.
    settings
        Balance, batch size, samples an epoch.
    rng
        Source of randomness.

    Returns
    -------
    list of list of Unit
        Batches. A sample that is drawn twice stands in two units, which are augmented apart.
    """
    n_drawn = settings.samples_per_epoch or len(samples)
    if settings.balance == "sampling":
        drawn = rng.choice(len(samples), size=n_drawn, p=weights_n / weights_n.sum())
    else:
        drawn = rng.permutation(len(samples))[:n_drawn]
    units = group_units(samples, drawn)
    lengths_n = unit_lengths(samples, units)
    batches = length_bucketed_batches(lengths_n, settings.max_frames_per_batch, rng)
    return [[units[i] for i in batch] for batch in batches]


def plan_all(samples: pd.DataFrame, max_frames_per_batch: int) -> list[list[Unit]]:
    """Part all samples, each once, into batches that are the same every time."""
    units = group_units(samples, np.arange(len(samples)))
    lengths_n = unit_lengths(samples, units)
    return [[units[i] for i in batch] for batch in length_bucketed_batches(lengths_n, max_frames_per_batch)]


def group_units(samples: pd.DataFrame, drawn: IntArray) -> list[Unit]:
    """Bring drawn samples of a cell together; the n-th copy of a sample goes to the cell's n-th unit."""
    chosen = samples.iloc[drawn][["recording_id", "cell_id"]].assign(row=drawn)
    chosen["copy"] = chosen.groupby("row").cumcount()
    return [
        Unit(str(recording_id), int(str(cell_id)), tuple(sorted(rows.tolist())))
        for (recording_id, cell_id, _), rows in chosen.groupby(["recording_id", "cell_id", "copy"])["row"]
    ]


def unit_lengths(samples: pd.DataFrame, units: list[Unit]) -> IntArray:
    """Frames between the first and the last that each unit shows: an upper bound of those encoded."""
    first_n, last_n = samples["first_frame"].to_numpy(), samples["last_frame"].to_numpy()
    lengths = [last_n[list(unit.rows)].max() - first_n[list(unit.rows)].min() + 1 for unit in units]
    return np.array(lengths, dtype=np.int64)
