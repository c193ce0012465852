"""How the training of each model ended, in words: at its limit while still improving, without use, or not at all."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from cellfate.core.words import LOWER_IS_BETTER, READINGS, list_words, name_metric, show_count

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
    patience = int(training.get("patience_epochs", 1))
    ends = pd.DataFrame([_end(epochs, score, patience) for _, epochs in history.groupby("fold")])
    model = READINGS[reading].lower()
    never = sorted(set(splits["fold"].astype(int)) - set(ends["fold"]))
    flat = ends[(ends["best"] == 0) & (ends["last"] > 0) & ends["known"]]
    waited = ends["last"] - ends["best"]
    limited = ends[(waited < patience) & ends["known"]].drop(flat.index, errors="ignore")
    said = (
        (never, f"The {model} was not trained in {{}}: its cells are in no score of it."),
        (_folds(ends[~ends["known"]]), f"The {model} has no validation score in any epoch of {{}}: do not rely on it."),
        (_folds(flat), f"The {model} did not improve after its first epoch in {{}}: it hardly learnt there."),
        (_folds(limited), _write_limit(reading, limited, score, patience)),
    )
    return tuple(words.format(f"{_name_folds(folds)} {n}") for folds, words in said if folds)


def _end(epochs: pd.DataFrame, score: str, patience: int) -> dict[str, Any]:
    """Fold, epoch kept, last epoch, whether the score that chooses was ever defined, and what it gained of late."""
    best, last = int(epochs.loc[epochs["kept"], "epoch"].iloc[0]), int(epochs["epoch"].max())
    values = epochs.set_index("epoch")[score] if score in epochs else pd.Series(dtype=float)
    values = -values if score.removeprefix("validation_") in LOWER_IS_BETTER else values
    gained = values.max() - values[values.index <= last - patience].max()
    return {
        "fold": int(epochs["fold"].iloc[0]),
        "best": best,
        "last": last,
        "known": values.notna().any(),
        "gained": gained,
    }


def _write_limit(reading: str, limited: pd.DataFrame, score: str, patience: int) -> str:
    """Say that the limit ended a training: while it improved, or before early stopping could tell that it did not."""
    if limited.empty:
        return ""
    n_epochs, waited = int(limited["last"].max()) + 1, int((limited["last"] - limited["best"]).min())
    how = "while still improving" if waited == 0 else f"{show_count(waited, 'epoch')} after its best, too soon to tell"
    by = name_metric(score.removeprefix("validation_"))
    gained = limited["gained"].max()
    much = "" if pd.isna(gained) else f", {gained:.2g} better in the last {show_count(patience, 'epoch')}"
    return (
        f"The {READINGS[reading].lower()} stopped at the epoch limit ({n_epochs} epochs) {how} (validation {by}{much}) "
        f"in {{}}; longer training may help: {LIMITS[reading]}."
    )


def _folds(ends: pd.DataFrame) -> list[int]:
    return [int(fold) for fold in ends["fold"]]


def _name_folds(folds: list[int]) -> str:
    return f"fold{'s' * (len(folds) > 1)} {list_words(map(str, folds))}"
