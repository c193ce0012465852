"""Numbers that count something: whole, and small enough for every program to hold them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError

LARGEST = 2**53
"""Up to here a float64 holds every whole number."""


def are_whole(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which numbers are whole and not beyond 2^53; NaN and infinite ones are not."""
    numbers = values.astype(np.float64)
    sound = np.isfinite(numbers) & (np.abs(numbers) <= LARGEST)
    sound[sound] = numbers[sound] % 1 == 0
    return sound


def as_whole(values: NDArray[Any], message: str) -> NDArray[np.int64]:
    """Numbers of a file as whole ones.

    Raises
    ------
    InputError
        With this message, if they are no numbers, or one of them is not whole, or beyond 2^53 where they are held as
        floats, or beyond 2^63.
    """
    if values.dtype.kind in "iu" and (values <= np.iinfo(np.int64).max).all():
        return values.astype(np.int64)
    if values.dtype.kind != "f" or not are_whole(values).all():
        raise InputError(message)
    return values.astype(np.int64)
