"""What a model is given: samples, follow-ups, landmarks, splits, and how training went."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, OUTCOMES
from cellfate.core.tables.base import PARTS, Table


class Samples(Table):
    """One row a sample: frames first..last of one cell (inclusive) and what followed."""

    sample_id: Series[str] = pa.Field(unique=True)
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0)
    last_frame: Series[int] = pa.Field(ge=0)
    n_frames: Series[int] = pa.Field(gt=0, description="frames really tracked within first..last")
    age_frames: Series[int] = pa.Field(ge=0, description="last_frame - first tracked frame of the cell")
    outcome: Series[str] = pa.Field(isin=OUTCOMES, nullable=True, description="null: not known (inference)")
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    lead_time_h: Series[float] = pa.Field(nullable=True)
    frame_interval_min: Series[float] = pa.Field(gt=0)


class FollowUps(Samples):
    """One row a cell, censored ones included: the frames that are shown, and how its watching ended.

    The outcome is the fate, null when censored.
    """

    fate: Series[str] = pa.Field(isin=FATES)
    end_frame: Series[int] = pa.Field(ge=0, description="event frame; when censored the last frame seen")


class Landmarks(Table):
    """One row a cell and frame at which the fate clock is read and scored."""

    sample_id: Series[str] = pa.Field(unique=True, description="recording:cell:frame")
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0, description="first tracked frame of the cell")
    last_frame: Series[int] = pa.Field(ge=0, description="the landmark: the last frame that is shown")
    age_frames: Series[int] = pa.Field(ge=0, description="last_frame - first_frame")
    frame_interval_min: Series[float] = pa.Field(gt=0)
    fate: Series[str] = pa.Field(isin=FATES)
    time_h: Series[float] = pa.Field(ge=0, description="to the event; when censored to the last frame seen")
    watchable_h: Series[float] = pa.Field(ge=0, description="from the landmark to the last frame of the recording")


class Splits(Table):
    """One row a sample and fold: the part it plays there."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    sample_id: Series[str]
    part: Series[str] = pa.Field(isin=PARTS)


class Leakage(Table):
    """One row a fold and part: how much the part shares with the training part of its fold."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    part: Series[str] = pa.Field(isin=PARTS)
    n_samples: Series[int]
    n_cells: Series[int]
    n_groups: Series[int]
    share_recording: Series[float] = pa.Field(nullable=True, description="cells whose recording is in training")
    share_lineage: Series[float] = pa.Field(nullable=True, description="NaN where parents are unknown")
    share_sister: Series[float] = pa.Field(nullable=True, description="NaN where parents are unknown")


class Normalisation(Table):
    """One row a fold and channel: statistics over the pixels of that fold's training cells."""

    fold: Series[int] = pa.Field(ge=0)
    channel: Series[str]
    mean: Series[float]
    sd: Series[float] = pa.Field(gt=0)
    n_pixels: Series[float] = pa.Field(gt=0)


class TrainingHistory(Table):
    """One row a fold and epoch."""

    fold: Series[int] = pa.Field(ge=0)
    epoch: Series[int] = pa.Field(ge=0)
    train_loss: Series[float] = pa.Field(nullable=True)
    validation_log_loss: Series[float] = pa.Field(nullable=True)
    validation_balanced_accuracy: Series[float] = pa.Field(nullable=True)
    validation_auroc: Series[float] = pa.Field(nullable=True, description="NaN: validation holds one outcome")
    learning_rate: Series[float] = pa.Field(gt=0)
    kept: Series[bool] = pa.Field(description="the member has the weights of this epoch")


class ClockHistory(Table):
    """One row a fold and epoch of the fate clock's training."""

    fold: Series[int] = pa.Field(ge=0)
    epoch: Series[int] = pa.Field(ge=0)
    train_loss: Series[float] = pa.Field(nullable=True)
    validation_log_loss: Series[float] = pa.Field(nullable=True, description="nats a frame shown, competing risks")
    learning_rate: Series[float] = pa.Field(gt=0)
    kept: Series[bool] = pa.Field(description="the member has the weights of this epoch")
