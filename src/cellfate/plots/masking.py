"""Scores of which fate comes when frames are taken away."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import label_metric, list_outcomes
from cellfate.plots.theme import COLOURS, band, colour_of, finish, say_nothing, write_counts

_EXPERIMENTS: Final = {"remove_last": "Last frames removed", "keep_last": "Only the last frames kept"}
_COHORTS: Final = {"fixed": "same cells at every point", "shrinking": "all cells with a frame left"}


def plot_masking(masking_curves: pd.DataFrame) -> go.Figure:
    """Draw balanced accuracy and the recall of each outcome of shortened inputs, with the cells at each point.

    Parameters
    ----------
    masking_curves
        Table `MaskingCurves`.

    Returns
    -------
    plotly.graph_objects.Figure
        Columns: frames removed from the end, frames kept at the end. Rows: the fixed and the shrinking cohort. Under
        the points stand the numbers of cells, by outcome; dotted: one call for all.
    """
    title = "Which fate comes, with fewer frames"
    if masking_curves.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No cell of the test part was shortened.")
    filled = set(masking_curves.loc[masking_curves["n_landmarks"] > 0, "cohort"])
    cohorts = [cohort for cohort in _COHORTS if cohort in filled]
    if not cohorts:
        return say_nothing(f"{title} (n = 0 cells)", "No cell of the test part was shortened.")
    panels = [(experiment, cohort) for cohort in cohorts for experiment in _EXPERIMENTS]
    figure = make_subplots(
        len(cohorts),
        len(_EXPERIMENTS),
        subplot_titles=[f"{_EXPERIMENTS[experiment]}, {_COHORTS[cohort]}" for experiment, cohort in panels],
        vertical_spacing=0.16 if len(cohorts) > 1 else 0,
        horizontal_spacing=0.09,
    )
    for index, (experiment, cohort) in enumerate(panels):
        rows = masking_curves[(masking_curves["experiment"] == experiment) & (masking_curves["cohort"] == cohort)]
        place = (index // len(_EXPERIMENTS) + 1, index % len(_EXPERIMENTS) + 1)
        where = {"row": place[0], "col": place[1]}
        _add_panel(figure, rows, place)
        figure.update_xaxes(title_text=f"{_EXPERIMENTS[experiment]} (frames)", **where)
        marks = [0, 0.25, 0.5, 0.75, 1]
        figure.update_yaxes(title_text="Score (0 to 1)", range=[-0.24, 1.04], tickvals=marks, **where)
    total = masking_curves[masking_curves["metric"] == "balanced_accuracy"]
    gone = "" if "fixed" in filled else " No cell has a frame left at every point: there are no same cells to follow."
    subtitle = f"Test part, {write_counts(total)}, one landmark a cell; bands are intervals.{gone}"
    return finish(figure, title, subtitle, inner_px=320 * len(cohorts))


def _add_panel(figure: go.Figure, rows: pd.DataFrame, place: tuple[int, int]) -> None:
    of_calls = rows[rows["metric"] == "balanced_accuracy"]
    _add_band(figure, of_calls, COLOURS["model"], label_metric("balanced_accuracy"), place)
    outcomes = list_outcomes(rows["outcome"])
    where = {"row": place[0], "col": place[1]}
    for position, outcome in enumerate(outcomes):
        of_outcome = rows[(rows["metric"] == "recall") & (rows["outcome"] == outcome)]
        _add_band(figure, of_outcome, colour_of(outcome), label_metric("recall", outcome), place)
        figure.add_scatter(
            x=of_outcome["k_frames"],
            y=[-0.08 - 0.07 * position] * len(of_outcome),
            text=[f"{n:,}" for n in of_outcome["n_landmarks"]],
            mode="text",
            textfont={"color": colour_of(outcome), "size": 11},
            showlegend=False,
            hoverinfo="skip",
            **where,
        )
    figure.add_hline(y=1 / max(2, len(outcomes)), line={"dash": "dot", "color": COLOURS["reference"]}, **where)


def _add_band(figure: go.Figure, rows: pd.DataFrame, colour: str, name: str, place: tuple[int, int]) -> None:
    """Add a line with its interval band; gaps stay where it is undefined."""
    where = {"row": place[0], "col": place[1]}
    figure.add_trace(band(rows["k_frames"], rows["low"], rows["high"], colour, 0.13, legendgroup=name), **where)
    of_all = (rows["outcome"] == EVERYTHING).all()
    figure.add_scatter(
        x=rows["k_frames"],
        y=rows["estimate"],
        mode="lines+markers",
        line={"color": colour, "width": 2.5 if of_all else 1.7},
        name=name,
        legendgroup=name,
        showlegend=place == (1, 1),
        customdata=rows[["n_landmarks", "n_groups"]],
        hovertemplate="k = %{x}: %{y:.3f}, n = %{customdata[0]} in %{customdata[1]} groups",
        **where,
    )
