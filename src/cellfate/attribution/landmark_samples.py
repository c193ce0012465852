"""Landmarks of the fate clock as samples: the frames the network sees at each, and what followed within the horizon."""

import numpy as np
import pandas as pd

from cellfate.attribution.explained_models import ClockView
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.fates import CENSORED, NONE
from cellfate.core.tables import Samples
from cellfate.crops.store import CropStore
from cellfate.models.settings import reach_frames
from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED, label_bins, number_events

CELL = ["recording_id", "cell_id"]


def sample_landmarks(crops: CropStore, landmarks: pd.DataFrame, clock: ClockView) -> pd.DataFrame:
    """Describe landmarks as samples that end at the landmark and reach back as far as the network sees.

    Parameters
    ----------
    crops
        Says in which frames each cell was tracked.
    landmarks
        Table `Landmarks`.
    clock
        The fate clock with its horizon.

    Returns
    -------
    pandas.DataFrame
        Table `Samples`, the rows of `landmarks`, with `time_h`. `first_frame` is the first that the network sees;
        `age_frames` counts from the first tracked one. `outcome` is the event that followed within the horizon, or
        none; null where the cell was lost before, or the recording ends too early to ask.
    """
    reach = reach_frames(clock.model.config.architecture)
    shown = [
        _shown_frames(crops.frame_numbers(str(recording_id), int(str(cell_id))), rows, reach)
        for (recording_id, cell_id), rows in landmarks.groupby(CELL, sort=False)
    ]
    first = pd.concat(shown).reindex(landmarks.index)
    frames_a_h = 60 / landmarks["frame_interval_min"]
    event_n = landmarks["last_frame"] + (landmarks["time_h"] * frames_a_h).round().astype(int)
    fated_n = landmarks["fate"] != CENSORED
    columns = ["sample_id", *CELL, "group_id", "dose", "last_frame", "age_frames", "frame_interval_min", "time_h"]
    return Samples.validate(
        landmarks[columns].assign(
            first_frame=first["first_frame"],
            n_frames=first["n_frames"],
            outcome=outcomes_within(landmarks, clock.model.config.follow_up.events, clock.horizon_h),
            event_frame=event_n.astype("Int64").where(fated_n),
            lead_time_h=landmarks["time_h"].where(fated_n),
        )
    ).reset_index(drop=True)


def outcomes_within(landmarks: pd.DataFrame, events: tuple[str, ...], horizon_h: float) -> "pd.Series[str]":
    """Say what followed each landmark within some hours: an event, `none`, or null where that was not seen."""
    edges_h = (0.0, horizon_h)
    label_n = label_bins(landmarks["time_h"], number_events(landmarks["fate"], events), edges_h)[:, 0]
    asked_n = label_bins(landmarks["watchable_h"], np.zeros(len(landmarks), dtype=np.int64), edges_h)[:, 0]
    names = {EVENT_FREE: NONE, UNOBSERVED: None, **dict(enumerate(events, start=1))}
    outcomes = pd.Series(label_n, index=landmarks.index).map(names).astype(object)
    return outcomes.where(asked_n != UNOBSERVED, None)


def choose_landmarks(samples: pd.DataFrame, horizon_h: float, explanation: ExplanationSettings) -> pd.DataFrame:
    """Choose one landmark a cell, by rule.

    Of a cell that met an event the one nearest to half the horizon before it, so that the question is neither settled
    nor out of reach; of other cells one by chance. Landmarks after which too little was seen are not chosen.

    Parameters
    ----------
    samples
        Table of `sample_landmarks`.
    horizon_h
        Hours within which the event is forecast.
    explanation
        Seed of the chance.

    Returns
    -------
    pandas.DataFrame
        Some rows of `samples`, one a cell.
    """
    known = samples[samples["outcome"].notna()].sort_values("sample_id", kind="stable")
    generator = np.random.default_rng([explanation.seed, 5])
    by_chance = pd.Series(generator.random(len(known)), index=known.index)
    from_half = (known["time_h"] - horizon_h / 2).abs()
    rank = from_half.where(known["event_frame"].notna(), by_chance)
    ranked = known.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates(CELL)
    return ranked.drop(columns="rank").sort_index()


def split_landmarks(samples: pd.DataFrame, follow_ups: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Give every landmark the parts of its cell.

    Parameters
    ----------
    samples
        Table of `sample_landmarks`.
    follow_ups, splits
        Tables `FollowUps` and `Splits` of these.

    Returns
    -------
    pandas.DataFrame
        Table `Splits`, one row a landmark and fold.
    """
    cells = splits.merge(follow_ups[["sample_id", *CELL]], on="sample_id", validate="many_to_one")
    named = samples[["sample_id", *CELL]]
    return cells.drop(columns="sample_id").merge(named, on=CELL).drop(columns=CELL)


def _shown_frames(frames_t: np.ndarray, landmarks: pd.DataFrame, reach: int) -> pd.DataFrame:
    """First frame that the network sees at each landmark of one cell, and the number of frames it sees."""
    stops_n = np.searchsorted(frames_t, landmarks["last_frame"].to_numpy(), side="right")
    starts_n = np.maximum(stops_n - reach, 0)
    facts = {"first_frame": frames_t[starts_n], "n_frames": stops_n - starts_n}
    return pd.DataFrame(facts, index=landmarks.index)
