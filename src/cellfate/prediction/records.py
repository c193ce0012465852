"""What a trained model is, without torch: its description, its weights and its boosted hazards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, model_validator

from cellfate.cohort.settings import Event, FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import BLEND, CLASSIFIER, name_predictor
from cellfate.core.settings import Settings
from cellfate.crops.settings import CropSettings
from cellfate.features.column_scales import ColumnScale
from cellfate.features.context import Context
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import BlendPart, BlendSettings, ClockNetworkSettings, ModelSettings, NetworkSettings

FORMAT_VERSION: Literal[2] = 2
ENOUGH_RECORDINGS = 3
"""From so many recordings on the weights of a blend are chosen by leaving out whole ones; they are not bounded from so
many on that did not train the network."""
WEIGHT_TOLERANCE = 1e-6
"""By so much weights may miss a sum of 1: they are written with as many digits as they have."""
ALL_CELLS = "all"
"""Owner of boosted hazards that were fitted to every cell a model has seen; else a member, `fold_<k>`."""


class MemberTemperature(Settings):
    """What log odds of the classifier are divided by, and what that does to validation cells of other groups."""

    temperature: float | None = Field(default=None, gt=0)
    """Fitted to the validation cells; null: it could not be."""
    slope_before: float | None = None
    """Calibration slope of the network as it is; null: not defined."""
    slope_after: float | None = None
    """The same, each group by a temperature that was fitted without it."""
    log_loss_before: float | None = None
    """Mean log loss of the network as it is, in nats."""
    log_loss_after: float | None = None
    """The same, each group by a temperature that was fitted without it."""
    reason: str = ""
    """Why it is not used; empty: it is."""
    n_groups: int = Field(default=0, ge=0)
    """Groups that hold the validation cells."""

    @model_validator(mode="after")
    def _check_reason(self) -> Self:
        if self.temperature is None and not self.reason:
            raise ValueError("there is no temperature, and no reason for it; give either")
        return self


def describe_temperature(found: MemberTemperature) -> str:
    """Say what a temperature is worth, and whether it is used.

    Examples
    --------
    >>> describe_temperature(MemberTemperature(reason="it takes two groups, and there is one"))
    'no temperature, because it takes two groups, and there is one'
    """
    if found.temperature is None:
        return f"no temperature, because {found.reason}"
    slopes = ["not defined" if slope is None else f"{slope:.2f}" for slope in (found.slope_before, found.slope_after)]
    losses = f"log loss from {found.log_loss_before:.4f} to {found.log_loss_after:.4f}"
    does = f"calibration slope from {' to '.join(slopes)}, {losses}, on {found.n_groups} validation groups left out"
    said = f"temperature {found.temperature:.2f}: {does}"
    return f"{said}; not used, because {found.reason}" if found.reason else said


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
    n_epochs: int = Field(ge=0)
    """Epochs trained; 0: there is no network."""
    n_train: int = Field(ge=1)
    """Training cells."""
    n_validation: int = Field(ge=1)
    """Validation cells."""
    validation: dict[str, float | None] = Field(default_factory=dict)
    """Validation metrics of the weights kept; null where a metric is undefined."""
    columns: tuple[ColumnScale, ...] = ()
    """Columns of measurements that the network reads, and how they are standardised; none where it reads pixels."""
    temperature: MemberTemperature | None = None
    """Classifier: what log odds are divided by where it is worth it; null in a model of an earlier version."""

    @property
    def divisor(self) -> float:
        """What the log odds of the network are divided by; 1 where no temperature is used."""
        found = self.temperature
        return 1.0 if found is None or found.temperature is None or found.reason else found.temperature


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
        columns=tuple(ColumnScale(**column) for column in fitted.columns),
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
    channels: tuple[str, ...]
    """Channels of a frame, in order; empty: no images are read."""
    crops: CropSettings | None = None
    """Size of a crop; null: no images are read."""
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
    def reads_images(self) -> bool:
        """Whether the study that trained it has images."""
        return bool(self.channels)

    @property
    def has_networks(self) -> bool:
        """Whether members have a network."""
        return any(member.n_epochs for member in self.members)

    @property
    def cut(self) -> CropSettings:
        """How cells are cut out of images; an InputError where none are read."""
        if self.crops is None:
            raise InputError(
                "The model was trained on traces, without images, and reads none; give it traces (docs/traces.md)."
            )
        return self.crops

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
        if self.reads_images != (self.crops is not None):
            raise ValueError(f"channels are {list(self.channels)} but crops {self.crops}; give both, or neither.")
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
    features: FeatureSettings = FeatureSettings()
    """How cells are segmented, where the network sees their mask; a model of an earlier version sees none."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Possible outcomes, in order; with two, the logit is of the first."""
        return self.events


