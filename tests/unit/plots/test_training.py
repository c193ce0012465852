import pytest

from cellfate.plots.training import plot_training
from tests.cases.report_tables import report_case


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def test_every_fold_is_drawn_and_the_kept_epoch_marked(tables):
    figure = plot_training(tables["clock_history"])
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert len(lines) == 2 * 3  # two folds: training and validation loss, learning rate
    assert [list(mark.x) for mark in marks] == [[3]] * 4
    history = tables["clock_history"].query("fold == 0 and kept")
    assert marks[0].y[0] == history["validation_log_loss"].iloc[0]
    assert "n = 2 folds, 10 epochs" in figure.layout.title.text
    assert all(axis.title.text == "Epoch" for axis in figure.select_xaxes())


def test_scores_of_the_validation_part_are_drawn_where_there_are_some(tables):
    titles = [axis.title.text for axis in plot_training(tables["classifier_history"]).select_yaxes()]
    assert titles == ["Loss (nats)", "Balanced accuracy (0 to 1)", "AUROC (0 to 1)", "Learning rate"]
    without = tables["classifier_history"].assign(validation_auroc=float("nan"))
    assert "AUROC (0 to 1)" not in [axis.title.text for axis in plot_training(without).select_yaxes()]
