"""Forecasts written back to the tracks, so that they can be looked at beside the images."""

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.tables import CELL, FRAME, TrackForecasts


def join_forecasts(detections: pd.DataFrame, cells: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Put the forecasts of cells beside their positions: one row a cell and frame.

    What happens within so many hours is forecast anew along a track: a row has the latest forecast that was made by its
    frame, and none before the first, so that what stands at a frame was known at that frame. Which fate comes is a
    forecast about the cell, and stands on all its rows.

    Parameters
    ----------
    detections, cells : DataFrame
        Tables `Detections` and `Cells`.
    forecasts : DataFrame
        Forecasts of these cells, of one predictor and one `within_h` (null: which fate comes): recording_id, cell_id,
        frame (the last one shown), within_h, call, a probability an outcome and, where it is known, expected_h.

    Returns
    -------
    DataFrame
        Table `TrackForecasts`, ordered by recording, cell and frame: `forecast_frame` is the last frame that the
        forecast of the row has seen, null where there is none.

    Raises
    ------
    InputError
        If there are forecasts of more than one predictor or `within_h`.
    """
    about_cell = bool(forecasts["within_h"].isna().all())
    _check_once(forecasts, CELL if about_cell else FRAME)
    kept = ["call", *map(probability_column, listed_outcomes(forecasts.columns)), "expected_h"]
    told = forecasts[[*FRAME, *(name for name in kept if name in forecasts)]]
    told = told.rename(columns={"frame": "forecast_frame"}).astype({"recording_id": "str", "forecast_frame": "int64"})
    of_cell = ["parent_id", "fate", "event_frame", *_given(cells, "cell_name")]
    of_frame = [*FRAME, "y_px", "x_px", *_given(detections, "spot_id")]
    rows = detections[of_frame].merge(cells[[*CELL, *of_cell]], on=CELL, validate="many_to_one")
    rows = rows.assign(within_h=forecasts["within_h"].max()).sort_values("frame", kind="stable")
    if about_cell:
        joined = rows.merge(told, on=CELL, how="left")
    else:
        told = told.sort_values("forecast_frame", kind="stable")
        joined = pd.merge_asof(rows, told, left_on="frame", right_on="forecast_frame", by=CELL)
    return TrackForecasts.validate(joined.sort_values(FRAME, ignore_index=True))


def _given(table: pd.DataFrame, name: str) -> list[str]:
    """Keep a column of the tracker's own names, unless the tracker gives none."""
    return [name] if name in table and table[name].notna().any() else []


def _check_once(forecasts: pd.DataFrame, keys: list[str]) -> None:
    questions = forecasts["within_h"].unique()
    twice = forecasts[forecasts.duplicated(keys)]
    if len(questions) > 1 or len(twice):
        raise InputError(
            f"Forecasts within {', '.join(f'{hours:g}' for hours in questions)} h (nan: which fate comes) are given, "
            f"{len(twice)} of them once more for the same cell and frame, but those of one predictor and one within_h "
            "were expected; choose one of each."
        )
