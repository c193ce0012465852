"""cellfate: forecast the fate of single cells from live-cell recordings, and explain the forecast.

>>> from cellfate import Predictor
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellfate.prediction.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["Predictor", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the predictor when it is asked for, so that ``import cellfate`` stays fast."""
    if name == "Predictor":
        from cellfate.prediction.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
