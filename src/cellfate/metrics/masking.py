"""Shortened inputs: forecasts from tracks whose end was removed, or of which only the end was kept.

Every frame is encoded once; each shortened input re-runs only the temporal part of the model. Frames left at the start
keep their positions; frames kept at the end are numbered anew from 0.

Array suffixes: t frames of one sample, d embedding size.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from cellfate.core.fates import probability_column
from cellfate.crops.store import CropStore
from cellfate.metrics.settings import MaskingSettings
from cellfate.prediction import TrainedModel, check_trained_on, embed_samples, load_fold
from cellfate.statistics.bootstrap import FloatArray, IntArray

REMOVE_LAST: Final = "remove_last"
KEEP_LAST: Final = "keep_last"
_SAMPLES_AT_ONCE: Final = 256  # embeddings held in memory together

Classify = Callable[[Sequence[npt.NDArray[Any]], Sequence[IntArray]], FloatArray]
"""Embeddings (t, d) and positions (t,) of sequences -> probabilities (b, outcomes)."""


def shorten(n_frames: int, experiment: str, k_frames: int) -> slice:
    """Frames of a sample that are left.

    Parameters
    ----------
    n_frames
        Frames of the sample.
    experiment
        `remove_last` or `keep_last`.
    k_frames
        How many are removed or kept; a sample with fewer to keep stays whole.

    Returns
    -------
    slice
        Of the sample's frames in order; empty where all were removed.
    """
    if experiment == REMOVE_LAST:
        return slice(0, max(0, n_frames - k_frames))
    return slice(max(0, n_frames - k_frames), n_frames)


def shorten_positions(positions_t: IntArray, left: slice, experiment: str) -> IntArray:
    """Positions of the frames left: kept where the end was removed, from 0 where the start was."""
    positions = positions_t[left]
    return positions - positions[0] if experiment == KEEP_LAST and len(positions) else positions


def mask_sequences(
    crops: CropStore, samples: pd.DataFrame, splits: pd.DataFrame, model: TrainedModel, masking: MaskingSettings
) -> pd.DataFrame:
    """Forecast the test samples of every fold from shortened inputs.

    Parameters
    ----------
    crops
        Crop store of the samples' cells.
    samples, splits
        Tables `Samples` and `Splits`.
    model
        Model trained on these splits; each fold's test part is forecast by its own member.
    masking
        How many frames are removed and kept.

    Returns
    -------
    DataFrame
        Table `MaskedPredictions`. A sample with no frame left at a point has no row there; one with fewer frames than
        are kept stays whole.

    Raises
    ------
    InputError
        If the model was trained on other crops, samples or splits.
    """
    check_trained_on(model, crops, samples, splits)
    tested = splits[splits["part"] == "test"][["fold", "sample_id"]].merge(samples, on="sample_id")
    tables = []
    for fold, rows in tested.groupby("fold"):
        member = load_fold(model, int(str(fold)))
        ordered = rows.sort_values(["recording_id", "cell_id", "first_frame"])
        for first in tqdm(range(0, len(ordered), _SAMPLES_AT_ONCE), desc=f"mask samples, fold {fold}", disable=None):
            embedded = embed_samples(crops, ordered.iloc[first : first + _SAMPLES_AT_ONCE], model, member.fold)
            table = forecast_shortened(
                embedded.sample_ids, embedded.embeddings, embedded.positions, member.probabilities,
                model.config.outcomes, masking,
            )  # fmt: skip
            tables.append(table.assign(fold=member.fold))
    columns = ["experiment", "k_frames", "fold", "sample_id", *map(probability_column, model.config.outcomes)]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def forecast_shortened(
    sample_ids: Sequence[str],
    embeddings: Sequence[npt.NDArray[Any]],
    positions: Sequence[IntArray],
    classify: Classify,
    outcomes: tuple[str, ...],
    masking: MaskingSettings,
) -> pd.DataFrame:
    """Forecast embedded samples at every point of both experiments.

    Parameters
    ----------
    sample_ids, embeddings, positions
        Of each sample: its id, embeddings (t, d), positions (t,).
    classify
        The temporal part of the model.
    outcomes
        Names of the columns of the probabilities.
    masking
        The points.

    Returns
    -------
    DataFrame
        `experiment`, `k_frames`, `sample_id` and one probability column an outcome.
    """
    tables = []
    for experiment, k_frames in list_points(masking):
        left = {
            i: frames
            for i, embedding_td in enumerate(embeddings)
            if (frames := shorten(len(embedding_td), experiment, k_frames)).start < frames.stop
        }
        if not left:
            continue
        probabilities_bk = classify(
            [embeddings[i][frames] for i, frames in left.items()],
            [shorten_positions(positions[i], frames, experiment) for i, frames in left.items()],
        )
        columns = {probability_column(name): probabilities_bk[:, c] for c, name in enumerate(outcomes)}
        head = {
            "experiment": experiment,
            "k_frames": k_frames,
            "sample_id": np.array(sample_ids, dtype=object)[list(left)],
        }
        tables.append(pd.DataFrame(head | columns))
    return pd.concat(tables, ignore_index=True)


def list_points(masking: MaskingSettings) -> Iterator[tuple[str, int]]:
    """Experiment and number of frames of every point of the curves."""
    yield from ((REMOVE_LAST, k_frames) for k_frames in masking.remove_last_frames)
    yield from ((KEEP_LAST, k_frames) for k_frames in masking.keep_last_frames)
