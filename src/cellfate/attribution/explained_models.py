"""Models as the attributions ask them: the classifier, and the fate clock at a landmark.

Every function of this room that takes a model takes any of `Explainable`. What is explained is the log odds of one
outcome: of the classifier's own, or of an event within h hours by the clock's cumulative incidence.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cellfate.attribution.games import FrameModel
from cellfate.attribution.settings import ClockExplanationSettings
from cellfate.core.errors import InputError
from cellfate.crops.store import CellSequence
from cellfate.models.settings import shows_mask
from cellfate.prediction import FoldModel, TrainedClock, TrainedModel, load_fold
from cellfate.prediction.clock_at_landmark import AttentiveClockAtLandmark, ClockAtLandmark
from cellfate.prediction.clock_member import ClockMember, load_clock_member
from cellfate.prediction.randomised import randomise_layers
from cellfate.statistics.incidence import HOURS_TOLERANCE

MASK: Final = "mask"
"""Name of the channel that shows the fate clock the mask of the cell."""

Sample = Mapping[Hashable, Any]
"""A row of table `Samples` with the column `fold`."""


class ExplainedMember(FrameModel, Protocol):
    """A member of a model that can be explained; `prediction.FoldModel` is one."""

    def prepare(self, sequence: CellSequence) -> NDArray[np.float32]:
        """Prepare the frames of a cell as in training, (T, C, H, W); 0 stands for absent."""


@runtime_checkable
class AttentiveMember(ExplainedMember, Protocol):
    """A member that has attention."""

    def attention(
        self, embeddings: Sequence[NDArray[np.float32]], positions: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float32]]:
        """Attention of what is read, (T + 1,) a sequence, the class token's own share first."""

    def rollout(
        self, embeddings: Sequence[NDArray[np.float32]], positions: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float32]]:
        """Attention rolled out through all layers, likewise."""


@runtime_checkable
class DifferentiableMember(ExplainedMember, Protocol):
    """A member that gives gradients."""

    def input_gradients(
        self, frames_tchw: NDArray[np.float32], positions_t: NDArray[np.int64], outcome_number: int
    ) -> NDArray[np.float32]:
        """Gradient of an outcome's log odds with respect to every pixel, (T, C, H, W)."""


MemberFor = Callable[[Sample], ExplainedMember]
"""Gives the member that explains a sample: that of its fold, which did not see it."""


@runtime_checkable
class ExplainedModel(Protocol):
    """A model with the question that its explanations answer."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that the network sees, in order."""

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds of its members."""

    @property
    def outcome_number(self) -> int:
        """Position, among the outcomes, of the one whose log odds are explained."""

    @property
    def explained(self) -> str:
        """That outcome in words."""

    def member_for(self, sample: Sample) -> ExplainedMember:
        """Give the member that explains a sample."""

    def randomised(self, fold: int, seed: int) -> Iterator[tuple[str, MemberFor]]:
        """Yield what stands in for `member_for` after each step of randomising the layers of a fold's network."""


@dataclass(frozen=True, eq=False)
class ClassifierView:
    """The classifier, asked for one outcome.

    Attributes
    ----------
    model
        The model.
    outcome
        Outcome whose log odds are explained; None: the first.
    """

    model: TrainedModel
    outcome: str | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of a frame."""
        return self.model.config.channels

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds of its members."""
        return self.model.config.folds

    @property
    def outcome_number(self) -> int:
        """Position of the explained outcome."""
        return explained_outcome(self.model.config.outcomes, self.outcome)

    @property
    def explained(self) -> str:
        """The explained outcome."""
        return self.model.config.outcomes[self.outcome_number]

    def member_for(self, sample: Sample) -> FoldModel:
        """Give the member of the sample's fold."""
        return load_fold(self.model, int(sample["fold"]))

    def randomised(self, fold: int, seed: int) -> Iterator[tuple[str, MemberFor]]:
        """Randomise the layers of a fold's network one after the other."""
        for layer, member in randomise_layers(load_fold(self.model, fold), seed):
            yield layer, partial(_whatever_sample, member)


