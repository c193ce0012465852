"""cellfate: forecast the fate of single cells from live-cell recordings, and explain the forecast.

>>> from cellfate import Predictor, RecordingSettings, TrackSettings
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellfate.imaging.settings import RecordingSettings
    from cellfate.prediction.predictor import Predictor
    from cellfate.tracks.settings import TrackSettings

__version__ = "0.1.0"
__all__ = ["Predictor", "RecordingSettings", "TrackSettings", "__version__"]

_HOMES = {
    "Predictor": "cellfate.prediction.predictor",
    "RecordingSettings": "cellfate.imaging.settings",
    "TrackSettings": "cellfate.tracks.settings",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for, so that ``import cellfate`` stays fast."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
