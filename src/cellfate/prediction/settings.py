"""When an alarm is raised, and how often a prediction set has to hold what comes."""

from typing import Final

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

LEAST_THRESHOLD: Final = 0.01
"""A threshold below it would flag nearly every cell, one above 1 less it nearly none."""


class AlarmSettings(Settings):
    """What a false alarm and a missed event cost, and how long a forecast must hold before an alarm is raised.

    Set the costs by what an alarm is for, before any score is seen. They are never tuned: a threshold that is tuned to
    scores changes with the share of events in a study.
    """

    cost_false: float = Field(default=3.0, gt=0)
    """Cost of an alarm that no event follows, in any unit."""
    cost_miss: float = Field(default=7.0, gt=0)
    """Cost of an event without an alarm, in the same unit."""
    frames_on_end: int = Field(default=3, ge=1)
    """Frames on end in which an event must be flagged; the alarm is raised at the last of them."""

    @property
    def threshold(self) -> float:
        """Incidence from which on a false alarm costs less than a missed event."""
        return self.cost_false / (self.cost_false + self.cost_miss)

    @model_validator(mode="after")
    def _check_threshold(self) -> "AlarmSettings":
        if not LEAST_THRESHOLD <= self.threshold <= 1 - LEAST_THRESHOLD:
            raise ValueError(
                f"cost_false {self.cost_false:g} and cost_miss {self.cost_miss:g} make a threshold of "
                f"{self.threshold:.2g}, expected {LEAST_THRESHOLD:g} to {1 - LEAST_THRESHOLD:g}; bring the costs "
                "closer to each other."
            )
        return self


class PredictionSetSettings(Settings):
    """How often the outcomes that a forecast leaves open have to hold the one that comes."""

    level: float = Field(default=0.9, ge=0.5, lt=1)
    """Probability that the set of a landmark of a new group holds what comes. A higher one leaves more open, and takes
    more tested groups to calibrate: level / (1 - level), 9 for .9 and 19 for .95."""
