"""How well single features tell the outcomes apart, hour by hour."""

from math import ceil
from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.tables import EVERYTHING
from cellfate.plots.attention_statistics import label_of
from cellfate.plots.theme import COLOURS, SEQUENCE, apply_theme, say_nothing, translucent
from cellfate.plots.words import order_doses

COLUMNS: Final = 4
PANEL_PX: Final = 170


def plot_feature_association(feature_association: pd.DataFrame) -> go.Figure:
    """Draw the area under the ROC curve of each feature alone over hours, with its band: a panel a feature.

    All doses together are shown; a dose is added by a click on the legend. Of three outcomes the first is drawn.

    Parameters
    ----------
    feature_association
        Table `FeatureAssociation`.
    """
    rows = feature_association.dropna(subset=["auroc"])
    if rows.empty:
        return say_nothing("How single features go with the outcome", "No feature has enough samples in any hour.")
    outcome = rows["outcome"].iloc[0]
    rows = rows[rows["outcome"] == outcome]
    features = list(dict.fromkeys(rows["feature"]))
    doses = [EVERYTHING, *order_doses(set(rows["dose"]) - {EVERYTHING})]
    n_rows = ceil(len(features) / COLUMNS)
    titles = [label_of(feature, unit=False) for feature in features]
    figure = make_subplots(
        n_rows,
        COLUMNS,
        subplot_titles=titles,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.32 / max(n_rows, 1),
    )
    for number, feature in enumerate(features):
        place = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        for position, dose in enumerate(doses):
            part = rows[(rows["feature"] == feature) & (rows["dose"] == dose)].sort_values("hours_before_end")
            figure.add_traces(_band(part, dose, position, legend=number == 0), rows=place["row"], cols=place["col"])
        figure.add_hline(y=0.5, line={"color": COLOURS["reference"], "dash": "dot", "width": 1}, **place)
        below = number + COLUMNS >= len(features)
        figure.update_xaxes(autorange="reversed", title="Hours before the end" if below else None, **place)
        figure.update_yaxes(title="AUROC" if place["col"] == 1 else None, range=[0, 1], nticks=5, **place)
    figure.update_annotations(font={"size": 12})
    n_samples = int((rows["n_outcome"] + rows["n_other"]).max())
    title = (
        f"How single features go with {outcome}: above .5 high values do, below .5 low ones (n = {n_samples} samples)"
    )
    apply_theme(figure, title=title, height_px=150 + PANEL_PX * n_rows)
    return figure.update_layout(margin={"t": 80}, legend={"y": -70 / (PANEL_PX * n_rows)})


def _band(part: pd.DataFrame, dose: str, position: int, *, legend: bool) -> list[go.Scatter]:
    """Draw the line and band of one dose; the doses apart wait for a click on the legend."""
    colour = SEQUENCE[position % len(SEQUENCE)]
    shared = {"legendgroup": dose, "visible": True if dose == EVERYTHING else "legendonly"}
    hours, banded = part["hours_before_end"], part.dropna(subset=["low", "high"])
    edge = list(banded["hours_before_end"])
    band = go.Scatter(
        x=edge + edge[::-1],
        y=list(banded["high"]) + list(banded["low"])[::-1],
        fill="toself",
        fillcolor=translucent(colour, 0.18),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        **shared,
    )
    line = go.Scatter(
        x=hours,
        y=part["auroc"],
        mode="lines",
        line={"color": colour, "width": 2},
        name="all doses" if dose == EVERYTHING else dose,
        showlegend=legend,
        customdata=part[["low", "high", "n_outcome", "n_other"]].to_numpy(),
        hovertemplate="%{x:.1f} h before: %{y:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]"
        "<br>%{customdata[2]} against %{customdata[3]} samples",
        **shared,
    )
    return [band, line]
