import pandas as pd
import pytest

from cellfate.core.tables import Cells
from cellfate.labels.label import SeenTrack
from cellfate.labels.merging import apply_labels
from cellfate.labels.table import describe_seen, labels_table
from cellfate.tracks.settings import TrackSettings
from tests.unit.labels.cases import make_cells, make_detections, make_label

CELLS = make_cells(
    (1, 0, 9, "mitosis", 10),
    (2, 10, 19, "censored", None),
    (3, 10, 15, "apoptosis", 16),
    (4, 0, 19, "censored", None),
    (5, 0, 12, "unscored", None),
    c2=1,
    c3=1,
)
DETECTIONS = make_detections(CELLS)
RECORDINGS = pd.DataFrame({"recording_id": ["r1"], "n_frames": [20]})
STATED = TrackSettings(format="csv", fates_file="fates.csv")


def merge(*labels, cells=CELLS, detections=DETECTIONS, tracks=STATED):
    merged, applied, findings = apply_labels(cells, detections, RECORDINGS, labels_table(labels), tracks)
    assert len(applied) == len({label.key for label in labels})
    return merged.set_index("cell_id"), findings


def check(findings: pd.DataFrame, *checks: str) -> None:
    assert findings["check"].to_list() == list(checks), findings["finding"].to_list()


def test_without_labels_nothing_is_touched():
    merged, applied, findings = apply_labels(CELLS, DETECTIONS, RECORDINGS, labels_table([]), STATED)
    assert merged is CELLS
    assert applied.empty
    assert findings.empty


def test_a_label_decides_and_what_was_recorded_stands_beside_it():
    before = CELLS.copy()
    merged, findings = merge(make_label(4, "apoptosis", 17), make_label(5, "mitosis", 13), make_label(3, None, None))
    check(findings, "no_daughters")
    assert merged["fate"].to_list() == ["mitosis", "censored", "apoptosis", "apoptosis", "mitosis"]
    assert merged["event_frame"].fillna(-1).to_list() == [10, -1, 16, 17, 13]
    assert merged["labelled"].fillna("-").to_list() == ["-", "-", "-", "used", "used"]
    for name in ("fate", "event_frame", "last_frame"):
        pd.testing.assert_series_equal(merged[f"recorded_{name}"], before.set_index("cell_id")[name], check_names=False)
    assert not merged["training_only"].any()
    pd.testing.assert_frame_equal(CELLS, before)
    Cells.validate(merged.reset_index())


@pytest.mark.parametrize("fate", ["lost", "neither"])
@pytest.mark.parametrize(("frame", "last"), [(None, 19), (14, 14), (19, 19)])
def test_a_cell_that_is_lost_is_censored_at_the_frame_that_was_named(fate, frame, last):
    merged, findings = merge(make_label(4, fate, frame))
    check(findings)
    assert merged.loc[4, ["fate", "last_frame", "recorded_last_frame"]].to_list() == ["censored", last, 19]
    assert pd.isna(merged.loc[4, "event_frame"])


def test_an_unusable_track_is_set_aside():
    merged, findings = merge(make_label(3, "unusable", None))
    check(findings)
    assert merged.loc[3, ["fate", "labelled"]].to_list() == ["unscored", "unusable"]
    assert pd.isna(merged.loc[3, "event_frame"])


def test_scorers_who_agree_are_taken_at_the_earliest_frame():
    merged, findings = merge(make_label(4, "apoptosis", 17), make_label(4, "apoptosis", 15, scorer="ben"))
    check(findings)
    assert merged.loc[4, ["fate", "event_frame"]].to_list() == ["apoptosis", 15]
    merged, _ = merge(make_label(4, "lost", 17), make_label(4, "neither", 15, scorer="ben"))
    assert merged.loc[4, ["fate", "last_frame"]].to_list() == ["censored", 15]


def test_scorers_who_differ_leave_the_cell_unscored_until_one_settles_it():
    two = make_label(4, "apoptosis", 17), make_label(4, "neither", None, scorer="ben")
    merged, findings = merge(*two)
    check(findings, "disagree")
    assert merged.loc[4, ["fate", "labelled"]].to_list() == ["unscored", "disagree"]
    assert "scored apoptosis, neither; it is unscored until" in findings["finding"].iloc[0]
    merged, findings = merge(*two, make_label(4, "mitosis", 18, scorer="cem", adjudicates=True))
    assert merged.loc[4, ["fate", "event_frame", "labelled"]].to_list() == ["mitosis", 18, "used"]
    assert "disagree" not in findings["check"].to_list()


@pytest.mark.parametrize(
    ("labels", "frame", "training_only"),
    [
        ([make_label(4, "apoptosis", 17, queue="uncertain")], 17, True),
        ([make_label(4, "apoptosis", 17)], 17, False),
        # another scorer said the same without forecasts: the cell may test, by what he saw
        ([make_label(4, "apoptosis", 15, queue="uncertain"), make_label(4, "apoptosis", 17, scorer="ben")], 17, False),
        # what was recorded is confirmed
        ([make_label(3, "apoptosis", 16, queue="disagreement")], 16, False),
        ([make_label(3, "apoptosis", 15, queue="disagreement")], 15, True),
        ([make_label(2, "neither", None, queue="disagreement")], None, False),
        ([make_label(5, "neither", None, queue="uncertain")], None, True),
    ],
)
def test_what_knew_forecasts_never_tests(labels, frame, training_only):
    merged, _ = merge(*labels)
    row = merged.loc[labels[0].cell_id]
    assert row["training_only"] == training_only
    assert (None if pd.isna(row["event_frame"]) else row["event_frame"]) == frame


