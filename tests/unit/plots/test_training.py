import pandas as pd

from cellfate.plots.training import PANELS, plot_training


def test_every_fold_and_metric_is_drawn_and_the_kept_epoch_marked():
    history = pd.DataFrame(
        {
            "fold": [0, 0, 1],
            "epoch": [0, 1, 0],
            "train_loss": [0.7, 0.6, 0.7],
            "validation_log_loss": [0.69, 0.5, 0.6],
            "validation_balanced_accuracy": [0.5, 0.8, 0.7],
            "validation_auroc": [0.6, 0.9, 0.8],
            "learning_rate": [1e-3] * 3,
            "kept": [False, True, True],
        }
    )
    figure = plot_training(history)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert len(lines) == 2 * sum(len(panel) for _, panel in PANELS)
    assert [list(mark.x) for mark in marks] == [[1]] * 3 + [[0]] * 3
    assert marks[0].y[0] == 0.5
    assert "folds n = 2" in figure.layout.title.text
    assert all(axis.title.text == "Epoch" for axis in (figure.layout.xaxis, figure.layout.xaxis2, figure.layout.xaxis3))
