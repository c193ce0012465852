"""How the training went."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.plots.theme import SEQUENCE, apply_theme, say_nothing

PANELS: Final = (
    ("Loss", (("train_loss", "training", "dot"), ("validation_log_loss", "validation", "solid"))),
    ("Balanced accuracy", (("validation_balanced_accuracy", "validation", "solid"),)),
    ("AUROC", (("validation_auroc", "validation", "solid"),)),
)
"""Title of a panel, then (column, name, line style) of its lines."""
CLOCK_PANELS: Final = (
    ("Loss", (("train_loss", "training", "dot"), ("validation_log_loss", "validation", "solid"))),
    ("Learning rate", (("learning_rate", "learning rate", "solid"),)),
)
"""The same for the fate clock."""
Panels = tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]


def plot_training(training_history: pd.DataFrame) -> go.Figure:
    """Draw loss and validation metrics of every epoch and fold; a dot marks the epoch whose weights were kept.

    Parameters
    ----------
    training_history
        One row a fold and epoch: fold, epoch, train_loss, validation_log_loss, validation_balanced_accuracy,
        validation_auroc, kept.

    Returns
    -------
    Figure
        One panel a metric, one colour a fold.
    """
    figure = _draw_history(training_history, PANELS)
    figure.update_yaxes(title_text="Cross-entropy (nats)", row=1, col=1)
    figure.update_yaxes(title_text="Score (0 to 1)", range=[0, 1.02], row=1, col=2)
    figure.update_yaxes(range=[0, 1.02], row=1, col=3)
    return apply_theme(figure, title=_write_title(training_history))


def plot_clock_training(clock_history: pd.DataFrame) -> go.Figure:
    """Draw loss and learning rate of every epoch and fold of the fate clock; a dot marks the epoch that was kept.

    Parameters
    ----------
    clock_history
        Table `ClockHistory`.

    Returns
    -------
    Figure
        Left: the negative log likelihood of competing risks. Right: the learning rate. One colour a fold.
    """
    if clock_history.empty:
        return say_nothing("Training (n = 0 epochs)", "No network was trained.")
    figure = _draw_history(clock_history, CLOCK_PANELS)
    figure.update_yaxes(title_text="Negative log likelihood (nats)", row=1, col=1)
    figure.update_yaxes(title_text="Learning rate", rangemode="tozero", exponentformat="power", row=1, col=2)
    return apply_theme(figure, title=_write_title(clock_history))


def _write_title(history: pd.DataFrame) -> str:
    n_folds, n_epochs = history["fold"].nunique(), len(history)
    return f"Training: folds n = {n_folds}, epochs n = {n_epochs} in all; the dot is the epoch kept"


def _draw_history(history: pd.DataFrame, panels: Panels) -> go.Figure:
    """Draw one panel a metric and one colour a fold; axes but the first are the caller's."""
    figure = make_subplots(rows=1, cols=len(panels), subplot_titles=[title for title, _ in panels])
    for colour, (fold, rows) in enumerate(history.groupby("fold")):
        for panel, (_, lines) in enumerate(panels, start=1):
            for column, name, dash in lines:
                line = {"color": SEQUENCE[colour % len(SEQUENCE)], "dash": dash}
                label = f"fold {fold}, {name}"
                figure.add_trace(
                    go.Scatter(
                        x=rows["epoch"],
                        y=rows[column],
                        mode="lines",
                        line=line,
                        name=label,
                        legendgroup=label,
                        showlegend=panel == 1,
                    ),
                    row=1,
                    col=panel,
                )
            _mark_kept(figure, rows[rows["kept"]], lines[-1][0], str(line["color"]), panel)
    return figure.update_xaxes(title_text="Epoch")


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
