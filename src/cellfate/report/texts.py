"""Words that stand beside the sections and figures of the report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SectionText:
    """Head of a section, what to know before reading it, and words behind which its figures are folded away."""

    anchor: str
    title: str
    reads: str
    folded: str = ""


@dataclass(frozen=True)
class FigureText:
    """Where a figure stands, how to read it, and what it does not show.

    Attributes
    ----------
    name
        Catalog name.
    section
        Anchor of its section.
    reads, not_shown
        How to read it, and its limits; either may be empty.
    of_tables
        How to read it where there are no images; empty: as with them.
    of
        Question (`which_fate`, `within_hours`) or reading (`classifier`, `clock`) whose figure it is; empty: of all.
    """

    name: str
    section: str
    reads: str = ""
    not_shown: str = ""
    of: str = ""
    of_tables: str = ""