def test_what_contradicts_the_tracks_is_told():
    _, findings = merge(
        make_label(1, "apoptosis", 9),
        make_label(2, "mitosis", None),
        make_label(3, "apoptosis", 9),
        make_label(4, "neither", None, queue="disagreement"),
        make_label(5, "apoptosis", 25),
        make_label(77, "mitosis", 5),
    )
    check(findings, "gone", "beyond", "has_daughters", "no_daughters", "outside", "no_event_frame")
    text = dict(zip(findings["check"], findings["finding"], strict=True))
    assert text["gone"] == "Cell 77 of recording 'r1' is not in the tracks any more, so its label is not used."
    assert text["beyond"].startswith("Cell 5 of recording 'r1' has an event frame of 25, but the recording has 20")
    assert text["has_daughters"].endswith("was scored apoptosis, but the tracks give it daughters.")
    assert text["outside"].endswith("was scored apoptosis in frame 9, but its track is in 10 to 15.")
    assert text["no_event_frame"].endswith("was scored mitosis without a frame: frame 19 is taken; name it.")
    _, findings = merge(make_label(3, "mitosis", 16, queue="disagreement"))
    check(findings, "no_daughters", "after_forecasts")


def test_an_event_ten_frames_after_the_track_is_no_finding():
    cells = make_cells((1, 0, 5, "censored", None))
    for frame, found in ((15, []), (16, ["outside"])):
        _, findings = merge(make_label(1, "apoptosis", frame), cells=cells, detections=make_detections(cells))
        check(findings, *found)


def test_a_number_that_names_another_cell_now_is_not_used():
    seen = describe_seen(CELLS, DETECTIONS)
    label = make_label(4, "apoptosis", 17, seen=seen["r1", 4])
    merged, findings = merge(label)
    check(findings)
    assert merged.loc[4, "fate"] == "apoptosis"
    moved = DETECTIONS.assign(y_px=DETECTIONS["y_px"] + 11)
    shorter = DETECTIONS[DETECTIONS["frame"] < 19]
    for detections in (moved, shorter):
        merged, findings = merge(label, detections=detections)
        check(findings, "other_cell")
        assert merged.loc[4, "fate"] == "censored"
    near = DETECTIONS.assign(y_px=DETECTIONS["y_px"] + 9)
    check(merge(label, detections=near)[1])
    blank = SeenTrack(**(seen["r1", 4].model_dump() | {"y_px": None, "x_px": None}))  # traces have no places
    check(merge(make_label(4, "neither", None, seen=blank), detections=moved)[1])


def test_a_fates_table_that_changed_since_is_told_and_the_label_counts():
    seen = describe_seen(CELLS, DETECTIONS)
    label = make_label(3, "apoptosis", 16, seen=seen["r1", 3])
    check(merge(label)[1])
    changed = CELLS.assign(event_frame=CELLS["event_frame"].replace(16, 17))
    merged, findings = merge(label, cells=changed)
    check(findings, "recorded_since")
    assert merged.loc[3, "event_frame"] == 16
    # what labels made of a cell is no change of what was recorded
    merged, findings = merge(make_label(4, "lost", 14, seen=seen["r1", 4]))
    check(findings)


def test_where_deaths_are_known_from_labels_alone_the_others_are_unscored(caplog):
    cells = make_cells(
        (1, 0, 9, "mitosis", 10), (2, 10, 19, "censored", None), (3, 10, 19, "censored", None), c2=1, c3=1
    )
    detections = make_detections(cells)
    tracked = TrackSettings(format="csv")

    def fates(*labels, tracks=tracked):
        return merge(*labels, cells=cells, detections=detections, tracks=tracks)[0]["fate"].to_list()

    death = make_label(3, "apoptosis", 19)
    assert fates(death) == ["unscored", "unscored", "apoptosis"]
    assert "Deaths are known from 1 labels alone, so the 2 of 3 cells that nobody scored" in caplog.text
    assert fates(make_label(3, "neither", None)) == ["mitosis", "censored", "censored"]
    assert fates(death, make_label(2, "neither", None)) == ["mitosis", "censored", "apoptosis"]
    assert fates(death, tracks=STATED) == ["mitosis", "censored", "apoptosis"]
    watched = TrackSettings(format="csv", unlisted_cells="censored")
    assert fates(death, tracks=watched) == ["mitosis", "censored", "apoptosis"]
    _, findings = merge(death, cells=cells, detections=detections, tracks=tracked)
    check(findings, "unlisted")
    # that nobody looked is no knowledge that a label could confirm
    merged, _ = merge(
        death, make_label(2, "neither", None, queue="uncertain"), cells=cells, detections=detections, tracks=tracked
    )
    assert merged["training_only"].to_list() == [False, True, False]
