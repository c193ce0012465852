"""Random numbers of a training: every purpose and place draws from a stream of its own, which follows from the seed."""

from typing import Literal, get_args

import numpy as np

Purpose = Literal["weights", "pretraining", "views", "plan", "batch", "step"]
"""Initial weights; order of the crops in the pretraining; how crops are turned for views; who is in which batch of an
epoch; augmentation of a batch; dropout in a step."""


def random_stream(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """Open the stream of random numbers of a purpose and a place.

    Parameters
    ----------
    seed
        Seed of the training.
    purpose
        What the numbers are for.
    numbers
        The place: fold, epoch, batch, as far as they matter.

    Notes
    -----
    The seed is filled up before purpose and place are joined to it, so that a place that ends in 0 is not the one
    without that 0, as it is in ``default_rng([seed, place])``.
    """
    key = (get_args(Purpose).index(purpose), *numbers)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def torch_seed(seed: int, purpose: Purpose, *numbers: int) -> int:
    """Seed of torch for a purpose and a place; see `random_stream`."""
    return int(random_stream(seed, purpose, *numbers).integers(2**63))