class BlendWeights(Settings):
    """What each part of a blend counts for, and what that was worth on cells that no part was fitted to."""

    parts: dict[BlendPart, float] = Field(min_length=1)
    """Weight of the log odds of each part; they sum to 1."""
    alone: BlendPart
    """The part that the others had to improve."""
    gain: float | None = None
    """Nats of log likelihood a landmark over `alone`, on groups that did not choose the weights; null: not known."""
    standard_error: float | None = None
    """Of the gain, by group; null: not known."""
    most: float = Field(default=1.0, ge=0, le=1)
    """Largest weight of networks: less than 1 where they were seen in few recordings that did not train them."""
    n_landmarks: int = Field(default=0, ge=0)
    """Landmarks that the weights were chosen on."""
    n_groups: int = Field(default=0, ge=0)
    """Groups they are of."""
    n_recordings: int = Field(default=0, ge=0)
    """Recordings they are of."""

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        weights = list(self.parts.values())
        if min(weights) < 0 or abs(sum(weights) - 1) > WEIGHT_TOLERANCE:
            raise ValueError(f"weights {dict(self.parts)} are negative or do not sum to 1")
        if self.alone not in self.parts:
            raise ValueError(f"'{self.alone}' is not one of the parts {list(self.parts)}")
        return self


def describe_weights(weights: BlendWeights) -> str:
    """Say what the parts count for, and why.

    Examples
    --------
    >>> describe_weights(BlendWeights(parts={"boosting": 1.0, "network": 0.0}, alone="boosting"))
    'boosting 1.00, network 0.00; what the others add could not be judged, so boosting stands alone'
    """
    counted = ", ".join(f"{part.replace('_', ' ')} {weight:.2f}" for part, weight in weights.parts.items())
    if len(weights.parts) == 1:
        return counted
    alone = name_predictor(weights.alone)
    if weights.gain is None or weights.standard_error is None:
        return f"{counted}; what the others add could not be judged, so {alone} stands alone"
    gain = f"{weights.gain:+.4f} (standard error {weights.standard_error:.4f}) in log likelihood a landmark"
    where = f"on {weights.n_groups} groups of {weights.n_recordings} recordings that neither trains nor tests here"
    if weights.parts[weights.alone] == 1:
        return f"{counted}; the others would add {gain} {where}, less than one standard error, so {alone} stands alone"
    few = f", of at most {weights.most:.2f} in fewer than {ENOUGH_RECORDINGS} recordings that did not train it"
    return f"{counted}{few if weights.most < 1 else ''}; the others add {gain} to {alone} {where}"


class ClockConfig(FolderConfig):
    """The fate clock: hazards at every frame, by networks and by boosting, blended."""

    kind: Literal["clock"] = "clock"
    """What the folder holds."""
    architecture: ClockNetworkSettings
    """The network."""
    features: FeatureSettings
    """How cells are segmented and measured."""
    context: ContextSettings = ContextSettings(names=("age",))
    """What boosting is told beside measurements; a model of an earlier version knows the age."""
    doses: tuple[str, ...] = ()
    """Doses of the training recordings."""
    spot_features: tuple[str, ...] = ()
    """What its boosting was given of the tracker's own measurements, by the names that the tracker's files have."""
    blend: BlendSettings
    """What is blended."""
    blend_weights: dict[str, BlendWeights] = Field(default_factory=dict)
    """What each part counts for, by owner: `fold_<k>` for the cells that fold tests, `all` for new cells. Empty in a
    model of an earlier version, whose parts count alike."""

    @property
    def told(self) -> Context:
        """Context of landmarks, as boosting is told it."""
        return Context(self.context.names, self.follow_up.guard_h, self.doses)

    def weights_of(self, owner: str) -> dict[BlendPart, float]:
        """Weights of the parts of the blend for the cells of an owner; an InputError if they were not chosen."""
        if not self.blend_weights:
            return dict.fromkeys(self.blend.parts, 1 / len(self.blend.parts))
        if owner not in self.blend_weights:
            raise InputError(
                f"The fate clock has weights of its blend for {', '.join(self.blend_weights)} but not for {owner}; "
                "take the model of a finished run, or train it again."
            )
        return dict(self.blend_weights[owner].parts)

    @model_validator(mode="after")
    def _check_blended(self) -> Self:
        for owner, weights in self.blend_weights.items():
            if set(weights.parts) != set(self.blend.parts):
                raise ValueError(
                    f"weights of {owner} are of {sorted(weights.parts)} but blended are {list(self.blend.parts)}"
                )
        return self


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
