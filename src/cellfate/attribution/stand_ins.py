"""What stands in for what is absent: the frames a model is shown where parts of a landmark's own are missing.

Where other cells do, values and the curves that they are examined by have draws of their own: what a value says of the
cells that happened to stand in counts for nothing on the curves.

Shape suffixes: d draws, t frames shown, c channels, h rows, w columns.
"""

import logging
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_models import ExplainedMember, ModelView
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import CELL
from cellfate.crops.store import CellSequence
from cellfate.features.measured_frames import FrameSource
from cellfate.statistics.medians import masked_median

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Candidates = dict[str, NDArray[Any]]
STAND_INS, WEIGHTS = "stand_ins", "stand_in_weights"
"""Columns of the explained landmarks: landmarks of training cells that stand in there, and what each counts."""
CURVE_STAND_INS, CURVE_WEIGHTS = "curve_stand_ins", "curve_stand_in_weights"
"""The same where deletion and insertion are traced: landmarks of other training cells."""
OCCLUSION_STAND_INS, OCCLUSION_WEIGHTS = "occlusion_stand_ins", "occlusion_stand_in_weights"
"""The same where parts are occluded: the former and more, none of the latter."""
STAND_IN_COLUMNS = (STAND_INS, WEIGHTS, CURVE_STAND_INS, CURVE_WEIGHTS, OCCLUSION_STAND_INS, OCCLUSION_WEIGHTS)


@dataclass(frozen=True, eq=False)
class StandIns:
    """What stands in for absent parts at one landmark.

    Attributes
    ----------
    frames_dtchw
        Prepared frames of every draw, float32.
    weights_d
        What the forecast of each draw counts; they add up to 1.
    """

    frames_dtchw: FloatArray
    weights_d: NDArray[np.float64]

    @property
    def mean_tchw(self) -> FloatArray:
        """Mean of the draws, (T, C, H, W)."""
        mean: FloatArray = np.tensordot(self.weights_d.astype(np.float32), self.frames_dtchw, axes=1)
        return mean


def find_stand_ins(
    crops: FrameSource,
    landmark: Mapping[Hashable, Any],
    view: ModelView,
    member: ExplainedMember,
    sequence: CellSequence,
    frames_tchw: FloatArray,
) -> StandIns:
    """Find what stands in for absent parts at a landmark, as `explanation.absent` says.

    Parameters
    ----------
    crops, landmark, view, member
        Crop store; row of the explained landmarks; the model, and the member that explains the landmark.
    sequence, frames_tchw
        What is shown there, as stored and as the member sees it.
    """
    absent = view.explanation.absent
    if absent == "other_cells":
        others = [_read_aligned(crops, str(name), member, sequence) for name in landmark[STAND_INS]]
        return StandIns(np.stack(others), np.asarray(landmark[WEIGHTS], dtype=np.float64))
    if absent == "background":
        one_tchw = _background(frames_tchw, sequence.inside_thw, len(view.config.channels))
    elif absent == "own_mean":
        one_tchw = _own_mean(frames_tchw, sequence.inside_thw, view.n_pixel_channels)
    else:
        one_tchw = np.zeros_like(frames_tchw)
    return StandIns(one_tchw[None], np.ones(1))


