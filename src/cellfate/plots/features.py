"""Measured features: over time, and alone against what followed."""

from math import ceil
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, EVERYTHING, FRAME
from cellfate.core.words import list_outcomes, name_dose, name_feature, order_doses, show_count
from cellfate.plots.aligned_time import band_traces, choose_alignment, count_back, quartiles_by
from cellfate.plots.theme import COLOURS, SEQUENCE, band, finish, make_grid, say_nothing

_SHAPE: Final = ("area", "circularity", "eccentricity")
_SERIES_COLUMNS: Final = 3
_SERIES_PX: Final = 200
_ALONE_COLUMNS: Final = 4
_ALONE_PX: Final = 120
_GAP_PX: Final = 50


def plot_reporter_series(frame_features: pd.DataFrame, landmarks: pd.DataFrame) -> go.Figure:
    """Draw reporters and shape before the event, per fate: median and quartiles over cells.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    landmarks
        Table `Landmarks`; of cells whose fate was seen the frames up to the last one shown are drawn.
    """
    title = "Reporters and shape over time"
    shown = landmarks[landmarks["last"] & landmarks["fate"].isin(EVENTS)]
    shown = shown.assign(outcome=shown["fate"])
    if shown.empty or frame_features.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No cell ended in an event.")
    reporters = [str(name) for name in frame_features.columns if str(name).startswith("intensity_")]
    features = [*reporters, *_SHAPE]
    bounds = shown[["landmark_id", *CELL, "first_frame", "last_frame"]]
    rows = frame_features[[*FRAME, *features]].merge(bounds, on=CELL)
    rows = rows[rows["frame"].between(rows["first_frame"], rows["last_frame"])]
    alignment = choose_alignment(shown)
    rows = count_back(rows[["landmark_id", "frame", *features]], shown, alignment)
    n_rows = ceil(len(features) / _SERIES_COLUMNS)
    figure, inner_px = make_grid(n_rows, _SERIES_COLUMNS, _SERIES_PX, _GAP_PX, horizontal_spacing=0.08)
    for number, feature in enumerate(features):
        place = {"row": number // _SERIES_COLUMNS + 1, "col": number % _SERIES_COLUMNS + 1}
        for position, fate in enumerate(list_outcomes(shown["fate"])):
            part = rows[rows["outcome"] == fate]
            name = f"{fate} (n = {part['landmark_id'].nunique()})"
            table = quartiles_by(part, "hours", feature)
            traces = band_traces(table, name, position=position, legend=number == 0 and len(table) > 0)
            figure.add_traces(traces, rows=place["row"], cols=place["col"])
        figure.update_yaxes(title={"text": name_feature(feature, unit=True), "standoff": 4}, **place)
        below = number + _SERIES_COLUMNS >= len(features)
        figure.update_xaxes(autorange="reversed", title=alignment.title if below else None, **place)
    subtitle = f"n = {show_count(len(shown), 'cell')} whose fate was seen, all parts; median and quartiles."
    return finish(figure, title, subtitle, inner_px=inner_px, heads=False)


def plot_feature_association(feature_association: pd.DataFrame) -> go.Figure:
    """Draw the area under the ROC curve of each feature alone over hours, with its band: a panel a feature.

    All doses together are shown; a dose is added by a click on the legend. Of several outcomes the first is drawn.

    Parameters
    ----------
    feature_association
        Table `FeatureAssociation`.
    """
    title = "How single features go with the outcome"
    rows = feature_association.dropna(subset=["auroc"])
    if rows.empty:
        return say_nothing(f"{title} (n = 0 landmarks)", "No feature was measured in enough landmarks in any hour.")
    outcome = rows["outcome"].iloc[0]
    rows = rows[rows["outcome"] == outcome]
    features = list(dict.fromkeys(rows["feature"]))
    doses = [EVERYTHING, *order_doses(set(rows["dose"]) - {EVERYTHING})]
    n_rows = ceil(len(features) / _ALONE_COLUMNS)
    heads = [name_feature(feature) for feature in features]
    look: dict[str, Any] = {"subplot_titles": heads, "shared_yaxes": True, "horizontal_spacing": 0.03}
    figure, inner_px = make_grid(n_rows, _ALONE_COLUMNS, _ALONE_PX, _GAP_PX, **look)
    for number, feature in enumerate(features):
        place = {"row": number // _ALONE_COLUMNS + 1, "col": number % _ALONE_COLUMNS + 1}
        for position, dose in enumerate(doses):
            part = rows[(rows["feature"] == feature) & (rows["dose"] == dose)].sort_values("hours_before_end")
            traces = _association_traces(part, dose, position, legend=number == 0)
            figure.add_traces(traces, rows=place["row"], cols=place["col"])
        figure.add_hline(y=0.5, line={"color": COLOURS["reference"], "dash": "dot", "width": 1}, **place)
        below = number + _ALONE_COLUMNS >= len(features)
        figure.update_xaxes(autorange="reversed", title="Time before<br>the end (h)" if below else None, **place)
        figure.update_yaxes(title="AUROC" if place["col"] == 1 else None, range=[0, 1], nticks=5, **place)
    figure.update_annotations(font={"size": 12})
    n_landmarks = int((rows["n_outcome"] + rows["n_other"]).max())
    subtitle = (
        f"n = {show_count(n_landmarks, 'landmark')}, all parts; above .5 high values go with {outcome}, below .5 low "
        "ones. Bands are intervals."
    )
    return finish(figure, title, subtitle, inner_px=inner_px, legend_gap_px=80)


def _association_traces(part: pd.DataFrame, dose: str, position: int, *, legend: bool) -> list[go.Scatter]:
    """Draw the line and band of one dose; the doses apart wait for a click on the legend."""
    colour = SEQUENCE[position % len(SEQUENCE)]
    shared: dict[str, Any] = {"legendgroup": dose, "visible": True if dose == EVERYTHING else "legendonly"}
    line = go.Scatter(
        x=part["hours_before_end"],
        y=part["auroc"],
        mode="lines",
        line={"color": colour, "width": 2},
        name=name_dose(dose),
        showlegend=legend,
        customdata=part[["low", "high", "n_outcome", "n_other"]].to_numpy(),
        hovertemplate="%{x:.1f} h before: %{y:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]"
        "<br>%{customdata[2]} against %{customdata[3]} landmarks",
        **shared,
    )
    return [band(part["hours_before_end"], part["low"], part["high"], colour, **shared), line]
