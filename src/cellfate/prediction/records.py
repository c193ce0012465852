"""What a trained model is, without torch: its description, its weights and its boosted hazards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, model_validator

from cellfate.cohort.settings import Event, FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import BLEND, CLASSIFIER
from cellfate.core.settings import Settings
from cellfate.crops.settings import CropSettings
from cellfate.features.settings import FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import BlendSettings, ClockNetworkSettings, ModelSettings, NetworkSettings

FORMAT_VERSION: Literal[2] = 2
ALL_CELLS = "all"
"""Owner of boosted hazards that were fitted to every cell a model has seen; else a member, `fold_<k>`."""


class MemberConfig(Settings):
    """One member of the model: the network trained in one fold, and the preprocessing fitted there."""

    fold: int = Field(ge=0)
    """Fold the member was trained in."""
    mean: tuple[float, ...]
    """Mean of each channel over the pixels of the fold's training cells, on the camera's scale."""
    sd: tuple[float, ...]
    """Standard deviation of each channel over the same pixels, on the camera's scale."""
    best_epoch: int = Field(ge=0)
    """Epoch whose weights were kept, counted from 0."""
    n_epochs: int = Field(ge=1)
    """Epochs trained."""
    n_train: int = Field(ge=1)
    """Training cells."""
    n_validation: int = Field(ge=1)
    """Validation cells."""
    validation: dict[str, float | None] = Field(default_factory=dict)
    """Validation metrics of the weights kept; null where a metric is undefined."""


def describe_member(fitted: FittedMember, mean_c: NDArray[np.float64], sd_c: NDArray[np.float64]) -> MemberConfig:
    """Describe a fitted network, with the statistics of its training cells, for the model's config."""
    return MemberConfig(
        fold=fitted.fold,
        mean=tuple(mean_c.tolist()),
        sd=tuple(sd_c.tolist()),
        best_epoch=fitted.best_epoch,
        n_epochs=len(fitted.epochs),
        n_train=fitted.n_train,
        n_validation=fitted.n_validation,
        validation=fitted.validation,
    )


def join_weights(fitted: Iterable[FittedMember]) -> dict[str, NDArray[Any]]:
    """Join the weights of all members, keyed `fold_<k>.<parameter>`."""
    return {f"fold_{member.fold}.{name}": array for member in fitted for name, array in member.weights.items()}


class FolderConfig(Settings):
    """What every model folder says in its `config.json`: all that is needed to use the weights, and their origin."""

    format_version: Literal[2] = FORMAT_VERSION
    """Version of the folder."""
    architecture: NetworkSettings
    """The network."""
    events: tuple[Event, ...]
    """Events that compete, in order: all that occur in the cells the model was trained on."""
    follow_up: FollowUpSettings
    """What is asked, the guard, bins of time, and from which age on cells are forecast."""
    channels: tuple[str, ...] = Field(min_length=1)
    """Channels of a frame, in order."""
    crops: CropSettings
    """Size of a crop."""
    frame_interval_min: float = Field(gt=0)
    """Time between two frames of the training recordings, in minutes."""
    scheme: str
    """Split scheme the members were trained under."""
    members: tuple[MemberConfig, ...] = ()
    """One member a fold; none where the model's question was not asked."""
    reason: str = ""
    """Why there are no members."""
    training: dict[str, JsonValue] = Field(default_factory=dict)
    """Settings of the training, as given."""
    data_digest: str = ""
    """SHA-256 over crops, tables and splits of the training, in hexadecimal; the normalisation follows from these."""
    file_digests: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the files of the folder, by name, in hexadecimal; filled when it is written."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that trained the model."""

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds in the order of the members."""
        return tuple(member.fold for member in self.members)

    @property
    def threads(self) -> int | None:
        """CPU threads of a step of the training, and most that networks forecast on; None: as many as torch takes."""
        threads = self.training.get("threads")
        return threads if isinstance(threads, int) else None

    def member(self, fold: int) -> MemberConfig:
        """Look up the member of a fold; an InputError if there is none."""
        if fold in self.folds:
            return self.members[self.folds.index(fold)]
        raise InputError(
            f"The model has members of folds {list(self.folds)} but not of fold {fold}; train it on these splits."
        )

    @model_validator(mode="after")
    def _check_members(self) -> Self:
        if bool(self.members) == bool(self.reason):
            raise ValueError(
                f"there are {len(self.members)} members and the reason for none is {self.reason!r}; give either."
            )
        for member in self.members:
            if not len(member.mean) == len(member.sd) == len(self.channels):
                raise ValueError(
                    f"member of fold {member.fold} has {len(member.mean)} means and {len(member.sd)} deviations "
                    f"but there are {len(self.channels)} channels."
                )
        return self


class ClassifierConfig(FolderConfig):
    """The classifier: whole tracks to fates."""

    kind: Literal["classifier"] = "classifier"
    """What the folder holds."""
    architecture: ModelSettings
    """The network."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Possible outcomes, in order; with two, the logit is of the first."""
        return self.events


class ClockConfig(FolderConfig):
    """The fate clock: hazards at every frame, by networks and by boosting, blended."""

    kind: Literal["clock"] = "clock"
    """What the folder holds."""
    architecture: ClockNetworkSettings
    """The network."""
    features: FeatureSettings
    """How cells are segmented and measured."""
    blend: BlendSettings
    """What is blended."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model in memory; no torch is needed to hold, save or load it.

    Attributes
    ----------
    config : ClassifierConfig or ClockConfig
        Description; `config.kind` says which.
    weights : mapping of str to ndarray
        Parameters and buffers of every member, keyed `fold_<k>.<parameter>`.
    boosters : mapping of str to str
        Boosted hazards of the fate clock as text, keyed `fold_<k>.<part>` and `all.<part>`.
    trained_on : frozenset of str
        Digests of the cells that any member was trained or chosen by; see `crops.digest.digest_cells`.
    """

    config: ClassifierConfig | ClockConfig
    weights: Mapping[str, NDArray[Any]]
    boosters: Mapping[str, str] = field(default_factory=dict)
    trained_on: frozenset[str] = frozenset()

    @property
    def predictor(self) -> str:
        """Predictor that speaks for the model: the classifier, or the blend of a fate clock."""
        return CLASSIFIER if isinstance(self.config, ClassifierConfig) else BLEND

    def member_weights(self, fold: int) -> dict[str, NDArray[Any]]:
        """Weights of one member, keyed as its network names them."""
        prefix = f"fold_{fold}."
        return {key.removeprefix(prefix): held for key, held in self.weights.items() if key.startswith(prefix)}

    @property
    def classifier_config(self) -> ClassifierConfig:
        """The description of a classifier; an InputError if the model is none."""
        if not isinstance(self.config, ClassifierConfig):
            raise InputError("The model is a fate clock, but a classifier is needed here; give the folder of one.")
        return self.config

    @property
    def clock_config(self) -> ClockConfig:
        """The description of a fate clock; an InputError if the model is none."""
        if not isinstance(self.config, ClockConfig):
            raise InputError("The model is a classifier, but a fate clock is needed here; give the folder of one.")
        return self.config
