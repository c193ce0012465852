"""What networks of random weights say: rank correlation with the trained network's values, and what chance gives.

A network of random weights still tells windows and channels apart, alike in every cell, so its values can go along with
the trained ones by luck. How far, permuted parts say: one permutation for all cells, another for each network.

Array suffixes: n cells, m networks, o permutations, p parts.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.scoring import CHANCE, RANDOMISED

FloatArray = NDArray[np.float64]

LEAST_PARTS: Final = 8
"""Fewest parts of a cell over which values are correlated with those of another network."""
FEW_PARTS: Final = f"fewer than {LEAST_PARTS} parts to correlate over"
N_PERMUTED: Final = 19
"""Permutations of the parts, the highest of which is given: chance is above it in one study of 20."""
CONSTANT: Final = "the values are the same in all parts"
ROUNDING: Final = 1e-5
"""Logits by which values differ that are the same: single precision rounds off less, and its order means nothing."""


def correlate_by_chance(own: pd.DataFrame, networks: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Correlate values with those of networks of random weights, and with these as their parts are permuted.

    Parameters
    ----------
    own, networks
        Columns of `Attributions`, `windows_back` and `group_id`: values of the trained network, and of each other one,
        of the same landmarks and methods.
    seed
        Seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionCells`, scores `randomised_weights` and `randomised_chance`: see `sanity.check_sanity`.
    """
    tables = [
        _correlate_method(rows, [other[other["method"] == method] for other in networks], seed)
        for method, rows in own.groupby("method", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def _correlate_method(own: pd.DataFrame, networks: list[pd.DataFrame], seed: int) -> pd.DataFrame:
    """Correlate one method: two rows a landmark."""
    index, columns = ["landmark_id", "group_id"], ["windows_back", "channel"]
    wide = own.pivot_table(index=index, columns=columns, values="value")
    others_mnp = np.array(
        [table.pivot_table(index=index, columns=columns, values="value").reindex_like(wide) for table in networks]
    )
    generator = np.random.default_rng([seed, 9])
    keys_omp = generator.random((N_PERMUTED, len(networks), wide.shape[1]))
    found = [_correlate_cell(wide.to_numpy()[n], others_mnp[:, n], keys_omp) for n in range(len(wide))]
    correlations_n, by_chance_no = np.array([one for one, _ in found]), np.array([chance for _, chance in found])
    known_n = np.isfinite(correlations_n)
    highest = by_chance_no[known_n].mean(axis=0).argmax() if known_n.any() else 0
    few_n = wide.notna().sum(axis=1).to_numpy() < LEAST_PARTS
    reasons = pd.Series(np.where(few_n, FEW_PARTS, CONSTANT), dtype=object).mask(known_n, None)
    facts = wide.index.to_frame(index=False).assign(method=own["method"].iloc[0], reason=reasons)
    return pd.concat(
        [
            facts.assign(score=RANDOMISED, value=correlations_n),
            facts.assign(score=CHANCE, value=by_chance_no[:, highest]),
        ]
    )


def _correlate_cell(own_p: FloatArray, others_mp: FloatArray, keys_omp: FloatArray) -> tuple[float, FloatArray]:
    """Mean rank correlation of one cell over networks, and the same under each permutation, (O,).

    A permutation is given by keys of all parts: the order of the keys of the parts that the cell has.
    """
    known_p = np.isfinite(own_p)
    orders_omp = np.argsort(keys_omp[..., known_p], axis=-1)
    if known_p.sum() < LEAST_PARTS or is_constant(own_p[known_p]):
        return np.nan, np.full(len(keys_omp), np.nan)
    own_p, others_mp = _standard_ranks(own_p[known_p]), _standard_ranks(others_mp[:, known_p])
    permuted_omp = np.take_along_axis(np.broadcast_to(others_mp, orders_omp.shape), orders_omp, axis=-1)
    correlations_m = (others_mp * own_p).mean(axis=-1)
    return float(correlations_m.mean()), (permuted_omp * own_p).mean(axis=(1, 2))


def is_constant(values_p: FloatArray) -> bool:
    """Tell whether values are the same in all parts, but for what is rounded off."""
    return bool(np.ptp(values_p) < ROUNDING)


def _standard_ranks(values: FloatArray) -> FloatArray:
    """Ranks along the last axis, less their mean, in standard deviations; NaN where all values are the same."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=-1)
    centred = ranks - ranks.mean(axis=-1, keepdims=True)
    spread = centred.std(axis=-1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.full(ranks.shape, np.nan), where=spread > 0))
