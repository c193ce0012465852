"""One label: what one person said of one cell, when, and from which queue the cell came."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cellfate.core.fates import APOPTOSIS, CENSORED, LOST, MITOSIS, NEITHER, UNUSABLE

MEANING: Final = {MITOSIS: MITOSIS, APOPTOSIS: APOPTOSIS, NEITHER: CENSORED, LOST: CENSORED, UNUSABLE: UNUSABLE}
"""What a score makes of its cell in the study; an unusable one is set aside."""

QUEUES: Final = ("random", "uncertain", "disagreement", "by_recording", "search")
CHOSEN_BY_FORECASTS: Final = ("uncertain", "disagreement")
"""Queues that choose cells by what is forecast of them: labels from there train and never test."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Record(BaseModel):
    """Frozen, and refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class SeenTrack(_Record):
    """The cell as it was when it was scored: tells later whether the number still names it, and what was known."""

    first_frame: int = Field(ge=0)
    """First tracked frame."""
    last_frame: int = Field(ge=0)
    """Last tracked frame."""
    y_px: float | None = None
    """Where it was in its last frame, pixels; null: there are no images."""
    x_px: float | None = None
    """Likewise."""
    fate: str
    """Fate by the study's own evidence, without any label."""
    event_frame: int | None = None
    """Event frame by the same."""


class Label(_Record):
    """What a scorer said of a cell; a line of the journal.

    Nothing is ever changed: a later label of the same cell by the same scorer takes the place of an earlier one, and
    one without a fate takes it back.
    """

    entry_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Made where the label is made (uuid4, hex), so that the same label sent twice is one."""
    at: datetime | None = None
    """When it was stored, UTC; the journal sets it."""
    scorer: Name
    """Who scored."""
    queue: Literal["random", "uncertain", "disagreement", "by_recording", "search"]
    """The order by which the cell was come upon."""
    blind: bool = False
    """Forecasts, conditions, recorded fates and what others said were hidden."""
    recording_id: str = Field(min_length=1)
    cell_id: int = Field(ge=0)
    fate: Literal["mitosis", "apoptosis", "neither", "lost", "unusable"] | None
    """Null: taken back."""
    event_frame: int | None = Field(default=None, ge=0)
    """Frame of the event; of a cell that is lost, or of which nothing is seen, the last frame that shows it."""
    note: str = Field(default="", max_length=2000)
    after: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    """The newest label of this cell by this scorer that was known when this one was made; null: none."""
    looked_at_forecasts: bool = False
    """Forecasts of the cell were on the page when it was scored."""
    adjudicates: bool = False
    """It settles what scorers do not agree on."""
    seen: SeenTrack | None = None
    """The cell as it was when it was scored."""

    @property
    def key(self) -> tuple[str, int, str]:
        """recording_id, cell_id and scorer: of these the newest label counts."""
        return self.recording_id, self.cell_id, self.scorer

    @property
    def knew_forecasts(self) -> bool:
        """Forecasts chose the cell, or were seen: such a label trains and never tests."""
        return self.queue in CHOSEN_BY_FORECASTS or self.looked_at_forecasts