@dataclass(frozen=True, eq=False)
class ClockView:
    """The network of the fate clock, asked at the last frame of a sample for one event within some hours.

    The boosted hazards of the ensemble are left out: TreeSHAP explains a boosting. The age of the cell is part of every
    question and gets no value of its own: it is context.

    Attributes
    ----------
    model
        The fate clock.
    settings
        Which event, and within how many hours.

    Raises
    ------
    InputError
        When the clock does not forecast that event, or no bin of time ends at that horizon.
    """

    model: TrainedClock
    settings: ClockExplanationSettings = field(default_factory=ClockExplanationSettings)

    def __post_init__(self) -> None:
        _ = self.outcome_number, self.bin_number  # a question without an answer is refused at once

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of a frame and, where the network sees it, `mask`."""
        own = self.model.config.channels
        if not shows_mask(self.model.config.architecture):
            return own
        return (*own, MASK if MASK not in own else f"{MASK} of the cell")

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds of its members."""
        return self.model.config.folds

    @property
    def event(self) -> str:
        """The explained event."""
        return self.model.config.follow_up.events[self.outcome_number]

    @property
    def horizon_h(self) -> float:
        """Hours within which the event is forecast."""
        return self.settings.horizon_h or self.model.config.follow_up.headline_h

    @property
    def outcome_number(self) -> int:
        """Position of the explained event."""
        events = self.model.config.follow_up.events
        return explained_outcome(events, self.settings.event, "clock_explanation.event")

    @property
    def bin_number(self) -> int:
        """Bin of time that ends at the horizon."""
        ends_h = self.model.config.follow_up.edges_h[1:]
        for number, end_h in enumerate(ends_h):
            if abs(end_h - self.horizon_h) <= HOURS_TOLERANCE:
                return number
        message = (
            f"Parameter clock_explanation.horizon_h is {self.horizon_h} h, but the clock's bins end at "
            f"{', '.join(f'{end_h:g}' for end_h in ends_h)} h; name one of these, or null for the headline horizon."
        )
        raise InputError(message)

    @property
    def explained(self) -> str:
        """The explained event and the horizon in words."""
        return f"{self.event} within {self.horizon_h:g} h"

    def member_for(self, sample: Sample) -> ClockAtLandmark:
        """Give the member of the sample's fold, bound to the sample's last frame.

        The sample names the first frame shown, and by `age_frames` the first frame tracked.
        """
        return self._bind(load_clock_member(self.model, int(sample["fold"])), sample)

    def randomised(self, fold: int, seed: int) -> Iterator[tuple[str, MemberFor]]:
        """Randomise the layers of a fold's network one after the other."""
        for layer, member in randomise_layers(load_clock_member(self.model, fold), seed):
            yield layer, partial(self._bind, member)

    def _bind(self, member: ClockMember, sample: Sample) -> ClockAtLandmark:
        """Bind a member to a sample; it has attention where the network has."""
        kind = AttentiveClockAtLandmark if self.model.config.architecture.n_layers else ClockAtLandmark
        return kind(
            member,
            first_tracked_frame=int(sample["last_frame"]) - int(sample["age_frames"]),
            first_shown_frame=int(sample["first_frame"]),
            frame_interval_min=float(sample["frame_interval_min"]),
            bin_number=self.bin_number,
        )


Explainable = TrainedModel | TrainedClock | ExplainedModel
"""What explanations are made of: a trained model, or one with its question."""


def view_model(model: Explainable, outcome: str | None = None) -> ExplainedModel:
    """Give a model the question that its explanations answer.

    Parameters
    ----------
    model
        A classifier, a fate clock, or either with its question, which is kept.
    outcome
        Outcome (of the clock: event, within the headline horizon) whose log odds are explained; None: the first.
    """
    if isinstance(model, TrainedModel):
        return ClassifierView(model, outcome)
    if isinstance(model, TrainedClock):
        return ClockView(model, ClockExplanationSettings(event=outcome))
    return model


def explained_outcome(outcomes: tuple[str, ...], outcome: str | None, parameter: str = "explanation.outcome") -> int:
    """Position of the outcome whose log odds are explained.

    Raises
    ------
    InputError
        When the outcome is not one of the model's.
    """
    if outcome is None:
        return 0
    if outcome not in outcomes:
        message = (
            f"Parameter {parameter} is {outcome!r}, but the model forecasts {', '.join(outcomes)}; "
            "name one of these, or null for the first."
        )
        raise InputError(message)
    return outcomes.index(outcome)


def _whatever_sample(member: FoldModel, _sample: Sample) -> FoldModel:
    """Give the same member for every sample."""
    return member