def draw_stand_ins(
    explained: pd.DataFrame, answered: pd.DataFrame, splits: pd.DataFrame, view: ModelView
) -> pd.DataFrame:
    """Draw for every landmark others, of training cells of its fold, that stand in for its absent parts.

    Half of them have the explained outcome and half have not, if there are such, and they count as much as there are
    landmarks of their kind in training: a rare outcome is not missed, and the mean forecast is that of all. Of a cell
    one landmark of a kind is drawn; those that show as many frames come before those that show fewer. Those of the
    curves are drawn in the same way from the cells that are left.

    Parameters
    ----------
    explained
        Landmarks with `fold` and `shown_from`.
    answered
        All landmarks with a known answer, with `outcome` and `shown_from`.
    splits
        Table `Splits`.
    view
        The model, and what is explained of it.

    Returns
    -------
    pandas.DataFrame
        `explained` with `stand_ins` (landmark_ids) and `stand_in_weights` (adding up to 1); both empty where no
        training landmark has a known answer. The same as `curve_stand_ins` and `curve_stand_in_weights`; both empty
        where of a kind nobody is left. And, `n_occlusion_draws` of them, as `occlusion_stand_ins` and
        `occlusion_stand_in_weights`: those of values, and more that are none of the curves'.
    """
    trained = splits.loc[splits["part"] == "train", [*CELL, "fold"]].merge(answered, on=CELL)
    by_fold = {fold: _candidates(trained[trained["fold"] == fold], view.outcome) for fold in explained["fold"].unique()}
    lengths_n = (explained["last_frame"] - explained["shown_from"] + 1).to_numpy(dtype=np.int64)
    settings = view.explanation
    asked = zip(explained["landmark_id"], explained["fold"], lengths_n, strict=True)
    drawn = [
        _draw_all(by_fold[fold], int(n_frames), settings, f"{settings.seed}:absent:{name}")
        for name, fold, n_frames in asked
    ]
    columns = {
        name: pd.Series([row[place] for row in drawn], index=explained.index, dtype=object)
        for place, name in enumerate(STAND_IN_COLUMNS)
    }
    _warn_of_few([(len(row[0]), len(row[2])) for row in drawn], settings.n_absent_draws)
    return explained.assign(**columns)


def _warn_of_few(counts: list[tuple[int, int]], n_draws: int) -> None:
    """Count the landmarks at which too few cells stand in for values, and nobody else is left for curves."""
    n_few, n_no_curves = sum(n < n_draws for n, _ in counts), sum(n > 0 and not m for n, m in counts)
    if n_few:
        logger.warning(
            "At %d of %d landmarks fewer than %d training cells of the fold can stand in for absent parts: those there "
            "are do, and without any nothing is explained",
            n_few, len(counts), n_draws,
        )  # fmt: skip
    if n_no_curves:
        logger.warning(
            "At %d of %d landmarks no other training cells are left to stand in when parts are removed and put back: "
            "no method is examined by that there",
            n_no_curves, len(counts),
        )  # fmt: skip


def take_curve_stand_ins(explained: pd.DataFrame) -> pd.DataFrame:
    """Put the draws of the curves in the place of those of the values."""
    return explained.assign(**{STAND_INS: explained[CURVE_STAND_INS], WEIGHTS: explained[CURVE_WEIGHTS]})


def take_occlusion_stand_ins(explained: pd.DataFrame) -> pd.DataFrame:
    """Put the draws of occlusion in the place of those of the other values."""
    return explained.assign(**{STAND_INS: explained[OCCLUSION_STAND_INS], WEIGHTS: explained[OCCLUSION_WEIGHTS]})


def _candidates(trained: pd.DataFrame, outcome: str) -> Candidates:
    """Columns of training landmarks as arrays: their names, cells, frames shown, and whether they have the outcome."""
    return {
        "landmark_id": trained["landmark_id"].to_numpy(dtype=object),
        "cell": trained.groupby(CELL, sort=False).ngroup().to_numpy(dtype=np.int64),
        "n_frames": (trained["last_frame"] - trained["shown_from"] + 1).to_numpy(dtype=np.int64),
        "has_outcome": (trained["outcome"] == outcome).to_numpy(dtype=bool),
    }


def _draw_all(
    candidates: Candidates, n_frames: int, settings: ExplanationSettings, seed: str
) -> list[list[str] | list[float]]:
    """Draw who stands in at one landmark of so many frames, in the order of `STAND_IN_COLUMNS`."""
    generator, n_draws = np.random.default_rng(zlib.crc32(seed.encode())), settings.n_absent_draws
    order_n = generator.permutation(len(candidates["cell"]))
    ordered_n = order_n[np.argsort(-np.minimum(candidates["n_frames"], n_frames)[order_n], kind="stable")]
    first = _draw(candidates, ordered_n, n_draws)
    left_n = _leave_out(candidates, ordered_n, first[0])
    kinds = candidates["has_outcome"]
    if n_draws > 1 and set(kinds[left_n]) != set(kinds):
        left_n = left_n[:0]  # without one kind the mean forecast would be that of the other
    second = _draw(candidates, left_n, n_draws)
    many = _draw(candidates, _leave_out(candidates, ordered_n, second[0]), settings.n_occlusion_draws)
    columns: list[list[str] | list[float]] = []
    for rows_n, weights in (first, second, many):
        columns += [[str(name) for name in candidates["landmark_id"][rows_n]], weights]
    return columns


