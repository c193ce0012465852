"""How the training of each model ended, in words: at its limit while still improving, without use, or not at all."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from cellfate.core.words import READINGS, list_words, name_metric, show_count

LIMITS: Final = {"classifier": "training.max_epochs", "clock": "clock_training.max_epochs"}
"""Parameter of each reading that limits its epochs."""


def write_training(
    reading: str, history: pd.DataFrame, splits: pd.DataFrame, training: Mapping[str, Any]
) -> tuple[str, ...]:
    """Say what a reader of the scores should know of a model's training; nothing where it went as it should.

    Parameters
    ----------
    reading
        "classifier" or "clock".
    history
        Its table `TrainingHistory`; without rows the model was not asked for.
    splits
        Table `Splits`: the folds that should have been trained.
    training
        Settings of its training as the model folder records them; `patience_epochs` tells whether early stopping ended
        it, `monitor` by what.

    Returns
    -------
    tuple of str
        Sentences: folds that stopped at the epoch limit, that did not improve after their first epoch, that have no
        validation score, or were never trained.
    """
    if history.empty:
        return ()
    n = f"of n = {show_count(splits['fold'].nunique(), 'fold')}"
    score = f"validation_{training.get('monitor', 'log_loss')}"
    ends = pd.DataFrame([_end(int(fold), epochs, score) for fold, epochs in history.groupby("fold")])
    model = READINGS[reading].lower()
    never = sorted(set(splits["fold"].astype(int)) - set(ends["fold"]))
    flat = ends[(ends["best"] == 0) & (ends["last"] > 0) & ends["known"]]
    waited = ends["last"] - ends["best"]
    limited = ends[(waited < training.get("patience_epochs", 1)) & ends["known"]].drop(flat.index, errors="ignore")
    said = (
        (never, f"The {model} was not trained in {{}}: its cells are in no score of it."),
        (_folds(ends[~ends["known"]]), f"The {model} has no validation score in any epoch of {{}}: do not rely on it."),
        (_folds(flat), f"The {model} did not improve after its first epoch in {{}}: it hardly learnt there."),
        (_folds(limited), _write_limit(reading, limited, score)),
    )
    return tuple(words.format(f"{_name_folds(folds)} {n}") for folds, words in said if folds)


def _end(fold: int, epochs: pd.DataFrame, score: str) -> dict[str, Any]:
    """Fold, epoch kept, last epoch, and whether the score that chooses was ever defined."""
    best = epochs.loc[epochs["kept"], "epoch"]
    known = score in epochs and bool(epochs[score].notna().any())
    return {"fold": fold, "best": int(best.iloc[0]), "last": int(epochs["epoch"].max()), "known": known}


def _write_limit(reading: str, limited: pd.DataFrame, score: str) -> str:
    """Say that the limit ended a training: while it improved, or before early stopping could tell that it did not."""
    if limited.empty:
        return ""
    n_epochs, waited = int(limited["last"].max()) + 1, int((limited["last"] - limited["best"]).min())
    how = "while still improving" if waited == 0 else f"{show_count(waited, 'epoch')} after its best, too soon to tell"
    by = name_metric(score.removeprefix("validation_"))
    return (
        f"The {READINGS[reading].lower()} stopped at the epoch limit ({n_epochs} epochs) {how}, by validation {by}, in "
        f"{{}}; longer training may help: {LIMITS[reading]}."
    )


def _folds(ends: pd.DataFrame) -> list[int]:
    return [int(fold) for fold in ends["fold"]]


def _name_folds(folds: list[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {list_words(map(str, folds))}"
