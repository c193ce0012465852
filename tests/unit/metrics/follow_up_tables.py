"""Small tables of followed cells and of incidence, for the tests of commitments and of known hazards."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings

EVENTS = ("apoptosis", "mitosis")
INTERVAL_MIN = 30.0
FIVE_H = FollowUpSettings(report_h=(5.0,), headline_h=5.0)


def make_follow_ups(cells, interval_min=INTERVAL_MIN, guard=2):
    """Cells as (recording, cell, fate, end frame); shown from frame 0 to the guard before the end."""
    ends = [end for *_, end in cells]
    fates = [fate for _, _, fate, _ in cells]
    return pd.DataFrame(
        {
            "sample_id": [f"{recording}:{cell}" for recording, cell, *_ in cells],
            "recording_id": [recording for recording, *_ in cells],
            "cell_id": [cell for _, cell, *_ in cells],
            "group_id": [recording for recording, *_ in cells],
            "dose": "Low",
            "first_frame": 0,
            "last_frame": np.array(ends) - guard - 1,
            "n_frames": np.array(ends) - guard,
            "age_frames": np.array(ends) - guard - 1,
            "outcome": [None if fate == "censored" else fate for fate in fates],
            "event_frame": pd.array(
                [None if f == "censored" else e for f, e in zip(fates, ends, strict=True)], "Int64"
            ),
            "lead_time_h": np.nan,
            "frame_interval_min": interval_min,
            "fate": fates,
            "end_frame": ends,
        }
    )


def make_landmarks(follow_ups, n_recording_frames=1000, stride=1):
    """Landmarks at every frame that is shown."""
    rows = [
        {
            "sample_id": f"{cell.recording_id}:{cell.cell_id}:{frame}",
            **{name: getattr(cell, name) for name in ("recording_id", "cell_id", "group_id", "dose", "fate")},
            "first_frame": cell.first_frame,
            "last_frame": frame,
            "age_frames": frame - cell.first_frame,
            "frame_interval_min": cell.frame_interval_min,
            "time_h": (cell.end_frame - frame) * cell.frame_interval_min / 60,
            "watchable_h": (n_recording_frames - 1 - frame) * cell.frame_interval_min / 60,
        }
        for cell in follow_ups.itertuples()
        for frame in range(cell.first_frame, cell.last_frame + 1, stride)
    ]
    return pd.DataFrame(rows)


def make_incidence(traces, predictor="clock", part="test", fold=0, within_h=5.0):
    """Forecasts of {(recording, cell): (apoptosis by frame, mitosis by frame)}, frames from 0."""
    rows = [
        (predictor, "grouped_folds", fold, part, recording, cell, frame, within_h, a, m, 1 - a - m, np.nan)
        for (recording, cell), (apoptosis, mitosis) in traces.items()
        for frame, (a, m) in enumerate(zip(apoptosis, mitosis, strict=True))
    ]
    keys = ["predictor", "scheme", "fold", "part", "recording_id", "cell_id", "frame", "within_h"]
    return pd.DataFrame(rows, columns=[*keys, "p_apoptosis", "p_mitosis", "p_none", "expected_h"])


def make_validation(apoptosis_from, mitosis_from, predictor="clock", fold=0, cell_id=100, within_h=5.0):
    """Two validation cells, their landmarks and forecasts: the chosen thresholds are the two given ones.

    The first dies and the second divides at frame 12; up to frame 1 both are 5.5 h or more before it.
    """
    cells = [("v", cell_id, "apoptosis", 12), ("v", cell_id + 1, "mitosis", 12)]
    early, late = [False] * 2, [True] * 8  # frame 2 is 5 h before the event
    around = [np.where([*early, *late], high + 0.01, high - 0.01) for high in (apoptosis_from, mitosis_from)]
    low = [np.full(10, high - 0.01) for high in (apoptosis_from, mitosis_from)]
    traces = {("v", cell_id): (around[0], low[1]), ("v", cell_id + 1): (low[0], around[1])}
    return make_follow_ups(cells), make_incidence(traces, predictor, "validation", fold, within_h)
