import pandas as pd

from cellfate.labels.agreement import compare_scorers
from cellfate.labels.merging import apply_labels
from cellfate.labels.table import labels_table
from cellfate.report.labels import tell_labels
from cellfate.report.page import ReportPart
from cellfate.tracks.settings import TrackSettings
from tests.unit.labels.cases import make_cells, make_detections, make_label

CELLS = make_cells(*((cell, 0, 19, "censored", None) for cell in range(1, 9)))
RECORDINGS = pd.DataFrame({"recording_id": ["r1"], "n_frames": [20], "frame_interval_min": [30.0]})
SPLITS = CELLS[["recording_id", "cell_id"]].iloc[1:].assign(part="train", fold=0, scheme="grouped_holdout")


def tell(*labels) -> ReportPart:
    table = labels_table(labels)
    stated = TrackSettings(format="csv", fates_file="fates.csv")
    cells, applied, findings = apply_labels(CELLS, make_detections(CELLS), RECORDINGS, table, stated)
    return tell_labels(cells, SPLITS, findings, compare_scorers(applied, cells, RECORDINGS), 40)


def test_nothing_is_said_where_nobody_scored():
    assert tell() == ReportPart()


def test_what_rests_on_labels_is_counted():
    said = tell(
        make_label(1, "apoptosis", 9, queue="uncertain"),
        make_label(2, "apoptosis", 9, queue="uncertain"),
        make_label(3, "neither", None),
        make_label(4, "unusable", None),
        make_label(5, "apoptosis", 12),
        make_label(5, "mitosis", 12, scorer="ben"),
        make_label(6, "apoptosis", 12),
        make_label(6, "apoptosis", 15, scorer="ben"),
    )
    counted, tested, agreed = said.sentences
    assert counted == (
        "The fate of 4 cells of 8 is a label that a person gave; 3 of these differ from what was recorded; called "
        "unusable and set aside: 1 track; unscored because scorers differ: 1 cell."
    )
    assert tested == (
        "Chosen by forecasts, or scored with forecasts in sight: 2 cells. None of them validates or tests, and 1 rest, "
        "because their group is held out."
    )
    words = (
        "ann and ben both scored 2 cells: Cohen's kappa is 0.00, and their event frames lie 1.50 h apart in the median."
    )
    assert agreed == words
    assert [table.caption for table in said.tables] == ["What is odd about labels", "How far scorers agree"]
