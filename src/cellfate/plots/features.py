"""Measured features: over time, alone against what followed, and in the frames of much attention."""

from math import ceil
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, EVERYTHING, FRAME
from cellfate.core.words import list_outcomes, name_dose, name_feature, order_doses, show_count
from cellfate.plots.aligned_time import band_traces, choose_alignment, count_back, quartiles_by
from cellfate.plots.theme import COLOURS, SEQUENCE, band, colour_of, finish, make_grid, say_nothing, whiskers

_SIGNIFICANT: Final = 0.05
_EFFECT_BANDS: Final = (
    (0.0, 0.147, "negligible", "#f4f5f7"),
    (0.147, 0.33, "small", "#e9ecf0"),
    (0.33, 0.474, "medium", "#dde2e8"),
    (0.474, 1.0, "large", "#d0d7df"),
)
"""Sizes of |Cliff's delta| (Romano et al. 2006), with a shade each."""
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


def plot_effect_sizes(attention_summary: pd.DataFrame, training_summary: pd.DataFrame) -> go.Figure:
    """Draw the median Cliff's delta of every feature per outcome, all doses together, over bands of effect size.

    A filled dot is a delta that masks of other cells do not give (p_swap_corrected at most .05); an open one is not, or
    untested. Cells that the model was trained on stand apart, as diamonds, and wait for a click on the legend.

    Parameters
    ----------
    attention_summary, training_summary
        Tables `AttentionSummary` of test and of training cells.
    """
    title = "What differs in the frames of most attention"
    pooled, trained = (
        table[table["dose"] == EVERYTHING].dropna(subset=["median_delta"])
        for table in (attention_summary, training_summary)
    )
    features = list(dict.fromkeys(pooled["feature"]))
    if not features:
        return say_nothing(f"{title} (n = 0 cells)", "No cell is long enough to be compared.")
    outcomes = list_outcomes(pooled["outcome"])
    figure = go.Figure()
    for low, high, name, shade in _EFFECT_BANDS:
        for left, right in ((low, high), (-high, -low)):
            figure.add_vrect(x0=left, x1=right, fillcolor=shade, line_width=0, layer="below")
        middle = {"x": (low + high) / 2, "y": 1.0, "yref": "paper", "yanchor": "bottom"}
        figure.add_annotation(text=name, showarrow=False, font={"size": 11}, **middle)
    for table, is_trained in ((pooled, False), (trained, True)):
        for position, outcome in enumerate(outcomes):
            part = table[(table["outcome"] == outcome) & table["feature"].isin(features)]
            shift = 0.3 * (position - (len(outcomes) - 1) / 2)
            figure.add_trace(_effect_dots(part, features, outcome, shift, is_trained=is_trained))
    figure.add_vline(x=0, line={"color": COLOURS["reference"], "width": 1})
    figure.update_xaxes(title="Median Cliff's delta: frames of most attention against the rest", range=[-1, 1])
    names, places = [name_feature(feature) for feature in features], list(range(len(features)))
    figure.update_yaxes(tickvals=places, ticktext=names, range=[len(features) - 0.5, -0.5])
    most = int(pooled.groupby("outcome")["n_cells"].max().sum())
    subtitle = (
        f"n = {show_count(most, 'cell')} of the test part; filled: corrected p at most .05 against masks of others."
    )
    return finish(figure, title, subtitle, inner_px=42 * len(features), left_px=170)


def _effect_dots(
    part: pd.DataFrame, features: list[str], outcome: str, shift: float, *, is_trained: bool
) -> go.Scatter:
    """Dots with intervals of one outcome, beside those of the others."""
    colour = colour_of(outcome)
    found = part["p_swap_corrected"].notna() & (part["p_swap_corrected"] <= _SIGNIFICANT)
    symbol = "diamond" if is_trained else "circle"
    n_cells = int(part["n_cells"].max()) if len(part) else 0
    return go.Scatter(
        x=part["median_delta"],
        y=[features.index(feature) + shift for feature in part["feature"]],
        mode="markers",
        name=f"{outcome} (n = {n_cells} cells){', trained on' if is_trained else ''}",
        visible="legendonly" if is_trained else True,
        marker={"size": 9, "color": colour, "symbol": [symbol if yes else f"{symbol}-open" for yes in found]},
        error_x=whiskers(part, "median_delta", colour),
        customdata=part[["feature", "low", "high", "p_swap_corrected", "n_cells"]].to_numpy(),
        hovertemplate="%{customdata[0]}: %{x:.2f} [%{customdata[1]:.2f}, %{customdata[2]:.2f}], "
        "corrected p %{customdata[3]:.3f}, n = %{customdata[4]}<extra></extra>",
    )
