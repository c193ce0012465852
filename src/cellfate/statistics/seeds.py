"""What another training would give: the variance between seeds beside that between groups.

Array suffixes: s seeds, r rows of counts.
"""

from typing import Final, NamedTuple

import numpy as np

from cellfate.statistics.bootstrap import FloatArray, summarise

LEAST_SEEDS: Final = 3
"""From so many trainings on their variance is taken for that between seeds; two say next to nothing of it."""


class SeedEstimate(NamedTuple):
    """The mean of a score over seeds, and what it tells of other trainings; NaN where undefined."""

    mean: float
    sd: float
    """Standard deviation between seeds."""
    another_low: float
    another_high: float
    average_low: float
    average_high: float


def summarise_seeds(values_sr: FloatArray, confidence: float, n_groups: int) -> SeedEstimate:
    """Mean over seeds, with an interval for another training like these and one for this procedure on average.

    Parameters
    ----------
    values_sr
        The score of each seed's training for every row of `bootstrap.draw_groups`, the same rows for all.
    confidence
        Probability content of the intervals.
    n_groups
        Groups behind the score, as of `bootstrap.summarise`.

    Returns
    -------
    SeedEstimate
        `another`: of what one more training would score in other groups of the same kind; the variance between seeds
        counts undivided, once for that training and 1 / n more for the mean of n that stands for it. `average`: of the
        mean over all trainings; the variance between seeds is divided by n. Bounds are NaN with fewer than
        `LEAST_SEEDS`, and where `bootstrap.summarise` has none.

    Notes
    -----
    Either end of the expanded percentile interval of the mean score, divided by the quantile of Student's t that it was
    expanded by (n_groups - 1 degrees of freedom), is a standard error between groups; the variance between seeds, which
    has n - 1 degrees of freedom, is added to its square. The sum has the degrees of freedom of Welch and Satterthwaite
    (Biometrics Bull. 2, 110 (1946)): near 2 where three seeds differ by much more than groups would, n_groups - 1 where
    seeds are equal; there the interval is the expanded percentile one, and it is never made narrower than that. Seeds
    are compared on the same groups, so that their variance holds a part of how differently they do from group to group,
    which the bootstrap holds too: the intervals err on the wide side.
    """
    n = len(values_sr)
    found = summarise(values_sr.mean(axis=0), confidence, n_groups)
    sd = float(values_sr[:, 0].std(ddof=1)) if n > 1 else np.nan
    if n < LEAST_SEEDS or np.isnan(found.low):
        return SeedEstimate(found.estimate, sd, np.nan, np.nan, np.nan, np.nan)
    below, above = found.estimate - found.low, found.high - found.estimate
    another, average = (
        [widen(arm, n_groups, share * sd**2, n, confidence) for arm in (below, above)] for share in (1 + 1 / n, 1 / n)
    )
    return SeedEstimate(
        found.estimate,
        sd,
        *(found.estimate - another[0], found.estimate + another[1]),
        *(found.estimate - average[0], found.estimate + average[1]),
    )


def widen(arm: float, n_groups: int, seed_variance: float, n_seeds: int, confidence: float) -> float:
    """Widen one arm of an interval by a variance between seeds; see `summarise_seeds`.

    Parameters
    ----------
    arm
        From the estimate to the end of the interval that groups give; one below 0 counts as 0.
    n_groups, n_seeds
        Groups and seeds; each leaves one degree of freedom less.
    seed_variance
        What is added to the variance between groups.
    confidence
        Probability content of the interval.

    Examples
    --------
    >>> [round(widen(arm, 11, variance, 3, 0.95), 3) for arm, variance in ((2.228, 0.0), (2.228, 1.0), (0.0, 1.0))]
    [2.228, 3.378, 4.303]
    """
    from scipy.special import stdtrit

    arm, tail = max(arm, 0.0), (1 + confidence) / 2
    group_variance = (arm / stdtrit(n_groups - 1, tail)) ** 2
    total = group_variance + seed_variance
    if seed_variance == 0:
        return arm
    freedom = total**2 / (group_variance**2 / (n_groups - 1) + seed_variance**2 / (n_seeds - 1))
    return max(arm, float(stdtrit(freedom, tail) * np.sqrt(total)))
