"""How well each single feature tells the fates apart, hour by hour before they come.

Array suffixes: n cells, m measured rows (a cell and hour), f features, r rows of counts, g groups.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import competing_events
from cellfate.core.tables import CELL, EVERYTHING, FRAME, FeatureAssociation
from cellfate.features.summaries import choose_features
from cellfate.metrics.settings import FeatureAssociationSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import BoolArray, FloatArray, count_rarer_side, draw_groups, number_groups, summarise

CONSTANT = "the feature is constant"
_SAME_HOUR = 1e-9  # frames a whole number of hours back stay in their hour in spite of rounding


def associate_features(
    frame_features: pd.DataFrame, landmarks: pd.DataFrame, feature_association: FeatureAssociationSettings
) -> pd.DataFrame:
    """Area under the ROC curve of each feature alone, in each hour before the event, overall and in each dose.

    A cell's feature in an hour is its mean over the frames of that hour that were measured.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    landmarks
        Table `Landmarks`; the last ones of cells that met a fate are used.
    feature_association
        Features, width of an hour, least cells, resamples, seed.

    Returns
    -------
    pandas.DataFrame
        Table `FeatureAssociation`: the first fate there is against the other, with bands of a bootstrap that draws
        groups. `hours_before_end` is where an hour begins, so that 2 is from 2 to 3 h before the event. Where
        `auroc` is NaN, `reason` says why. Hours in which no cell has a frame have no rows.

    Raises
    ------
    InputError
        When the settings name a feature that was not measured.
    """
    features = choose_features(frame_features, feature_association.features, "feature_association.features")
    fated = landmarks[asks_which_fate(landmarks)].reset_index(drop=True)
    hours = average_hours(frame_features, fated, features, feature_association.bin_h)
    hours = hours.join(fated[["fate", "group_id", "dose"]], on="cell_n")
    doses = sorted(set(fated["dose"]))
    selections = {EVERYTHING: hours}
    if len(doses) > 1:
        selections |= {str(dose): hours[hours["dose"] == dose] for dose in doses}
    rows = [
        {"feature": feature, "dose": dose, "outcome": outcome, **row}
        for feature in tqdm(features, desc="Associating features with fates", disable=None)
        for dose, of_dose in selections.items()
        for outcome in competing_events(fated)[:1]  # the second fate mirrors the first
        for row in _associate(feature, outcome, of_dose, feature_association)
    ]
    return FeatureAssociation.validate(pd.DataFrame(rows, columns=list(FeatureAssociation.to_schema().columns)))


def average_hours(
    frame_features: pd.DataFrame, landmarks: pd.DataFrame, features: tuple[str, ...], bin_h: float
) -> pd.DataFrame:
    """Average the features of each cell over its hours, counted back from its event.

    Parameters
    ----------
    frame_features, landmarks
        Tables `FrameFeatures` and `Landmarks`, one landmark a cell.
    features
        Columns of `frame_features`.
    bin_h
        Width of an hour.

    Returns
    -------
    pandas.DataFrame
        One row a cell and hour that holds one of its frames: `cell_n` (place in `landmarks`), `hour_n` (0 is the last
        one) and the features; NaN where none of the frames was measured.
    """
    bounds = landmarks[[*CELL, "first_frame", "last_frame", "frame_interval_min"]]
    ends = landmarks["event_frame"].to_numpy(dtype=np.float64)
    bounds = bounds.assign(end=ends, cell_n=np.arange(len(landmarks)))
    rows = frame_features[[*FRAME, *features]].merge(bounds, on=CELL)
    rows = rows[rows["frame"].between(rows["first_frame"], rows["last_frame"])]
    hours = (rows["end"] - rows["frame"]) * rows["frame_interval_min"] / 60
    rows = rows.assign(hour_n=np.floor(hours / bin_h + _SAME_HOUR).astype(np.int64))
    return rows.groupby(["cell_n", "hour_n"], as_index=False)[list(features)].mean()


def _associate(
    feature: str, outcome: str, hours: pd.DataFrame, settings: FeatureAssociationSettings
) -> Iterator[dict[str, object]]:
    """Yield the rows of one feature and dose, one an hour."""
    for hour, rows in hours.groupby("hour_n"):
        known = rows[rows[feature].notna()]
        values_m, positive_m = known[feature].to_numpy(np.float64), (known["fate"] == outcome).to_numpy(bool)
        scored = _score_hour(values_m, positive_m, known["group_id"].to_numpy(object), settings)
        yield {"hours_before_end": float(str(hour)) * settings.bin_h, **scored}


def _score_hour(
    values_m: FloatArray, positive_m: BoolArray, groups_m: NDArray[np.object_], settings: FeatureAssociationSettings
) -> dict[str, object]:
    """Score one feature in one hour, or say why that cannot be done."""
    counted: dict[str, object] = {"n_outcome": int(positive_m.sum()), "n_other": int((~positive_m).sum())}
    reason = _reason_against(values_m, positive_m, settings.min_cells)
    if reason is not None:
        return counted | {"auroc": np.nan, "low": np.nan, "high": np.nan, "reason": reason}
    numbers_m = number_groups(groups_m)
    n_groups = int(numbers_m.max()) + 1
    counts_rg = _draw(n_groups, settings.n_resamples, settings.seed)
    auroc_r = score.auroc(values_m, positive_m, numbers_m, counts_rg)
    estimate, low, high = summarise(auroc_r, settings.confidence, count_rarer_side(numbers_m, positive_m))
    return counted | {"auroc": estimate, "low": low, "high": high, "reason": None}


def _reason_against(values_m: FloatArray, positive_m: BoolArray, min_cells: int) -> str | None:
    """Say why a feature cannot be scored in an hour, or None."""
    if min(positive_m.sum(), (~positive_m).sum()) < min_cells:
        return f"fewer than {min_cells} cells on a side"
    return CONSTANT if np.ptp(values_m) == 0 else None


@lru_cache(maxsize=64)
def _draw(n_groups: int, n_resamples: int, seed: int) -> FloatArray:
    """Draw groups once for all hours with as many."""
    return draw_groups(n_groups, n_resamples, seed)
