"""What a trained model is, without torch: its description and its weights."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, model_validator

from cellfate.cohort.settings import FollowUpSettings, SampleSettings
from cellfate.core.errors import InputError
from cellfate.core.settings import Settings
from cellfate.crops.settings import CropSettings
from cellfate.features.settings import FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import EnsembleSettings, ModelSettings

T = TypeVar("T")

FORMAT_VERSION: Literal[1] = 1


class MemberConfig(Settings):
    """One member of the model: the network trained in one fold, and the preprocessing fitted there."""

    fold: int = Field(ge=0)
    """Fold the member was trained in."""
    mean: tuple[float, ...]
    """Mean of each channel over the pixels of the fold's training cells, on the camera's scale."""
    sd: tuple[float, ...]
    """Standard deviation of each channel over the same pixels, on the camera's scale."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Two outcomes: probability of the first at which balanced accuracy is best on the validation part; null where the
    validation part holds one outcome or one probability."""
    best_epoch: int = Field(ge=0)
    """Epoch whose weights were kept, counted from 0."""
    n_epochs: int = Field(ge=1)
    """Epochs trained."""
    n_train: int = Field(ge=1)
    """Training samples."""
    n_validation: int = Field(ge=1)
    """Validation samples."""
    validation: dict[str, float | None] = Field(default_factory=dict)
    """Validation metrics of the weights kept; null where a metric is undefined."""


def describe_member(fitted: FittedMember, mean_c: NDArray[np.float64], sd_c: NDArray[np.float64]) -> MemberConfig:
    """Describe a fitted network, with the statistics of its training cells, for the model's config."""
    return MemberConfig(
        fold=fitted.fold,
        mean=tuple(mean_c.tolist()),
        sd=tuple(sd_c.tolist()),
        threshold=fitted.threshold,
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

    format_version: Literal[1] = FORMAT_VERSION
    """Version of this description."""
    architecture: ModelSettings
    """The network."""
    channels: tuple[str, ...] = Field(min_length=1)
    """Channels of a frame, in order."""
    crops: CropSettings
    """Size of a crop."""
    frame_interval_min: float = Field(gt=0)
    """Time between two frames of the training recordings, in minutes."""
    scheme: str
    """Split scheme the members were trained under."""
    members: tuple[MemberConfig, ...] = Field(min_length=1)
    """One member a fold."""
    training: dict[str, JsonValue] = Field(default_factory=dict)
    """Settings of the training, as given."""
    data_digest: str
    """SHA-256 over crops, samples and splits, in hexadecimal; the normalisation follows from these."""
    weights_digest: str = ""
    """SHA-256 of `weights.safetensors`, in hexadecimal; filled when the folder is written."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that trained the model."""

    @property
    def folds(self) -> tuple[int, ...]:
        """Folds in the order of the members."""
        return tuple(member.fold for member in self.members)

    def member(self, fold: int) -> MemberConfig:
        """Look up the member of a fold.

        Raises
        ------
        InputError
            If the model has no member of that fold.
        """
        for member in self.members:
            if member.fold == fold:
                return member
        message = f"The model has members of folds {list(self.folds)} but not of fold {fold}; train it on these splits."
        raise InputError(message)

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        for member in self.members:
            if not len(member.mean) == len(member.sd) == len(self.channels):
                message = (
                    f"member of fold {member.fold} has {len(member.mean)} means and {len(member.sd)} deviations "
                    f"but there are {len(self.channels)} channels."
                )
                raise ValueError(message)
        return self


class ModelConfig(FolderConfig):
    """The classifier: whole tracks or landmarks to outcomes."""

    kind: Literal["classifier"] = "classifier"
    """What the folder holds."""
    outcomes: tuple[str, ...] = Field(min_length=2)
    """Possible outcomes, in order; with two, the logit is of the first."""
    samples: SampleSettings
    """What one sample is."""


class ClockConfig(FolderConfig):
    """The fate clock: hazards at every frame, and what they are blended with."""

    kind: Literal["fate_clock"] = "fate_clock"
    """What the folder holds."""
    follow_up: FollowUpSettings
    """Events, guard and bins of time."""
    features: FeatureSettings
    """How cells are segmented and measured."""
    ensemble: EnsembleSettings
    """What is blended."""
    boosters_digest: str = ""
    """SHA-256 of `boosters.json`, in hexadecimal; filled when the folder is written."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model in memory; no torch is needed to hold, save or load it.

    Attributes
    ----------
    config : ModelConfig
        Description.
    weights : mapping of str to ndarray
        Parameters and buffers of every member, keyed `fold_<k>.<parameter>`.
    """

    config: ModelConfig
    weights: Mapping[str, NDArray[Any]]

    def member_weights(self, fold: int) -> dict[str, NDArray[Any]]:
        """Weights of one member, keyed as its network names them."""
        return _of_fold(self.weights, fold)


@dataclass(frozen=True, eq=False)
class TrainedClock:
    """A trained fate clock in memory; no torch is needed to hold, save or load it.

    Attributes
    ----------
    config : ClockConfig
        Description.
    weights : mapping of str to ndarray
        Parameters and buffers of every member, keyed `fold_<k>.<parameter>`.
    boosters : mapping of str to str
        Boosted hazards of every member as text, keyed `fold_<k>.<part>`.
    """

    config: ClockConfig
    weights: Mapping[str, NDArray[Any]]
    boosters: Mapping[str, str]

    def member_weights(self, fold: int) -> dict[str, NDArray[Any]]:
        """Weights of one member, keyed as its network names them."""
        return _of_fold(self.weights, fold)

    def member_boosters(self, fold: int) -> dict[str, str]:
        """Boosted hazards of one member, keyed by the part of the ensemble."""
        return _of_fold(self.boosters, fold)


def _of_fold(held: Mapping[str, T], fold: int) -> dict[str, T]:
    prefix = f"fold_{fold}."
    return {key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)}
