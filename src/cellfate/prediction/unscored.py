"""Forecasts of the cells of a study that nobody scored: which of them to score next, and what a page shows of them."""

import pandas as pd

from cellfate.cohort.follow_ups import follow_open_cells
from cellfate.core.fates import UNSCORED, UNUSABLE
from cellfate.core.tables import CELL, Forecasts
from cellfate.crops.store import CropStore
from cellfate.prediction.forecasts import forecast_new
from cellfate.prediction.records import TrainedModel


def forecast_unscored(
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    cropped_recordings: pd.DataFrame,
    frame_features: pd.DataFrame,
    clock: TrainedModel,
    classifier: TrainedModel | None = None,
    crops: CropStore | None = None,
) -> pd.DataFrame:
    """Forecast cells without a fate, as new cells are, by all members of every model that was trained.

    Parameters
    ----------
    detections, cells, cropped_recordings, frame_features
        Tables of the same names.
    clock, classifier, crops
        The models of the study, and its crop store; neither classifier nor crops without images.

    Returns
    -------
    DataFrame
        Table `Forecasts`, see `forecasts.forecast_new`; without rows where every cell is scored, or those that are not
        were watched for too short. No model trained on these cells, though on others of their groups.
    """
    models = [model for model in (classifier, clock) if model is not None and model.config.members]
    unusable = cells.reindex(columns=["labelled"])["labelled"].eq(UNUSABLE)
    waiting = cells.loc[cells["fate"].eq(UNSCORED) & ~unusable, CELL]
    waiting = waiting[waiting["recording_id"].isin(cropped_recordings["recording_id"])]
    if not models or waiting.empty:
        return Forecasts.empty()
    follow_up = models[0].config.follow_up
    followed = follow_open_cells(detections, cells, cropped_recordings, follow_up).merge(waiting, on=CELL)
    followed = followed[followed["last_frame"] - followed["first_frame"] + 1 >= follow_up.min_frames]
    if followed.empty:
        return Forecasts.empty()
    tables = [forecast_new(model, crops, detections, followed, frame_features) for model in models]
    return Forecasts.validate(pd.concat(tables, ignore_index=True))
