"""Forecasts of the fate clock as tables."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.cohort.follow_ups import list_forecast_frames, name_landmarks
from cellfate.core.predictors import CLOCK, ENSEMBLE
from cellfate.core.tables import Incidence
from cellfate.crops.store import CropStore
from cellfate.prediction.clock_ensemble import blend_hazards, part_inputs, read_landmarks
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.records import ClockConfig, TrainedClock
from cellfate.prediction.samples import check_digest
from cellfate.prediction.forecast_tables import tabulate_incidence

FloatArray = NDArray[np.float64]


def forecast_incidence(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedClock,
) -> pd.DataFrame:
    """Forecast every shown frame of the validation and test cells of every fold with the fold's own member.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, splits, frame_features
        Tables `FollowUps`, `Splits` (of the follow-ups) and `FrameFeatures`.
    model
        Fate clock trained on these splits.

    Returns
    -------
    DataFrame
        Table `Incidence` of the predictors `clock` (the network) and `ensemble`; cells from their `min_frames`-th frame
        on.

    Raises
    ------
    InputError
        If the model was trained on other crops, follow-ups or splits.
    """
    check_digest(model.config.data_digest, crops, follow_ups, splits, frame_features)
    asked = splits[splits["part"] != "train"]
    tables = []
    for (scheme, fold), rows in tqdm(asked.groupby(["scheme", "fold"]), desc="Forecasting folds", disable=None):
        cells = rows[["sample_id", "part"]].merge(follow_ups, on="sample_id", validate="one_to_one")
        frames = list_frames(crops, cells, model.config.follow_up.min_frames)
        keys = _keys(frames).assign(scheme=scheme, fold=fold, part=frames["part"])
        for predictor, hazards_nke in member_hazards(crops, frames, frame_features, model, int(fold)).items():
            tables.append(tabulate_hazards(model.config, keys.assign(predictor=predictor), hazards_nke))
    return Incidence.validate(pd.concat(tables, ignore_index=True))


def member_hazards(
    crops: CropStore, frames: pd.DataFrame, frame_features: pd.DataFrame, model: TrainedClock, fold: int
) -> dict[str, FloatArray]:
    """Hazards (n, k, e) of the network of one fold, and of its ensemble if it has one, by predictor.

    Parameters
    ----------
    crops
        Crop store.
    frames
        From `list_frames`.
    frame_features
        Table `FrameFeatures` of the same cells.
    model, fold
        Which member.
    """
    member, ensemble = load_clock_member(model, fold), model.config.ensemble
    network_nke, embedded = read_landmarks(crops, frames, member)
    parts = [network_nke] if "network" in ensemble.parts else []
    for part in ensemble.parts:
        if part != "network":
            inputs = part_inputs(part, embedded, frame_features, frames, ensemble.history_h)
            parts.append(member.boosters[part].hazards(inputs))
    return {CLOCK: network_nke, ENSEMBLE: blend_hazards(parts)}


def list_frames(crops: CropStore, follow_ups: pd.DataFrame, min_frames: int) -> pd.DataFrame:
    """List the frames at which cells are forecast: all that are shown, from a cell's `min_frames`-th frame on.

    Parameters
    ----------
    crops
        Says in which frames each cell was tracked.
    follow_ups
        Table `FollowUps`, or some of its rows; further columns are kept.
    min_frames
        Frames from the first tracked one to the first that is forecast, both counted.

    Returns
    -------
    DataFrame
        The columns of `follow_ups` with `last_frame` the frame, and `sample_id` as recording:cell:frame.
    """
    cell_n, frame_n = list_forecast_frames(crops, follow_ups, min_frames)
    frames = follow_ups.iloc[cell_n].reset_index(drop=True)
    return frames.assign(last_frame=frame_n, sample_id=name_landmarks(frames, frame_n))


def _keys(frames: pd.DataFrame) -> pd.DataFrame:
    return frames[["recording_id", "cell_id"]].assign(frame=frames["last_frame"])


def tabulate_hazards(config: ClockConfig, keys: pd.DataFrame, hazards_nke: FloatArray) -> pd.DataFrame:
    """Write hazards of a fate clock as rows of table `Incidence`; see `tabulate_incidence`."""
    follow_up = config.follow_up
    return tabulate_incidence(keys, hazards_nke, follow_up.events, follow_up.edges_h, follow_up.report_h)
