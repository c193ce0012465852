import pandas as pd
import pytest

from cellfate.core.spreadsheets import read_csv
from cellfate.core.tables import Cells, Labels
from cellfate.labels.journal import Journal
from cellfate.labels.label import SeenTrack
from cellfate.labels.table import describe_seen, labels_table, undo_labels, write_table
from tests.unit.labels.cases import make_cells, make_detections, make_label


def test_the_newest_of_each_cell_and_scorer_counts():
    labels = [
        make_label(2, "mitosis", 5),
        make_label(1, "apoptosis", 9),
        make_label(1, "neither", None, scorer="ben"),
        make_label(1, None, None),
        make_label(1, "mitosis", 8),
    ]
    table = labels_table(labels).set_index(["cell_id", "scorer"])
    assert table["fate"].to_dict() == {(1, "ann"): "mitosis", (1, "ben"): "neither", (2, "ann"): "mitosis"}
    assert table["n_entries"].to_list() == [3, 1, 1]
    assert table["previous_fate"].isna().all()  # it was taken back before
    again = labels_table([*labels, make_label(2, "lost", 4)])
    assert again.loc[again["cell_id"] == 2, "previous_fate"].to_list() == ["mitosis"]
    assert labels_table(labels[3:4])["fate"].isna().all()


def test_without_labels_the_table_has_its_columns():
    assert list(labels_table([]).columns) == list(Labels.to_schema().columns)
    assert labels_table([]).empty


@pytest.mark.parametrize(
    ("before", "now", "training_only"),
    [
        ([], {"queue": "random"}, False),
        ([], {"queue": "uncertain"}, True),
        ([], {"queue": "random", "looked_at_forecasts": True}, True),
        ([{"queue": "random"}], {"queue": "disagreement"}, False),  # the same, looked at once more
        ([{"queue": "random", "event_frame": 8}], {"queue": "disagreement"}, True),
        ([{"queue": "uncertain"}], {"queue": "disagreement"}, True),
        ([{"queue": "uncertain"}], {"queue": "random"}, False),
    ],
)
def test_labels_that_knew_forecasts_never_test(before, now, training_only):
    assert labels_table([make_label(**each) for each in (*before, now)])["training_only"].to_list() == [training_only]


def test_the_table_is_written_for_a_person_and_read_again(tmp_path):
    journal = Journal(tmp_path / "labels")
    journal.append(make_label(1, note="=1+1", recording_id="007"))
    path = write_table(journal)
    assert path == tmp_path / "labels" / "labels.csv"
    assert "'=1+1" in path.read_text()
    again = Labels.validate(read_csv(path))
    pd.testing.assert_frame_equal(again, labels_table(journal.read()), check_dtype=False)


def test_what_was_seen_of_a_cell_is_by_the_evidence_of_the_study():
    cells = make_cells((1, 0, 9, "mitosis", 10), (2, 3, 6, "censored", None))
    seen = describe_seen(cells, make_detections(cells))
    assert seen["r1", 2] == SeenTrack(first_frame=3, last_frame=6, y_px=2.0, x_px=6.0, fate="censored")
    changed = cells.assign(
        fate="apoptosis",
        event_frame=pd.array([4, 5], "Int64"),
        last_frame=[4, 5],
        recorded_fate=cells["fate"],
        recorded_event_frame=cells["event_frame"],
        recorded_last_frame=cells["last_frame"],
        labelled="used",
        training_only=False,
    )
    assert describe_seen(changed, make_detections(cells)) == seen
    pd.testing.assert_frame_equal(undo_labels(Cells.validate(changed)), cells)
