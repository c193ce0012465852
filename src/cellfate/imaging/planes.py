"""Planes of a z stack, and the one image that is made of them."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError

ZChoice = Literal["max"] | int
"""Maximum over the planes of a z stack, or the number of one plane."""


def project(image_czyx: NDArray[Any], z: ZChoice) -> NDArray[Any]:
    """Make one image (C, Y, X), contiguous and of native type, of a z stack of one frame (C, Z, Y, X)."""
    image_cyx = image_czyx[:, z] if z != "max" else image_czyx[:, 0] if image_czyx.shape[1] == 1 else image_czyx.max(1)
    return np.ascontiguousarray(image_cyx, dtype=image_cyx.dtype.newbyteorder("="))


def check_plane(where: str, z: ZChoice, n_planes: int) -> None:
    """Check that the chosen plane exists.

    Raises
    ------
    InputError
        If it does not.
    """
    if z != "max" and z >= n_planes:
        raise InputError(
            f"{where} has {n_planes} plane(s), numbered from 0, but recordings.z is {z}; give 'max' or the number "
            "of a plane."
        )
