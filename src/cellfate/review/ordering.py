"""The order in which cells come to be scored, as keys of the page."""

from typing import Final

import numpy as np

from cellfate.core.errors import InputError
from cellfate.review.study import Study

_SEED: Final = 0
"""Of the random order: the same at every start, so that two scorers meet the same cells."""


def order_keys(study: Study, queue: str) -> list[int]:
    """Order the cells of a study.

    Parameters
    ----------
    study
        The study.
    queue
        `random` or `by_recording`.

    Raises
    ------
    InputError
        If there is no such order.
    """
    keys = np.arange(len(study.cells))
    if queue == "by_recording":
        return [int(key) for key in keys]
    if queue == "random":
        return [int(key) for key in np.random.default_rng(_SEED).permutation(keys)]
    raise InputError(f"There is no order '{queue}'; take random or by_recording.")
