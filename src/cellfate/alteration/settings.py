"""Parameters of a known answer in pixels that are there."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

ALTERING = ("brightness_dip", "texture", "neighbour")
"""Kinds that change pixels, in some hours of half of the cells."""


class AlterationSettings(Settings):
    """Which cells of a study are taken, what decides their invented fates, and how their pixels are altered.

    Half of the cells of each block of time get the fate apoptosis, the others mitosis. Altered cells get apoptosis.
    """

    kind: Literal["brightness_dip", "texture", "neighbour", "size", "none"]
    """`brightness_dip`: the cell is dimmed; `texture`: its grain is changed, its mean stays; `neighbour`: another cell
    lies beside it; each in a window of time that is drawn for every altered cell. `size`: no pixel is changed, and
    cells larger than the median of their block get apoptosis. `none`: no pixel is changed, and the outcomes of `size`
    are permuted within blocks."""
    strength: float | None = Field(default=None, ge=0)
    """`brightness_dip`: share of the brightness above the surroundings that is lost, at most 1; `texture`: factor of
    the grain, below 1 blurred and above 1 sharpened; `neighbour`: pixels between the outlines of both cells; null
    otherwise."""
    grain_px: float = Field(default=1.5, gt=0)
    """`texture`: pixels, standard deviation of the Gaussian that parts grain from what is smooth."""
    channel: str | None = None
    """Channel that is dimmed, or whose grain is changed; null: the first."""
    window_h: float = Field(gt=0)
    """Hours of an alteration; `size`: hours before the last frame shown over which the area is averaged."""
    shortest_h: float = Field(gt=0)
    """Hours that a cell must have been tracked for."""
    longest_h: float = Field(gt=0)
    """Hours before the end of its track that are kept of a cell."""
    max_cells: int = Field(ge=2)
    """Most cells that are taken, drawn at random."""
    block_h: float = Field(gt=0)
    """Hours of a block of time, by the last frame kept: each has as many of both fates."""
    seed: int = 0
    """Seed of the choice of cells, of outcomes, windows and neighbours."""

    @model_validator(mode="after")
    def _strength_fits(self) -> Self:
        if (self.kind in ALTERING) != (self.strength is not None):
            raise ValueError(
                f"kind is {self.kind} and strength {self.strength}; give a strength with "
                f"{', '.join(ALTERING)}, and null otherwise."
            )
        if self.kind == "brightness_dip" and self.strength is not None and self.strength > 1:
            raise ValueError(f"strength of a brightness_dip is {self.strength}, a share; give 1 or less.")
        return self

    @model_validator(mode="after")
    def _hours_fit(self) -> Self:
        if not self.window_h < self.shortest_h <= self.longest_h:
            raise ValueError(
                f"window_h is {self.window_h}, shortest_h {self.shortest_h} and longest_h {self.longest_h}; the first "
                "must be shorter than the second, and that no longer than the last."
            )
        return self
