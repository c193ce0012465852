"""Fates of cells and outcomes of landmarks: the words and their order.

A *fate* belongs to a cell: how its track ends. An *outcome* belongs to a landmark: what is forecast there. The first
of two outcomes is the positive one.
"""

from collections.abc import Iterable
from typing import Final

MITOSIS: Final = "mitosis"
APOPTOSIS: Final = "apoptosis"
CENSORED: Final = "censored"
UNSCORED: Final = "unscored"
NONE: Final = "none"

EVENTS: Final = (APOPTOSIS, MITOSIS)
"""Fates that are events, in the order their probabilities are listed."""
FATES: Final = (APOPTOSIS, MITOSIS, CENSORED, UNSCORED)
"""Of a censored cell it is known that nothing happened until its last frame; of an unscored one nobody looked."""
OUTCOMES: Final = (APOPTOSIS, MITOSIS, NONE)

NEITHER: Final = "neither"
LOST: Final = "lost"
UNUSABLE: Final = "unusable"
SCORES: Final = (MITOSIS, APOPTOSIS, NEITHER, LOST, UNUSABLE)
"""What a person who looks at a cell can say of it; `lost`: the track leaves it, `unusable`: the track is not of one
cell."""

SURE: Final = "yes"
HARDLY_SURE: Final = "hardly"
"""What column `sure` says of a call; `prediction.calls.add_calls` decides."""

RIGHT: Final = "right"
FALSE: Final = "false"
UNKNOWN: Final = "unknown"
ANSWERS: Final = (RIGHT, FALSE, UNKNOWN)
"""What came of an alarm: the event followed in time, it did not, or the cell was not watched for so long."""


def probability_column(outcome: str) -> str:
    """Name of the column that holds the probability of an outcome.

    Examples
    --------
    >>> probability_column("mitosis")
    'p_mitosis'
    """
    return f"p_{outcome}"


def listed_outcomes(columns: Iterable[object]) -> tuple[str, ...]:
    """Outcomes whose probability columns stand in `columns`, in the fixed order of `OUTCOMES`."""
    names = set(columns)
    return tuple(outcome for outcome in OUTCOMES if probability_column(outcome) in names)
