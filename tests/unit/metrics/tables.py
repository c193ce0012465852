"""Small tables with known answers for the tests of this room."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Forecasts

EVENTS = ("apoptosis", "mitosis")
INTERVAL_MIN = 30.0
FOLLOW_UP = FollowUpSettings(report_h=(2.0, 5.0, 10.0), headline_h=5.0)
FIVE_H = FollowUpSettings(report_h=(5.0,), headline_h=5.0)


def make_landmarks(n, **columns):
    """One landmark a cell, in frame 0, at which nothing is asked; `columns` replace what is made up."""
    groups = columns.pop("groups", [str(i) for i in range(n)])
    table = {
        "recording_id": [f"r{group}" for group in groups],
        "cell_id": range(n),
        "group_id": [str(group) for group in groups],
        "dose": "Control",
        "first_frame": 0,
        "last_frame": 0,
        "n_frames": 1,
        "age_frames": 0,
        "frame_interval_min": INTERVAL_MIN,
        "fate": "censored",
        "event_frame": pd.NA,
        "time_h": 1.5,
        "watchable_h": 100.0,
        "regular": False,
        "last": False,
    }
    made = pd.DataFrame({**table, **columns}).astype({"event_frame": "Int64"})
    names = made["recording_id"] + ":" + made["cell_id"].astype(str) + ":" + made["last_frame"].astype(str)
    return made.assign(landmark_id=names)


def fated(fates, groups=None, doses=None, n_frames=30, interval_min=INTERVAL_MIN):
    """Last landmarks of cells whose fate was seen, two frames after the last one shown: which fate comes?"""
    n, lengths = len(fates), np.broadcast_to(n_frames, len(fates))
    return make_landmarks(
        n,
        groups=groups if groups is not None else list(range(n)),
        dose=list(doses) if doses is not None else "Control",
        fate=list(fates),
        last_frame=lengths - 1,
        n_frames=lengths,
        age_frames=lengths - 1,
        event_frame=lengths + 2,
        frame_interval_min=interval_min,
        last=True,
    )


def say_which(landmarks, p_apoptosis, predictor="classifier", part="test", fold=0):
    """Forecasts of which fate comes."""
    p = np.asarray(p_apoptosis, dtype=float)
    return _forecasts(landmarks, np.stack([p, 1 - p], axis=1), predictor, part, fold, np.nan)


def watched(time_h, fates, groups, watchable_h=100.0, doses=None):
    """Regular landmarks of cells in frame 0: what comes within some hours?"""
    return make_landmarks(
        len(time_h),
        groups=groups,
        dose=doses if doses is not None else "Control",
        fate=fates,
        frame_interval_min=20.0,
        time_h=np.asarray(time_h, float),
        watchable_h=watchable_h,
        regular=True,
    )


def forecast(landmarks, incidence_nhe, follow_up=FOLLOW_UP, predictor="network", part="test", fold=0):
    """Forecasts of (n, horizons, events) probabilities."""
    blocks = [
        _forecasts(landmarks, incidence_nhe[:, h], predictor, part, fold, within_h)
        for h, within_h in enumerate(follow_up.report_h)
    ]
    return pd.concat(blocks, ignore_index=True)


def _forecasts(landmarks, p_ne, predictor, part, fold, within_h):
    cells = {"recording_id": landmarks["recording_id"], "cell_id": landmarks["cell_id"]}
    table = pd.DataFrame(
        {
            "predictor": predictor,
            "scheme": "grouped_folds",
            "fold": fold,
            "part": part,
            **{name: column.to_numpy() for name, column in cells.items()},
            "frame": landmarks["last_frame"].to_numpy(),
            "within_h": within_h,
            "p_apoptosis": p_ne[:, 0],
            "p_mitosis": p_ne[:, 1],
            "p_none": 0.0 if np.isnan(within_h) else 1 - p_ne.sum(axis=1),
            "expected_h": np.nan,
        }
    )
    return Forecasts.validate(table) if np.isfinite(p_ne).all() and (table["p_none"] >= 0).all() else table


def simulate_fates(n=400, n_groups=20, seed=0, strength=1.5, doses=("Low", "High"), group_spread=0.0):
    """Cells whose fate was seen, and probabilities of apoptosis that know something of it."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(n_groups, size=n)
    truth = rng.random(n) < 0.4
    shift = rng.normal(0, group_spread, n_groups)[groups]
    logit = strength * (truth - 0.5) + rng.normal(size=n) + shift
    landmarks = fated(
        np.where(truth, "apoptosis", "mitosis"),
        groups=[f"g{g:02d}" for g in groups],
        doses=np.array(doses)[groups % len(doses)],
        n_frames=rng.integers(10, 70, n),
    )
    return landmarks, 1 / (1 + np.exp(-logit))


