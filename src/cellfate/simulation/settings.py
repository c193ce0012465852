"""Parameters of the simulation: the study, the causes or the hazards of fates, the doses, the microscope."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

CHANNELS = ("circadian", "p53", "cell_cycle")
"""Channels of a simulated recording, in the order of the samples of a pixel."""
SHAPE = "shape"
"""Stands for a channel where the outline of the nucleus decides."""

Probability = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]


class CauseSettings(Settings):
    """A planted cause: an excursion of a reporter, or of the nucleus's shape, shifts the odds of apoptosis.

    The excursion has a strength of about 1 where it happens and about 0 where it does not; the log odds of apoptosis
    it brings are `log_odds * (strength - neutral_strength)`.
    """

    channel: Literal["p53", "cell_cycle", "shape"]
    """Reporter that makes the excursion; or the shape: in the window long over short axis is then
    exp(reporter_change * strength), the area stays."""
    window_h: tuple[float, float]
    """Start and end of the excursion: in hours before the event, the start being the larger number; or, where the
    anchor is the drug, in hours after it."""
    anchor: Literal["event", "drug"] = "event"
    """What the window is counted from: the cell's event, or the time `drug_h` at which the drug is added."""
    spread_h: float = Field(default=0.0, ge=0)
    """Each cell has hours of its own: its window lies earlier (after the drug: later) by up to so many hours, drawn
    evenly; 0: all cells share their hours."""
    course: Literal["plateau", "rise"] = "plateau"
    """Whether the excursion is the same throughout the window, or grows evenly and ends at once."""
    centred: bool = False
    """Whether the reporter changes by `strength - neutral_strength`, so that both fates leave a mark; else by the
    strength."""
    decoys: int = Field(default=0, ge=0)
    """Most further excursions of the same kind, before and after, that decide nothing."""
    probability: Probability
    """Share of cells in which the excursion happens, before the dose adds to it."""
    log_odds: float = Field(gt=0)
    """Log odds of apoptosis gained for each unit of strength."""
    neutral_strength: float = Field(ge=0)
    """Strength at which the cause favours neither fate."""
    reporter_change: float
    """Change of the reporter at strength 1, in units of its usual level; negative: it falls."""

    @model_validator(mode="after")
    def _window_runs_forward(self) -> Self:
        start, end = self.window_h
        if self.anchor == "drug" and not start < end:
            raise ValueError(
                f"window_h of cause {self.channel} is [{start}, {end}] in hours after the drug; "
                "the start must be the smaller number."
            )
        if self.anchor == "event" and not start > end > 0:
            raise ValueError(
                f"window_h of cause {self.channel} is [{start}, {end}]; "
                "the start must be earlier (larger) than the end, and both before the event."
            )
        return self


class ConfounderSettings(Settings):
    """What goes with the fate though no biology of the cell does: `log_odds * (strength - neutral_strength)`.

    Surroundings and hidden traits have a strength of about 1 in the share `probability` of cells and about 0 in the
    others. A life's length has the strength 0 at `shortest_life_h` and 1 at `founder_horizon_h`.
    """

    kind: Literal["length", "surroundings", "hidden"]
    """The length of life; debris beside the nucleus in the first channel, of `strength` times a reporter's light; or a
    trait that all daughters of a mother share and no image shows."""
    probability: Probability = 0.5
    """Share of cells that have it; without meaning for the length."""
    log_odds: float = Field(gt=0)
    """Log odds of apoptosis gained for each unit of strength."""
    neutral_strength: float = Field(ge=0)
    """Strength that favours neither fate."""


class DoseSettings(Settings):
    """What one dose of the drug does."""

    dose: str
    """Name of the dose."""
    condition: str
    """What was given."""
    log_odds: float
    """Log odds of apoptosis the dose adds by itself."""
    p53_probability: Probability
    """Share of cells added to those with an excursion of p53."""


