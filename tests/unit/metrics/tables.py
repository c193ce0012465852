"""Small tables with known answers for the tests of this room."""

import numpy as np
import pandas as pd


def make_samples(outcomes, groups=None, doses=None, n_frames=30, interval_min=30.0):
    n = len(outcomes)
    lengths = np.broadcast_to(n_frames, n)
    return pd.DataFrame(
        {
            "sample_id": [f"s{i:05d}" for i in range(n)],
            "recording_id": [str(g) for g in (groups if groups is not None else range(n))],
            "cell_id": range(n),
            "group_id": [str(g) for g in (groups if groups is not None else range(n))],
            "dose": list(doses) if doses is not None else ["Control"] * n,
            "first_frame": 0,
            "last_frame": lengths - 1,
            "n_frames": lengths,
            "age_frames": lengths - 1,
            "outcome": list(outcomes),
            "event_frame": pd.array(lengths + 2, dtype="Int64"),
            "lead_time_h": 1.5,
            "frame_interval_min": interval_min,
        }
    )


def make_predictions(samples, p_first, outcomes=("apoptosis", "mitosis"), predictor="cellfate", part="test", fold=0):
    p = np.asarray(p_first, dtype=float)
    table = pd.DataFrame(
        {
            "predictor": predictor,
            "scheme": "grouped_holdout",
            "fold": fold,
            "part": part,
            "sample_id": samples["sample_id"].to_numpy(),
            "call": np.where(p >= 0.5, outcomes[0], outcomes[1]),
        }
    )
    return table.assign(**{f"p_{outcomes[0]}": p, f"p_{outcomes[1]}": 1 - p})


def simulate(n=400, n_groups=20, seed=0, strength=1.5, doses=("Low", "High"), group_spread=0.0):
    """Samples, and probabilities of apoptosis that know something of the outcome."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(n_groups, size=n)
    truth = rng.random(n) < 0.4
    shift = rng.normal(0, group_spread, n_groups)[groups]
    logit = strength * (truth - 0.5) + rng.normal(size=n) + shift
    samples = make_samples(
        np.where(truth, "apoptosis", "mitosis"),
        groups=[f"g{g:02d}" for g in groups],
        doses=np.array(doses)[groups % len(doses)],
        n_frames=rng.integers(10, 70, n),
    )
    return samples, 1 / (1 + np.exp(-logit))