def simulate_hazards(n=300, n_groups=12, seed=0, censored=True, frame_h=1 / 3, doses=("Low", "High"), knows=1.0):
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
    landmarks = watched(end * frame_h, fates, groups, watchable * frame_h, np.array(doses)[groups % len(doses)]).assign(
        true_h=event_h * frame_h, true_fate=which
    )
    known_ne = np.exp(knows * np.log(rate_ne) + (1 - knows) * np.log(0.07))
    happened_nh = 1 - np.exp(-known_ne.sum(axis=1)[:, None] * np.array(FOLLOW_UP.report_h))
    return landmarks, happened_nh[:, :, None] * (known_ne / known_ne.sum(axis=1, keepdims=True))[:, None]


def half_die(n_groups=10, seed=0):
    """A thousand cells of which half die and half divide; nobody is lost.

    100 divide at 1 h, 365 die at 2 h, 347 divide at 3 h, and after 5 h 135 die and 53 divide: by 5 h .447 have divided.
    If those that die were lost where they die, it would be 1 - .9 * (1 - 347 / 535) = .684.
    """
    time_h = np.repeat([1.0, 2.0, 3.0, 8.0, 8.5], [100, 365, 347, 135, 53])
    fates = np.repeat(["mitosis", "apoptosis", "mitosis", "apoptosis", "mitosis"], [100, 365, 347, 135, 53])
    groups = np.random.default_rng(seed).permutation(np.arange(1000) % n_groups)
    return watched(time_h, fates, groups)


def make_follow_ups(cells, interval_min=INTERVAL_MIN, guard=2):
    """Cells as (recording, cell, fate, end frame); shown from frame 0 to the guard before the end."""
    ends = np.array([end for *_, end in cells])
    fates = [fate for _, _, fate, _ in cells]
    return pd.DataFrame(
        {
            "recording_id": [recording for recording, *_ in cells],
            "cell_id": [cell for _, cell, *_ in cells],
            "group_id": [recording for recording, *_ in cells],
            "dose": "Low",
            "first_frame": 0,
            "last_frame": ends - guard - 1,
            "n_frames": ends - guard,
            "fate": fates,
            "event_frame": pd.array(
                [None if f == "censored" else e for f, e in zip(fates, ends, strict=True)], "Int64"
            ),
            "end_frame": ends,
            "frame_interval_min": interval_min,
            "recording_frames": 1000,
        }
    )


def landmarks_of(follow_ups):
    """Regular landmarks at every frame that is shown."""
    frames = follow_ups.loc[follow_ups.index.repeat(follow_ups["n_frames"])].reset_index(drop=True)
    frame = frames.groupby(["recording_id", "cell_id"]).cumcount().to_numpy()
    hours = frames["frame_interval_min"] / 60
    table = frames.drop(columns=["end_frame", "recording_frames"]).assign(
        last=frame == frames["last_frame"],
        last_frame=frame,
        n_frames=frame + 1,
        age_frames=frame,
        time_h=(frames["end_frame"] - frame) * hours,
        watchable_h=(frames["recording_frames"] - 1 - frame) * hours,
        regular=True,
    )
    names = table["recording_id"] + ":" + table["cell_id"].astype(str) + ":" + table["last_frame"].astype(str)
    return table.assign(landmark_id=names)


def make_traces(traces, predictor="network", part="test", fold=0, within_h=5.0):
    """Forecasts of {(recording, cell): (apoptosis by frame, mitosis by frame)}, frames from 0."""
    rows = [
        (predictor, "grouped_folds", fold, part, recording, cell, frame, within_h, a, m, 1 - a - m, np.nan)
        for (recording, cell), (apoptosis, mitosis) in traces.items()
        for frame, (a, m) in enumerate(zip(apoptosis, mitosis, strict=True))
    ]
    keys = ["predictor", "scheme", "fold", "part", "recording_id", "cell_id", "frame", "within_h"]
    return pd.DataFrame(rows, columns=[*keys, "p_apoptosis", "p_mitosis", "p_none", "expected_h"])
