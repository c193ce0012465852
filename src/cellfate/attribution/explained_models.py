"""Models as the attributions ask them: either reading, with the question that is explained.

What is explained is the log odds of one event: that it is the fate that comes (classifier), or that it comes within h
hours of the landmark (the network of the fate clock). The boosted hazards of the blend are left out, TreeSHAP explains
a boosting; and the age of the cell is part of every question: it is context and gets no value of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.inputs import Inputs
from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import outcomes_within
from cellfate.cohort.questions import shown_events
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.features.measured_frames import FrameSource
from cellfate.models.settings import reach_frames
from cellfate.prediction.classifier_member import ClassifierMember, load_classifier_member
from cellfate.prediction.clock_at_landmark import AttentiveClockAtLandmark, ClockAtLandmark
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.randomised import randomise_layers
from cellfate.prediction.records import ClassifierConfig, ClockConfig, TrainedModel
from cellfate.statistics.incidence import HOURS_TOLERANCE

MASK: Final = "mask"
"""Name of the channel that shows a network the mask of the cell."""

Landmark = Mapping[Hashable, Any]
"""A row of table `Landmarks` with `fold` and `shown_from`."""
ExplainedMember = ClassifierMember | ClockAtLandmark
"""A member of a model, asked at one landmark."""
AttentiveMember = ClassifierMember | AttentiveClockAtLandmark
"""A member that has attention."""


@dataclass(frozen=True, eq=False)
class ModelView(ABC):
    """A model with the question that its explanations answer; `view_model` makes it.

    Attributes
    ----------
    config
        Description of the model.
    explanation
        Which event, and within how many hours.
    load
        Gives the member of a fold.

    Raises
    ------
    InputError
        When the model does not forecast that event, or not within so many hours.
    """

    config: ClassifierConfig | ClockConfig
    explanation: ExplanationSettings
    load: Callable[[int], Any]

    def __post_init__(self) -> None:
        _ = self.outcome_number, self.explained  # a question without an answer is refused at once

    @property
    def parameters(self) -> str:
        """Group of parameters that says what is explained."""
        return "explanation" if self.config.kind == "classifier" else f"{self.config.kind}_explanation"

    @property
    def outcome_number(self) -> int:
        """Position, among the events of the model, of the one whose log odds are explained."""
        events, wanted = self.config.events, self.explanation.outcome
        if wanted is None:
            return events.index(next(iter(shown_events(events, self.config.follow_up)), events[0]))
        for number, event in enumerate(events):
            if event == wanted:
                return number
        raise InputError(
            f"Parameter {self.parameters}.outcome is {wanted!r}, but the model forecasts {', '.join(events)}; name one "
            "of these, or null for the first that is shown."
        )

    @property
    def outcome(self) -> str:
        """The event whose log odds are explained."""
        return self.config.events[self.outcome_number]

    @property
    @abstractmethod
    def explained(self) -> str:
        """The question in words; the event comes first."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What the network is shown, in order: channels of pixels, the mask of the cell, columns."""
        own = self.config.channels
        mask = MASK if MASK not in own else f"{MASK} of the cell"
        pixels = (*own, mask) if self.config.architecture.sees_mask else own
        return (*pixels[: self.n_pixel_channels], *self.columns)

    @property
    def n_pixel_channels(self) -> int:
        """Channels of pixels that the network sees, a mask included."""
        architecture = self.config.architecture
        return len(self.config.channels) + architecture.sees_mask if architecture.sees_pixels else 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of measurements that its members read, by their names in table `FrameFeatures`, or of context."""
        return tuple(dict.fromkeys(scale.name for member in self.config.members for scale in member.columns))

    def inputs(self, fold: int) -> Inputs:
        """Tell where these lie in the frames that the member of a fold is given."""
        read = [scale.name for scale in self.config.member(fold).columns]
        return Inputs.of_columns(self.n_pixel_channels, self.columns, read)

    @property
    def lead_h(self) -> float:
        """Hours before an event at which a cell that is asked at several landmarks is best explained."""
        return 0.0

    @abstractmethod
    def answer(self, landmarks: pd.DataFrame) -> pd.DataFrame:
        """Landmarks at which the question is asked and its answer known, with `outcome`."""

    @abstractmethod
    def show_from(self, crops: FrameSource, landmarks: pd.DataFrame) -> NDArray[np.int64]:
        """First frame that the network sees at each landmark, (n,)."""

    @abstractmethod
    def member_for(self, landmark: Landmark) -> ExplainedMember:
        """Give the member that explains a landmark: that of its fold, which did not see the cell."""

    def base_log_odds(self, trained: pd.DataFrame) -> float:
        """Log odds of the explained outcome among answered landmarks; of a side without any, half a one is counted."""
        n_outcome = int((trained["outcome"] == self.outcome).sum())
        return float(np.log(max(n_outcome, 0.5) / max(len(trained) - n_outcome, 0.5)))

    def randomised(self, fold: int, seed: int) -> Iterator[tuple[str, "ModelView"]]:
        """Randomise the layers of a fold's network one after the other: the last layer, and what is then viewed."""
        for layer, member in randomise_layers(self.load(fold), seed):
            yield layer, replace(self, load=partial(_whatever_fold, member))


