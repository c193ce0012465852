"""What people scored, what is odd about it, and how far they agree."""

from typing import Final

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, SCORES
from cellfate.core.tables.base import Table

LABEL_CHECKS: Final = (
    "gone",
    "other_cell",
    "beyond",
    "disagree",
    "has_daughters",
    "no_daughters",
    "outside",
    "no_event_frame",
    "recorded_since",
    "after_forecasts",
    "unlisted",
)
"""Checks of labels. Those that the first three name are not used; the gravest first."""
_SEEN = "of the cell as it was when it was scored; null: not noted"


class Labels(Table):
    """One row a cell and scorer: the newest label; without a fate it was taken back."""

    recording_id: Series[str]
    cell_id: Series[int]
    scorer: Series[str]
    fate: Series[str] = pa.Field(isin=SCORES, nullable=True, description="null: taken back")
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    note: Series[str] = pa.Field(nullable=True)
    at: Series[str] = pa.Field(description="when it was stored, UTC")
    queue: Series[str] = pa.Field(description="order by which the cell was come upon")
    blind: Series[bool] = pa.Field(description="forecasts, conditions, recorded fates and what others said were hidden")
    adjudicates: Series[bool] = pa.Field(description="settles what scorers do not agree on")
    training_only: Series[bool] = pa.Field(
        description="it knew forecasts, and the scorer had not said the same without them: never tests"
    )
    previous_fate: Series[str] = pa.Field(
        isin=SCORES, nullable=True, description="what the scorer had said before; null: nothing, or taken back"
    )
    n_entries: Series[int] = pa.Field(ge=1, description="labels of this cell by this scorer in the journal")
    entry_id: Series[str] = pa.Field(unique=True)
    seen_first_frame: Series[Int64Dtype] = pa.Field(nullable=True, description=_SEEN)
    seen_last_frame: Series[Int64Dtype] = pa.Field(nullable=True, description=_SEEN)
    seen_y_px: Series[float] = pa.Field(nullable=True, description="where it was in that last frame")
    seen_x_px: Series[float] = pa.Field(nullable=True, description="likewise")
    seen_fate: Series[str] = pa.Field(isin=FATES, nullable=True, description="by the study's own evidence then")
    seen_event_frame: Series[Int64Dtype] = pa.Field(nullable=True, description="likewise")

    class Config:
        """One row a cell and scorer."""

        coerce = True
        unique = ("recording_id", "cell_id", "scorer")


class LabelFindings(Table):
    """One row a finding: a label that contradicts the tracks or another label, or that cannot be used."""

    recording_id: Series[str] = pa.Field(nullable=True, description="null: the study as a whole")
    cell_id: Series[Int64Dtype] = pa.Field(nullable=True)
    scorer: Series[str] = pa.Field(nullable=True, description="null: several")
    check: Series[str] = pa.Field(isin=LABEL_CHECKS)
    finding: Series[str] = pa.Field(description="what was found and what to do, one sentence")


class LabelAgreement(Table):
    """One row a pair of scorers: how far they agree on the cells that both scored."""

    scorer: Series[str]
    other_scorer: Series[str]
    n_cells: Series[int] = pa.Field(ge=0, description="that both scored")
    n_groups: Series[int] = pa.Field(ge=0)
    share_same: Series[float] = pa.Field(nullable=True, description="cells of which both said the same")
    kappa: Series[float] = pa.Field(nullable=True, description="Cohen's; 0: as often as by chance")
    low: Series[float] = pa.Field(nullable=True, description="of kappa; whole groups are drawn")
    high: Series[float] = pa.Field(nullable=True)
    n_events: Series[int] = pa.Field(ge=0, description="cells of which both saw the same event, with a frame")
    median_apart_h: Series[float] = pa.Field(nullable=True, description="hours between their event frames")
    largest_apart_h: Series[float] = pa.Field(nullable=True)
    reason: Series[str] = pa.Field(nullable=True, description="why kappa, or its interval, is not defined")
