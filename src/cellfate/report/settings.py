"""Parameters of the report and of its film strips."""

from typing import Annotated

from pydantic import Field, model_validator

from cellfate.core.settings import Settings


class ReportSettings(Settings):
    """How the report page and its film strips are made."""

    title: str = "Cell fate report"
    """Title at the top of the page."""

    frames_per_strip: Annotated[int, Field(ge=2, le=40)] = 10
    """Most frames drawn of one example cell (frames); they are evenly spaced and end at the last frame of the input."""

    brightness_percentiles: tuple[float, float] = (0.5, 99.8)
    """Pixel percentiles of a channel, over all drawn cells together, that are drawn black and white (percent)."""

    longest_table: Annotated[int, Field(ge=5, le=1000)] = 40
    """Most rows that a table of the report shows; what is left out is counted under the table."""

    published_tables: str | None = None
    """Folder of the result tables that were published with the method (arXiv:2603.16562), from which figures of table
    `reproduction` are computed again; null: those that need them stay empty."""

    @model_validator(mode="after")
    def _percentiles_rise(self) -> "ReportSettings":
        low, high = self.brightness_percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(
                f"brightness_percentiles is ({low}, {high}), expected 0 <= low < high <= 100: give the darker first."
            )
        return self
