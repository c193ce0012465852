"""Parameters of scores, references and masking experiments."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellfate.cohort.settings import Event
from cellfate.core.settings import Settings
from cellfate.features.settings import ContextName
from cellfate.models.settings import BoostingSettings

TrivialName = Literal[
    "track_length", "track_age", "recording_time", "age_and_time", "dose", "length_and_dose", "position"
]
ReferenceName = Literal[TrivialName, "measurements"]
HazardName = Literal[TrivialName, "handcrafted_age_and_time"]


class PrimarySettings(Settings):
    """The one result that is named before any is seen: the report begins with it, and its p value is not corrected."""

    event: Event | None = None
    """Event that is forecast; null: the first of `follow_up.events` that occurs."""
    within_h: float | None = Field(None, gt=0)
    """Hours within which it happens, one of `follow_up.report_h`; null: `follow_up.headline_h`."""
    metric: Literal["auroc", "average_precision", "brier"] = "auroc"
    """Score by which the leading predictor is held against the others."""


class ScoreSettings(Settings):
    """How forecasts are scored and how sure the scores are."""

    n_resamples: int = Field(2000, ge=100, le=100_000)
    """Bootstrap resamples; whole groups (recordings, or lineages of a single recording) are drawn."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Probability content of every interval."""
    calibration_bins: int = Field(15, ge=2, le=100)
    """Bins of equal mass of the reliability curve and of the expected calibration error."""
    died_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.1, 0.3)
    """Shares of the lost cells that are assumed to have died at the moment of loss, to see what the scores become."""
    primary: PrimarySettings = PrimarySettings()
    """Primary result; comparisons of all other outcomes carry p values that are corrected by Holm."""
    seed: int = Field(7, ge=0)
    """Seed of the bootstrap; the same groups are drawn for every predictor, so differences are paired."""


class ReferenceSettings(Settings):
    """Predictors without a network, shown beside the models."""

    names_which_fate: tuple[ReferenceName, ...] = (
        "track_length", "track_age", "dose", "length_and_dose", "position", "measurements",
    )  # fmt: skip
    """References that say which fate comes, in the order they are shown."""
    names_within_hours: tuple[HazardName, ...] = ("track_age", "dose", "age_and_time", "handcrafted_age_and_time")
    """References that say what comes within hours, in the order they are shown; `boosting` of the fate clock stands
    beside them."""
    history_h: float = Field(10.0, gt=0)
    """Hours before the landmark that measurements are summarised over (`measurements`, `handcrafted_age_and_time`)."""
    boosting: BoostingSettings = BoostingSettings(n_trees=150)
    """`measurements`: the boosting on them."""
    boosting_within_hours: BoostingSettings = BoostingSettings()
    """`handcrafted_age_and_time`: its boosting; as that of the fate clock, so that the inputs alone differ."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for key in ("names_which_fate", "names_within_hours"):
            names = getattr(self, key)
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"{key} repeats {', '.join(repeated)}; list every reference once.")
        return self


class AddedValueSettings(Settings):
    """What images are held against: what a person knows without them."""

    contexts: tuple[Annotated[tuple[ContextName, ...], Field(min_length=1)], ...] = Field(
        default=(("age", "treatment_time"),), min_length=1
    )
    """Contexts, in the words of `context.names`; what the images add is asked beside each of them."""
    block_h: float = Field(2.0, gt=0)
    """AUROC within the same time: only landmarks in the same block of so many hours (and of age) are compared."""


class MaskingSettings(Settings):
    """Shortened inputs: how much of the end of a track a forecast needs."""

    remove_last_frames: tuple[int, ...] = (0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    """Frames removed from the end of what is shown, ascending; 0 is the whole."""
    keep_last_frames: tuple[int, ...] = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    """Frames kept at the end, ascending; all earlier ones are removed."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for name, lowest in (("remove_last_frames", 0), ("keep_last_frames", 1)):
            frames = getattr(self, name)
            if not frames or min(frames) < lowest or list(frames) != sorted(set(frames)):
                raise ValueError(f"{name} is {list(frames)}; give ascending different numbers of at least {lowest}.")
        return self


class BackgroundSwapSettings(Settings):
    """How cells are laid on the surroundings of other cells."""

    margin_px: int = Field(1, ge=0)
    """Pixels beyond the edge of a mask that still count as the cell."""
    seed: int = Field(7, ge=0)
    """Seed of whose surroundings a cell gets."""


class FeatureAssociationSettings(Settings):
    """How single features are held against the fate that came, hour by hour."""

    features: tuple[str, ...] | None = None
    """Columns of table FrameFeatures; null: all that say something of the cell but equivalent_diameter."""
    bin_h: float = Field(1.0, gt=0)
    """Hours that are averaged in a cell, counted back from its event."""
    min_cells: int = Field(5, ge=2)
    """Cells on either side, at least; with fewer the association is not defined."""
    n_resamples: int = Field(500, ge=100, le=100_000)
    """Bootstrap resamples of whole groups."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Probability content of the bands, each hour by itself."""
    seed: int = Field(7, ge=0)
    """Seed of the bootstrap; the same groups are drawn for every feature and hour."""
