"""Shortened inputs: forecasts from tracks whose end was removed, or of which only the end was kept.

Every frame is encoded once; each shortened input re-runs only the temporal part of the model. Frames left at the start
keep their positions; frames kept at the end are numbered anew from 0.

Array suffixes: t frames of one landmark, d embedding size, b landmarks.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.splits import select_part
from cellfate.core.fates import probability_column
from cellfate.core.tables import CELL, FRAME
from cellfate.crops.store import CropStore
from cellfate.metrics.settings import MaskingSettings
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.embeddings import embed_landmarks
from cellfate.prediction.records import TrainedModel
from cellfate.prediction.shown_frames import tell_columns
from cellfate.prediction.trained_on import check_trained_on
from cellfate.statistics.bootstrap import FloatArray, IntArray

REMOVE_LAST: Final = "remove_last"
KEEP_LAST: Final = "keep_last"
_LANDMARKS_AT_ONCE: Final = 256  # embeddings held in memory together

Classify = Callable[[Sequence[npt.NDArray[Any]], Sequence[IntArray]], FloatArray]
"""Embeddings (t, d) and positions (t,) of sequences -> probabilities (b, outcomes)."""


def shorten(n_frames: int, experiment: str, k_frames: int) -> slice:
    """Frames, in order, that are left when so many are removed or kept; none where all were removed."""
    if experiment == REMOVE_LAST:
        return slice(0, max(0, n_frames - k_frames))
    return slice(max(0, n_frames - k_frames), n_frames)


def shorten_positions(positions_t: IntArray, left: slice, experiment: str) -> IntArray:
    """Positions of the frames left: kept where the end was removed, from 0 where the start was."""
    positions = positions_t[left]
    return positions - positions[0] if experiment == KEEP_LAST and len(positions) else positions


def mask_sequences(
    crops: CropStore, landmarks: pd.DataFrame, splits: pd.DataFrame, model: TrainedModel, masking: MaskingSettings
) -> pd.DataFrame:
    """Forecast which fate comes to the test cells of every fold from shortened inputs.

    Parameters
    ----------
    crops
        Crop store of the cells.
    landmarks, splits
        Tables `Landmarks` and `Splits`; the last landmarks of cells that met a fate are used.
    model
        Classifier trained on these splits; each fold's test part is forecast by its own member.
    masking
        How many frames are removed and kept.

    Returns
    -------
    DataFrame
        Table `MaskedForecasts`. What has no frame left at a point has no row there; what has fewer frames than are kept
        stays whole. Without rows where the model has no members, or reads columns.

    Raises
    ------
    InputError
        If the model was trained on other crops, landmarks or splits.
    """
    config = model.classifier_config
    columns = ["experiment", "k_frames", "fold", *FRAME, *map(probability_column, config.outcomes)]
    if not config.members or tell_columns(config, "what it would say of shorter tracks (masking)"):
        return pd.DataFrame(columns=columns)
    check_trained_on(model, crops, landmarks, splits)
    fated = landmarks[asks_which_fate(landmarks)].sort_values(CELL)
    tables: list[pd.DataFrame] = []
    for fold in config.folds:
        member, rows = load_classifier_member(model, fold), select_part(fated, splits, fold, "test")
        for first in tqdm(range(0, len(rows), _LANDMARKS_AT_ONCE), desc=f"mask tracks, fold {fold}", disable=None):
            shown = rows.iloc[first : first + _LANDMARKS_AT_ONCE]
            embedded = embed_landmarks(crops, shown, model, fold)
            keys = shown[[*CELL, "last_frame"]].rename(columns={"last_frame": "frame"}).assign(fold=fold)
            tables += forecast_shortened(
                keys, embedded.embeddings, embedded.positions, member.probabilities, config.outcomes, masking
            )
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def forecast_shortened(
    keys: pd.DataFrame,
    embeddings: Sequence[npt.NDArray[Any]],
    positions: Sequence[IntArray],
    classify: Classify,
    outcomes: tuple[str, ...],
    masking: MaskingSettings,
) -> Iterator[pd.DataFrame]:
    """Forecast embedded landmarks at every point of both experiments; one table a point.

    Of each landmark are given its embeddings (t, d), its positions (t,) and its `keys`, which are kept in the tables;
    what has no frame left has no row.
    """
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
        yield keys.iloc[list(left)].assign(experiment=experiment, k_frames=k_frames, **columns)


def list_points(masking: MaskingSettings) -> Iterator[tuple[str, int]]:
    """Experiment and number of frames of every point of the curves."""
    yield from ((REMOVE_LAST, k_frames) for k_frames in masking.remove_last_frames)
    yield from ((KEEP_LAST, k_frames) for k_frames in masking.keep_last_frames)
