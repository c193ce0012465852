"""How a training ended is said only where a reader should know it."""

import pandas as pd
import pytest

from cellfate.report.training import write_training

PATIENT = {"patience_epochs": 3, "monitor": "log_loss"}


def history(*losses, kept=None, fold=0):
    best = min(range(len(losses)), key=losses.__getitem__) if kept is None else kept
    epochs = range(len(losses))
    table = pd.DataFrame({"fold": fold, "epoch": epochs, "validation_log_loss": losses})
    return table.assign(kept=[epoch == best for epoch in epochs])


def folds(*numbers):
    return pd.DataFrame({"fold": numbers})


def test_a_training_that_early_stopping_ended_needs_no_word():
    assert write_training("classifier", history(0.9, 0.5, 0.6, 0.6, 0.6), folds(0), PATIENT) == ()


@pytest.mark.parametrize(
    ("losses", "how"),
    [
        ((0.9, 0.6, 0.5), "(3 epochs) while still improving (validation log loss)"),
        ((0.9, 0.8, 0.7, 0.6, 0.55), "(5 epochs) while still improving (validation log loss, 0.25 better"),
        ((0.9, 0.5, 0.6, 0.6), "(4 epochs) 2 epochs after its best, too soon to tell (validation log loss, 0.4 better"),
    ],
)
def test_a_training_that_the_limit_ended_is_named_with_its_parameter(losses, how):
    (words,) = write_training("clock", history(*losses), folds(0), PATIENT)
    late = " in the last 3 epochs)" if how.endswith("better") else ""
    assert words == (
        f"The fate clock stopped at the epoch limit {how}{late} in fold 0 of n = 1 fold; "
        "longer training may help: clock_training.max_epochs."
    )
    assert "training.max_epochs." in write_training("classifier", history(*losses), folds(0), PATIENT)[0]


def test_folds_are_counted_and_each_stands_under_one_fault():
    nan = float("nan")
    four = [
        history(0.9, 0.5, fold=0),
        history(0.5, 0.6, fold=1),
        history(nan, nan, kept=0, fold=2),
        history(0.9, 0.4, fold=3),
    ]
    said = write_training("classifier", pd.concat(four, ignore_index=True), folds(0, 1, 2, 3, 4), PATIENT)
    assert [words.split(" of n = 5 folds")[0].split(" in ", 1)[1].split("in ")[-1] for words in said] == [
        "fold 4",
        "any epoch of fold 2",
        "fold 1",
        "folds 0 and 3",
    ]
    assert said[0].startswith("The classifier was not trained in fold 4 of n = 5 folds")


def test_a_model_that_was_not_asked_for_has_no_training():
    assert write_training("clock", history(0.5).head(0), folds(0), PATIENT) == ()


def test_the_score_that_chose_is_named():
    table = history(0.5, 0.7, 0.6, 0.9, kept=3).rename(columns={"validation_log_loss": "validation_auroc"})
    (words,) = write_training("classifier", table, folds(0), PATIENT | {"monitor": "auroc"})
    assert "(validation AUROC, 0.4 better in the last 3 epochs)" in words
