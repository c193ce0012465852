"""What images add: useless ones seem to add something in at most 5 % of 200 draws, useful ones are found in 80 %."""

import os
from itertools import product

import numpy as np
from tests.cases.known_images import KnownImages, gain

DRAWS = int(os.environ.get("DRAWS", "200"))
MOST_USELESS, LEAST_USEFUL = 0.05, 0.8
USEFUL = 1.5
"""Log odds by one standard deviation of what images show."""
SCHEMES = ("grouped_folds", "grouped_holdout")


def share_above_zero(known: KnownImages) -> float:
    """Share of the draws in which the interval of what images add lies above zero."""
    return float(np.mean([gain(known.added(seed))["low"] > 0 for seed in range(DRAWS)]))


def main() -> bool:
    """Count draws whose interval lies above zero; a share may miss its bound by two Monte Carlo errors."""
    met = []
    for scheme, knows_age in product(SCHEMES, (True, False)):
        share = share_above_zero(KnownImages(scheme=scheme, knows_age=knows_age))
        most = MOST_USELESS + 2 * np.sqrt(MOST_USELESS * (1 - MOST_USELESS) / DRAWS)
        met.append(share <= most)
        knows = "knows the age" if knows_age else "knows nothing"
        print(
            f"{scheme}, useless images, network {knows}: {share:.3f} of {DRAWS} draws (at most {most:.3f})", flush=True
        )
    for scheme in SCHEMES:
        share = share_above_zero(KnownImages(scheme=scheme, useful=USEFUL))
        met.append(share >= LEAST_USEFUL)
        print(f"{scheme}, useful images: {share:.3f} of {DRAWS} draws (at least {LEAST_USEFUL})", flush=True)
    return all(met)
