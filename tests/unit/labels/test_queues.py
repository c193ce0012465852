import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.labels.queues import order_cells
from cellfate.labels.table import labels_table
from tests.unit.labels.cases import make_cells, make_label

NOBODY = labels_table([])
CELLS = pd.concat(
    [
        make_cells(*((cell, 0, 9, "unscored", None) for cell in range(1, 6)), recording_id=name)
        for name in ("r1", "r2", "r3")
    ]
    + [make_cells((6, 0, 9, "mitosis", 10), (7, 0, 9, "censored", None), recording_id="r1")],
    ignore_index=True,
)


def forecast(*rows, predictor="blend", within_h=5.0):
    columns = ["recording_id", "cell_id", "frame", "p_apoptosis", "p_mitosis", "p_none"]
    return pd.DataFrame(rows, columns=columns).assign(predictor=predictor, within_h=within_h, part="test", fold=0)


def test_random_takes_every_group_in_turn_and_known_events_last():
    order = order_cells("random", CELLS, NOBODY, 3)
    assert sorted(order) == sorted(zip(CELLS["recording_id"], CELLS["cell_id"], strict=True))
    assert [{name for name, _ in order[at : at + 3]} for at in (0, 3, 6)] == [{"r1", "r2", "r3"}] * 3
    assert order[-1] == ("r1", 6)
    assert order != order_cells("random", CELLS, NOBODY, 4)
    shuffled = CELLS.sample(frac=1, random_state=0)
    assert order_cells("random", shuffled, NOBODY, 3) == order


def test_random_is_the_same_for_every_scorer_and_goes_on_where_one_stopped():
    order = order_cells("random", CELLS, NOBODY, 0)
    first = [make_label(cell, recording_id=name) for name, cell in order[:4]]
    labels = labels_table([*first, make_label(order[5][1], None, None, recording_id=order[5][0])])
    assert order_cells("random", CELLS, labels, 0, scorer="ben") == order
    left = order_cells("random", CELLS, labels, 0, scorer="ann")
    assert set(left) == set(order[4:])  # one that was taken back comes again


def test_uncertain_puts_first_what_leaves_most_open():
    forecasts = forecast(
        ("r1", 1, 9, 0.9, 0.05, 0.05),
        ("r1", 2, 9, 0.6, 0.3, 0.1),
        ("r1", 3, 9, 0.45, 0.5, 0.05),
        ("r1", 3, 5, 0.9, 0.05, 0.05),  # an earlier frame
        ("r2", 1, 9, 0.4, 0.3, 0.3),
        ("r1", 6, 9, 0.4, 0.3, 0.3),  # its fate is known
        ("r9", 1, 9, 0.4, 0.3, 0.3),  # no such cell
    )
    assert order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts) == [("r2", 1), ("r1", 2), ("r1", 3), ("r1", 1)]
    # a set of two comes before one of one, whatever the entropy
    thresholds = pd.DataFrame(
        {"predictor": ["blend"], "within_h": [5.0], "group_id": [None], "threshold": [0.56], "level": [0.9]}
    )
    order = order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts, set_thresholds=thresholds)
    assert order == [("r1", 3), ("r2", 1), ("r1", 2), ("r1", 1)]
    splits = pd.DataFrame({"recording_id": ["r1", "r1"], "cell_id": [6, 7], "part": ["test", "test"], "fold": [0, 0]})
    assert order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts, splits=splits) == [("r2", 1)]
    also_trains = splits.assign(part=["test", "train"])
    assert len(order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts, splits=also_trains)) == 4


def test_of_equally_uncertain_cells_those_come_first_on_which_network_and_boosting_differ():
    same = [("r1", cell, 9, 0.5, 0.3, 0.2) for cell in (1, 2, 3)]
    network = [("r1", 1, 9, 0.5, 0.3, 0.2), ("r1", 2, 9, 0.9, 0.1, 0.0), ("r1", 3, 9, 0.6, 0.3, 0.1)]
    forecasts = pd.concat(
        [forecast(*same), forecast(*network, predictor="network"), forecast(*same, predictor="boosting")]
    )
    assert order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts) == [("r1", 2), ("r1", 3), ("r1", 1)]


def test_disagreement_puts_the_surest_contradiction_first():
    cells = make_cells(
        (1, 0, 9, "mitosis", 10), (2, 0, 9, "apoptosis", 10), (3, 0, 9, "censored", None), (4, 0, 9, "unscored", None)
    )
    forecasts = forecast(
        ("r1", 1, 9, 0.6, 0.3, 0.1), ("r1", 2, 9, 0.9, 0.05, 0.05), ("r1", 3, 9, 0.9, 0.0, 0.1), ("r1", 4, 9, 1, 0, 0)
    )
    assert order_cells("disagreement", cells, NOBODY, forecasts=forecasts) == [("r1", 3), ("r1", 1)]
    seen = labels_table([make_label(3, "apoptosis", 9, queue="disagreement"), make_label(1, "mitosis", 10)])
    order = order_cells("disagreement", cells, seen, forecasts=forecasts, scorer="ann")
    assert order == [("r1", 1)]  # what was scored otherwise is looked at again


def test_without_a_clock_the_classifier_is_asked():
    forecasts = forecast(("r1", 1, 9, 0.9, 0.1, 0), ("r1", 2, 9, 0.5, 0.5, 0), predictor="classifier", within_h=np.nan)
    assert order_cells("uncertain", CELLS, NOBODY, forecasts=forecasts) == [("r1", 2), ("r1", 1)]


def test_what_cannot_be_ordered_is_refused():
    with pytest.raises(InputError, match="There is no queue 'best'"):
        order_cells("best", CELLS, NOBODY)
    for queue in ("uncertain", "disagreement"):
        with pytest.raises(InputError, match="needs forecasts"):
            order_cells(queue, CELLS, NOBODY)
    assert order_cells("by_recording", CELLS, NOBODY)[:2] == [("r1", 1), ("r1", 2)]
