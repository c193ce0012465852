"""Background swap: the model is shown each cell, by its mask, on the surroundings of another cell.

A model that reads the cell keeps its score; one that reads what lies beside the cell falls to chance.

Array suffixes: t frames, c channels, h rows, w columns.
"""

import logging
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.predictors import MODEL, SWAPPED
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.metrics.scoring import score_predictions
from cellfate.metrics.settings import BackgroundSwapSettings, ScoreSettings
from cellfate.prediction import FoldModel, TrainedModel, check_trained_on, load_fold
from cellfate.prediction.samples import probability_columns

logger = logging.getLogger(__name__)

BoolArray = NDArray[np.bool_]
_NORMAL_MAD = 1.4826
"""Standard deviations in a median absolute deviation of a normal number."""


def swap_backgrounds(
    crops: CropStore,
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    features: FeatureSettings,
    background_swap: BackgroundSwapSettings,
) -> pd.DataFrame:
    """Forecast the test samples of every fold as they are, and on the surroundings of another test cell.

    The other cell is drawn by chance from the other groups of the fold, whatever its outcome (where all are of one
    group, from the other cells). Frames are aligned at the end of both samples, and the first frame of a shorter one is
    used again. Where the other cell itself lies, its surroundings' median is put, with noise of their spread. A frame
    without a mask uses that of the nearest frame.

    Only pixels are exchanged. The cell's own keep what the camera and the medium added to them, so a shortcut that lies
    over the whole image stays; so does the length of the sample.

    Parameters
    ----------
    crops
        Crop store.
    samples, splits
        Tables `Samples` and `Splits`.
    model
        Model trained on these splits.
    features
        How a cell is found in its crop.
    background_swap
        Margin of a mask, seed.

    Returns
    -------
    DataFrame
        Table `Predictions` of the predictors `cellfate` and `cellfate_background_swapped`, on the same samples. Samples
        in which no frame has a mask are left out, and one warning counts them.

    Raises
    ------
    InputError
        When the model is not of these samples, or no test sample has a mask.
    """
    check_trained_on(model, crops, samples, splits)
    tested = splits[splits["part"] == "test"].merge(samples[samples["outcome"].notna()], on="sample_id")
    rng = np.random.default_rng(background_swap.seed)
    parts = [
        part
        for _, rows in tested.groupby("fold", sort=True)
        for part in _forecast_fold(crops, rows, model, features, background_swap, rng)
    ]
    if not parts:
        message = (
            f"None of {len(tested)} test samples with an outcome has a mask in any frame, so no cell can be laid on "
            "other surroundings; lower features.min_contrast, or give masks."
        )
        raise InputError(message)
    if len(parts) < len(tested):
        logger.warning(
            "%d of %d samples have a mask in no frame and got no other background",
            len(tested) - len(parts),
            len(tested),
        )
    return pd.concat(parts, ignore_index=True)


def score_background_swap(predictions: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings) -> pd.DataFrame:
    """Score forecasts before and after the swap: table `Metrics` of both predictors."""
    return score_predictions(predictions, predictions.iloc[:0], samples, scores)


def _forecast_fold(
    crops: CropStore,
    rows: pd.DataFrame,
    model: TrainedModel,
    features: FeatureSettings,
    settings: BackgroundSwapSettings,
    rng: np.random.Generator,
) -> Iterator[pd.DataFrame]:
    """Forecast each test sample of a fold twice."""
    member = load_fold(model, int(rows["fold"].iloc[0]))
    masks = dict(_find_masks(crops, rows, features, settings.margin_px))
    kept = [row for row in rows.to_dict("records") if row["sample_id"] in masks]
    donors_n = draw_donors([row["group_id"] for row in kept], rng)
    for row, donor in tqdm(zip(kept, donors_n, strict=True), "Swapping backgrounds", len(kept), disable=None):
        sequence, other = _read(crops, row), _read(crops, kept[donor])
        swapped = lay_on(sequence, masks[row["sample_id"]], other, masks[kept[donor]["sample_id"]], rng)
        shown = {MODEL: sequence, SWAPPED: swapped}
        probabilities = np.stack([_forecast(member, each) for each in shown.values()])
        facts = {"scheme": row["scheme"], "fold": row["fold"], "part": "test", "sample_id": row["sample_id"]}
        yield pd.DataFrame(
            {"predictor": list(shown), **facts, **probability_columns(probabilities, model.config.outcomes)}
        )


