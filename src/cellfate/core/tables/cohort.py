"""Who is asked what, who tests whom, and how training went."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES
from cellfate.core.tables.base import PARTS, SHARED, Table

_TREATED = "from the first frame of the recording to the treatment; NaN: not known"
_CYCLE = "from the mother's first frame to her mitosis; NaN: not seen"
_SISTER = "frame of the sister's event; without one the last frame seen"


class FollowUps(Table):
    """One row a cell, censored ones included: the frames that are shown, and how its watching ended.

    Tables of earlier versions lack the columns from `treatment_h` on.
    """

    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0, description="first tracked frame")
    last_frame: Series[int] = pa.Field(ge=0, description="last frame that is shown: before the guard")
    n_frames: Series[int] = pa.Field(gt=0, description="frames really tracked within first..last")
    fate: Series[str] = pa.Field(isin=FATES, description="unscored: in inference only")
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    end_frame: Series[int] = pa.Field(ge=0, description="event frame; without an event the last frame seen")
    frame_interval_min: Series[float] = pa.Field(gt=0)
    recording_frames: Series[int] = pa.Field(gt=0, description="frames of the recording")
    treatment_h: Series[float] | None = pa.Field(nullable=True, description=_TREATED)
    mother_cycle_h: Series[float] | None = pa.Field(nullable=True, description=_CYCLE)
    sister_fate: Series[str] | None = pa.Field(isin=FATES, nullable=True, description="null: no sister is known")
    sister_end_frame: Series[Int64Dtype] | None = pa.Field(nullable=True, description=_SISTER)

    class Config:
        """One row a cell."""

        coerce = True
        unique = ("recording_id", "cell_id")


class Landmarks(Table):
    """One row a cell and frame at which something is asked: the moment is the end of that frame.

    Tables of earlier versions lack the columns from `treatment_h` on.
    """

    landmark_id: Series[str] = pa.Field(unique=True, description="recording:cell:frame")
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0, description="first tracked frame of the cell")
    last_frame: Series[int] = pa.Field(ge=0, description="the landmark: the last frame that is shown")
    n_frames: Series[int] = pa.Field(gt=0, description="frames really tracked within first..last")
    age_frames: Series[int] = pa.Field(ge=0, description="last_frame - first_frame")
    frame_interval_min: Series[float] = pa.Field(gt=0)
    fate: Series[str] = pa.Field(isin=FATES)
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    time_h: Series[float] = pa.Field(ge=0, description="to the event; without one to the last frame seen")
    watchable_h: Series[float] = pa.Field(ge=0, description="from the landmark to the last frame of the recording")
    regular: Series[bool] = pa.Field(description="asked what happens within some hours")
    last: Series[bool] = pa.Field(description="the last frame shown of the cell: asked which fate comes")
    treatment_h: Series[float] | None = pa.Field(nullable=True, description=_TREATED)
    mother_cycle_h: Series[float] | None = pa.Field(nullable=True, description=_CYCLE)
    sister_fate: Series[str] | None = pa.Field(isin=FATES, nullable=True, description="null: no sister is known")
    sister_end_frame: Series[Int64Dtype] | None = pa.Field(nullable=True, description=_SISTER)


class Questions(Table):
    """One row a question: whether it is asked of the study."""

    question: Series[str] = pa.Field(isin=("which_fate", "within_hours"), unique=True)
    within_h: Series[float] = pa.Field(nullable=True, description="headline horizon; NaN: which fate comes")
    asked: Series[bool]
    n_cells: Series[int] = pa.Field(ge=0)
    n_landmarks: Series[int] = pa.Field(ge=0)
    remark: Series[str] = pa.Field(nullable=True, description="why it is not asked, or with what reservation")


class Splits(Table):
    """One row a followed cell and fold: the part it plays there."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    recording_id: Series[str]
    cell_id: Series[int]
    part: Series[str] = pa.Field(isin=PARTS)


class Leakage(Table):
    """One row a fold, part and what can be shared: how many cells share it with cells that the model has seen."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    part: Series[str] = pa.Field(isin=PARTS[1:], description="validation: shared with training; test: with either")
    shared: Series[str] = pa.Field(isin=SHARED)
    n_cells: Series[int] = pa.Field(ge=0)
    n_known: Series[int] = pa.Field(ge=0, description="cells of which the tracks say it")
    n_shared: Series[int] = pa.Field(ge=0)
    share: Series[float] = pa.Field(nullable=True, description="of those of which it is known; NaN: of none")


class SisterConcordance(Table):
    """How alike sisters end, held against cells of their recording: one row a condition and measure."""

    condition: Series[str] = pa.Field(description="dose of the recording, or `all`")
    measure: Series[str] = pa.Field(isin=("same_fate", "time_difference_h"), description="share of pairs; mean, hours")
    observed: Series[float] = pa.Field(nullable=True)
    expected: Series[float] = pa.Field(nullable=True, description="mean when dealt out anew within recordings")
    null_low: Series[float] = pa.Field(nullable=True, description="of these, the quantile .025")
    null_high: Series[float] = pa.Field(nullable=True, description="of these, the quantile .975")
    p_value: Series[float] = pa.Field(nullable=True, description="one-sided: at least as alike by chance")
    n_pairs: Series[int] = pa.Field(ge=0, description="time_difference_h: of these that met the same fate")
    n_recordings: Series[int] = pa.Field(ge=0)
    n_unseen: Series[int] = pa.Field(ge=0, description="pairs left out: not both followed to an event")
    reason: Series[str] = pa.Field(nullable=True, description="why it is not defined")


class Normalisation(Table):
    """One row a fold and channel: statistics over the pixels of that fold's training cells."""

    fold: Series[int] = pa.Field(ge=0)
    channel: Series[str]
    mean: Series[float]
    sd: Series[float] = pa.Field(gt=0)
    n_pixels: Series[float] = pa.Field(gt=0)


class TrainingHistory(Table):
    """One row a fold and epoch of a network's training."""

    fold: Series[int] = pa.Field(ge=0)
    epoch: Series[int] = pa.Field(ge=0)
    train_loss: Series[float] = pa.Field(nullable=True)
    validation_log_loss: Series[float] = pa.Field(
        nullable=True, description="classifier: nats a cell, outcomes weighing the same; clock: nats a frame shown"
    )
    validation_balanced_accuracy: Series[float] | None = pa.Field(nullable=True, description="classifier")
    validation_auroc: Series[float] | None = pa.Field(nullable=True, description="classifier; NaN: one outcome only")
    learning_rate: Series[float] = pa.Field(gt=0, description="of the last step of the epoch")
    frames_per_s: Series[float] | None = pa.Field(ge=0, description="real frames a second; absent: earlier version")
    kept: Series[bool] = pa.Field(description="the member has the weights of this epoch")
