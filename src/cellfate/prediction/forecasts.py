"""Forecasts of a trained model: of the cells of its run, each by a member that did not see it, and of new cells."""

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.cohort.landmarks import asks_which_fate, list_forecast_frames
from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import WHICH_FATE
from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.core.fates import probability_column
from cellfate.core.predictors import CLASSIFIER
from cellfate.core.tables import CELL, FRAME, Forecasts
from cellfate.crops.digest import CellReader
from cellfate.crops.store import CropStore
from cellfate.features.measurements import measure_cells
from cellfate.features.summaries import describe_landmarks
from cellfate.prediction.blending import Describe, clock_hazards
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.embeddings import embed_landmarks
from cellfate.prediction.forecast_tables import empty_forecasts, fate_odds, tabulate_fate_odds, tabulate_hazards
from cellfate.prediction.new_recordings import check_spot_features, check_store
from cellfate.prediction.pixel_scale import warn_of_scale
from cellfate.prediction.records import ALL_CELLS, ClassifierConfig, ClockConfig, FolderConfig, TrainedModel
from cellfate.prediction.shown_frames import show_frames
from cellfate.prediction.trained_on import check_trained_on

logger = logging.getLogger(__name__)

ALL_MEMBERS: Final = "all_members"
"""Scheme of forecasts that no single fold made."""
NO_FOLD: Final = -1
"""Their fold."""


