"""How well each single feature tells the outcomes apart, hour by hour before the end.

Array suffixes: n samples, m measured rows (a sample and hour), f features, r rows of counts, g groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.cohort.samples import draw_one_a_cell
from cellfate.core.fates import NONE, OUTCOMES
from cellfate.core.tables import EVERYTHING, FeatureAssociation
from cellfate.features.summaries import choose_features
from cellfate.metrics.settings import FeatureAssociationSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, draw_groups, number_groups, summarise
from cellfate.statistics.scores import BoolArray

CONSTANT = "the feature is constant"
_SAME_HOUR = 1e-9  # frames a whole number of hours back stay in their hour in spite of rounding


def associate_features(
    frame_features: pd.DataFrame, samples: pd.DataFrame, feature_association: FeatureAssociationSettings
) -> pd.DataFrame:
    """Area under the ROC curve of each feature alone, in each hour before the end, overall and in each dose.

    A sample's feature in an hour is its mean over the frames of that hour that were measured. Hours count back from
    the event where the outcome is one, else from the last frame of the sample.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    samples
        Table `Samples`; one a cell and outcome is drawn, see `draw_one_a_cell`.
    feature_association
        Features, width of an hour, least samples, resamples, seed.

    Returns
    -------
    pandas.DataFrame
        Table `FeatureAssociation`: each outcome against the rest (of two outcomes, the first one), with percentile
        bands of a bootstrap that draws groups. `hours_before_end` is where an hour begins, so that 2 is from 2 to 3 h.
        Where `auroc` is NaN, `reason` says why. Hours in which no sample has a frame have no rows.

    Raises
    ------
    InputError
        When the settings name a feature that was not measured.
    """
    features = choose_features(frame_features, feature_association.features, "feature_association.features")
    generator = np.random.default_rng([feature_association.seed, 5])
    known = draw_one_a_cell(samples, generator).sort_index().reset_index(drop=True)
    hours = average_hours(frame_features, known, features, feature_association.bin_h)
    rows = [
        {"feature": feature, **row}
        for feature in tqdm(features, desc="Associating features with outcomes", disable=None)
        for sides in _list_sides(known)
        for row in _associate(feature, sides, hours, known, feature_association)
    ]
    return FeatureAssociation.validate(pd.DataFrame(rows, columns=list(FeatureAssociation.to_schema().columns)))


def average_hours(
    frame_features: pd.DataFrame, samples: pd.DataFrame, features: tuple[str, ...], bin_h: float
) -> pd.DataFrame:
    """Average the features of each sample over its hours, counted back from its end.

    Parameters
    ----------
    frame_features, samples
        Tables `FrameFeatures` and `Samples`.
    features
        Columns of `frame_features`.
    bin_h
        Width of an hour.

    Returns
    -------
    pandas.DataFrame
        One row a sample and hour that holds one of its frames: `sample_n` (place in `samples`), `hour_n` (0 is the last
        one) and the features; NaN where none of the frames was measured.
    """
    keys = ["recording_id", "cell_id"]
    at_event = (samples["event_frame"].notna() & (samples["outcome"] != NONE)).to_numpy()
    ends = samples["event_frame"].astype("Float64").where(at_event, samples["last_frame"])
    bounds = samples[[*keys, "first_frame", "last_frame", "frame_interval_min"]]
    bounds = bounds.assign(end=ends.to_numpy(dtype=np.float64), sample_n=np.arange(len(samples)))
    rows = frame_features[[*keys, "frame", *features]].merge(bounds, on=keys)
    rows = rows[rows["frame"].between(rows["first_frame"], rows["last_frame"])]
    hours = (rows["end"] - rows["frame"]) * rows["frame_interval_min"] / 60
    rows = rows.assign(hour_n=np.floor(hours / bin_h + _SAME_HOUR).astype(np.int64))
    return rows.groupby(["sample_n", "hour_n"], as_index=False)[list(features)].mean()


@dataclass(frozen=True, eq=False)
class _Sides:
    """One outcome against the rest among the samples of a dose, or of all doses."""

    dose: str
    outcome: str
    kept_n: BoolArray
    positive_n: BoolArray


def _list_sides(samples: pd.DataFrame) -> list[_Sides]:
    """List what is compared; of two outcomes the second mirrors the first, so one is."""
    present = [outcome for outcome in OUTCOMES if (samples["outcome"] == outcome).any()]
    doses = {EVERYTHING: np.ones(len(samples), dtype=bool)}
    if len(samples["dose"].unique()) > 1:
        doses |= {str(dose): (samples["dose"] == dose).to_numpy() for dose in sorted(samples["dose"].unique())}
    compared = present if len(present) > 2 else present[:1]
    return [
        _Sides(dose, outcome, kept_n, (samples["outcome"] == outcome).to_numpy())
        for dose, kept_n in doses.items()
        for outcome in compared
    ]


def _associate(
    feature: str, sides: _Sides, hours: pd.DataFrame, samples: pd.DataFrame, settings: FeatureAssociationSettings
) -> Iterator[dict[str, object]]:
    """Yield the rows of one feature, one an hour."""
    groups_n = samples["group_id"].to_numpy()
    of_sample_m, hour_m = hours["sample_n"].to_numpy(), hours["hour_n"].to_numpy()
    values_m = hours[feature].to_numpy(dtype=np.float64)
    known_m = np.isfinite(values_m)
    for hour in np.unique(hour_m[sides.kept_n[of_sample_m]]):
        here_m = (hour_m == hour) & known_m & sides.kept_n[of_sample_m]
        sample_m = of_sample_m[here_m]
        yield {
            "dose": sides.dose,
            "hours_before_end": float(hour * settings.bin_h),
            "outcome": sides.outcome,
            **_score_hour(values_m[here_m], sides.positive_n[sample_m], groups_n[sample_m], settings),
        }


def _score_hour(
    values_m: FloatArray, positive_m: BoolArray, groups_m: np.ndarray, settings: FeatureAssociationSettings
) -> dict[str, object]:
    """Score one feature in one hour, or say why that cannot be done."""
    counted: dict[str, object] = {"n_outcome": int(positive_m.sum()), "n_other": int((~positive_m).sum())}
    reason = _reason_against(values_m, positive_m, settings.min_samples)
    if reason is not None:
        return counted | {"auroc": np.nan, "low": np.nan, "high": np.nan, "reason": reason}
    numbers_m = number_groups(groups_m)
    n_groups = int(numbers_m.max()) + 1
    counts_rg = _draw(n_groups, settings.n_resamples, settings.seed)
    auroc_r = score.auroc(values_m, positive_m, numbers_m, counts_rg)
    estimate, low, high = summarise(auroc_r, settings.confidence, n_groups)
    return counted | {"auroc": estimate, "low": low, "high": high, "reason": None}


def _reason_against(values_m: FloatArray, positive_m: BoolArray, min_samples: int) -> str | None:
    """Say why a feature cannot be scored in an hour, or None."""
    if min(positive_m.sum(), (~positive_m).sum()) < min_samples:
        return f"fewer than {min_samples} samples on a side"
    return CONSTANT if np.ptp(values_m) == 0 else None


@lru_cache(maxsize=64)
def _draw(n_groups: int, n_resamples: int, seed: int) -> FloatArray:
    """Draw groups once for all hours with as many."""
    return draw_groups(n_groups, n_resamples, seed)
