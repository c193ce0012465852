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

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.core.predictors import CLASSIFIER, ON_OTHER_BACKGROUND
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.segmentation import MAD_TO_SD
from cellfate.features.settings import FeatureSettings
from cellfate.metrics.settings import BackgroundSwapSettings
from cellfate.prediction.classifier_member import ClassifierMember, load_classifier_member
from cellfate.prediction.forecast_tables import empty_forecasts, tabulate_fate_odds
from cellfate.prediction.records import TrainedModel
from cellfate.prediction.shown_frames import tell_columns
from cellfate.prediction.trained_on import check_trained_on

logger = logging.getLogger(__name__)

BoolArray = NDArray[np.bool_]


def swap_backgrounds(
    crops: CropStore,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    features: FeatureSettings,
    background_swap: BackgroundSwapSettings,
) -> pd.DataFrame:
    """Forecast the test cells of every fold as they are, and on the surroundings of another test cell.

    The other cell is drawn by chance from the other groups of the fold, whatever its fate (where all are of one group,
    from the other cells). Frames are aligned at the end of both, and the first frame of a shorter one is used again.
    Where the other cell itself lies, its surroundings' median is put, with noise of their spread. A frame without a
    mask uses that of the nearest frame.

    Only pixels are exchanged. The cell's own keep what the camera and the medium added to them, so a shortcut that lies
    over the whole image stays; so does the length of the track.

    Parameters
    ----------
    crops
        Crop store.
    landmarks, splits
        Tables `Landmarks` and `Splits`; the last landmarks of cells that met a fate are used.
    model
        Classifier trained on these splits.
    features
        How a cell is found in its crop.
    background_swap
        Margin of a mask, seed.

    Returns
    -------
    DataFrame
        Table `Forecasts` of the predictors `classifier` and `classifier_on_other_background`, at the same landmarks.
        Cells that have a mask in no frame are left out, and one warning counts them. Without rows where the model has
        no members, or reads columns.

    Raises
    ------
    InputError
        When the model is not of these data, or no test cell has a mask.
    """
    config = model.classifier_config
    if not config.members or tell_columns(config, "what it would say before another background (background_swap)"):
        return empty_forecasts(config.events)
    check_trained_on(model, crops, landmarks, splits)
    fated, rng = landmarks[asks_which_fate(landmarks)], np.random.default_rng(background_swap.seed)
    parts: list[pd.DataFrame] = []
    n_tested = 0
    for fold in config.folds:
        rows = select_part(fated, splits, fold, "test").assign(scheme=config.scheme, fold=fold)
        member = load_classifier_member(model, fold)
        parts += _forecast_fold(crops, rows, member, config.outcomes, features, background_swap, rng)
        n_tested += len(rows)
    if not parts:
        raise InputError(
            f"None of {n_tested} test cells whose fate was seen has a mask in any frame, so no cell can be laid on "
            "other surroundings; lower features.min_contrast, or give masks."
        )
    if len(parts) < n_tested:
        logger.warning(
            "%d of %d cells have a mask in no frame and got no other background", n_tested - len(parts), n_tested
        )
    return pd.concat(parts, ignore_index=True)


def _forecast_fold(
    crops: CropStore,
    rows: pd.DataFrame,
    member: ClassifierMember,
    outcomes: tuple[str, ...],
    features: FeatureSettings,
    settings: BackgroundSwapSettings,
    rng: np.random.Generator,
) -> Iterator[pd.DataFrame]:
    """Forecast each test cell of a fold twice."""
    masks = dict(_find_masks(crops, rows, features, settings.margin_px))
    kept = [row for row in rows.to_dict("records") if row["landmark_id"] in masks]
    donors_n = draw_donors([row["group_id"] for row in kept], rng) if kept else ()
    for row, donor in tqdm(zip(kept, donors_n, strict=True), "Swapping backgrounds", len(kept), disable=None):
        sequence, other = _read(crops, row), _read(crops, kept[donor])
        swapped = lay_on(sequence, masks[row["landmark_id"]], other, masks[kept[donor]["landmark_id"]], rng)
        shown = {CLASSIFIER: sequence, ON_OTHER_BACKGROUND: swapped}
        probabilities_bk = np.stack([_forecast(member, each) for each in shown.values()])
        facts = {name: row[name] for name in ("scheme", "fold", "recording_id", "cell_id")}
        keys = pd.DataFrame({"predictor": list(shown), **facts, "part": "test", "frame": row["last_frame"]})
        yield tabulate_fate_odds(keys, probabilities_bk, outcomes)


def _find_masks(
    crops: CropStore, rows: pd.DataFrame, features: FeatureSettings, margin_px: int
) -> Iterator[tuple[str, BoolArray]]:
    """Yield the landmarks that have a mask in some frame, and their filled masks."""
    for row in rows.to_dict("records"):
        masks_thw = fill_masks(find_masks(_read(crops, row), crops.channels, features), margin_px)
        if masks_thw is not None:
            yield row["landmark_id"], masks_thw


def _read(crops: CropStore, row: dict[Hashable, Any]) -> CellSequence:
    """Read the crops that are shown at one landmark."""
    return crops.read(row["recording_id"], row["cell_id"], row["first_frame"], row["last_frame"])


def draw_donors(groups: Sequence[str], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw for each cell another one of another group, by position; where all are of one group, another cell.

    Raises
    ------
    InputError
        When there is but one cell.
    """
    if len(groups) == 1:
        raise InputError(
            "A fold has one test cell with a mask, but two are needed to exchange surroundings; give more cells."
        )
    names_n, places_n = np.asarray(groups), np.arange(len(groups))
    if len(set(groups)) == 1:
        logger.warning("All %d test cells of a fold are of one group and exchange surroundings in it", len(groups))
        names_n = places_n.astype(str)
    return np.array([rng.choice(places_n[names_n != name]) for name in names_n], dtype=np.int64)


def _forecast(member: ClassifierMember, sequence: CellSequence) -> NDArray[np.float64]:
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
        spread_c = MAD_TO_SD * np.median(np.abs(others_cn - median_c), axis=1, keepdims=True)
        frame_chw[:, away_hw] = median_c + spread_c * rng.standard_normal((len(frame_chw), int(away_hw.sum())))
    if np.issubdtype(frames_tchw.dtype, np.integer):
        limits = np.iinfo(frames_tchw.dtype)
        return np.clip(np.rint(filled_tchw), limits.min, limits.max)
    return filled_tchw
