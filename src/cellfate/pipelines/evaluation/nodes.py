"""Nodes of the `evaluation` pipeline."""

import pandas as pd

from cellfate.core.tables import Forecasts
from cellfate.prediction.forecasts import forecast_clock
from cellfate.prediction.records import TrainedModel


def gather_forecasts(*forecasts: pd.DataFrame) -> pd.DataFrame:
    """Put the forecasts of all predictors into one table.

    Parameters
    ----------
    *forecasts
        Tables `Forecasts`; those without rows are left out.

    Returns
    -------
    DataFrame
        Table `Forecasts`, in the order given.
    """
    filled = [table for table in forecasts if len(table)]
    return Forecasts.validate(pd.concat(filled, ignore_index=True) if filled else forecasts[0])


def forecast_traces(
    detections: pd.DataFrame,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedModel,
) -> pd.DataFrame:
    """Forecast cells without images; see `forecast_clock`."""
    return forecast_clock(None, detections, follow_ups, splits, frame_features, model)
