"""Discrete-time, cause-specific hazards from one row of numbers a landmark, by gradient boosting (LightGBM).

Every bin of time has its own small boosting: what was seen in that bin (nothing, or which event), among the landmarks
that were watched to its end or had their event in it. Classes are not balanced: hazards have to be calibrated. One
boosting over all bins with the number of the bin as an input was tried on ctc_hela and is worse (division within 5 h,
out of fold: average precision .40 against .42, Brier score .062 against .058): what tells near divisions from none is
not what tells far ones.

Array suffixes: n landmarks, f inputs, k bins of time, e events.
"""

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from cellfate.core.errors import InputError
from cellfate.core.settings import Settings
from cellfate.models.booster_text import rewrite_booster
from cellfate.models.settings import BoostingSettings
from cellfate.statistics.incidence import UNOBSERVED

if TYPE_CHECKING:
    from lightgbm import Booster

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class BinHazards(Settings):
    """Hazards in one bin of time."""

    classes: tuple[int, ...] = Field(min_length=1)
    """What was seen in the bin in training, ascending: 0 nothing, e the e-th event."""
    model: str | None
    """LightGBM's text of the boosting that tells the classes apart; None when there is only one."""

    def rewritten(self, n_inputs: int) -> "BinHazards":
        """Keep of its text the trees alone; see `rewrite_booster`."""
        if self.model is None:
            return self
        return self.model_copy(update={"model": rewrite_booster(self.model, n_inputs, len(self.classes))})

    @cached_property
    def booster(self) -> "Booster":
        """The boosting itself."""
        import lightgbm

        return lightgbm.Booster(model_str=self.model)

    def probabilities(self, inputs_nf: FloatArray, n_events: int, n_threads: int) -> FloatArray:
        """Probability of nothing and of each event, (n, 1 + e); 0 for what was never seen in training."""
        probabilities = np.zeros((len(inputs_nf), 1 + n_events))
        if self.model is None:
            probabilities[:, self.classes[0]] = 1
        elif len(inputs_nf):
            found = np.asarray(self.booster.predict(inputs_nf, num_threads=n_threads), dtype=np.float64)
            probabilities[:, self.classes] = found if found.ndim == 2 else np.stack([1 - found, found], axis=1)
        return probabilities


class BoostedHazards(Settings):
    """Fitted hazards; made by `fit_boosted_hazards`."""

    columns: tuple[str, ...]
    """Inputs, in the order they were taught."""
    n_events: int = Field(ge=1)
    """Number of events."""
    settings: BoostingSettings
    """What they were fitted with."""
    bins: tuple[BinHazards, ...] = Field(min_length=1)
    """One a bin of time."""

    @field_validator("bins")
    @classmethod
    def _rewrite(cls, bins: tuple[BinHazards, ...], found: ValidationInfo) -> tuple[BinHazards, ...]:
        """Keep of each boosting its trees, and see that these are some."""
        n_inputs, n_events = len(found.data.get("columns", ())), found.data.get("n_events", 0)
        for number, of_bin in enumerate(bins, start=1):
            if list(of_bin.classes) != sorted(set(of_bin.classes) & set(range(n_events + 1))):
                raise ValueError(f"bin {number} has the classes {of_bin.classes}, expected some of {n_events + 1}")
            if (of_bin.model is None) != (len(of_bin.classes) == 1):
                raise ValueError(f"bin {number} of {len(of_bin.classes)} classes has the wrong number of boostings")
        return tuple(of_bin.rewritten(n_inputs) for of_bin in bins)

    def hazards(self, inputs: pd.DataFrame) -> FloatArray:
        """Probability of each event in each bin, given that nothing happened before.

        Parameters
        ----------
        inputs : DataFrame
            One row a landmark; holds the columns of the training, in any order. Missing values are allowed.

        Returns
        -------
        ndarray of float64, shape (n, k, e)
            Over the events they sum to at most 1. An event that never fell in a bin in training has the hazard 0 there.

        Raises
        ------
        InputError
            If a column is missing.
        """
        missing = [name for name in self.columns if name not in inputs.columns]
        if missing:
            raise InputError(
                f"The table has no column '{missing[0]}' ({len(missing)} of {len(self.columns)} inputs are missing), "
                "but the hazards were fitted with it; measure the same channels and features."
            )
        inputs_nf = inputs[list(self.columns)].to_numpy(np.float64)
        each = [of_bin.probabilities(inputs_nf, self.n_events, self.settings.n_threads) for of_bin in self.bins]
        return np.stack(each, axis=1)[:, :, 1:]

    def to_text(self) -> str:
        """Write as JSON, with a checksum."""
        body = self.model_dump(mode="json")
        return json.dumps({"checksum": _checksum(body), **body})

    @classmethod
    def from_text(cls, text: str) -> "BoostedHazards":
        """Read what `to_text` wrote. Nothing in the text is executed.

        Raises
        ------
        InputError
            If the text is damaged or is something else.
        """
        try:
            return cls.model_validate(_check_unchanged(json.loads(text)))
        except ValueError as error:
            said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error).splitlines()[0]
            raise InputError(
                f"The text is not that of boosted hazards ({said}), expected an unchanged text "
                "that `BoostedHazards.to_text` wrote; take a whole copy, or train again."
            ) from error


