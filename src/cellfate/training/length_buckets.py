"""Batches that are bounded by frames, not by cells, and hold sequences of like length."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_JITTER = 0.1  # lengths are compared as if up to 10 % longer, so that batches differ from one epoch to the next


def length_bucketed_batches(
    lengths: ArrayLike,
    max_frames_per_batch: int,
    rng: np.random.Generator | None = None,
    weights: ArrayLike | None = None,
) -> list[NDArray[np.int64]]:
    """Group sequences of like length into batches that are bounded by their total number of frames.

    Parameters
    ----------
    lengths : array_like of int, shape (n,)
        Frames of every sequence.
    max_frames_per_batch : int
        Most frames in a batch; a sequence that is longer stands alone.
    rng : numpy.random.Generator, optional
        Shuffles the batches and who is with whom. Without it, batches are the same every time, shortest first.
    weights : array_like of float, shape (n,), optional
        Draw n sequences with replacement with these odds, instead of taking each once. Needs `rng`.

    Returns
    -------
    list of ndarray of int64
        Indices into `lengths`, one array a batch.

    Raises
    ------
    ValueError
        If there are weights without `rng`.
    """
    lengths_n = np.asarray(lengths, dtype=np.int64)
    chosen = _choose(len(lengths_n), rng, weights)
    keys = lengths_n[chosen].astype(np.float64)
    if rng is not None:
        keys *= 1 + _JITTER * rng.random(len(chosen))
    ordered = chosen[np.argsort(keys, kind="stable")]
    batches = _fill(ordered, lengths_n[ordered], max_frames_per_batch)
    return [batches[place] for place in rng.permutation(len(batches))] if rng is not None else batches


def _choose(n: int, rng: np.random.Generator | None, weights: ArrayLike | None) -> NDArray[np.int64]:
    if weights is None:
        return np.arange(n)
    if rng is None:
        message = "weights were given without rng, but drawing needs random numbers; give an rng."
        raise ValueError(message)
    odds_n = np.asarray(weights, dtype=np.float64)
    return rng.choice(n, size=n, p=odds_n / odds_n.sum()).astype(np.int64)


def _fill(ordered: NDArray[np.int64], lengths: NDArray[np.int64], max_frames: int) -> list[NDArray[np.int64]]:
    starts, filled = [0], 0
    for place, length in enumerate(lengths.tolist()):
        if place > starts[-1] and filled + length > max_frames:
            starts.append(place)
            filled = 0
        filled += length
    return np.split(ordered, starts[1:]) if len(ordered) else []
