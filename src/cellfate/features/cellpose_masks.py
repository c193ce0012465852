"""Masks by Cellpose, an optional extra.

Shape suffixes: t frames of a cell, h rows, w columns.
"""

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError

BoolArray = NDArray[np.bool_]


def label_cells(images_thw: NDArray[np.float64], min_area_px: float) -> NDArray[np.int64]:
    """Let Cellpose find every cell of every crop.

    Parameters
    ----------
    images_thw
        Grey crops, (T, H, W); Cellpose brings each to its own scale.
    min_area_px
        Smallest cell in px.

    Returns
    -------
    numpy.ndarray
        Numbers of the cells, (T, H, W), counted from 1 in each frame; 0 is background.

    Raises
    ------
    InputError
        When Cellpose is not installed.
    """
    # a cell may fill its crop, which Cellpose takes for an error by default
    labels, *_ = load_cellpose().eval(list(images_thw.astype(np.float32)), min_size=min_area_px, max_size_fraction=1.0)
    return np.stack(labels).astype(np.int64)


@lru_cache(maxsize=1)
def load_cellpose() -> Any:
    """Load Cellpose's own model once, on a GPU where there is one; its weights are fetched at the first use.

    Raises
    ------
    InputError
        When Cellpose is not installed.
    """
    try:
        models = import_module("cellpose.models")
    except ImportError as error:
        raise InputError(
            f"Parameter features.method is 'cellpose', but Cellpose cannot be imported ({error}); run "
            "pip install -e '.[cellpose]', or set the parameter to threshold."
        ) from error
    return models.CellposeModel(gpu=True)
