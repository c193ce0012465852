"""What a person decides about follow-ups, landmarks and splits."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cellfate.core.fates import EVENTS
from cellfate.core.settings import Settings

Event = Literal["apoptosis", "mitosis"]
MAX_BINS = 1000
"""Each bin is a boosting of its own, and an output of the network."""
Question = Literal["which_fate", "within_hours"]
ConditionColumn = Literal["condition", "dose", "group_id", "recording_id"]


def _in_order(events: tuple[Event, ...]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=EVENTS.index))


class FollowUpSettings(Settings):
    """How cells are followed, at which frames they are asked about, and what is asked."""

    questions: tuple[Question, ...] = Field(default=("which_fate", "within_hours"), min_length=1)
    """`which_fate`: which fate comes, asked at the last frame shown of cells whose fate was seen (the classifier).
    `within_hours`: what happens within some hours, asked at every landmark of every cell (the fate clock)."""
    events: Annotated[tuple[Event, ...], AfterValidator(_in_order)] = Field(default=EVENTS, min_length=1)
    """Events that are shown and scored within hours, in the order of `core.fates.EVENTS`. All events that occur always
    compete, be they shown or not: a dead cell does not divide."""
    guard_h: float = Field(default=1.0, ge=0)
    """Hours before the end of every track, however it ends, that are not shown; forecasts are of what comes after."""
    bin_h: float = Field(default=1.0, gt=0)
    """Length of a bin of time, in hours; a hazard is the probability that an event falls in a bin."""
    horizon_h: float = Field(default=10.0, gt=0)
    """Hours after a frame up to which hazards are given; bins fill the time from the guard to the horizon."""
    report_h: tuple[float, ...] = Field(default=(2.0, 5.0, 10.0), min_length=1)
    """Hours after a frame by which incidence is reported and scored; each is an edge of a bin, ascending."""
    headline_h: float = Field(default=5.0, gt=0)
    """The one of `report_h` that calls, commitments and figures are about."""
    min_frames: int = Field(default=10, ge=1)
    """Frames a cell must have been watched for before it is forecast; it teaches from its first frame on."""
    stride_frames: int = Field(default=3, ge=1)
    """Frames from one scored landmark of a cell to the next."""

    @property
    def edges_h(self) -> tuple[float, ...]:
        """Edges of the bins, in hours after a frame: the first is the guard, the last the horizon."""
        n_bins = round((self.horizon_h - self.guard_h) / self.bin_h)
        return tuple(self.guard_h + self.bin_h * k for k in range(n_bins + 1))

    @model_validator(mode="after")
    def _check_follow_up(self) -> "FollowUpSettings":
        for name, listed in (("events", self.events), ("questions", self.questions)):
            if len(set(listed)) < len(listed):
                raise ValueError(f"{name} {list(listed)} names one twice; name each once.")
        n_bins = (self.horizon_h - self.guard_h) / self.bin_h
        if n_bins < 1 - 1e-9 or abs(n_bins - round(n_bins)) > 1e-6:
            raise ValueError(
                f"horizon_h {self.horizon_h} less guard_h {self.guard_h} is not a whole number of bins of bin_h "
                f"{self.bin_h}; change one of them."
            )
        if n_bins > MAX_BINS:
            raise ValueError(
                f"bin_h {self.bin_h} parts the time up to horizon_h {self.horizon_h} into {n_bins:.0f} bins, "
                f"but at most {MAX_BINS} are asked; lengthen bin_h."
            )
        return self

    @model_validator(mode="after")
    def _check_reported(self) -> "FollowUpSettings":
        for hours in self.report_h:
            if not any(abs(hours - edge) < 1e-6 for edge in self.edges_h[1:]):
                raise ValueError(
                    f"report_h names {hours} h, but bins end at {list(self.edges_h[1:])} h; use some of these."
                )
        if list(self.report_h) != sorted(set(self.report_h)):
            raise ValueError(f"report_h is {list(self.report_h)}; give ascending different hours.")
        if self.headline_h not in self.report_h:
            raise ValueError(f"headline_h {self.headline_h} is not in report_h {list(self.report_h)}; add it there.")
        return self


class SplitSettings(Settings):
    """How cells are parted into training, validation and test."""

    scheme: Literal[
        "grouped_holdout",
        "random_by_cell",
        "grouped_folds",
        "spatial_blocks",
        "by_condition",
        "leave_one_recording_out",
    ]
    """`grouped_holdout`: whole groups, once. `grouped_folds`: each group is tested once. `spatial_blocks`: the same,
    folds are bands of the image. `by_condition`: the recordings of `test_conditions` are tested, once, by a model of
    the others. `leave_one_recording_out`: each recording (with those of its group) is tested once, by a model of all
    others. `random_by_cell`: cells at random; cells of one recording stand on both sides."""
    n_folds: int = Field(default=5, ge=2)
    """Number of folds of `grouped_folds` and `spatial_blocks`."""
    test_share: float = Field(default=0.25, gt=0, lt=1)
    """Share of the cells in the test part (holdout and random)."""
    validation_share: float = Field(default=0.15, gt=0, lt=1)
    """Share of the cells in the validation part; where the test part is not dealt by share, of those outside it."""
    test_conditions: dict[ConditionColumn, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default={})
    """Scheme `by_condition`: values of columns of table `Recordings`, such as {dose: [High]}. Recordings that have one
    of the values in every column named are tested."""
    seed: int = Field(default=0, ge=0)
    """Seed of the random choices."""

    @model_validator(mode="after")
    def _check_shares(self) -> "SplitSettings":
        holds_out = self.scheme in ("grouped_holdout", "random_by_cell")
        if holds_out and self.test_share + self.validation_share >= 1:
            raise ValueError(
                f"test_share {self.test_share} and validation_share {self.validation_share} leave nothing to train on; "
                "lower one of them."
            )
        return self

    @model_validator(mode="after")
    def _check_conditions(self) -> "SplitSettings":
        if self.scheme == "by_condition" and not self.test_conditions:
            raise ValueError(
                "scheme 'by_condition' needs test_conditions, and none is given; name a column and the values that are "
                "tested, such as {dose: [High]}."
            )
        if self.scheme != "by_condition" and self.test_conditions:
            raise ValueError(
                f"test_conditions are given, but scheme '{self.scheme}' does not read them; choose scheme "
                "'by_condition', or leave them empty."
            )
        return self