def _find_masks(
    crops: CropStore, rows: pd.DataFrame, features: FeatureSettings, margin_px: int
) -> Iterator[tuple[str, BoolArray]]:
    """Yield the samples that have a mask in some frame, and their filled masks."""
    for row in rows.to_dict("records"):
        masks_thw = fill_masks(find_masks(_read(crops, row), crops.channels, features), margin_px)
        if masks_thw is not None:
            yield row["sample_id"], masks_thw


def _read(crops: CropStore, row: dict[Hashable, Any]) -> CellSequence:
    """Read the crops of one sample."""
    return crops.read(row["recording_id"], row["cell_id"], row["first_frame"], row["last_frame"])


def draw_donors(groups: Sequence[str], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw for each sample another one of another group, by position; where all are of one group, another sample.

    Raises
    ------
    InputError
        When there is but one sample.
    """
    if len(groups) == 1:
        message = (
            "A fold has one test sample with a mask, but two are needed to exchange surroundings; give more cells."
        )
        raise InputError(message)
    names_n, places_n = np.asarray(groups), np.arange(len(groups))
    if len(set(groups)) == 1:
        logger.warning("All %d test samples of a fold are of one group and exchange surroundings in it", len(groups))
        names_n = places_n.astype(str)
    return np.array([rng.choice(places_n[names_n != name]) for name in names_n], dtype=np.int64)


def _forecast(member: FoldModel, sequence: CellSequence) -> NDArray[np.float64]:
    """Probabilities of the outcomes, (K,)."""
    frames_t = sequence.frame_numbers_t
    embeddings_td = member.encode(member.prepare(sequence))
    probabilities: NDArray[np.float64] = member.probabilities([embeddings_td], [frames_t - frames_t[0]])[0]
    return probabilities


def fill_masks(masks_thw: BoolArray, margin_px: int) -> BoolArray | None:
    """Widen masks by a margin, and give frames without one that of the nearest frame; None where no frame has one."""
    from scipy.ndimage import binary_dilation

    found = np.flatnonzero(masks_thw.any(axis=(1, 2)))
    if len(found) == 0:
        return None
    nearest = found[np.abs(np.arange(len(masks_thw))[:, None] - found).argmin(axis=1)]
    filled_thw: BoolArray = masks_thw[nearest]
    if margin_px == 0:
        return filled_thw
    near_thw = np.ones((1, 3, 3), dtype=bool)
    return np.asarray(binary_dilation(filled_thw, near_thw, iterations=margin_px), dtype=bool)


def lay_on(
    sequence: CellSequence,
    masks_thw: BoolArray,
    donor: CellSequence,
    donor_masks_thw: BoolArray,
    rng: np.random.Generator,
) -> CellSequence:
    """Lay a cell on the surroundings of another one, aligned at the end of both.

    Parameters
    ----------
    sequence, donor
        Crops of the cell, and of the one that gives the surroundings.
    masks_thw, donor_masks_thw
        Where each cell lies.
    rng
        Source of the noise where the donor itself lay.
    """
    n, m = len(sequence.frame_numbers_t), len(donor.frame_numbers_t)
    at_t = np.maximum(np.arange(n) - n + m, 0)
    own_thw = masks_thw & sequence.inside_thw
    behind_tchw = empty_surroundings(donor.frames_tchw[at_t], donor_masks_thw[at_t] | ~donor.inside_thw[at_t], rng)
    frames_tchw = np.where(own_thw[:, None], sequence.frames_tchw, behind_tchw).astype(sequence.frames_tchw.dtype)
    # the edge of the image is a part of the surroundings
    return replace(sequence, frames_tchw=frames_tchw, masks_thw=own_thw, inside_thw=own_thw | donor.inside_thw[at_t])


def empty_surroundings(frames_tchw: NDArray[Any], away_thw: BoolArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Replace pixels marked `away` by the median of the others of a frame and channel, with noise of their spread."""
    filled_tchw = frames_tchw.astype(np.float64)
    for frame_chw, away_hw in zip(filled_tchw, away_thw, strict=True):
        others_cn = frame_chw[:, ~away_hw] if not away_hw.all() else frame_chw.reshape(len(frame_chw), -1)
        median_c = np.median(others_cn, axis=1, keepdims=True)
        spread_c = _NORMAL_MAD * np.median(np.abs(others_cn - median_c), axis=1, keepdims=True)
        frame_chw[:, away_hw] = median_c + spread_c * rng.standard_normal((len(frame_chw), int(away_hw.sum())))
    if np.issubdtype(frames_tchw.dtype, np.integer):
        limits = np.iinfo(frames_tchw.dtype)
        return np.clip(np.rint(filled_tchw), limits.min, limits.max)
    return filled_tchw