class HazardSettings(Settings):
    """A second way to live: frame by frame, from hazards that are known exactly.

    The state of a cell in a frame is its phase (age over its own cycle length) and whether its p53 is on. Phase runs
    evenly, p53 switches at random, and the state alone sets the rates of both events; both reporters show the state.
    Of the study's parameters these hold too: `cycle_h`, `cycle_sd_h` and `sister_correlation` (here of the cycle
    length, not of the time to the event), the founders, the circadian reporter and all about images. These have no
    meaning here: `causes` (empty), `shortest_life_h`, `founder_horizon_h`, `lost_probability`, `p53_period_h`, and the
    `log_odds` and `p53_probability` of doses. A nucleus must not look like its event before the guard of the forecasts:
    set `event_shape_h` to the guard or less. The guard is not known here; `list_true_incidence` checks it.
    """

    mitosis_phase: tuple[float, float] = (0.8, 1.0)
    """Phase at which the rate of mitosis begins to rise, and phase from which it is `mitosis_per_h`."""
    mitosis_per_h: float = Field(default=1.0, ge=0.01)
    """Events an hour among cells late in the cycle."""
    apoptosis_per_h: Rate = 0.004
    """Events an hour while p53 is off."""
    apoptosis_on_per_h: tuple[Rate, Rate] = (0.03, 1.2)
    """Events an hour while p53 is on, at birth and at phase 1; in equal times it changes by the same factor."""
    p53_on_per_h: dict[str, Rate] = Field(default={"Control": 0.015, "Low": 0.03, "Medium": 0.045, "High": 0.065})
    """By dose: how often an hour p53 switches on, where it is off. It is off at birth and when the recording begins."""
    p53_off_per_h: Rate = 0.04
    """How often an hour p53 switches off, where it is on."""
    loss_per_h: Rate = 0.01
    """How often an hour the tracker loses a cell, whatever its state."""
    p53_levels: tuple[float, float] = (0.35, 1.6)
    """Level of the p53 reporter while p53 is off, and while it is on."""
    p53_lag_h: float = Field(default=0.25, gt=0)
    """Hours in which the p53 reporter covers 63 % of the way to its new level."""
    level_variation: float = Field(default=0.03, ge=0)
    """Spread of both reporters of the state between cells, in place of `cell_variation`."""
    level_noise: float = Field(default=0.04, ge=0)
    """Spread of their slow noise within a cell, in place of `reporter_noise`."""

    @model_validator(mode="after")
    def _values_ascend(self) -> Self:
        for name in ("mitosis_phase", "p53_levels"):
            low, high = getattr(self, name)
            if not 0 < low < high:
                raise ValueError(f"{name} is [{low}, {high}]; both must be above 0, and the second the larger.")
        if min(self.apoptosis_on_per_h) <= self.apoptosis_per_h:
            raise ValueError(
                f"apoptosis_on_per_h is {list(self.apoptosis_on_per_h)} and apoptosis_per_h {self.apoptosis_per_h}; "
                "cells must die more often while p53 is on."
            )
        return self


class ImageSettings(Settings):
    """The microscope: optics, light and camera."""

    nucleus_radius_px: float = Field(default=7.0, ge=3)
    """Mean radius of a nucleus before its event, in px."""
    photons: tuple[float, float, float] = (220.0, 200.0, 240.0)
    """Photons a px that a nucleus with a reporter level of 1 gives, by channel."""
    background_photons: float = Field(default=30.0, gt=0)
    """Photons a px of light without a cell."""
    blur_px: float = Field(default=0.9, gt=0)
    """Standard deviation of the point spread function, in px."""
    uneven_light: float = Field(default=0.25, ge=0, lt=1)
    """Share of light lost between the brightest point of the field and its darkest corner."""
    bleaching_per_h: float = Field(default=0.004, ge=0)
    """Share of every fluorophore that is bleached in an hour."""
    camera_offset: float = Field(default=100.0, ge=0)
    """Counts of the camera without light."""
    camera_noise: float = Field(default=2.0, ge=0)
    """Standard deviation of the read noise, in counts; a photon is one count."""


