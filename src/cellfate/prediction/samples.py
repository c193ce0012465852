"""Predictions of samples as tables."""

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.fates import probability_column
from cellfate.core.predictors import MODEL
from cellfate.core.tables import Predictions
from cellfate.crops.digest import digest_data
from cellfate.crops.store import CropStore
from cellfate.prediction.embeddings import embed_samples
from cellfate.prediction.fold_model import load_fold
from cellfate.prediction.records import TrainedModel

logger = logging.getLogger(__name__)


def predict_samples(crops: CropStore, samples: pd.DataFrame, splits: pd.DataFrame, model: TrainedModel) -> pd.DataFrame:
    """Predict the validation and test parts of every fold with the fold's own member.

    Parameters
    ----------
    crops
        Crop store.
    samples
        Table `Samples`.
    splits
        Table `Splits`.
    model
        Model trained on these splits.

    Returns
    -------
    DataFrame
        Table `Predictions` of predictor `cellfate`. The call is the likeliest outcome (threshold .5 for two).

    Raises
    ------
    InputError
        If the model was trained on other crops, samples or splits.
    """
    check_trained_on(model, crops, samples, splits)
    asked = splits[splits["part"] != "train"]
    tables = []
    for (scheme, fold), rows in tqdm(asked.groupby(["scheme", "fold"]), desc="predict folds", disable=None):
        part = rows[["sample_id", "part"]].merge(samples, on="sample_id", validate="one_to_one")
        probabilities_bk = predict_probabilities(crops, part, model, int(fold))
        head = {"predictor": MODEL, "scheme": scheme, "fold": fold, "part": part["part"]}
        head |= {"sample_id": part["sample_id"]}
        tables.append(pd.DataFrame(head | probability_columns(probabilities_bk, model.config.outcomes)))
    if not tables:
        return Predictions.empty().assign(**{probability_column(outcome): 0.0 for outcome in model.config.outcomes})
    return Predictions.validate(pd.concat(tables, ignore_index=True))


def check_trained_on(model: TrainedModel, crops: CropStore, samples: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Refuse to test a model on data other than those it was trained with: its test cells may have trained it.

    Raises
    ------
    InputError
        If the digest of the data is not the one in the model's config.
    """
    check_digest(model.config.data_digest, crops, samples, splits)


def check_digest(expected: str, crops: CropStore, *tables: pd.DataFrame) -> None:
    """As `check_trained_on`, for any kind of model.

    Raises
    ------
    InputError
        If the digest of the data is not `expected`.
    """
    found = digest_data(crops, *tables)
    if found != expected:
        message = (
            f"The model was trained with other crops, samples, splits or features (digest {expected[:12]}) than "
            f"those it is to be tested on (digest {found[:12]}), so it may have seen the test cells; run its training "
            "again, or use inference to score recordings it has not seen."
        )
        raise InputError(message)


def predict_probabilities(
    crops: CropStore, samples: pd.DataFrame, model: TrainedModel, fold: int
) -> NDArray[np.float64]:
    """Probabilities (B, outcomes) of samples by the member of one fold, in the order of the rows."""
    embedded = embed_samples(crops, samples, model, fold)
    return load_fold(model, fold).probabilities(embedded.embeddings, embedded.positions)


def probability_columns(
    probabilities_bk: NDArray[np.float64], outcomes: tuple[str, ...]
) -> dict[str, NDArray[np.float64] | list[str]]:
    """Columns `call` (the likeliest outcome; the first of equals) and `p_<outcome>` of a prediction table."""
    calls = [outcomes[k] for k in probabilities_bk.argmax(axis=1)]
    columns = {probability_column(outcome): probabilities_bk[:, k] for k, outcome in enumerate(outcomes)}
    return {"call": calls, **columns}