def _leave_out(candidates: Candidates, ordered_n: IntArray, taken_n: IntArray) -> IntArray:
    """Leave out the landmarks of cells that were taken."""
    left_n: IntArray = ordered_n[~np.isin(candidates["cell"][ordered_n], candidates["cell"][taken_n])]
    return left_n


def _draw(candidates: Candidates, ordered_n: IntArray, n_draws: int) -> tuple[IntArray, list[float]]:
    """Draw the first candidates of each kind in order, and say what they count."""
    has_outcome_n = candidates["has_outcome"]
    if n_draws == 1 or has_outcome_n[ordered_n].all() or not has_outcome_n[ordered_n].any():
        strata = [(ordered_n, n_draws, 1.0)]
    else:
        share = float(has_outcome_n.mean())
        with_n, without_n = ordered_n[has_outcome_n[ordered_n]], ordered_n[~has_outcome_n[ordered_n]]
        strata = [(with_n, n_draws // 2, share), (without_n, n_draws - n_draws // 2, 1 - share)]
    drawn: list[int] = []
    weights: list[float] = []
    for rows_n, n_wanted, share in strata:
        _, firsts = np.unique(candidates["cell"][rows_n], return_index=True)
        taken = rows_n[np.sort(firsts)[:n_wanted]]
        drawn += taken.tolist()
        weights += [share / max(len(taken), 1)] * len(taken)
    return np.array(drawn, dtype=np.int64), weights


def _read_aligned(crops: FrameSource, name: str, member: ExplainedMember, own: CellSequence) -> FloatArray:
    """Read frames of another cell, as many hours before its landmark as those shown are before theirs, prepared.

    What lies before its first frame is that frame; in a gap of its track the frame before stays.
    """
    recording_id, cell_id, last_frame = name.rsplit(":", 2)
    track_n = crops.frame_numbers(recording_id, int(cell_id))
    other_min = crops.frame_interval_min(recording_id)
    back_t = (own.frame_numbers_t[-1] - own.frame_numbers_t) * (own.frame_interval_min / other_min)
    wanted_t = int(last_frame) - np.floor(back_t + 0.5).astype(np.int64)
    start = track_n[max(np.searchsorted(track_n, wanted_t[0], side="right") - 1, 0)]
    other = crops.read(recording_id, int(cell_id), int(start), int(last_frame))
    places_t = np.maximum(np.searchsorted(other.frame_numbers_t, wanted_t, side="right") - 1, 0)
    return np.asarray(member.prepare(other)[places_t], dtype=np.float32)


def _background(frames_tchw: FloatArray, inside_thw: NDArray[np.bool_], n_image_channels: int) -> FloatArray:
    """Frames as bright everywhere as the median of each crop and channel; what is no channel of the image is 0."""
    n_frames, image_tchw = len(frames_tchw), frames_tchw[:, :n_image_channels]
    inside_nk = np.repeat(inside_thw.reshape(n_frames, -1), n_image_channels, axis=0)
    medians_n = np.nan_to_num(masked_median(image_tchw.reshape(len(inside_nk), -1), inside_nk))
    filled_tchw = np.zeros_like(frames_tchw)
    filled_tchw[:, :n_image_channels] = medians_n.reshape(n_frames, n_image_channels, 1, 1)
    return np.asarray(filled_tchw * inside_thw[:, None], dtype=np.float32)


def _own_mean(frames_tchw: FloatArray, inside_thw: NDArray[np.bool_], n_pixels: int) -> FloatArray:
    """Mean over time of every pixel that lies in the image, and of every number of a column."""
    mean_tchw = np.repeat(frames_tchw.mean(axis=0, dtype=np.float64, keepdims=True), len(frames_tchw), axis=0)
    if n_pixels:
        counts_hw = np.maximum(inside_thw.sum(axis=0), 1)
        pixels_tchw = frames_tchw[:, :n_pixels] * inside_thw[:, None]
        mean_tchw[:, :n_pixels] = pixels_tchw.sum(axis=0, dtype=np.float64) / counts_hw * inside_thw[:, None]
    return np.asarray(mean_tchw, dtype=np.float32)