class SimulationSettings(Settings):
    """A simulated study: how many recordings, how cells live and die, and how they are imaged."""

    seed: int = Field(default=0, ge=0)
    """Seed of everything random; the same seed gives the same files, byte for byte."""
    n_recordings: int = Field(default=40, ge=1)
    """Number of recordings; doses take turns."""
    n_frames: int = Field(default=72, ge=8)
    """Frames in a recording."""
    frame_interval_min: float = Field(default=30.0, gt=0)
    """Time between frames, in minutes."""
    height_px: int = Field(default=160, ge=48)
    """Rows of an image, in px."""
    width_px: int = Field(default=160, ge=48)
    """Columns of an image, in px."""
    founders: tuple[int, int] = (9, 10)
    """Least and largest number of cells in the first frame of a recording."""
    shortest_life_h: float = Field(default=14.0, gt=0)
    """Shortest time from a cell's birth (or the first frame) to its event, in hours."""
    founder_horizon_h: float = Field(default=42.0, gt=0)
    """Latest event of a cell of the first frame, in hours from the first frame; events past the end are not seen."""
    cycle_h: float = Field(default=16.5, gt=0)
    """Mean time from birth to event of a cell born in the recording, in hours."""
    cycle_sd_h: float = Field(default=2.0, ge=0)
    """Standard deviation of that time, in hours."""
    sister_correlation: Probability = 0.6
    """Correlation between sisters of what decides their fate, and of their life time."""
    lost_probability: Probability = 0.07
    """Probability that the tracker loses a cell before its event."""
    event_shape_h: float = Field(default=1.2, gt=0)
    """Hours before the event at which the nucleus begins to look like it."""
    p53_period_h: float = Field(default=5.5, gt=0)
    """Mean time between two p53 pulses, in hours."""
    circadian_period_h: float = Field(default=24.0, gt=0)
    """Period of the circadian reporter, in hours."""
    cell_variation: float = Field(default=0.12, ge=0)
    """Spread of reporter levels between cells: standard deviation of their natural logarithm."""
    reporter_noise: float = Field(default=0.08, ge=0)
    """Spread of slow reporter noise within a cell: standard deviation relative to the level."""
    speed_px: float = Field(default=0.5, ge=0)
    """Spread of a cell's velocity along each axis, in px a frame."""
    causes: tuple[CauseSettings, ...] = (
        CauseSettings(
            channel="p53",
            window_h=(6.5, 2.5),
            probability=0.10,
            log_odds=6.0,
            neutral_strength=0.40,
            reporter_change=1.6,
        ),
        CauseSettings(
            channel="cell_cycle",
            window_h=(11.0, 7.0),
            probability=0.15,
            log_odds=6.0,
            neutral_strength=0.40,
            reporter_change=-0.75,
        ),
    )
    """What decides fates; the causes add up. Empty where `hazards` are given, or where no biology decides."""
    one_cause_a_cell: bool = False
    """Whether only one of the causes, drawn by chance, speaks in a cell; the others have their neutral strength."""
    confounder: ConfounderSettings | None = None
    """What goes with fates beside the causes; null: nothing."""
    drug_h: float | None = Field(default=None, ge=0)
    """Hours from the first frame to the addition of the drug; null: it matters to no cause."""
    sisters_alike: bool = False
    """Whether sisters have the same reporter levels; else each differs from the mother by chance."""
    doses: tuple[DoseSettings, ...] = (
        DoseSettings(dose="Control", condition="simulated vehicle", log_odds=0.0, p53_probability=0.0),
        DoseSettings(dose="Low", condition="simulated drug", log_odds=0.3, p53_probability=0.12),
        DoseSettings(dose="Medium", condition="simulated drug", log_odds=0.6, p53_probability=0.26),
        DoseSettings(dose="High", condition="simulated drug", log_odds=0.9, p53_probability=0.42),
    )
    """Doses, given to the recordings in turn."""
    image: ImageSettings = ImageSettings()
    """The microscope."""
    hazards: HazardSettings | None = None
    """Known hazards, from which lives are drawn frame by frame; null: the event is drawn first, then its causes."""

    @model_validator(mode="before")
    @classmethod
    def _hazards_leave_out_causes(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("hazards") is not None:
            return {"causes": (), **given}
        return given

    @model_validator(mode="after")
    def _hazards_fit(self) -> Self:
        if self.hazards is None:
            return self
        if self.confounder is not None:
            raise ValueError("hazards and a confounder are given; where hazards decide fates, nothing else can.")
        if self.causes:
            raise ValueError(
                f"hazards and {len(self.causes)} causes are given; where hazards decide fates, causes must be left out "
                "or empty."
            )
        missing = [dose.dose for dose in self.doses if dose.dose not in self.hazards.p53_on_per_h]
        if missing:
            listed = list(self.hazards.p53_on_per_h)
            raise ValueError(f"p53_on_per_h of hazards lists {listed} but not the dose {missing[0]}; add its rate.")
        return self

    @model_validator(mode="after")
    def _windows_fit_into_lives(self) -> Self:
        anchored = [cause for cause in self.causes if cause.anchor == "drug"]
        if anchored and self.drug_h is None:
            raise ValueError(f"cause {anchored[0].channel} is anchored at the drug, but drug_h is null; give its hour.")
        at_event = (cause.window_h[0] + cause.spread_h for cause in self.causes if cause.anchor == "event")
        earliest = max(at_event, default=0.0)
        if earliest >= self.shortest_life_h:
            raise ValueError(
                f"shortest_life_h is {self.shortest_life_h} but the earliest window_h of the causes (with spread_h) "
                f"begins {earliest} h before the event; lives must be longer."
            )
        return self

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        if self.founder_horizon_h <= self.shortest_life_h:
            raise ValueError(
                f"founder_horizon_h is {self.founder_horizon_h} and shortest_life_h {self.shortest_life_h}; "
                "the horizon must be the later."
            )
        if self.founders[0] < 1 or self.founders[1] < self.founders[0]:
            raise ValueError(f"founders is {list(self.founders)}; give the least number (1 or more), then the largest.")
        if not self.doses:
            raise ValueError("0 doses are given; at least one is needed.")
        return self

    @property
    def frame_h(self) -> float:
        """Time between frames, in hours."""
        return self.frame_interval_min / 60

    def frames_in(self, hours: float) -> int:
        """Whole number of frames nearest to a time in hours."""
        return round(hours / self.frame_h)
