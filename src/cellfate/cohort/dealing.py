"""Dealing units (groups of cells, or cells) to parts of given shares, each unit whole.

Suffixes: g units, s strata, p parts. A unit's weight in a stratum is its share of that stratum's cells.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Parts = NDArray[np.int64]

_ATTEMPTS = 16
_MOST_STEPS = 4000  # bounds the attempts when there are many units; then a single deal comes close to its shares
_MOST_UNITS_TO_SWAP = 400  # swapping compares every unit with every other


def deal_units(
    counts_gs: NDArray[np.int64], shares_p: Floats, needed_s: NDArray[np.bool_], rng: np.random.Generator
) -> Parts:
    """Deal units so that every part holds each needed stratum and comes close to its share of all strata.

    Several deals are made in random order, large units first, and improved by swapping; the best is kept.

    Parameters
    ----------
    counts_gs : ndarray of int, shape (units, strata)
        Cells of every unit in every stratum.
    shares_p : ndarray of float
        Share that each part is to have of every stratum; they add up to 1.
    needed_s : ndarray of bool
        Strata that no part may lack, if that can be had.
    rng : numpy.random.Generator
        Decides between equals.

    Returns
    -------
    ndarray of int64, shape (units,)
        Part of every unit, as an index into `shares_p`.
    """
    weights_gs = counts_gs / np.maximum(counts_gs.sum(axis=0), 1)
    attempts = max(2, min(_ATTEMPTS, _MOST_STEPS // len(weights_gs)))
    deals = []
    for attempt in range(attempts):
        reserved_g = _reserve(weights_gs, shares_p, needed_s, rng) if attempt % 2 else _nobody(weights_gs)
        parts_g = _deal_once(weights_gs, shares_p, reserved_g, rng)
        deals.append(_improve(parts_g, weights_gs, shares_p, needed_s))
    return min(deals, key=lambda parts_g: _badness(parts_g, weights_gs, shares_p, needed_s))


def _nobody(weights_gs: Floats) -> Parts:
    return np.full(len(weights_gs), -1, dtype=np.int64)


def _reserve(weights_gs: Floats, shares_p: Floats, needed_s: NDArray[np.bool_], rng: np.random.Generator) -> Parts:
    """Give every part a unit with each needed stratum, rarest stratum and smallest part first; -1: not given."""
    parts_g = _nobody(weights_gs)
    strata = np.flatnonzero(needed_s)
    for stratum in strata[np.argsort((weights_gs[:, strata] > 0).sum(axis=0), kind="stable")]:
        for part in np.argsort(shares_p, kind="stable"):
            holders_g = weights_gs[:, stratum] > 0
            free = np.flatnonzero(holders_g & (parts_g < 0))
            if len(free) and not (holders_g & (parts_g == part)).any():
                parts_g[rng.choice(free)] = part
    return parts_g


def _deal_once(weights_gs: Floats, shares_p: Floats, reserved_g: Parts, rng: np.random.Generator) -> Parts:
    """Deal the largest units first, each to the part that comes out closest to its shares; ties fall at random."""
    parts_g = reserved_g.copy()
    missing_ps = shares_p[:, None] - _held(np.maximum(parts_g, 0), weights_gs * (parts_g >= 0)[:, None], len(shares_p))
    for unit in np.lexsort((rng.random(len(weights_gs)), -weights_gs.max(axis=1))):
        if parts_g[unit] < 0:
            gain_p = (np.square(missing_ps) - np.square(missing_ps - weights_gs[unit])).sum(axis=1)
            parts_g[unit] = int(gain_p.argmax())
            missing_ps[parts_g[unit]] -= weights_gs[unit]
    return parts_g


def _improve(parts_g: Parts, weights_gs: Floats, shares_p: Floats, needed_s: NDArray[np.bool_]) -> Parts:
    """Swap units between parts, or move one, as long as that brings parts closer to their shares."""
    best, n_units = parts_g, len(parts_g)
    if n_units > _MOST_UNITS_TO_SWAP:
        return best
    badness = _badness(best, weights_gs, shares_p, needed_s)
    for _ in range(n_units):
        candidate = _best_swap(best, weights_gs, shares_p)
        after = _badness(candidate, weights_gs, shares_p, needed_s)
        if not after < (badness[0], badness[1] - 1e-12):
            break
        best, badness = candidate, after
    return best


def _best_swap(parts_g: Parts, weights_gs: Floats, shares_p: Floats) -> Parts:
    """Find the swap of two units, or the move of one, that shortens the squared distance from the shares most."""
    # the last row is nobody: swapping with nobody is a move
    everyone = np.vstack([weights_gs, np.zeros(weights_gs.shape[1])])
    missing_ps = shares_p[:, None] - _held(parts_g, weights_gs, len(shares_p))
    best_change, best = 0.0, parts_g
    for one, other in [(a, b) for a in range(len(shares_p)) for b in range(len(shares_p)) if a != b]:
        from_one = np.flatnonzero(parts_g == one)
        from_other = np.append(np.flatnonzero(parts_g == other), len(parts_g))
        if not len(from_one):
            continue
        change_gg = _change(everyone[from_one], everyone[from_other], missing_ps[one] - missing_ps[other])
        i, j = np.unravel_index(change_gg.argmin(), change_gg.shape)
        if change_gg[i, j] < best_change:
            best_change, best = float(change_gg[i, j]), np.append(parts_g, 0)
            best[from_one[i]], best[from_other[j]] = other, one
            best = best[:-1]
    return best


def _change(from_one: Floats, from_other: Floats, missing_s: Floats) -> Floats:
    """Change of the squared distance when a part gives row i and takes row j: 2 |d|^2 - 2 d . missing, d = j - i."""
    square_one, square_other = np.square(from_one).sum(axis=1), np.square(from_other).sum(axis=1)
    squared_gg = square_one[:, None] + square_other - 2 * from_one @ from_other.T
    change: Floats = 2 * squared_gg - 2 * ((from_other @ missing_s) - (from_one @ missing_s)[:, None])
    return change


def _badness(parts_g: Parts, weights_gs: Floats, shares_p: Floats, needed_s: NDArray[np.bool_]) -> tuple[int, float]:
    """Count the needed strata that parts lack, then measure the squared distance from the shares."""
    held_ps = _held(parts_g, weights_gs, len(shares_p))
    return int((held_ps[:, needed_s] == 0).sum()), float(np.square(held_ps - shares_p[:, None]).sum())


def _held(parts_g: Parts, weights_gs: Floats, n_parts: int) -> Floats:
    held_ps: Floats = (parts_g == np.arange(n_parts)[:, None]).astype(np.float64) @ weights_gs
    return held_ps
