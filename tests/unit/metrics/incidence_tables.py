"""Small tables of landmarks and of incidence for the tests of incidence scores."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings

EVENTS = ("apoptosis", "mitosis")
FOLLOW_UP = FollowUpSettings(report_h=(2.0, 5.0, 10.0), headline_h=5.0)
FIVE_H = FollowUpSettings(report_h=(5.0,), headline_h=5.0)


def list_landmarks(time_h, fates, groups, watchable_h=100.0, doses=None):
    """One landmark a cell, in frame 0."""
    n = len(time_h)
    return pd.DataFrame(
        {
            "sample_id": [f"r{g}:{i}:0" for i, g in enumerate(groups)],
            "recording_id": [f"r{g}" for g in groups],
            "cell_id": range(n),
            "group_id": [str(g) for g in groups],
            "dose": doses if doses is not None else "Control",
            "first_frame": 0,
            "last_frame": 0,
            "age_frames": 0,
            "frame_interval_min": 20.0,
            "fate": fates,
            "time_h": np.asarray(time_h, float),
            "watchable_h": watchable_h,
        }
    )


def forecast(landmarks, incidence_nhe, follow_up=FOLLOW_UP, predictor="clock", part="test", fold=0):
    """Table `Incidence` of (n, horizons, events) probabilities."""
    blocks = [
        pd.DataFrame(
            {
                "predictor": predictor,
                "scheme": "grouped_folds",
                "fold": fold,
                "part": part,
                "recording_id": landmarks["recording_id"].to_numpy(),
                "cell_id": landmarks["cell_id"].to_numpy(),
                "frame": landmarks["last_frame"].to_numpy(),
                "within_h": within_h,
                "p_apoptosis": incidence_nhe[:, h, 0],
                "p_mitosis": incidence_nhe[:, h, 1],
                "p_none": 1 - incidence_nhe[:, h].sum(axis=1),
                "expected_h": np.nan,
            }
        )
        for h, within_h in enumerate(follow_up.report_h)
    ]
    return pd.concat(blocks, ignore_index=True)


def simulate(n=300, n_groups=12, seed=0, censored=True, frame_h=1 / 3, doses=("Low", "High"), knows=1.0):
    """Landmarks of cells with constant hazards, and their true incidence (or, by `knows` below 1, a blurred one).

    Times are whole frames. Cells are lost at random, and recordings end.
    """
    rng = np.random.default_rng(seed)
    groups = np.arange(n) % n_groups
    rate_ne = np.exp(rng.normal(np.log([0.06, 0.08]), 0.8, (n, 2)))
    total_n = rate_ne.sum(axis=1)
    event_h = np.ceil(rng.exponential(1 / total_n) / frame_h)
    which = np.where(rng.random(n) < rate_ne[:, 0] / total_n, "apoptosis", "mitosis")
    lost_h = np.ceil(rng.exponential(12.0, n) / frame_h) if censored else np.full(n, np.inf)
    watchable = np.ceil(rng.uniform(1, 30, n) / frame_h) if censored else np.full(n, 1e6)
    end = np.minimum(np.minimum(event_h, lost_h), watchable)
    fates = np.where(event_h <= end, which, "censored")
    landmarks = list_landmarks(
        end * frame_h, fates, groups, watchable * frame_h, np.array(doses)[groups % len(doses)]
    ).assign(true_h=event_h * frame_h, true_fate=which)
    known_ne = np.exp(knows * np.log(rate_ne) + (1 - knows) * np.log(0.07))
    happened_nh = 1 - np.exp(-known_ne.sum(axis=1)[:, None] * np.array(FOLLOW_UP.report_h))
    return landmarks, happened_nh[:, :, None] * (known_ne / known_ne.sum(axis=1, keepdims=True))[:, None]
