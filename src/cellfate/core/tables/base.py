"""The base of every schema, and words that several tables share."""

import pandera.pandas as pa

from cellfate.core.fates import UNUSABLE

CELL = ["recording_id", "cell_id"]
"""Columns that name a cell."""
FRAME = [*CELL, "frame"]
"""Columns that name a cell at a frame."""
PARTS = ("train", "validation", "test")
SHARED = ("recording", "group", "lineage", "mother", "sister")
"""What a tested cell can share with cells that the model has seen."""

EVERYTHING = "all"
"""Outcome or condition of a score that is over all of them."""
WITHIN_DOSES = "within_dose"
"""Condition of a score that is the mean over the doses, each weighted by the landmarks of its rarest outcome: what is
left when the dose is known."""

USED = "used"
DISAGREE = "disagree"
LABELLED = (USED, UNUSABLE, DISAGREE)
"""How labels count for a cell: its fate is theirs; its track is unusable; scorers do not agree. The last two set it
aside."""


class Table(pa.DataFrameModel):
    """Base: columns are coerced to their declared types."""

    class Config:
        """Coerce, and keep columns that are not declared."""

        coerce = True
