"""Records of the room: a planned life, a simulated cell, a recording, a study."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cellfate.simulation.settings import SimulationSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """How a cell's state runs where hazards are known.

    Attributes
    ----------
    cycle_frames : float
        Length of its own cycle, in frames: at this age its phase is 1.
    p53_on : ndarray of bool, shape (n,)
        Whether p53 is on, from `first_frame` of the life up to its event frame.
    """

    cycle_frames: float
    p53_on: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Life:
    """What is laid down for a cell before it is placed in the field.

    Attributes
    ----------
    cell_id : int
        Number of the cell within its recording, from 1.
    parent_id : int or None
        Its mother, or None for a cell of the first frame.
    birth_frame : int
        Frame in which it is born; negative for cells of the first frame.
    event_frame : int
        Frame of its event; may lie after the recording's end.
    destiny : str
        `apoptosis` or `mitosis`.
    strengths : ndarray, shape (n_causes,)
        Strength of every cause, 0 and up, in the order of the settings; empty where hazards are known.
    log_odds : ndarray, shape (n_causes,)
        Log odds of apoptosis that every cause brings.
    dose_log_odds : float
        Log odds of apoptosis that the dose brings by itself; NaN where hazards are known.
    lost_frame : int or None
        First frame in which the tracker no longer has it.
    levels : ndarray, shape (3,)
        Factor of its reporters, by channel.
    circadian_phase_h : float
        Time of a circadian maximum, in hours.
    course : Course or None
        Its states where hazards are known; else None.
    confounder : float
        Strength of what goes with the fate though no biology does; 0 where there is no such thing.
    confounder_log_odds : float
        Log odds of apoptosis that it brings.
    moves_h : ndarray, shape (n_causes,), or None
        Hours by which its windows lie away from `window_h`, where causes have hours that differ from cell to cell.
    """

    cell_id: int
    parent_id: int | None
    birth_frame: int
    event_frame: int
    destiny: str
    strengths: Floats
    log_odds: Floats
    dose_log_odds: float
    lost_frame: int | None
    levels: Floats
    circadian_phase_h: float
    course: Course | None = None
    confounder: float = 0.0
    confounder_log_odds: float = 0.0
    moves_h: Floats | None = None

    @property
    def first_frame(self) -> int:
        """First frame of the recording in which it is alive."""
        return max(self.birth_frame, 0)

    @property
    def span_frames(self) -> float:
        """Frames from birth in which it grows to full size: its cycle where hazards are known, else its whole life."""
        return self.event_frame - self.birth_frame if self.course is None else self.course.cycle_frames

    @property
    def oracle_logit(self) -> float:
        """Total planted log odds of apoptosis; NaN where hazards are known."""
        return float(self.log_odds.sum()) + self.dose_log_odds + self.confounder_log_odds


@dataclass(frozen=True, eq=False)
class SimulatedCell:
    """A cell in the field of view. Arrays run over the frames `life.first_frame` and on in which it is drawn.

    Attributes
    ----------
    life : Life
        What was laid down for it.
    last_frame : int
        Last frame of its track; the event frame where the event was seen.
    fate : str
        As annotated: `censored` where the track ends before the event.
    y_px, x_px : ndarray, shape (n,)
        Centre of the nucleus.
    angle : ndarray, shape (n,)
        Direction of its long axis, in radians.
    reporters : ndarray, shape (n, 3)
        True level of every reporter, without units.
    """

    life: Life
    last_frame: int
    fate: str
    y_px: Floats
    x_px: Floats
    angle: Floats
    reporters: Floats

    @property
    def event_frame(self) -> int | None:
        """Frame of the event, or None where it was not seen."""
        return None if self.fate == "censored" else self.life.event_frame

    @property
    def frames(self) -> NDArray[np.int64]:
        """Frame numbers in which the cell is drawn."""
        return np.arange(len(self.y_px)) + self.life.first_frame


@dataclass(frozen=True, eq=False)
class PlannedRecording:
    """A recording before its images are made: all of the truth.

    Attributes
    ----------
    recording_id : str
        Zero-padded number.
    dose, condition : str
        What the cells were given.
    cells : tuple of SimulatedCell
        Every cell with at least one tracked frame.
    seed : numpy.random.SeedSequence
        Seed of its images.
    """

    recording_id: str
    dose: str
    condition: str
    cells: tuple[SimulatedCell, ...]
    seed: np.random.SeedSequence


@dataclass(frozen=True, eq=False)
class SimulatedRecording:
    """A recording with its images.

    Attributes
    ----------
    plan : PlannedRecording
        What is in it.
    frames_tyxc : ndarray, shape (T, Y, X, 3), uint16
        Camera counts.
    boxes : dict of int to ndarray, shape (n, 4), float64
        By cell: centre y, centre x, height, width of the nucleus in px, for every frame it is drawn in.
    """

    plan: PlannedRecording
    frames_tyxc: NDArray[np.uint16]
    boxes: dict[int, Floats]


@dataclass(frozen=True, eq=False)
class SimulatedStudy:
    """A study: its truth is there at once, the images of one recording at a time are made while iterating.

    Attributes
    ----------
    settings : SimulationSettings
        What made it.
    plans : tuple of PlannedRecording
        One a recording.
    """

    settings: SimulationSettings
    plans: tuple[PlannedRecording, ...]
    render: Callable[[PlannedRecording, SimulationSettings], SimulatedRecording] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of recordings."""
        return len(self.plans)

    def __iter__(self) -> Iterator[SimulatedRecording]:
        """Make the images of one recording after the other."""
        return (self.render(plan, self.settings) for plan in self.plans)
