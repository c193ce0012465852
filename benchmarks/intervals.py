"""How often intervals of scores hold the truth, and how often two equally good predictors are told apart: 2,000 draws.

Then the same of trainings from several seeds: the AUROC of another training, and the mean over all trainings.

Recordings differ in how common the event is, in how well it can be told, and in brightness, so their cells resemble
each other. The truth is the score over 60,000 recordings of the same kind.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.measure import print_table
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, count_rarer_side, draw_groups, mean_by_group, summarise
from cellfate.statistics.seeds import summarise_seeds

N_DRAWS, N_RESAMPLES, N_TRUTH = 2000, 1000, 60_000
LEAST_COVERAGE: Final = {11: 0.90, 20: 0.92, 40: 0.93}
"""Least share of intervals of nominally 95 % that hold the truth, by groups, where the event is common."""
MOST_FALSE: Final = 0.08
"""Most pairs of equally good predictors whose paired interval leaves out zero."""
PAIRED: Final = ("AUROC, difference", "average precision, difference", "Brier score, difference")
KINDS: Final = {"common": (-1.0, 1.0), "common, unequal groups": (-1.0, 1.0), "rare": (-4.0, 1.5)}
"""Log odds of the event in a recording: mean and standard deviation."""
CELLS: Final = 40
N_SEEDS: Final = (3, 5)
SEEDS_APART: Final = 0.25
"""Standard deviation between seeds of how well a training tells the event; between recordings it is .6."""
LEAST_OF_SEEDS: Final = 0.92
"""Least share of intervals over seeds that hold the truth: few degrees of freedom cost a little."""


def main() -> bool:
    """Measure every kind of event and number of groups; true when the common ones reach their bounds."""
    rows, good = [], True
    for kind in KINDS:
        for n_groups, least in LEAST_COVERAGE.items():
            covered = measure_coverage(kind, n_groups, N_DRAWS, N_RESAMPLES)
            rows.append((kind, n_groups, *(f"{share:.3f}" for share in covered.values())))
            if kind == "common":
                bounds = {name: max(least, 1 - MOST_FALSE) if name in PAIRED else least for name in covered}
                slack = {name: 2 * np.sqrt(bound * (1 - bound) / N_DRAWS) for name, bound in bounds.items()}
                good &= all(covered[name] >= bound - slack[name] for name, bound in bounds.items())
    print_table(("event", "groups", *covered), rows)
    held = {(n, seeds): measure_seeds(n, seeds, N_DRAWS, N_RESAMPLES) for n in LEAST_COVERAGE for seeds in N_SEEDS}
    heads = tuple(held[max(held)])
    print_table(
        ("groups", "seeds", *heads), [(*key, *(f"{each[head]:.3f}" for head in heads)) for key, each in held.items()]
    )
    slack = 2 * np.sqrt(LEAST_OF_SEEDS * (1 - LEAST_OF_SEEDS) / N_DRAWS)
    of_seeds = [each[name] >= LEAST_OF_SEEDS - slack for each in held.values() for name in ("another", "average")]
    return bool(good and all(of_seeds))


def measure_seeds(n_groups: int, n_seeds: int, n_draws: int, n_resamples: int) -> dict[str, float]:
    """Share of intervals that hold the AUROC of another training, and of the mean over trainings; common event.

    `one training` is what the interval of a single training holds of another's AUROC.
    """
    rng = np.random.default_rng([n_groups, n_seeds])
    places = np.linspace(-4, 4, 41)
    truth = [values[0] for values in _score_seeds(N_TRUTH // 10, places * SEEDS_APART, rng)]
    mean = float(np.average(truth, weights=np.exp(-(places**2) / 2)))
    held: dict[str, list[bool]] = {"another": [], "average": [], "one training": []}
    for draw in range(n_draws):
        seeds = rng.normal(0, 1, n_seeds + 1)
        another = float(np.interp(seeds[-1], places, truth))
        values_sr = np.stack(list(_score_seeds(n_groups, seeds[:-1] * SEEDS_APART, rng, (n_resamples, draw))))
        found, alone = summarise_seeds(values_sr, 0.95, n_groups), summarise(values_sr[0], 0.95, n_groups)
        held["another"].append(found.another_low <= another <= found.another_high)
        held["average"].append(found.average_low <= mean <= found.average_high)
        held["one training"].append(alone.low <= another <= alone.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def _score_seeds(
    n_groups: int, apart_s: FloatArray, rng: np.random.Generator, resamples: tuple[int, int] = (0, 0)
) -> Iterator[FloatArray]:
    """AUROC of each training, which tells the event by so much better than recordings do on average."""
    groups, positive, scores_n2 = draw_study("common", n_groups, rng)
    counts = draw_groups(n_groups, *resamples)
    for apart in apart_s:
        own_n = rng.normal(0, 0.4, len(groups))
        yield score.auroc(scores_n2[:, 0] + apart * positive + own_n, positive, groups, counts)


def measure_coverage(kind: str, n_groups: int, n_draws: int, n_resamples: int) -> dict[str, float]:
    """Share of intervals that hold the truth, by score; those that are not defined are left out."""
    rng = np.random.default_rng([n_groups, *kind.encode()])
    truth = {name: values[0] for name, values in _score(*draw_study(kind, N_TRUTH, rng), np.ones((1, N_TRUTH))).items()}
    truth |= dict.fromkeys(PAIRED, 0.0)
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for draw in range(n_draws):
        groups, positive, scores_n2 = draw_study(kind, n_groups, rng)
        counts = draw_groups(n_groups, n_resamples, draw)
        for name, values in _score(groups, positive, scores_n2, counts).items():
            found = summarise(values, 0.95, count_rarer_side(groups, positive))
            if np.isfinite(found.low):
                held[name].append(found.low <= truth[name] <= found.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def draw_study(kind: str, n_groups: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group and event of every cell, and what two predictors that are equally good say of it, (n, 2)."""
    mean, spread = KINDS[kind]
    sizes = np.full(n_groups, CELLS)
    if "unequal" in kind:
        sizes = np.maximum(5, rng.lognormal(np.log(CELLS) - 0.32, 0.8, n_groups)).astype(int)
    groups = np.repeat(np.arange(n_groups), sizes)
    n = len(groups)
    positive = rng.random(n) < 1 / (1 + np.exp(-rng.normal(mean, spread, n_groups)[groups]))
    apart_g, bright_g = rng.normal(1.2, 0.6, n_groups), rng.normal(0, 0.5, n_groups)
    shared_n = apart_g[groups] * positive + bright_g[groups] + rng.normal(0, 0.7, n)
    own_n2 = rng.normal(0, 0.4, (n_groups, 2))[groups] * positive[:, None] + rng.normal(0, 0.7, (n, 2))
    return groups, positive, shared_n[:, None] + own_n2


def _score(
    groups: np.ndarray, positive: np.ndarray, scores_n2: np.ndarray, counts: FloatArray
) -> dict[str, FloatArray]:
    """Scores of the first predictor, and differences to the second, for every row of counts."""
    each = []
    for scores in scores_n2.T:
        auroc, precision = score.auroc_and_average_precision(scores, positive, groups, counts)
        probability = 1 / (1 + np.exp(2 - 1.2 * scores))
        each.append((auroc, precision, score.binary_brier(probability, positive, groups, counts)))
    confusion = score.count_confusion(positive.astype(int), (scores_n2[:, 0] > 1).astype(int), groups, counts, 2)
    return {
        "AUROC": each[0][0],
        "average precision": each[0][1],
        "Brier score": each[0][2],
        "recall": score.recall(confusion)[:, 1],
        "observed share": mean_by_group(positive, groups, counts),
        **{name: first - second for name, first, second in zip(PAIRED, *each, strict=True)},
    }
