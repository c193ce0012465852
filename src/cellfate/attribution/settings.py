"""What a person decides about explanations."""

from typing import Literal

from pydantic import Field

from cellfate.core.settings import Settings


class ExplanationSettings(Settings):
    """What is explained of a model's forecasts, at how many landmarks, and how finely; the same for either reading."""

    outcome: str | None = None
    """Event whose log odds are explained; null: the first that is shown (`follow_up.events`)."""
    horizon_h: float | None = Field(default=None, gt=0)
    """Fate clock: hours within which the event is forecast, the end of a bin of time; null: `follow_up.headline_h`."""
    absent: Literal["mean_pixel", "background", "other_cells", "own_mean"] = "other_cells"
    """What stands in for absent parts: 0 after normalisation; the background of the crop, its median in each frame and
    channel; the same hours of training cells, over which the probability is averaged; the cell's own mean over time,
    pixel by pixel, so that only what changes is explained."""
    n_absent_draws: int = Field(default=2, ge=1)
    """Training cells that stand in for absent parts at a landmark, where `absent` is other_cells."""
    n_occlusion_draws: int = Field(default=8, ge=1)
    """The same where parts are occluded, which asks little of each."""
    reference_log_odds: float | None = Field(default=None, allow_inf_nan=False)
    """Log odds above which a forecast is one of the outcome; null: its base rate in the member's training landmarks."""
    max_attention_landmarks: int = Field(default=2000, ge=1)
    """Most test landmarks whose attention is read; at most one a cell, and outcomes take turns."""
    max_occlusion_landmarks: int = Field(default=200, ge=1)
    """Most of those whose windows and channels are occluded."""
    max_shapley_landmarks: int = Field(default=24, ge=1)
    """Most of those that get Shapley values, the dearest of the three."""
    window_h: float = Field(default=4.0, gt=0)
    """Length of a time window in hours, counted back from the landmark."""
    n_windows: int = Field(default=8, ge=1)
    """Number of time windows; the earliest one takes all frames before the others."""
    occluded_windows: int = Field(default=1, ge=1)
    """Windows that are occluded together while they slide; wider finds what neighbouring windows say alike."""
    n_permutations: int = Field(default=10, ge=1)
    """Random orders of the players behind a Shapley value, each walked forwards and backwards."""
    n_path_steps: int = Field(default=16, ge=2)
    """Steps of the path from nothing to what is shown, along which gradients are integrated."""
    kept_segments: int = Field(default=1, ge=0)
    """Segments a channel that are kept as they are at each step (TIMING); 0: plain integrated gradients."""
    n_random_orders: int = Field(default=19, ge=1)
    """Random orders of the parts, the same for all cells, that deletion and insertion are held against: their mean, and
    the best of them. The best of n is beaten by another random order in one study of n + 1."""
    max_cumulative_landmarks: int = Field(default=20, ge=1)
    """Most landmarks at which parts are removed one by one, for cumulative deletion and preservation."""
    n_matched: int = Field(default=3, ge=1)
    """Other cells of the same outcome and length whose values are laid on a cell; with fewer there is no such score."""
    max_sanity_landmarks: int = Field(default=16, ge=1)
    """Most landmarks that are explained again, with randomised weights and by models of comparison trainings."""
    n_random_networks: int = Field(default=5, ge=1)
    """Networks of random weights, drawn apart, whose values are compared with those of the trained one."""
    n_bootstrap: int = Field(default=1000, ge=100)
    """Resamples of groups behind the interval of a score."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Coverage of that interval."""
    seed: int = Field(default=0, ge=0)
    """Seed of the choice of landmarks and of the orders of the players."""


class AttentionStatisticsSettings(Settings):
    """How the frames of much attention are compared with the rest."""

    features: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Columns of table FrameFeatures to compare; null: all but equivalent_diameter, whose ranks are those of area."""
    min_frames: int = Field(default=11, ge=11)
    """Cells shown in fewer frames are not compared; below 11 frames there is a single frame of top attention."""
    n_resamples: int = Field(default=50_000, ge=99)
    """Random permutations behind a cell's p value."""
    n_strangers: int = Field(default=10, ge=1)
    """Most cells of other groups, nearest in length, whose attention masks are laid on a cell (`excess`, p_swap)."""
    min_swap_cells: int = Field(default=20, ge=4)
    """Fewest cells of an outcome and dose for which masks are laid on; under it p_swap is NaN."""
    n_bootstrap: int = Field(default=1000, ge=100)
    """Resamples of groups behind the interval of a median, and behind p_swap."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Coverage of that interval."""
    seed: int = Field(default=0, ge=0)
    """Seed of all resampling."""
