"""How the training of either model went."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.words import show_count
from cellfate.plots.theme import SEQUENCE, finish, say_nothing

LOSSES: Final = (("train_loss", "training", "dot"), ("validation_log_loss", "validation", "solid"))
"""Column, name and line style of the lines of the first panel."""
PANELS: Final = {
    "validation_balanced_accuracy": "Balanced accuracy (0 to 1)",
    "validation_auroc": "AUROC (0 to 1)",
    "learning_rate": "Learning rate",
}
"""Column and axis title of the other panels; those that the history lacks are left out."""


def plot_training(training_history: pd.DataFrame) -> go.Figure:
    """Draw loss, validation scores and learning rate of every epoch and fold; a dot marks the epoch that was kept.

    Parameters
    ----------
    training_history
        Table `TrainingHistory`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a measure, one colour a fold.
    """
    if training_history.empty:
        return say_nothing("Training (n = 0 epochs)", "No network was trained.")
    known = [name for name in PANELS if name in training_history and training_history[name].notna().any()]
    figure = make_subplots(rows=1, cols=1 + len(known), horizontal_spacing=0.09)
    for colour, (fold, rows) in enumerate(training_history.groupby("fold")):
        for column, name, dash in LOSSES:
            line = {"color": SEQUENCE[colour % len(SEQUENCE)], "dash": dash}
            label = f"fold {fold}, {name}"
            figure.add_scatter(x=rows["epoch"], y=rows[column], mode="lines", line=line, name=label, row=1, col=1)
        _mark_kept(figure, rows[rows["kept"]], LOSSES[-1][0], str(line["color"]), 1)
        for panel, name in enumerate(known, start=2):
            figure.add_scatter(
                x=rows["epoch"],
                y=rows[name],
                mode="lines",
                line=line,
                name=f"fold {fold}",
                showlegend=False,
                row=1,
                col=panel,
            )
            _mark_kept(figure, rows[rows["kept"]], name, str(line["color"]), panel)
    for panel, name in enumerate(known, start=2):
        limits = {"rangemode": "tozero", "exponentformat": "power"} if name == "learning_rate" else {"range": [0, 1.02]}
        figure.update_yaxes(title_text=PANELS[name], row=1, col=panel, **limits)
    figure.update_xaxes(title_text="Epoch").update_yaxes(title_text="Loss (nats)", row=1, col=1)
    n_folds = show_count(training_history["fold"].nunique(), "fold")
    subtitle = f"n = {n_folds}, {show_count(len(training_history), 'epoch')} in all; the dot is the epoch kept."
    legend_rows = 1 + training_history["fold"].nunique() // 3
    return finish(figure, "Training", subtitle, inner_px=280, legend_rows=legend_rows, heads=False)


def _mark_kept(figure: go.Figure, kept: pd.DataFrame, column: str, colour: str, panel: int) -> None:
    marks = go.Scatter(
        x=kept["epoch"],
        y=kept[column],
        mode="markers",
        marker={"color": colour, "size": 10},
        showlegend=False,
        hovertemplate="kept: epoch %{x}, %{y:.3f}<extra></extra>",
    )
    figure.add_trace(marks, row=1, col=panel)
