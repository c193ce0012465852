"""Forecasts written back to the tracks, so that they can be looked at beside the images."""

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.tables import TrackForecasts

_CELL = ["recording_id", "cell_id"]


def join_forecasts(
    detections: pd.DataFrame, cells: pd.DataFrame, forecasts: pd.DataFrame, whole_track: bool = False
) -> pd.DataFrame:
    """Put the forecasts of cells beside their positions: one row a cell and frame.

    A row has the latest forecast that was made by its frame, and none before the first; so what stands at a frame was
    known at that frame. A forecast of a whole track is about the cell, and stands on all its rows.

    Parameters
    ----------
    detections, cells : DataFrame
        Tables `Detections` and `Cells`.
    forecasts : DataFrame
        Table `FateTable` (its `last_frame` is when the forecast was made) or `ClockTable` (`frame`), of these cells.
    whole_track : bool
        There is one forecast a cell, made of all its track.

    Returns
    -------
    DataFrame
        Table `TrackForecasts`, ordered by recording, cell and frame: `forecast_frame` is the last frame that the
        forecast of the row has seen, null where there is none.

    Raises
    ------
    InputError
        If a cell has more than one forecast where one is expected.
    """
    made = "frame" if "frame" in forecasts else "last_frame"
    kept = ["call", *(probability_column(outcome) for outcome in listed_outcomes(forecasts.columns)), "expected_h"]
    told = forecasts[[*_CELL, made, *(name for name in kept if name in forecasts)]]
    told = told.rename(columns={made: "forecast_frame"}).astype({"forecast_frame": "int64", "recording_id": "str"})
    _check_once(told, _CELL if whole_track else [*_CELL, "forecast_frame"])
    rows = detections.merge(cells[[*_CELL, "parent_id", "fate", "event_frame"]], on=_CELL, validate="many_to_one")
    rows = rows.astype({"recording_id": "str"})
    if whole_track:
        joined = rows.merge(told, on=_CELL, how="left", validate="many_to_one")
    else:
        order = rows.sort_values("frame", kind="stable")
        told = told.sort_values("forecast_frame", kind="stable")
        joined = pd.merge_asof(order, told, left_on="frame", right_on="forecast_frame", by=_CELL)
    joined = joined.astype({"forecast_frame": "Int64"}).sort_values([*_CELL, "frame"], ignore_index=True)
    return TrackForecasts.validate(joined)


def _check_once(told: pd.DataFrame, keys: list[str]) -> None:
    twice = told[told.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        message = (
            f"Cell {row['cell_id']} of recording '{row['recording_id']}' has two forecasts (one of them made in frame "
            f"{row['forecast_frame']}), but one was expected; give the forecasts of one model."
        )
        raise InputError(message)
