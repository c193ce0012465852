"""Arithmetic of discrete-time competing risks: from cause-specific hazards to what is expected to happen by when.

Array suffixes: n landmarks, k bins of time, e events (causes). Time runs from the landmark; the bins follow each other
from `edges_h[0]` (the guard, in which by definition nothing happens) to `edges_h[-1]` (the horizon).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNOBSERVED = -1
"""Label of a bin that was not watched to its end: after the event, or after the last frame of a censored cell."""
EVENT_FREE = 0
"""Label of a bin that was watched and in which nothing happened; the e-th event has the label e + 1."""
HOURS_TOLERANCE = 1e-6
"""Hours that differ by less are the same: 3 frames of 20 min fall on the edge of 1 h, whatever floating point says."""


def cumulative_incidence(hazards_nke: ArrayLike) -> FloatArray:
    """Probability that each event has happened by the end of each bin, (n, k, e).

    Parameters
    ----------
    hazards_nke
        Probability of each event in each bin, given that nothing happened before; over the events they sum to at most
        1.

    Returns
    -------
    ndarray of float64, shape (n, k, e)
        Never falls along the bins, and is at most 1. What is left to 1 is the probability that no event has happened.

    Examples
    --------
    >>> cumulative_incidence([[[0.5, 0.0], [0.0, 0.5]]]).tolist()
    [[[0.5, 0.0], [0.5, 0.25]]]
    """
    hazards = np.asarray(hazards_nke, dtype=np.float64)
    survival_nk = np.cumprod(1 - hazards.sum(axis=2), axis=1)
    before_nk = np.concatenate((np.ones((len(hazards), 1)), survival_nk[:, :-1]), axis=1)
    summed_nke = np.cumsum(before_nk[:, :, None] * hazards, axis=1)
    return np.asarray(np.minimum(summed_nke, 1.0), dtype=np.float64)  # sums of floats pass 1 by their rounding


def expected_time_h(incidence_nke: ArrayLike, edges_h: ArrayLike) -> FloatArray:
    """Hours until the first event, expected up to the horizon: the restricted mean of the time without an event, (n,).

    Parameters
    ----------
    incidence_nke
        From `cumulative_incidence`.
    edges_h
        The k + 1 edges of the bins, in hours after the landmark. Within a bin the probability of no event is taken to
        fall evenly.

    Returns
    -------
    ndarray of float64, shape (n,)
        Between the first edge and the last; the last: no event is expected before the horizon.

    Examples
    --------
    >>> expected_time_h([[[0.5], [0.5]]], [0.0, 2.0, 4.0]).tolist()
    [2.5]
    """
    free_nk = 1 - np.asarray(incidence_nke, dtype=np.float64).sum(axis=2)
    edges = np.asarray(edges_h, dtype=np.float64)
    at_edges = np.concatenate((np.ones((len(free_nk), 1)), free_nk), axis=1)
    return np.asarray(edges[0] + np.trapezoid(at_edges, edges, axis=1), dtype=np.float64)


def number_events(fates: "pd.Series[str]", events: Sequence[str]) -> IntArray:
    """Give the number of the event that each cell ends in, from 1; 0 where it ends in none of these, (n,).

    Examples
    --------
    >>> number_events(pd.Series(["mitosis", "censored"]), ["apoptosis", "mitosis"]).tolist()
    [2, 0]
    """
    return np.asarray(fates.map({event: number for number, event in enumerate(events, 1)}).fillna(0), dtype=np.int64)


def label_bins(time_h: ArrayLike, event_n: ArrayLike, watchable_h: ArrayLike, edges_h: ArrayLike) -> IntArray:
    """Say for each landmark and bin what was seen in it: what discrete-time hazards are fitted to and scored by.

    Parameters
    ----------
    time_h
        Hours from the landmark to the event or, when censored, to the last frame in which the cell was seen, (n,).
    event_n
        0 when censored, else the number of the event from 1, (n,).
    watchable_h
        Hours from the landmark to the last frame of the recording, (n,). A bin that the recording does not reach the
        end of is not known, with an event or without: else only those with an event would be known there.
    edges_h
        The k + 1 edges of the bins, ascending; a bin holds its upper edge but not its lower one.

    Returns
    -------
    ndarray of int64, shape (n, k)
        `EVENT_FREE`, the number of the event, or `UNOBSERVED`.

    Examples
    --------
    >>> label_bins([2.0, 2.5], [1, 0], [9.0, 9.0], [0.0, 1.0, 2.0, 3.0]).tolist()
    [[0, 1, -1], [0, 0, -1]]
    """
    time, event = np.asarray(time_h, dtype=np.float64)[:, None], np.asarray(event_n, dtype=np.int64)[:, None]
    watchable = np.asarray(watchable_h, dtype=np.float64)[:, None]
    lower, upper = np.asarray(edges_h, dtype=np.float64)[:-1], np.asarray(edges_h, dtype=np.float64)[1:]
    happens = (event > 0) & (time > lower + HOURS_TOLERANCE) & (time <= upper + HOURS_TOLERANCE)
    free = np.where(event > 0, time > upper + HOURS_TOLERANCE, time >= upper - HOURS_TOLERANCE)
    seen = np.where(happens, event, np.where(free, EVENT_FREE, UNOBSERVED))
    return np.where(watchable >= upper - HOURS_TOLERANCE, seen, UNOBSERVED).astype(np.int64)
