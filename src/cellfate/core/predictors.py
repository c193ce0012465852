"""Names of the predictors that are no baselines, as tables hold them."""

from typing import Final

MODEL: Final = "cellfate"
"""The classifier."""
SWAPPED: Final = "cellfate_background_swapped"
"""The classifier, shown cells on the surroundings of other cells."""
CLOCK: Final = "clock"
"""The network of the fate clock."""
ENSEMBLE: Final = "ensemble"
"""The network of the fate clock blended with boosted hazards."""
TRUTH: Final = "truth"
"""Not a predictor but what is so, where a simulation knows it."""
