"""Example cells of the fate clock: which ones, their frames, and the forecasts made at each frame."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.fates import CENSORED, NONE, listed_outcomes, probability_column
from cellfate.crops.store import CropStore
from cellfate.plots.filmstrip import FilmStrip, StripCurve, StripPanel
from cellfate.plots.incidence_words import choose_leading, list_events, write_hours
from cellfate.report.examples import read_frames, write_title
from cellfate.report.settings import ReportSettings
from cellfate.report.strip_panels import hours_to_last

RIGHT: Final = "right and sure"
WRONG: Final = "wrong and sure"
_CELL: Final = ["recording_id", "cell_id"]
_PROBABILITY_ENDS: Final = (-0.04, 1.04)


def choose_clock_examples(commitments: pd.DataFrame, incidence: pd.DataFrame, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Choose for each event the surest cell called right and the surest called wrong, and two censored cells.

    The rule leaves no room for picking: it looks at the calls and forecasts at the last frame shown, of the ensemble
    or, without one, of the clock. Of the censored cells it takes the one least and the one most expected to meet an
    event, because no call of theirs can be right or wrong.

    Parameters
    ----------
    commitments
        Table `Commitments`: the calls.
    incidence
        Table `Incidence`; forecasts of the test part within the hours of the calls are read.
    follow_ups
        Table `FollowUps`.

    Returns
    -------
    pandas.DataFrame
        Columns of `follow_ups` and of the call and forecast at the last frame, `kind` (the row of the figure),
        `heading` and `p_fate` (forecast of what came; of no event for a censored cell), ordered by kind and fate.
    """
    ended = _join_last_forecasts(commitments, incidence, follow_ups)
    chosen = [ended.head(0).assign(kind=pd.Series(dtype=str), heading=pd.Series(dtype=str))]
    for kind in (RIGHT, WRONG):
        for event in list_events(listed_outcomes(ended.columns)):
            right = (ended["call"] == event) == (kind == RIGHT)
            pool = ended[(ended["fate"] == event) & right]
            chosen.append(_take_first(pool, kind != RIGHT).assign(kind=kind, heading=kind))
        censored = _take_first(ended[ended["fate"] == CENSORED], kind != RIGHT)
        is_new = not len(pd.concat(chosen).merge(censored[_CELL], on=_CELL))
        heading = "surest of no event" if kind == RIGHT else "surest of an event"
        chosen += [censored.assign(kind=kind, heading=heading)] if is_new else []
    return pd.concat(chosen, ignore_index=True)


def _take_first(pool: pd.DataFrame, ascending: bool) -> pd.DataFrame:
    return pool.sort_values(["p_fate", "sample_id"], ascending=[ascending, True]).head(1)


def _join_last_forecasts(commitments: pd.DataFrame, incidence: pd.DataFrame, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """List the tested cells with the call and the forecast at the last frame that is shown."""
    if commitments.empty:
        return follow_ups.head(0).assign(call=pd.Series(dtype=str), p_fate=pd.Series(dtype=float))
    leading = choose_leading(commitments["predictor"])
    calls = commitments[commitments["predictor"] == leading]
    calls = calls[["predictor", *_CELL, "call", "within_h", "threshold", "frame"]].rename(columns={"frame": "from"})
    tested = incidence[(incidence["predictor"] == leading) & (incidence["part"] == "test")]
    columns = [*_CELL, "frame", "within_h", *(probability_column(name) for name in listed_outcomes(tested.columns))]
    last = tested[columns].rename(columns={"frame": "last_frame"})
    joined = follow_ups.merge(calls, on=_CELL, validate="one_to_one")
    last = last[np.isclose(last["within_h"], joined["within_h"].max())].drop(columns="within_h")
    joined = joined.merge(last, on=[*_CELL, "last_frame"], validate="one_to_one")
    p_fate = joined[probability_column(NONE)]
    for event in list_events(listed_outcomes(joined.columns)):
        p_fate = p_fate.where(joined["fate"] != event, joined[probability_column(event)])
    return joined.assign(p_fate=p_fate)


def build_clock_strips(
    crops: CropStore, examples: pd.DataFrame, incidence: pd.DataFrame, settings: ReportSettings
) -> list[FilmStrip]:
    """Read the frames of the chosen cells and lay the forecasts of each event and of none under them.

    Parameters
    ----------
    crops
        Crop store.
    examples
        What `choose_clock_examples` returned.
    incidence
        Table `Incidence`.
    settings
        How many frames to draw; two thirds of them are, because three columns stand where the report has two.

    Returns
    -------
    list of FilmStrip
        One a row of `examples`, in its order.
    """
    fewer = max(2, settings.frames_per_strip * 2 // 3)
    narrow = settings.model_copy(update={"frames_per_strip": fewer})
    return [_build_strip(crops, row, incidence, narrow) for _, row in examples.iterrows()]


def _build_strip(crops: CropStore, cell: pd.Series, incidence: pd.DataFrame, settings: ReportSettings) -> FilmStrip:
    forecasts = _select_forecasts(incidence, cell)
    hours = hours_to_last(forecasts["frame"], cell)
    curves = tuple(
        StripCurve(
            name=name,
            hours=hours,
            values=forecasts[probability_column(name)].to_numpy(dtype=np.float64),
            threshold=float(cell["threshold"]) if name == cell["call"] else np.nan,
        )
        for name in listed_outcomes(forecasts.columns)
    )
    since_h = np.nan if pd.isna(cell["from"]) else float(hours_to_last([cell["from"]], cell)[0])
    return FilmStrip(
        kind=cell["kind"],
        outcome=cell["fate"],
        title=describe_clock_example(cell),
        **read_frames(crops, cell, settings),
        panels=(StripPanel("forecast", curves, height_px=100, ends=_PROBABILITY_ENDS, mark_h=since_h),),
    )


def _select_forecasts(incidence: pd.DataFrame, cell: pd.Series) -> pd.DataFrame:
    is_cell = (incidence["recording_id"] == cell["recording_id"]) & (incidence["cell_id"] == cell["cell_id"])
    is_asked = (incidence["predictor"] == cell["predictor"]) & np.isclose(incidence["within_h"], cell["within_h"])
    forecasts: pd.DataFrame = incidence[is_cell & is_asked & (incidence["part"] == "test")]
    return forecasts.sort_values("frame")


def describe_clock_example(cell: pd.Series) -> str:
    """Title of a film strip: what followed and when, the forecast of it at the last frame, the call, and which cell."""
    after_h = (cell["end_frame"] - cell["last_frame"]) * cell["frame_interval_min"] / 60
    is_censored = cell["fate"] == CENSORED
    followed = f"censored, seen for {after_h:.1f} h more" if is_censored else f"{cell['fate']} after {after_h:.1f} h"
    what = "no event" if is_censored else cell["fate"]
    called = "no event" if cell["call"] == NONE else cell["call"]
    gave = f"gave {what} {cell['p_fate']:.2f} within {write_hours(cell['within_h'])}; called {called}"
    if not pd.isna(cell["from"]):
        since_h = float(hours_to_last([cell["from"]], cell)[0])
        gave += " at the last frame" if since_h == 0 else f" from {since_h:.1f} h on"
    return write_title(cell, cell["heading"], followed, gave)
