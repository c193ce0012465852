"""What boosted hazards see of a landmark: its last hours in measurements, its age, and whether it was born."""

import numpy as np
import pandas as pd

from cellfate.features.summaries import summarise_history


def describe_landmarks(frame_features: pd.DataFrame, landmarks: pd.DataFrame, history_h: float) -> pd.DataFrame:
    """Build the inputs of boosted hazards; nothing after a landmark is looked at.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    landmarks
        Table `Landmarks`, or one with its columns `recording_id`, `cell_id`, `first_frame` (of the cell), `last_frame`
        (the landmark) and `frame_interval_min`.
    history_h
        Hours before the landmark that the features are summarised over, whatever the frame interval.

    Returns
    -------
    pandas.DataFrame of float64
        One row a landmark, in the order and with the index of `landmarks`: the columns of `summarise_history`,
        then `age_h` (hours since the track began) and `born_in_view` (1 when the track began after the first frame of
        the recording, so that its age counts from a division or from its entry; else 0).
    """
    hours_per_frame = landmarks["frame_interval_min"].to_numpy(np.float64) / 60
    first = landmarks["first_frame"].to_numpy(np.int64)
    age_h = (landmarks["last_frame"].to_numpy(np.int64) - first) * hours_per_frame
    summaries = summarise_history(frame_features, landmarks, history_h)
    return summaries.assign(age_h=age_h, born_in_view=(first > 0).astype(np.float64))
