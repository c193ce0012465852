"""Who is in a batch with whom: batches are bounded by frames, not by cells; a cell with more frames stands alone."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_JITTER = 0.1  # lengths are compared as if up to 10 % longer, so that batches differ from one epoch to the next


def length_buckets(lengths_n: IntArray, max_frames: int, rng: np.random.Generator | None = None) -> list[IntArray]:
    """Part cells into batches of like length, so that each holds many short cells or few long ones.

    Parameters
    ----------
    lengths_n : ndarray of int64
        Frames of every cell.
    max_frames : int
        Most frames in a batch.
    rng : numpy.random.Generator, optional
        Shuffles the batches and who is with whom. Without it, batches are the same every time, shortest first.

    Returns
    -------
    list of ndarray of int64
        Places of the cells, one array a batch.
    """
    keys_n = lengths_n if rng is None else lengths_n * (1 + _JITTER * rng.random(len(lengths_n)))
    batches = _fill(np.argsort(keys_n, kind="stable"), lengths_n, max_frames)
    return batches if rng is None else [batches[place] for place in rng.permutation(len(batches))]


def mixed_batches(lengths_n: IntArray, max_frames: int, rng: np.random.Generator) -> list[IntArray]:
    """Part cells into batches in random order and company.

    Unlike length buckets, this puts cells of all ages into a batch, because hazards differ with age. It costs nothing:
    no network pads.
    """
    return _fill(rng.permutation(len(lengths_n)), lengths_n, max_frames)


def _fill(order_n: IntArray, lengths_n: IntArray, max_frames: int) -> list[IntArray]:
    starts, filled = [0], 0
    for place, length in enumerate(lengths_n[order_n].tolist()):
        if place > starts[-1] and filled + length > max_frames:
            starts.append(place)
            filled = 0
        filled += length
    return np.split(order_n, starts[1:]) if len(order_n) else []
