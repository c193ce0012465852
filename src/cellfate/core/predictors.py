"""The predictors: their names in tables, what they are called in sentences and on figures, and their order."""

from collections.abc import Iterable
from dataclasses import dataclass
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
HANDCRAFTED_AGE_AND_TIME: Final = "handcrafted_age_and_time"
"""Boosted hazards on measurements, age and time in the recording, whatever the context of the fate clock is."""
TRUTH: Final = "truth"
"""Not a predictor but what is so, where a simulation knows it."""

CLOCK_PREDICTORS: Final = (BLEND, NETWORK, BOOSTING, BOOSTING_ON_EMBEDDINGS)
"""What the fate clock forecasts, in the order it is shown; the first that is there leads."""
TRIVIAL_REFERENCES: Final = (
    "track_length", "track_age", "recording_time", "age_and_time", "dose", "length_and_dose", "position",
)  # fmt: skip
"""Predictors that see neither a pixel nor anything measured on pixels: what a model must beat to have seen anything."""
REFERENCES: Final = (*TRIVIAL_REFERENCES, MEASUREMENTS, BOOSTING, HANDCRAFTED_AGE_AND_TIME)
"""Predictors without a network: what a network must beat to be worth its training."""


@dataclass(frozen=True)
class PredictorWords:
    """What a predictor is called in a sentence and on a figure, and what it makes its forecast from."""

    sentence: str
    label: str
    sees: str


_NOTHING_MEASURED: Final = "no measurement"
PREDICTORS: Final[dict[str, PredictorWords]] = {
    CLASSIFIER: PredictorWords("the classifier", "Classifier", "images, whole track"),
    BLEND: PredictorWords("the blend of network and boosting", "Blend", "images and measurements"),
    NETWORK: PredictorWords("the network", "Network", "images"),
    BOOSTING: PredictorWords("boosting", "Boosting", "measurements"),
    BOOSTING_ON_EMBEDDINGS: PredictorWords("boosting on embeddings", "Boosting on embeddings", "images"),
    MEASUREMENTS: PredictorWords("boosting taught the fate", "Boosting taught the fate", "measurements"),
    HANDCRAFTED_AGE_AND_TIME: PredictorWords(
        "boosting on measurements, age and time", "Boosting, age and time", "measurements, time in the recording"
    ),
    ON_OTHER_BACKGROUND: PredictorWords(
        "the classifier, shown cells on other surroundings", "Classifier, other surroundings", "images, whole track"
    ),
    "age_and_time": PredictorWords("track age and time in the recording", "Track age and time", _NOTHING_MEASURED),
    "track_age": PredictorWords("track age alone", "Track age", _NOTHING_MEASURED),
    "recording_time": PredictorWords("time in the recording alone", "Time in the recording", _NOTHING_MEASURED),
    "length_and_dose": PredictorWords("track length and dose", "Track length and dose", _NOTHING_MEASURED),
    "track_length": PredictorWords("track length alone", "Track length", _NOTHING_MEASURED),
    "dose": PredictorWords("dose alone", "Dose", _NOTHING_MEASURED),
    "position": PredictorWords("position in the image alone", "Position in the image", _NOTHING_MEASURED),
    TRUTH: PredictorWords("the true hazards", "True hazards", "the simulation"),
}
"""Words of every predictor, in the order they are shown; one that is not listed keeps its own name."""
_OF_TRACES: Final = {
    **dict.fromkeys(("images", "images and measurements", "measurements"), "traces"),
    "measurements, time in the recording": "traces, time in the recording",
}
"""What is seen where there are no images, by what is seen with them."""


def name_predictor(name: str) -> str:
    """Name of a predictor in a sentence."""
    return PREDICTORS[name].sentence if name in PREDICTORS else name.replace("_", " ")


def label_predictor(name: str) -> str:
    """Name of a predictor on a figure and in a table."""
    return PREDICTORS[name].label if name in PREDICTORS else name.replace("_", " ")


def what_it_sees(name: str, images: bool = True) -> str:
    """Say what a predictor makes its forecast from; without images, what was measured is in traces.

    Examples
    --------
    >>> what_it_sees("blend"), what_it_sees("blend", images=False), what_it_sees("dose", images=False)
    ('images and measurements', 'traces', 'no measurement')
    """
    sees = PREDICTORS[name].sees if name in PREDICTORS else "not known"
    return sees if images else _OF_TRACES.get(sees, sees)


def order_predictors(names: Iterable[str]) -> list[str]:
    """List different predictors in the order they are shown; those that are not known come last, by name.

    Examples
    --------
    >>> order_predictors(["dose", "network", "mine", "network"])
    ['network', 'dose', 'mine']
    """
    found = set(names)
    return [name for name in PREDICTORS if name in found] + sorted(found - set(PREDICTORS))


def choose_leading(names: Iterable[str]) -> str | None:
    """Choose the predictor that a figure of one predictor is about: the first in order; None where there is none.

    Examples
    --------
    >>> choose_leading(["dose", "network", "blend"])
    'blend'
    """
    return next(iter(order_predictors(names)), None)
