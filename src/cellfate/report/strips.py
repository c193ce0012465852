"""Example cells: which ones, their frames, and under these the forecasts, attributions and measurements of each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cellfate.attribution.windows import place_windows
from cellfate.core.amounts import rank_amount
from cellfate.core.fates import SURE, listed_outcomes, probability_column
from cellfate.core.input_words import name_input
from cellfate.core.predictors import choose_leading, label_predictor
from cellfate.core.review_links import link_cell
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import CELL, FRAME
from cellfate.core.words import HAPPENED, list_outcomes, name_asked, name_method, name_outcome, write_hours
from cellfate.features.measured_frames import FrameSource
from cellfate.plots.filmstrip import FilmStrip, StripCurve, StripPanel, draw_film_strips
from cellfate.plots.theme import at_question
from cellfate.prediction.calls import add_calls
from cellfate.report.settings import ReportSettings

FloatArray = NDArray[np.float64]

KINDS: Final = {"surest right": True, "surest wrong": False}
"""Kind of example, and whether its call is right."""
USUAL: Final = (0.05, 0.95)
"""Quantiles over all cells and frames that are drawn as 0 and 1."""
REPORTER: Final = "intensity_"
_MOST_CURVES: Final = 6
"""Curves of what was measured of cells without images."""
_ENDS: Final = (-0.04, 1.04)
_MAP_PX: Final = 22
"""Height of a channel in a map of values, in pixels."""


@dataclass(frozen=True, eq=False)
class StripTables:
    """What is known of the example cells besides their frames.

    Attributes
    ----------
    forecasts
        Table `Forecasts`.
    attention
        Table `Attention`.
    attributions
        Table `Attributions`.
    frame_features
        Table `FrameFeatures`.
    relevance
        What each pixel speaks for, (T, C, H, W) in logits, by landmark_id; landmarks without one are drawn without.
    methods
        Methods of `attributions` that are drawn, a map each.
    """

    forecasts: pd.DataFrame
    attention: pd.DataFrame
    attributions: pd.DataFrame
    frame_features: pd.DataFrame
    relevance: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    methods: Sequence[str] = ("shapley",)


def choose_examples(
    forecasts: pd.DataFrame, explained_landmarks: pd.DataFrame, within_h: float | None = None
) -> pd.DataFrame:
    """Choose for each outcome the explained landmark whose forecast was surest and right, and surest and wrong.

    The rule leaves no room for picking: it looks at nothing but the probability of what came. Each cell is shown at
    most once, and landmarks with Shapley values come before others.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; the test part of the leading predictor is looked at.
    explained_landmarks
        Table `Landmarks` with `outcome`, `shapley`, `shown_from` and `lead_time_h`.
    within_h
        Hours within which something happens, those of `outcome`; None: which fate comes.

    Returns
    -------
    pandas.DataFrame
        Columns of `explained_landmarks` and of the forecast, `call`, `p_call` and `sure` (see `add_calls`), `p_true`
        (probability of what came) and `kind`, ordered by kind and outcome.
    """
    asked = at_question(forecasts[forecasts["part"] == "test"], within_h)
    asked = asked[asked["predictor"] == choose_leading(asked["predictor"])]
    columns = [*FRAME, "predictor", "within_h", *(c for c in asked.columns if str(c).startswith("p_"))]
    keys = asked[columns].rename(columns={"frame": "last_frame"})
    joined = explained_landmarks.merge(keys, on=[*CELL, "last_frame"], validate="one_to_one")
    outcomes = listed_outcomes(joined.columns)
    p_nk = joined[[probability_column(name) for name in outcomes]].to_numpy(np.float64)
    true_n = joined["outcome"].map({name: place for place, name in enumerate(outcomes)}).to_numpy(np.int64)
    joined = add_calls(joined).assign(p_true=p_nk[np.arange(len(joined)), true_n])
    chosen = [joined.head(0).assign(kind=pd.Series(dtype=str))]
    for kind, is_right in KINDS.items():
        for outcome in list_outcomes(joined["outcome"]):
            pool = joined[((joined["call"] == outcome) == is_right) & (joined["outcome"] == outcome)]
            first = pool.sort_values(["shapley", "p_true", "landmark_id"], ascending=[False, not is_right, True])
            chosen.append(first.head(1).assign(kind=kind))
    return pd.concat(chosen, ignore_index=True)


def choose_opening(examples: pd.DataFrame) -> pd.DataFrame:
    """Choose the example that opens the report: right before wrong, an event before none, with Shapley values first."""
    wrong, nothing = examples["kind"] != next(iter(KINDS)), examples["outcome"] == "none"
    ranked = examples.assign(wrong=wrong, nothing=nothing, bare=~examples["shapley"].astype(bool))
    return examples.loc[ranked.sort_values(["wrong", "nothing", "bare"], kind="stable").index].head(1)


def draw_examples(
    crops: FrameSource, examples: pd.DataFrame, tables: StripTables, settings: ReportSettings
) -> tuple[go.Figure, go.Figure]:
    """Draw the example cells, and large the one that opens the report.

    Parameters
    ----------
    crops
        Crop store; of cells without images, which have no pictures, what reads their measurements.
    examples
        What `choose_examples` returned.
    tables
        What stands under the frames.
    settings
        How many frames to draw, and how bright.

    Returns
    -------
    examples, opening : plotly.graph_objects.Figure
        Both empty where there is no example.
    """
    bright = settings.brightness_percentiles
    strips = build_film_strips(crops, examples, tables, settings)
    plain = StripTables(
        tables.forecasts, tables.attention, tables.attributions, tables.frame_features, methods=tables.methods
    )
    first = choose_opening(examples)
    opening = build_film_strips(crops, first, plain, settings)
    title = _name_red("One cell", tables.attributions, first)
    one = draw_film_strips(opening, bright, n_columns=1, title=title)
    return draw_film_strips(strips, bright, title=_name_red("Example cells", tables.attributions, examples)), one


def _name_red(title: str, attributions: pd.DataFrame, landmarks: pd.DataFrame) -> str:
    """Add to a title what red speaks for; nothing where no landmark has values."""
    own = attributions[attributions["landmark_id"].isin(landmarks["landmark_id"])]
    return title if own.empty else f"{title}, red speaks for {own['explained_outcome'].iloc[0]}"


def build_film_strips(
    crops: FrameSource, examples: pd.DataFrame, tables: StripTables, settings: ReportSettings
) -> list[FilmStrip]:
    """Read the frames of the chosen cells, evenly spaced in time and ending at the landmark, with what stands under.

    Parameters
    ----------
    crops, examples, tables, settings
        As in `draw_examples`.

    Returns
    -------
    list of FilmStrip
        One a row of `examples`, in its order.
    """
    return [_build_film_strip(crops, row, tables, settings) for _, row in examples.iterrows()]


def _build_film_strip(
    crops: FrameSource, landmark: pd.Series, tables: StripTables, settings: ReportSettings
) -> FilmStrip:
    first, last = int(landmark["shown_from"]), int(landmark["last_frame"])
    sequence = crops.read(landmark["recording_id"], int(landmark["cell_id"]), first, last)
    step = -(-(last - first + 1) // settings.frames_per_strip)
    drawn_t = (last - sequence.frame_numbers_t) % step == 0
    relevance_tchw = tables.relevance.get(landmark["landmark_id"])
    n_channels = len(sequence.channels)  # what the network sees besides, the mask, has no picture of its own
    return FilmStrip(
        title=describe_example(landmark),
        outcome=landmark["outcome"],
        channels=tuple(sequence.channels),
        frames_tchw=sequence.frames_tchw[drawn_t],
        inside_thw=sequence.inside_thw[drawn_t],
        hours_t=hours_to_last(sequence.frame_numbers_t[drawn_t], landmark),
        step_h=step * float(landmark["frame_interval_min"]) / 60,
        relevance_tchw=None if relevance_tchw is None else relevance_tchw[drawn_t, :n_channels],
        panels=(
            _show_forecast(tables.forecasts, landmark),
            _show_attention(tables.attention, landmark),
            *(_show_values(tables.attributions, landmark, method) for method in tables.methods),
            _show_reporters(tables.frame_features, landmark),
        ),
        link=link_cell(str(landmark["recording_id"]), int(landmark["cell_id"])),
    )


def hours_to_last(frames: ArrayLike, landmark: pd.Series) -> FloatArray:
    """Compute the hours of frames, counted from the last frame shown: 0 there, earlier ones negative."""
    from_last = np.asarray(frames, dtype=np.float64) - int(landmark["last_frame"])
    return np.asarray(from_last * (float(landmark["frame_interval_min"]) / 60), dtype=np.float64)


def describe_example(landmark: pd.Series) -> tuple[str, ...]:
    """Lines over a strip: why it is shown, what was called and how sure; what became of the cell; which one it is."""
    within_h = None if pd.isna(landmark["within_h"]) else float(landmark["within_h"])
    hardly = "" if landmark["sure"] == SURE else f", {landmark['sure']} sure"
    called = f"called {name_asked(landmark['call'], within_h)}, {landmark['p_call']:.2f}{hardly}"
    lead_h, fate = landmark["lead_time_h"], str(landmark["fate"])
    at = f"at {write_hours(landmark['last_frame'] * landmark['frame_interval_min'] / 60)} of the recording"
    seen = f", {write_hours(lead_h)} before; it {HAPPENED[fate].split(' (')[0]}" if pd.notna(lead_h) else ""
    became = at + (seen or "; no event was seen")
    if landmark["call"] != landmark["outcome"]:
        became += f"; {name_outcome(landmark['outcome'])} was given {landmark['p_true']:.2f}"
    who = f"{label_predictor(landmark['predictor'])}; recording {landmark['recording_id']}, cell {landmark['cell_id']}"
    dose = str(landmark["dose"])
    treated = dose if " " in dose and math.isnan(rank_amount(dose)[0]) else f"dose {dose}"  # stimulus 1 is no dose
    return f"{landmark['kind']}: {called}", became, f"{who}, {treated}"


def _show_forecast(forecasts: pd.DataFrame, landmark: pd.Series) -> StripPanel:
    """Draw the forecasts made at every frame shown; which fate comes is asked once, and the lines above say it."""
    is_cell = (forecasts["recording_id"] == landmark["recording_id"]) & (forecasts["cell_id"] == landmark["cell_id"])
    is_shown = forecasts["frame"].between(landmark["shown_from"], landmark["last_frame"])
    rows = forecasts[is_cell & is_shown & (forecasts["part"] == "test")]
    rows = rows[(rows["predictor"] == landmark["predictor"])]
    within_h = None if pd.isna(landmark["within_h"]) else float(landmark["within_h"])
    rows = at_question(rows, within_h).sort_values("frame")
    hours = hours_to_last(rows["frame"], landmark)
    curves = tuple(
        StripCurve(name, hours, rows[probability_column(name)].to_numpy(np.float64))
        for name in listed_outcomes(rows.columns)
        if within_h is not None
    )
    within = "" if within_h is None else f"<br>within {write_hours(within_h)}"
    return StripPanel(f"forecast{within}", curves, height_px=90, ends=_ENDS)


def _show_attention(attention: pd.DataFrame, landmark: pd.Series) -> StripPanel:
    """Draw the attention of every frame, and its mean as a dotted line."""
    paid = attention[attention["landmark_id"] == landmark["landmark_id"]].sort_values("frame")
    shares = paid["attention"].to_numpy(np.float64)
    mean = float(shares.mean()) if len(shares) else np.nan
    curve = StripCurve("attention", hours_to_last(paid["frame"], landmark), shares, level=mean, filled=True)
    return StripPanel("attention", (curve,), height_px=50, legend=False)


def _show_values(attributions: pd.DataFrame, landmark: pd.Series, method: str) -> StripPanel:
    """Draw the values of a method as a map of channels and windows, red for the explained outcome, blue against it."""
    rows = attributions[(attributions["landmark_id"] == landmark["landmark_id"]) & (attributions["method"] == method)]
    placed = place_windows(rows, landmark.to_frame().T)
    channels = attributions.loc[attributions["method"] == method, "channel"].nunique()
    title = name_method(method).replace(" ", "<br>", 1)
    return StripPanel(title, height_px=max(2, channels) * _MAP_PX, legend=False, values=placed)


def _show_reporters(frame_features: pd.DataFrame, landmark: pd.Series) -> StripPanel:
    """Draw the intensity of each channel, scaled alike for all cells: 0 and 1 are the usual ends over all of them.

    Of cells without images the first of what else was measured.
    """
    is_cell = (frame_features["recording_id"] == landmark["recording_id"]) & (
        frame_features["cell_id"] == landmark["cell_id"]
    )
    shown = frame_features["frame"].between(landmark["shown_from"], landmark["last_frame"])
    rows = frame_features[is_cell & shown].sort_values("frame")
    reporters = [str(column) for column in frame_features.columns if str(column).startswith(REPORTER)]
    curves = [
        StripCurve(
            column.removeprefix(REPORTER) if reporters else name_input(column),
            hours_to_last(rows["frame"], landmark),
            _scale(rows[column], frame_features[column]),
        )
        for column in reporters or list_spot_columns(frame_features.columns)[:_MOST_CURVES]
    ]
    return StripPanel("reporters<br>(5-95 %)", tuple(curves), height_px=70)


def _scale(values: pd.Series, everywhere: pd.Series) -> FloatArray:
    """Scale values so that the usual ends over all cells are 0 and 1; NaN where all cells are alike."""
    low, high = everywhere.quantile(list(USUAL))
    width = high - low if high > low else np.nan
    return np.asarray((values - low) / width, dtype=np.float64)