def forecast_classifier(
    crops: CropStore,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    frame_features: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecast which fate comes to the validation and test cells of every fold with the fold's own member.

    Parameters
    ----------
    crops, landmarks, splits
        Crop store and tables of the same names.
    model
        Classifier trained on these splits.
    frame_features
        Table of that name, where the network reads columns of it.

    Returns
    -------
    DataFrame
        Table `Forecasts` of the predictor `classifier`, at the last landmark of cells whose fate was seen; without rows
        where the model has no members.

    Raises
    ------
    InputError
        If the model was trained on other crops, landmarks or splits.
    """
    config = model.classifier_config
    if not config.members:
        return empty_forecasts(config.events)
    check_trained_on(model, crops, landmarks, splits)
    tables, fated = [], landmarks[asks_which_fate(landmarks)]
    shown = crops if frame_features is None else show_frames(config, crops, frame_features, fated)
    for scheme, fold, part, rows in _tested_parts(fated, splits):
        keys = _keys(rows).assign(predictor=CLASSIFIER, scheme=scheme, fold=fold, part=part)
        probabilities_bk = classify_landmarks(shown, rows, model, fold)
        tables.append(tabulate_fate_odds(keys, probabilities_bk, config.outcomes))
    return _join(tables, config)


def forecast_clock(
    crops: CropStore | None,
    detections: pd.DataFrame,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
) -> pd.DataFrame:
    """Forecast every shown frame of the validation and test cells of every fold with the fold's own member.

    Parameters
    ----------
    crops, detections, follow_ups, splits, frame_features
        Crop store, None where there are no images, and tables of the same names.
    model
        Fate clock trained on these splits.

    Returns
    -------
    DataFrame
        Table `Forecasts` of the network, of boosting and of the blend, from a cell's `min_frames`-th frame on; where it
        is asked which fate comes, also the odds between fates, at the last frame shown of cells whose fate was seen.
        Without rows where the model has no members.

    Raises
    ------
    InputError
        If the model was trained on other crops, follow-ups, splits or features.
    """
    config = model.clock_config
    if not config.members:
        return empty_forecasts(config.events)
    check_trained_on(model, crops, follow_ups, splits, frame_features)
    describe = partial(_describe, config, frame_features)
    old_enough = follow_ups["last_frame"] - follow_ups["first_frame"] >= config.follow_up.min_frames - 1
    told_apart = len(competing_events(follow_ups[old_enough])) > 1  # else it is not asked which fate comes
    shown = show_frames(config, crops, frame_features, follow_ups)
    tables: list[pd.DataFrame] = []
    for scheme, fold, part, cells in _tested_parts(follow_ups, splits):
        frames = list_forecast_frames(detections, cells, config.follow_up)
        if len(frames):
            keys = _keys(frames).assign(scheme=scheme, fold=fold, part=part)
            hazards = clock_hazards(shown, frames, describe, model, (fold,), f"fold_{fold}")
            fated = asks_which_fate(frames) & told_apart
            tables += _tabulate(config, keys, hazards, fated.to_numpy())
    return _join(tables, config)


def forecast_new(
    model: TrainedModel,
    crops: CropStore | None,
    detections: pd.DataFrame,
    follow_ups: pd.DataFrame,
    frame_features: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecast new cells with all members of a model.

    Parameters
    ----------
    model
        A trained model with members.
    crops
        Crop store, cut with the model's crop size; None without images.
    detections, follow_ups
        Tables of the same names; how cells ended is not looked at.
    frame_features
        Fate clock, or a network that reads columns: table `FrameFeatures` of the same cells, measured with the model's
        settings; measured here, in crops, when not given.

    Returns
    -------
    DataFrame
        Table `Forecasts`; scheme `all_members`, fold -1, part `test`. Classifier: which fate comes, at the last frame
        shown of every cell, by the mean probability of the members. Fate clock: every shown frame from a cell's
        `min_frames`-th on, and the odds between fates at the last.

    Raises
    ------
    InputError
        If channels, crop size or frame interval are not the model's, no cell was watched for `min_frames`, or a frame
        or a spot feature is not in `frame_features` (`detections`, where these are not given).
    """
    if crops is not None:
        check_store(model.config, crops, follow_ups)
    frames = list_forecast_frames(detections, follow_ups, model.config.follow_up)
    describe, shown = None, None
    if isinstance(model.config, ClockConfig) or model.config.architecture.sees_columns:
        if frame_features is None:
            assert crops is not None, "what was measured is given where there are no images"
            check_spot_features(model.config, detections.columns, "detections")
            measured = measure_cells(crops, detections, model.config.features, follow_ups)
        else:
            check_spot_features(model.config, frame_features.columns, "frame_features")
            measured = frame_features
        _check_measured(measured, frames)
        shown = show_frames(model.config, crops, measured, follow_ups)
        if isinstance(model.config, ClockConfig):
            describe = partial(_describe, model.config, measured)
    return forecast_frames(model, crops, frames, len(follow_ups), describe, shown)


def _describe(config: ClockConfig, frame_features: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Describe landmarks as the boosting of a fate clock is told them."""
    return describe_landmarks(frame_features, landmarks, config.blend.history_h, config.told)


def _check_measured(frame_features: pd.DataFrame, frames: pd.DataFrame) -> None:
    """Refuse measurements of other cells or frames: boosted hazards would take what lacks for not measurable."""
    asked = frames[CELL].assign(frame=frames["last_frame"])
    lacking = asked[~pd.MultiIndex.from_frame(asked).isin(pd.MultiIndex.from_frame(frame_features[FRAME]))]
    if len(lacking):
        recording_id, cell_id, frame = lacking.iloc[0]
        raise InputError(
            f"Table frame_features lacks {len(lacking)} of the {len(asked)} frames to forecast, first frame {frame} of "
            f"cell {cell_id} of recording '{recording_id}'; measure the same cells, or leave the table out."
        )


def forecast_frames(
    model: TrainedModel,
    crops: CellReader | None,
    frames: pd.DataFrame,
    n_cells: int,
    describe: Describe | None = None,
    shown: CellReader | None = None,
) -> pd.DataFrame:
    """As `forecast_new`, at frames that `list_forecast_frames` gave of so many cells; nothing else is checked.

    `shown` is what networks read, see `shown_frames.show_frames`; None: the crops, which are None without images.
    """
    config = model.config
    if frames.empty:
        raise InputError(
            f"None of {n_cells} cells was watched for {config.follow_up.min_frames} frames of "
            f"{config.frame_interval_min:g} min, but the model forecasts from there on; give longer tracks, or train "
            "with a lower min_frames of parameter follow_up."
        )
    n_young = n_cells - len(frames[CELL].drop_duplicates())
    if n_young:
        about = (n_young, n_cells, config.follow_up.min_frames)
        logger.warning("%d of %d cells were watched for fewer than %d frames and are not forecast", *about)
    if crops is not None:
        warn_of_scale(config, crops, frames)
    keys = _keys(frames).assign(scheme=ALL_MEMBERS, fold=NO_FOLD, part="test")
    read = crops if shown is None else shown
    if isinstance(config, ClassifierConfig):
        assert read is not None, "the classifier reads crops or columns"
        last = frames["last"]
        members = [classify_landmarks(read, frames[last], model, fold) for fold in tqdm(config.folds, disable=None)]
        named = keys[last].assign(predictor=CLASSIFIER)
        return _join([tabulate_fate_odds(named, np.mean(members, axis=0), config.outcomes)], config)
    assert describe is not None, "the fate clock needs what its boosting sees"
    hazards = clock_hazards(read, frames, describe, model, config.folds, ALL_CELLS)
    return _join(_tabulate(config, keys, hazards, frames["last"].to_numpy()), config)


def classify_landmarks(
    crops: CellReader, landmarks: pd.DataFrame, model: TrainedModel, fold: int
) -> NDArray[np.float64]:
    """Probabilities (B, outcomes) at landmarks by the classifier's member of one fold, in the order of the rows."""
    embedded = embed_landmarks(crops, landmarks, model, fold)
    return load_classifier_member(model, fold).probabilities(embedded.embeddings, embedded.positions)


def _tested_parts(table: pd.DataFrame, splits: pd.DataFrame) -> Iterator[tuple[str, int, str, pd.DataFrame]]:
    """Yield scheme, fold, part and the rows of its cells, of every part that does not train."""
    parts = splits.loc[splits["part"] != "train", ["scheme", "fold", "part"]].drop_duplicates()
    for scheme, fold, part in tqdm(list(parts.itertuples(index=False)), desc="Forecasting parts", disable=None):
        yield scheme, int(fold), part, select_part(table, splits, fold, part)


def _keys(frames: pd.DataFrame) -> pd.DataFrame:
    return frames[CELL].assign(frame=frames["last_frame"])


def _tabulate(
    config: ClockConfig, keys: pd.DataFrame, hazards: dict[str, NDArray[np.float64]], asked_which_n: NDArray[np.bool_]
) -> Iterator[pd.DataFrame]:
    """Yield, of each predictor, what happens within some hours of each frame and which fate comes at some."""
    hours = config.follow_up.edges_h, config.follow_up.report_h
    asks_which = WHICH_FATE in config.follow_up.questions and len(config.events) > 1
    for predictor, hazards_nke in hazards.items():
        named = keys.assign(predictor=predictor)
        yield tabulate_hazards(named, hazards_nke, config.events, *hours)
        if asks_which:
            odds_ne = fate_odds(hazards_nke[asked_which_n])
            yield tabulate_fate_odds(named[asked_which_n], odds_ne, config.events)


def _join(tables: Iterable[pd.DataFrame], config: FolderConfig) -> pd.DataFrame:
    """Put rows of one model together, in the columns of table `Forecasts`."""
    joined = pd.concat(tables, ignore_index=True)[list(empty_forecasts(config.events).columns)]
    lacking = joined[joined[[probability_column(event) for event in config.events]].isna().any(axis=1)]
    if len(lacking):
        first = lacking.iloc[0]
        raise InputError(
            f"The {first['predictor']} gives no probability in {len(lacking)} of {len(joined)} forecasts, first for "
            f"cell {first['cell_id']} of recording '{first['recording_id']}' at frame {first['frame']}, because its "
            "network overflows; give pixels on the camera's scale that the model was trained on, or train again."
        )
    return Forecasts.validate(joined)