def fit_boosted_hazards(
    inputs: pd.DataFrame,
    labels_nk: ArrayLike,
    n_events: int,
    settings: BoostingSettings,
    weights_n: ArrayLike | None = None,
) -> BoostedHazards:
    """Fit the hazards of every bin of time.

    Parameters
    ----------
    inputs : DataFrame
        One row a landmark, numbers; missing values are allowed.
    labels_nk : array of int, shape (n, k)
        From `statistics.incidence.label_bins`. What is `UNOBSERVED` teaches nothing.
    n_events : int
        Number of events.
    settings : BoostingSettings
        Hyper-parameters and seed.
    weights_n : array of float, shape (n,), optional
        Weight of each landmark; 1 when left out.

    Returns
    -------
    BoostedHazards
        An event that never falls in a bin gets the hazard 0 there, so an event that never occurs is never forecast.

    Raises
    ------
    InputError
        If no landmark was watched in a bin.
    """
    labels = np.asarray(labels_nk, dtype=np.int64)
    inputs_nf = inputs.to_numpy(np.float64)
    weights = np.ones(len(labels)) if weights_n is None else np.asarray(weights_n, dtype=np.float64)
    bins = []
    for number, labels_n in enumerate(labels.T, start=1):
        at_risk = labels_n != UNOBSERVED
        if not at_risk.any():
            raise InputError(
                f"None of {len(labels)} landmarks was watched to the end of bin {number} of {labels.shape[1]}, but "
                "hazards are learned from those that were; lower horizon_h, or add longer recordings."
            )
        bins.append(_fit_bin(inputs_nf[at_risk], labels_n[at_risk], weights[at_risk], settings))
    columns = tuple(map(str, inputs.columns))
    return BoostedHazards(columns=columns, n_events=n_events, settings=settings, bins=tuple(bins))


def _fit_bin(
    inputs_nf: FloatArray, labels_n: IntArray, weights_n: FloatArray, settings: BoostingSettings
) -> BinHazards:
    import lightgbm

    classes, numbers_n = np.unique(labels_n, return_inverse=True)
    found = tuple(classes.tolist())
    if len(found) == 1:
        return BinHazards(classes=found, model=None)
    parameters = _parameters(len(found), len(labels_n), settings)
    taught = lightgbm.Dataset(inputs_nf, label=numbers_n, weight=weights_n, params=parameters)
    booster = lightgbm.train(parameters, taught, num_boost_round=settings.n_trees)
    return BinHazards(classes=found, model=booster.model_to_string())


def _parameters(n_classes: int, n_landmarks: int, settings: BoostingSettings) -> dict[str, Any]:
    goal = {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    smallest = max(1, min(settings.min_samples_leaf, n_landmarks // 4))  # a quarter where there are few
    return {
        **goal,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.max_leaf_nodes,
        "min_data_in_leaf": smallest,
        "extra_trees": True,  # thresholds at random: best ones are too sure of few events (docs/adr/0025)
        "lambda_l2": settings.l2_regularization,
        "max_bin": settings.value_bins,
        "seed": settings.seed,
        "num_threads": settings.n_threads,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }


def _check_unchanged(saved: Any) -> dict[str, Any]:
    """Return what was saved without its checksum; LightGBM does not survive every damage to its own text."""
    if not isinstance(saved, dict) or "checksum" not in saved:
        raise ValueError("it has no checksum")
    body = {name: value for name, value in saved.items() if name != "checksum"}
    if _checksum(body) != saved["checksum"]:
        raise ValueError("its checksum does not fit")
    return body


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
