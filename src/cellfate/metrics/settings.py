"""Parameters of scores, baselines and masking experiments."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings
from cellfate.models.settings import BoostingSettings

BaselineName = Literal[
    "track_length", "track_age", "recording_time", "age_and_time", "dose", "length_and_dose", "position",
    "handcrafted", "handcrafted_and_age",
]  # fmt: skip

TRIVIAL_BASELINES: tuple[str, ...] = (
    "track_length", "track_age", "recording_time", "age_and_time", "dose", "length_and_dose", "position",
)  # fmt: skip
"""Baselines that see neither a pixel nor anything measured on pixels: what a model must beat to have seen anything."""

ReferenceName = Literal["track_age", "dose", "age_and_time", "handcrafted_and_age"]


class ScoreSettings(Settings):
    """How forecasts are scored and how sure the scores are."""

    n_resamples: int = Field(2000, ge=100, le=100_000)
    """Bootstrap resamples; whole groups (recordings, or lineages of a single recording) are drawn."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Probability content of every interval."""
    calibration_bins: int = Field(15, ge=2, le=100)
    """Bins of equal mass of the reliability curve and of the expected calibration error."""
    seed: int = Field(7, ge=0)
    """Seed of the bootstrap; the same groups are drawn for every predictor, so differences are paired."""


class BackgroundSwapSettings(Settings):
    """How cells are laid on the surroundings of other cells."""

    margin_px: int = Field(1, ge=0)
    """Pixels beyond the edge of a mask that still count as the cell."""
    seed: int = Field(7, ge=0)
    """Seed of whose surroundings a cell gets."""


class FeatureAssociationSettings(Settings):
    """How single features are held against what followed, hour by hour."""

    features: tuple[str, ...] | None = None
    """Columns of table FrameFeatures; null: all that say something of the cell but equivalent_diameter."""
    bin_h: float = Field(1.0, gt=0)
    """Hours that are averaged in a sample, counted back from its end."""
    min_samples: int = Field(5, ge=2)
    """Samples on either side, at least; with fewer the association is not defined."""
    n_resamples: int = Field(500, ge=100, le=100_000)
    """Bootstrap resamples of whole groups."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Probability content of the bands, each hour by itself."""
    seed: int = Field(7, ge=0)
    """Seed of the samples drawn and of the bootstrap; the same groups are drawn for every feature and hour."""


class BaselineSettings(Settings):
    """Predictors without a network, shown beside the model."""

    names: tuple[BaselineName, ...] = (
        "track_length",
        "track_age",
        "dose",
        "length_and_dose",
        "position",
        "handcrafted",
    )
    """Which baselines are fitted, in the order they are shown."""
    handcrafted_history_h: float = Field(5.0, gt=0)
    """Hours before the end of a sample that the handcrafted features are summarised over."""
    max_leaf_nodes: int = Field(8, ge=2)
    """Leaves of one tree of the gradient boosting on handcrafted features."""
    min_samples_leaf: int = Field(40, ge=1)
    """Samples in a leaf, at least; lowered to a twentieth of the training samples where those are fewer."""
    l2_regularization: float = Field(5.0, ge=0)
    """L2 penalty of the leaf values."""
    learning_rate: float = Field(0.05, gt=0, le=1)
    """Shrinkage of each tree."""
    n_trees: int = Field(150, ge=1)
    """Trees in the boosting; fixed, no early stop."""
    seed: int = Field(7, ge=0)
    """Seed of the boosting."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _check_names(self.names, "baseline")
        return self


class ReferenceSettings(Settings):
    """Forecasts of incidence without a network, shown beside the fate clock."""

    names: tuple[ReferenceName, ...] = ("track_age", "dose", "age_and_time", "handcrafted_and_age")
    """Which references are fitted, in the order they are shown."""
    handcrafted_history_h: float = Field(10.0, gt=0)
    """Hours before a landmark that the handcrafted features are summarised over."""
    boosting: BoostingSettings = BoostingSettings()
    """The boosting on handcrafted features."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _check_names(self.names, "reference")
        return self


class MaskingSettings(Settings):
    """Shortened inputs: how much of the end of a track a forecast needs."""

    remove_last_frames: tuple[int, ...] = (0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    """Frames removed from the end of a sample, ascending; 0 is the sample itself."""
    keep_last_frames: tuple[int, ...] = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    """Frames kept at the end of a sample, ascending; all earlier ones are removed."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for name, lowest in (("remove_last_frames", 0), ("keep_last_frames", 1)):
            frames = getattr(self, name)
            if not frames or min(frames) < lowest or list(frames) != sorted(set(frames)):
                raise ValueError(f"{name} is {list(frames)}; give ascending different numbers of at least {lowest}.")
        return self


def _check_names(names: tuple[str, ...], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"names repeats {', '.join(repeated)}; list every {what} once.")
