"""Example cells for the film strips: which ones, and their frames read from the crop store."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.predictors import MODEL
from cellfate.crops.store import CropStore
from cellfate.plots.filmstrip import FilmStrip
from cellfate.report.settings import ReportSettings
from cellfate.report.strip_panels import ExplanationTables, build_panels, hours_to_last

KINDS = (
    ("right and sure", True, False),
    ("right and unsure", True, True),
    ("wrong and unsure", False, False),
    ("wrong and sure", False, True),
)
"""Kind of example, whether the call is right, whether the smallest probability of the true outcome comes first."""


def choose_examples(
    predictions: pd.DataFrame, samples: pd.DataFrame, attention: pd.DataFrame, predictor: str = MODEL
) -> pd.DataFrame:
    """Choose for each outcome the surest and the least sure sample among the right ones, and among the wrong ones.

    The rule leaves no room for picking: it looks at nothing but the probability of the true outcome. Each cell is shown
    at most once.

    Parameters
    ----------
    predictions
        Table `Predictions`; only the test part of `predictor` is looked at.
    samples
        Table `Samples`.
    attention
        Table `Attention`; samples whose attention was not read are left out.
    predictor
        Name of the predictor whose calls are shown.

    Returns
    -------
    pandas.DataFrame
        Columns of `samples` and of the prediction, `p_true` (probability of the true outcome) and `kind`, ordered by
        kind and outcome.
    """
    tested = predictions.query("predictor == @predictor and part == 'test'").merge(samples, on="sample_id")
    explained = tested[tested["sample_id"].isin(attention["sample_id"])]
    tested = _with_p_true(explained.dropna(subset=["outcome"]))
    cell = pd.MultiIndex.from_frame(tested[["recording_id", "cell_id"]])
    right = tested["call"] == tested["outcome"]
    chosen: list[pd.DataFrame] = [tested.head(0).assign(kind=pd.Series(dtype=str))]
    for kind, is_right, ascending in KINDS:
        for outcome in listed_outcomes(tested.columns):
            taken = pd.MultiIndex.from_frame(pd.concat(chosen)[["recording_id", "cell_id"]])
            pool = tested[(right == is_right) & (tested["outcome"] == outcome) & ~cell.isin(taken)]
            ordered = pool.sort_values(["p_true", "sample_id"], ascending=[ascending, True])
            chosen.append(ordered.head(1).assign(kind=kind))
    return pd.concat(chosen, ignore_index=True)


def build_film_strips(
    crops: CropStore, examples: pd.DataFrame, explained: ExplanationTables, settings: ReportSettings
) -> list[FilmStrip]:
    """Read the frames of the chosen cells, evenly spaced in time and ending at the last frame of the input.

    Parameters
    ----------
    crops
        Crop store.
    examples
        What `choose_examples` returned.
    explained
        What stands under the frames.
    settings
        How many frames to draw.

    Returns
    -------
    list of FilmStrip
        One a row of `examples`, in its order.
    """
    return [_build_film_strip(crops, row, explained, settings) for _, row in examples.iterrows()]


def _build_film_strip(
    crops: CropStore, sample: pd.Series, explained: ExplanationTables, settings: ReportSettings
) -> FilmStrip:
    return FilmStrip(
        kind=sample["kind"],
        outcome=sample["outcome"],
        title=describe_example(sample),
        **read_frames(crops, sample, settings, explained.relevance.get(sample["sample_id"])),
        panels=build_panels(explained, sample),
    )


def read_frames(
    crops: CropStore, sample: pd.Series, settings: ReportSettings, relevance_tchw: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Read the frames of a film strip, evenly spaced and ending at the last frame shown, as fields of `FilmStrip`.

    Parameters
    ----------
    crops
        Crop store.
    sample
        A row of `Samples` or `FollowUps`.
    settings
        How many frames to draw.
    relevance_tchw
        What each pixel speaks for, of all frames of the sample.
    """
    first, last = int(sample["first_frame"]), int(sample["last_frame"])
    sequence = crops.read(sample["recording_id"], int(sample["cell_id"]), first, last)
    step = -(-(last - first + 1) // settings.frames_per_strip)
    drawn = (last - sequence.frame_numbers_t) % step == 0
    return {
        "channels": tuple(crops.channels),
        "frames_tchw": sequence.frames_tchw[drawn],
        "inside_thw": sequence.inside_thw[drawn],
        "hours_t": hours_to_last(sequence.frame_numbers_t[drawn], sample),
        "step_h": step * float(sample["frame_interval_min"]) / 60,
        "relevance_tchw": None if relevance_tchw is None else relevance_tchw[drawn],
    }


def describe_example(sample: pd.Series) -> str:
    """Title of a film strip: which cell, what followed and when, and what the model said."""
    gave = f"the model gave {sample['outcome']} {sample['p_true']:.2f}"
    return write_title(sample, sample["kind"], _outcome_words(sample), gave)


def write_title(sample: pd.Series, heading: str, followed: str, gave: str) -> str:
    """Write the three lines over a film strip: why it is shown and what followed, what was forecast, which cell it is.

    Parameters
    ----------
    sample
        A row of `Samples` or `FollowUps`.
    heading, followed, gave
        Why the cell is shown, what really followed, and what was forecast.
    """
    where = f"recording {sample['recording_id']}, cell {sample['cell_id']}, dose {sample['dose']}"
    return f"<b>{heading}</b>: {followed}<br>{gave}<br><span style='color:#5b6672'>{where}</span>"


def _outcome_words(sample: pd.Series) -> str:
    if pd.isna(sample["lead_time_h"]) or sample["outcome"] == "none":
        return f"outcome {sample['outcome']}"
    return f"{sample['outcome']} {sample['lead_time_h']:.1f} h after the last frame used"


def _with_p_true(tested: pd.DataFrame) -> pd.DataFrame:
    p_true = pd.Series(np.nan, index=tested.index)
    for outcome in listed_outcomes(tested.columns):
        p_true = p_true.where(tested["outcome"] != outcome, tested[probability_column(outcome)])
    return tested.assign(p_true=p_true)
