"""Names of the predictors, as tables hold them; what they are called in a sentence stands in `core.words`."""

from typing import Final

CLASSIFIER: Final = "classifier"
"""The network that reads a whole track and says which fate comes."""
ON_OTHER_BACKGROUND: Final = "classifier_on_other_background"
"""The classifier, shown cells on the surroundings of other cells."""
NETWORK: Final = "network"
"""The network of the fate clock."""
BOOSTING: Final = "boosting"
"""Boosted hazards on measurements of the cell: a part of the fate clock, and what its network is held against."""
BOOSTING_ON_EMBEDDINGS: Final = "boosting_on_embeddings"
"""Boosted hazards on the embeddings of the fate clock's network."""
BLEND: Final = "blend"
"""The parts of the fate clock blended."""
MEASUREMENTS: Final = "measurements"
"""Boosting on measurements that is taught which fate comes, not hazards."""
TRUTH: Final = "truth"
"""Not a predictor but what is so, where a simulation knows it."""

CLOCK_PREDICTORS: Final = (BLEND, NETWORK, BOOSTING, BOOSTING_ON_EMBEDDINGS)
"""What the fate clock forecasts, in the order it is shown; the first that is there leads."""
TRIVIAL_REFERENCES: Final = (
    "track_length", "track_age", "recording_time", "age_and_time", "dose", "length_and_dose", "position",
)  # fmt: skip
"""Predictors that see neither a pixel nor anything measured on pixels: what a model must beat to have seen anything."""
