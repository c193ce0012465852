"""The attribution methods: what each one speaks of, under the name that tables hold."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from cellfate.core.tables import Attributions

ATTENTION: Final = "attention"
ROLLOUT: Final = "attention_rollout"
OCCLUSION_WINDOW: Final = "occlusion_window"
OCCLUSION_CHANNEL: Final = "occlusion_channel"
OCCLUSION: Final = "occlusion_window_channel"
SHAPLEY: Final = "shapley"
GRADIENT: Final = "gradient_x_input"
TIMING: Final = "timing"
TREE_SHAPLEY: Final = "tree_shapley"
ALL_CHANNELS: Final = "all"
"""Stands in column `channel` where a value is of all channels together."""
LOGIT: Final = "logit"
SHARE: Final = "share"


@dataclass(frozen=True)
class Method:
    """What a method's values are.

    Attributes
    ----------
    by_channel
        Whether it tells channels apart; else a value is of a window as a whole.
    signed
        Whether a value speaks for or against the explained outcome; else it only says how much.
    of_network
        Whether it explains the network; else a boosting on measurements.
    """

    by_channel: bool
    signed: bool
    of_network: bool = True

    @property
    def by_image_channel(self) -> bool:
        """Whether it tells the channels of the image apart, in every window."""
        return self.by_channel and self.of_network


COMPARED: Final[dict[str, Method]] = {
    ATTENTION: Method(by_channel=False, signed=False),
    ROLLOUT: Method(by_channel=False, signed=False),
    OCCLUSION_WINDOW: Method(by_channel=False, signed=True),
    OCCLUSION: Method(by_channel=True, signed=True),
    SHAPLEY: Method(by_channel=True, signed=True),
    GRADIENT: Method(by_channel=True, signed=True),
    TIMING: Method(by_channel=True, signed=True),
    TREE_SHAPLEY: Method(by_channel=True, signed=True, of_network=False),
}
"""Methods with a value for every time window: those that are scored beside each other."""


def no_attributions(**more: Any) -> pd.DataFrame:
    """Table `Attributions` without rows; `more` columns by their types."""
    columns = {"windows_back": np.int64, "window_h": np.float64, "explained_outcome": object} | more
    return Attributions.empty().assign(**{name: pd.Series(dtype=kind) for name, kind in columns.items()})
