"""Forecasts written back to the tracks, so that they can be looked at beside the images."""

from collections.abc import Collection

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS, OUTCOMES, listed_outcomes, probability_column
from cellfate.core.tables import CELL, FRAME, TrackForecasts


def join_forecasts(detections: pd.DataFrame, cells: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Put the forecasts of cells beside their positions: one row a cell and frame.

    What happens within so many hours is forecast anew along a track: a row has the latest forecast that was made by its
    frame, and none before the first, so that what stands at a frame was known at that frame. Which fate comes is a
    forecast about the cell, and stands on all its rows, with `fate_` before the names of its columns.

    Parameters
    ----------
    forecasts : DataFrame
        Forecasts of these cells, of one predictor a question and at most one `within_h` beside null (which fate comes):
        recording_id, cell_id, frame (the last one shown), within_h, a probability an outcome, call and, where they are
        known, sure and expected_h.

    Returns
    -------
    DataFrame
        Table `TrackForecasts`, ordered by recording, cell and frame: `forecast_frame` is the last frame that the
        forecast of the row has seen, null where there is none.

    Raises
    ------
    InputError
        If a question is answered more than once.
    """
    which = forecasts["within_h"].isna()
    _check_once(forecasts, which)
    named = detections.filter(items=[*FRAME, "y_px", "x_px", *_given(detections, "spot_id")])
    known = cells[[*CELL, *_given(cells, "cell_name"), "parent_id", "fate", "event_frame"]]
    rows = named.merge(known, on=CELL, validate="many_to_one").assign(within_h=forecasts["within_h"].max())
    along = _answers(forecasts[~which], OUTCOMES).rename(columns={"frame": "forecast_frame"})
    along = along.astype({"forecast_frame": "int64"}).sort_values("forecast_frame", kind="stable")
    rows = rows.sort_values("frame", kind="stable")
    latest = pd.merge_asof(rows, along, left_on="frame", right_on="forecast_frame", by=CELL)
    about_cell = (
        _answers(forecasts[which], EVENTS).drop(columns=["frame", "expected_h"], errors="ignore").set_index(CELL)
    )
    joined = latest.join(about_cell.add_prefix("fate_"), on=CELL, validate="many_to_one")
    first = [*CELL, *(name for name in ("cell_name", "spot_id") if name in joined), "frame"]
    ordered = joined[[*first, *joined.columns.difference(first, sort=False)]]
    return TrackForecasts.validate(ordered.sort_values(FRAME, ignore_index=True))


def _answers(forecasts: pd.DataFrame, outcomes: Collection[str]) -> pd.DataFrame:
    """Columns of forecasts that are written, with the probabilities of these outcomes."""
    probabilities = [probability_column(name) for name in listed_outcomes(forecasts.columns) if name in outcomes]
    told = forecasts.filter(items=[*FRAME, *probabilities, "call", "sure", "expected_h"])
    return told.astype({"recording_id": "str"})


def _given(table: pd.DataFrame, name: str) -> list[str]:
    """Keep a column of the tracker's own names, unless the tracker gives none."""
    return [name] if name in table and table[name].notna().any() else []


def _check_once(forecasts: pd.DataFrame, which: pd.Series) -> None:
    hours = forecasts["within_h"].dropna().unique()
    n_twice = int(forecasts[which].duplicated(CELL).sum() + forecasts[~which].duplicated(FRAME).sum())
    if len(hours) > 1 or n_twice:
        raise InputError(
            f"Forecasts within {', '.join(f'{hour:g}' for hour in hours) or 'no'} h are given, and {n_twice} forecasts "
            "once more (which fate comes: for the same cell; else: for the same cell and frame), but those of one "
            "predictor a question and one within_h were expected; choose one of each."
        )