@dataclass(frozen=True, eq=False)
class ClassifierView(ModelView):
    """The classifier, asked which fate comes at the last landmark of cells whose fate was seen."""

    config: ClassifierConfig

    @property
    def explained(self) -> str:
        """The event."""
        if self.explanation.horizon_h is None:
            return self.outcome
        raise InputError(
            f"Parameter {self.parameters}.horizon_h is {self.explanation.horizon_h} h, but the classifier is asked "
            "which fate comes, not by when; leave it null, or give it to clock_explanation."
        )

    def answer(self, landmarks: pd.DataFrame) -> pd.DataFrame:
        """Last landmarks of cells whose fate was seen; it is the outcome."""
        fated = landmarks[asks_which_fate(landmarks)]
        return fated.assign(outcome=fated["fate"])

    def show_from(self, crops: FrameSource, landmarks: pd.DataFrame) -> NDArray[np.int64]:
        """First tracked frame of each cell."""
        return landmarks["first_frame"].to_numpy(dtype=np.int64)

    def member_for(self, landmark: Landmark) -> ExplainedMember:
        """Give the member of the landmark's fold."""
        member: ClassifierMember = self.load(int(landmark["fold"]))
        return member


@dataclass(frozen=True, eq=False)
class ClockView(ModelView):
    """The network of the fate clock, asked for an event within some hours of regular landmarks."""

    config: ClockConfig

    @property
    def horizon_h(self) -> float:
        """Hours within which the event is forecast."""
        return self.explanation.horizon_h or self.config.follow_up.headline_h

    @property
    def explained(self) -> str:
        """The event and the horizon, where a bin of time ends."""
        _ = self.bin_number
        return f"{self.outcome} within {self.horizon_h:g} h"

    @property
    def lead_h(self) -> float:
        """Half the horizon: the question is neither settled nor out of reach."""
        return self.horizon_h / 2

    @property
    def bin_number(self) -> int:
        """Bin of time that ends at the horizon."""
        ends_h = self.config.follow_up.edges_h[1:]
        for number, end_h in enumerate(ends_h):
            if abs(end_h - self.horizon_h) <= HOURS_TOLERANCE:
                return number
        raise InputError(
            f"Parameter {self.parameters}.horizon_h is {self.horizon_h} h, but the clock's bins end at "
            f"{', '.join(f'{end_h:g}' for end_h in ends_h)} h; name one of these, or null for the headline horizon."
        )

    def answer(self, landmarks: pd.DataFrame) -> pd.DataFrame:
        """Regular landmarks of which it is known what followed within the horizon: an event, or none."""
        regular = landmarks[landmarks["regular"]]
        outcome_n = outcomes_within(regular, self.config.events, self.horizon_h)
        known = outcome_n.notna()
        return regular[known].assign(outcome=outcome_n[known].astype(str))

    def show_from(self, crops: FrameSource, landmarks: pd.DataFrame) -> NDArray[np.int64]:
        """First tracked frame of each cell within the reach of the network."""
        reach, last_n = reach_frames(self.config.architecture), landmarks["last_frame"].to_numpy(dtype=np.int64)
        shown_n = np.zeros(len(landmarks), dtype=np.int64)
        of_cells: dict[Any, Any] = landmarks.groupby(CELL, sort=False).indices
        for (recording_id, cell_id), places in of_cells.items():
            frames_t = crops.frame_numbers(str(recording_id), int(cell_id))
            stops = np.searchsorted(frames_t, last_n[places], side="right")
            shown_n[places] = frames_t[np.maximum(stops - reach, 0)]
        return shown_n

    def member_for(self, landmark: Landmark) -> ExplainedMember:
        """Give the member of the landmark's fold, bound to it; it has attention where the network has."""
        kind = AttentiveClockAtLandmark if self.config.architecture.n_layers else ClockAtLandmark
        return kind(
            self.load(int(landmark["fold"])),
            first_tracked_frame=int(landmark["first_frame"]),
            first_shown_frame=int(landmark["shown_from"]),
            frame_interval_min=float(landmark["frame_interval_min"]),
            bin_number=self.bin_number,
        )


def view_model(model: TrainedModel, explanation: ExplanationSettings) -> ModelView:
    """Give a model of either reading, which has members, the question that its explanations answer."""
    if isinstance(model.config, ClockConfig):
        return ClockView(model.config, explanation, partial(load_clock_member, model))
    return ClassifierView(model.config, explanation, partial(load_classifier_member, model))


def _whatever_fold(member: Any, _fold: int) -> Any:
    """Give the same member for every fold."""
    return member
