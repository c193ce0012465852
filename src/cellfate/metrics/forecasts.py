"""Forecasts of one predictor as arrays, joined with what happened.

Array suffixes: n samples, k outcomes.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.statistics.bootstrap import FloatArray, IntArray, number_groups
from cellfate.statistics.scores import BoolArray
from cellfate.statistics.thresholds import choose_threshold

HEADLINE_THRESHOLD = 0.5
"""Of two outcomes, the first is called from this probability on."""
_SUM_TOLERANCE = 1e-3  # float32 probabilities of a few outcomes, written and read


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Tested samples of one predictor, ordered by sample, so that predictors of the same samples line up."""

    predictor: str
    outcomes: tuple[str, ...]
    sample_ids_n: npt.NDArray[np.object_]
    truth_n: IntArray
    """Position of the true outcome in `outcomes`."""
    probabilities_nk: FloatArray
    groups_n: IntArray
    """Bootstrap group of each sample, 0 .. n_groups - 1."""
    cells_n: IntArray
    """Cell of each sample; a cell may have several samples."""
    dose_n: npt.NDArray[np.object_]
    tuned_n: FloatArray | None
    """Threshold chosen on the validation part of the sample's fold (NaN: it could not be); null: none was chosen."""

    @property
    def n_groups(self) -> int:
        """Number of bootstrap groups."""
        return int(self.groups_n.max()) + 1 if len(self.groups_n) else 0

    def select(self, kept_n: BoolArray) -> "Forecasts":
        """Keep some samples; groups are numbered anew."""
        return replace(
            self,
            sample_ids_n=self.sample_ids_n[kept_n],
            truth_n=self.truth_n[kept_n],
            probabilities_nk=self.probabilities_nk[kept_n],
            groups_n=number_groups(self.groups_n[kept_n]),
            cells_n=self.cells_n[kept_n],
            dose_n=self.dose_n[kept_n],
            tuned_n=None if self.tuned_n is None else self.tuned_n[kept_n],
        )

    def calls(self, threshold: float | FloatArray = HEADLINE_THRESHOLD) -> IntArray:
        """Call an outcome for each sample; see `call_outcomes`."""
        return call_outcomes(self.probabilities_nk, threshold)


def call_outcomes(probabilities_nk: FloatArray, threshold: float | FloatArray = HEADLINE_THRESHOLD) -> IntArray:
    """Turn probabilities into calls.

    Parameters
    ----------
    probabilities_nk
        One column an outcome.
    threshold
        With two outcomes, the first is called from this probability on (one number, or one a sample). With more, the
        likeliest is called and the threshold is not used.

    Returns
    -------
    ndarray, int64, (n,)
        Position of the called outcome.
    """
    if probabilities_nk.shape[1] == 2:
        return np.where(probabilities_nk[:, 0] >= threshold, 0, 1).astype(np.int64)
    return np.asarray(np.argmax(probabilities_nk, axis=1), dtype=np.int64)


def read_forecasts(predictions: pd.DataFrame, samples: pd.DataFrame) -> list[Forecasts]:
    """Join predictions of the test parts with the known outcomes.

    Test parts of several folds are pooled: each sample is scored by the model that did not see it.

    Parameters
    ----------
    predictions
        Table `Predictions` of one or more predictors.
    samples
        Table `Samples`. Samples without a known outcome are left out.

    Returns
    -------
    list of Forecasts
        One a predictor, in their order in the table.

    Raises
    ------
    InputError
        If a predictor forecasts a sample twice or not at all, an outcome has no probability column, or probabilities
        do not add up to 1.
    """
    outcomes = listed_outcomes(predictions.columns)
    known = samples.dropna(subset=["outcome"])
    _check_outcomes(outcomes, known)
    forecast = ["predictor", "fold", "part", "sample_id", *map(probability_column, outcomes)]
    joined = predictions[forecast].merge(known, on="sample_id", how="inner", validate="many_to_one")
    return [
        _forecasts_of(str(name), rows.sort_values("sample_id"), outcomes)
        for name, rows in joined.groupby("predictor", sort=False)
    ]


def _check_outcomes(outcomes: tuple[str, ...], known: pd.DataFrame) -> None:
    missing = sorted(set(known["outcome"]) - set(outcomes))
    if missing:
        raise InputError(
            f"The predictions hold probabilities of {list(outcomes)}, but samples have the outcome {missing[0]!r}; "
            f"use the model that was trained for these samples."
        )


def _forecasts_of(name: str, rows: pd.DataFrame, outcomes: tuple[str, ...]) -> Forecasts:
    tested = rows[rows["part"] == "test"]
    repeated = tested["sample_id"][tested["sample_id"].duplicated()]
    if len(repeated):
        raise InputError(
            f"Predictor {name!r} forecasts sample {repeated.iloc[0]!r} in more than one test part, expected one; "
            f"score one split scheme at a time."
        )
    probabilities_nk = tested[[probability_column(outcome) for outcome in outcomes]].to_numpy(np.float64)
    wrong = np.flatnonzero(~(np.abs(probabilities_nk.sum(axis=1) - 1) <= _SUM_TOLERANCE))
    if len(wrong):
        raise InputError(
            f"The probabilities of sample {tested['sample_id'].iloc[wrong[0]]!r} by {name!r} add up to "
            f"{probabilities_nk[wrong[0]].sum():.4g}, expected 1; make the predictions again."
        )
    return Forecasts(
        predictor=name,
        outcomes=outcomes,
        sample_ids_n=tested["sample_id"].to_numpy(object),
        truth_n=encode_outcomes(tested["outcome"], outcomes),
        probabilities_nk=probabilities_nk,
        groups_n=number_groups(tested["group_id"].to_numpy(object)),
        cells_n=np.asarray(tested.groupby(["recording_id", "cell_id"]).ngroup(), dtype=np.int64),
        dose_n=tested["dose"].to_numpy(object),
        tuned_n=_tuned_thresholds(rows, tested, outcomes),
    )


def _tuned_thresholds(rows: pd.DataFrame, tested: pd.DataFrame, outcomes: tuple[str, ...]) -> FloatArray | None:
    """Threshold of each tested sample, chosen on the validation part of its fold."""
    validation = rows[rows["part"] == "validation"]
    if len(outcomes) != 2 or validation.empty:
        return None
    column = probability_column(outcomes[0])
    chosen = {
        fold: choose_threshold(part[column].to_numpy(np.float64), (part["outcome"] == outcomes[0]).to_numpy(bool))
        for fold, part in validation.groupby("fold")
    }
    return np.array([chosen.get(fold, np.nan) for fold in tested["fold"]])


def encode_outcomes(outcome: "pd.Series[str]", outcomes: tuple[str, ...]) -> IntArray:
    """Position of each outcome in `outcomes`, (n,)."""
    places = {name: position for position, name in enumerate(outcomes)}
    return np.array([places[name] for name in outcome], dtype=np.int64)
