"""What stands under the frames of an example cell: attention, Shapley values, and what was measured of the cell."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.plots.filmstrip import StripCurve, StripPanel

FloatArray = NDArray[np.float64]

USUAL: Final = (0.05, 0.95)
"""Quantiles over all cells and frames that are drawn as 0 and 1."""
REPORTER: Final = "intensity_"


@dataclass(frozen=True, eq=False)
class ExplanationTables:
    """What is known of the example cells besides their frames.

    Attributes
    ----------
    attention, shapley
        Tables `Attention` and `Attributions` (and `window_h`, `explained_outcome`).
    frame_features
        Table `FrameFeatures`.
    relevance
        What each pixel speaks for, (T, C, H, W) in logits, by sample_id; samples without one are drawn without.
    """

    attention: pd.DataFrame
    shapley: pd.DataFrame
    frame_features: pd.DataFrame
    relevance: dict[str, NDArray[np.float32]]


def build_panels(tables: ExplanationTables, sample: pd.Series) -> tuple[StripPanel, ...]:
    """Build the panels of one example cell, from top to bottom.

    Parameters
    ----------
    tables
        Explanations and measurements.
    sample
        A row of `Samples`.
    """
    return (
        _show_attention(tables.attention, sample),
        _show_shapley(tables.shapley, sample),
        _show_reporters(tables.frame_features, sample),
    )


def hours_to_last(frames: ArrayLike, sample: pd.Series) -> FloatArray:
    """Compute the hours of frames, counted from the last frame shown: 0 there, earlier ones negative."""
    from_last = np.asarray(frames, dtype=np.float64) - int(sample["last_frame"])
    return np.asarray(from_last * (float(sample["frame_interval_min"]) / 60), dtype=np.float64)


def _show_attention(attention: pd.DataFrame, sample: pd.Series) -> StripPanel:
    """Draw the attention of every frame, and its mean as a dotted line."""
    paid = attention[attention["sample_id"] == sample["sample_id"]].sort_values("frame")
    shares = paid["attention"].to_numpy(dtype=np.float64)
    mean = float(shares.mean()) if len(shares) else np.nan
    curve = StripCurve("attention", hours_to_last(paid["frame"], sample), shares, threshold=mean, filled=True)
    return StripPanel("attention", (curve,), height_px=50, legend=False)


def _show_shapley(shapley: pd.DataFrame, sample: pd.Series) -> StripPanel:
    """Draw the Shapley value of each channel as a step a window; without values the panel is empty and says so."""
    rows = shapley[shapley["sample_id"] == sample["sample_id"]].sort_values("window_first_frame")
    curves = []
    for channel, part in rows.groupby("channel", sort=False):
        starts, ends = part["window_first_frame"] - 0.5, part["window_last_frame"] + 0.5
        edges = np.column_stack([starts, ends]).ravel()
        hours = hours_to_last(edges, sample)
        curves.append(StripCurve(str(channel), hours, np.repeat(part["value"].to_numpy(dtype=np.float64), 2)))
    title = "Shapley<br>(logit)" if curves else "Shapley<br>(none)"
    return StripPanel(title, tuple(curves), height_px=70)


def _show_reporters(frame_features: pd.DataFrame, sample: pd.Series) -> StripPanel:
    """Draw the intensity of each channel, scaled alike for all cells: 0 and 1 are the usual ends over all of them."""
    is_cell = (frame_features["recording_id"] == sample["recording_id"]) & (
        frame_features["cell_id"] == sample["cell_id"]
    )
    shown = frame_features["frame"].between(sample["first_frame"], sample["last_frame"])
    rows = frame_features[is_cell & shown].sort_values("frame")
    curves = [
        StripCurve(
            str(column).removeprefix(REPORTER),
            hours_to_last(rows["frame"], sample),
            _scale(rows[column], frame_features[column]),
        )
        for column in frame_features.columns
        if str(column).startswith(REPORTER)
    ]
    return StripPanel("reporters<br>(5-95 %)", tuple(curves), height_px=70)


def _scale(values: pd.Series, everywhere: pd.Series) -> FloatArray:
    """Scale values so that the usual ends over all cells are 0 and 1; NaN where all cells are alike."""
    low, high = everywhere.quantile(list(USUAL))
    width = high - low if high > low else np.nan
    return np.asarray((values - low) / width, dtype=np.float64)
