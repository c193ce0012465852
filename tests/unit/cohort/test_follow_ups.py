"""Follow-ups and landmarks against numbers worked by hand, and against loops over single frames."""

import logging
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from cellfate.cohort import follow_ups as module
from cellfate.cohort.follow_ups import follow_cells, follow_open_cells
from cellfate.cohort.guard import guard_frames
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.core.tables import FollowUps, Landmarks, SetAside
from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED
from tests.cases.crop_stores import tiny_store
from tests.unit.crops.cases import WrittenCell, span

HOURLY = FollowUpSettings(guard_h=1.0, horizon_h=5.0, report_h=(2.0, 5.0), headline_h=5.0, min_frames=4)
DIVIDING = WrittenCell(101, span(0, 39), "mitosis", 40)
DYING = WrittenCell(102, span(0, 39), "apoptosis", 40)
LOST = WrittenCell(103, span(0, 39))


def tables_of(*written: WrittenCell, frame_interval_min: float = 30.0, n_frames: int = 60):
    """Detections, cells and recordings of one recording."""
    recordings = pd.DataFrame(
        {"recording_id": ["r"], "dose": ["High"], "frame_interval_min": [frame_interval_min], "n_frames": [n_frames]}
    )
    detections = pd.DataFrame(
        [("r", cell.cell_id, frame, 0.0, 0.0) for cell in written for frame in cell.frames],
        columns=["recording_id", "cell_id", "frame", "y_px", "x_px"],
    )
    cells = pd.DataFrame(
        {
            "recording_id": "r",
            "cell_id": [cell.cell_id for cell in written],
            "fate": [cell.fate for cell in written],
            "event_frame": pd.array([cell.event_frame for cell in written], dtype="Int64"),
            "group_id": "g",
        }
    )
    return detections, cells, recordings


def test_recordings_of_different_frame_intervals_are_refused() -> None:
    """A network looks back over frames: with two intervals it would learn neither."""
    detections, cells, recordings = tables_of(DIVIDING, LOST)
    near, far = (recordings.assign(recording_id="s", frame_interval_min=minutes) for minutes in (30.2, 10.0))
    follow_cells(detections, cells, pd.concat([recordings, near]), HOURLY)
    for follow in (follow_cells, follow_open_cells):
        with pytest.raises(InputError, match="Recording 's' has a frame every 10 min but 'r' one every 30 min"):
            follow(detections, cells, pd.concat([recordings, far]), HOURLY)


def test_every_cell_is_followed_to_its_event_or_to_where_it_was_lost() -> None:
    dying = WrittenCell(2, (0, 1, 3, 4, 5, 6), "apoptosis", 7)  # a gap in frame 2; guard of 2 frames: shown before 5
    written = WrittenCell(1, span(2, 9), "mitosis", 10), dying, WrittenCell(3, span(1, 9))
    table, excluded = follow_cells(*tables_of(*written), HOURLY)
    FollowUps.validate(table)
    assert table["cell_id"].tolist() == [1, 2, 3]
    columns = ["first_frame", "last_frame", "n_frames", "end_frame"]
    assert table[columns].to_numpy().tolist() == [[2, 7, 6, 10], [0, 4, 4, 7], [1, 7, 7, 9]]
    assert table["fate"].tolist() == ["mitosis", "apoptosis", "censored"]
    assert table["event_frame"].tolist() == [10, 7, pd.NA]
    assert table["recording_frames"].tolist() == [60] * 3
    assert excluded.empty
    assert list(excluded.columns) == ["recording_id", "cell_id", "stage", "reason", "last_frame"]


def test_an_event_that_is_not_shown_is_still_an_event() -> None:
    dying = WrittenCell(1, span(0, 19), "apoptosis", 22)
    only_mitosis = HOURLY.model_copy(update={"events": ("mitosis",)})
    table, _ = follow_cells(*tables_of(dying, DIVIDING, LOST), only_mitosis)
    assert table.iloc[0][["fate", "end_frame", "event_frame", "last_frame"]].tolist() == ["apoptosis", 22, 22, 19]


def test_cells_that_nobody_scored_neither_train_nor_test_and_are_counted() -> None:
    unseen = WrittenCell(1, span(0, 39), "unscored")
    table, aside = follow_cells(*tables_of(unseen, DIVIDING, DYING, LOST), HOURLY)
    assert table["cell_id"].tolist() == [101, 102, 103]
    assert aside[["cell_id", "reason"]].to_numpy().tolist() == [[1, module.NOBODY_LOOKED]]
    opened = follow_open_cells(*tables_of(unseen, DIVIDING), HOURLY)
    assert opened[["cell_id", "fate", "last_frame"]].to_numpy().tolist() == [[1, "unscored", 39], [101, "mitosis", 37]]


def test_cells_that_cannot_be_followed_are_listed_and_young_ones_kept() -> None:
    guarded = WrittenCell(1, span(9, 10), "mitosis", 11)  # frames before 9 are shown: none
    early = WrittenCell(2, span(5, 20), "apoptosis", 5)
    young = WrittenCell(3, span(5, 9), "mitosis", 10)  # shown 5, 6, 7; four frames are wanted
    with_gap = WrittenCell(4, (5, 6, 8, 9, 10), "mitosis", 11)  # watched for 4 frames, 5 to 8, seen in 3
    gone = WrittenCell(5, span(3, 4))
    table, excluded = follow_cells(*tables_of(guarded, early, young, with_gap, gone, DIVIDING, DYING), HOURLY)
    SetAside.validate(excluded)
    assert table["cell_id"].tolist() == [3, 4, 101, 102]
    assert excluded["stage"].unique().tolist() == ["follow_cells"]
    assert excluded.set_index("cell_id")["reason"].to_dict() == {
        1: module.NOT_SHOWN,
        2: module.EVENT_TOO_EARLY,
        3: module.TOO_YOUNG,
        5: module.NOT_SHOWN,
    }
    assert excluded["last_frame"].tolist() == [pd.NA, pd.NA, 7, pd.NA]


def test_cells_of_recordings_that_were_not_cropped_are_not_followed() -> None:
    detections, cells, recordings = tables_of(DIVIDING, DYING, LOST)
    stranger = cells.assign(recording_id="elsewhere")
    table, _ = follow_cells(detections, pd.concat([stranger, cells]), recordings, HOURLY)
    assert table["recording_id"].tolist() == ["r"] * 3


def test_nothing_to_follow_is_refused() -> None:
    short = WrittenCell(1, span(3, 4))
    with pytest.raises(InputError, match=r"None of 1 cells can be followed \(most often: no tracked frame before"):
        follow_cells(*tables_of(short), HOURLY)
    with pytest.raises(InputError, match="None of 1 cells can be followed"):
        follow_open_cells(*tables_of(WrittenCell(1, span(3, 4), "mitosis", 5)), HOURLY)


@pytest.mark.parametrize("follow", [follow_cells, follow_open_cells])
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (WrittenCell(7, span(0, 9), "mitosis"), "Cell 7 of recording 'r' has the fate 'mitosis' but no event_frame"),
        (WrittenCell(7, span(0, 9), "censored", 10), "Cell 7 of recording 'r' is censored but has event_frame 10"),
    ],
)
def test_a_fate_and_an_event_frame_that_contradict_each_other_are_refused(follow, cell, words) -> None:
    with pytest.raises(InputError, match=words):
        follow(*tables_of(DIVIDING, DYING, LOST, cell), HOURLY)


def test_no_censored_cell_at_all_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        follow_cells(*tables_of(DIVIDING, DYING, LOST), HOURLY)
        assert not caplog.records
        follow_cells(*tables_of(DIVIDING, DYING), HOURLY)
    assert "No cell is censored among 2, which is rare in real recordings" in caplog.text


def test_open_cells_are_shown_to_their_last_frame_unless_their_event_is_known() -> None:
    written = LOST, DIVIDING, WrittenCell(1, ()), WrittenCell(2, span(7, 7)), WrittenCell(3, span(7, 8), "mitosis", 9)
    table = follow_open_cells(*tables_of(*written), HOURLY)
    FollowUps.validate(table)
    assert table[["cell_id", "last_frame", "end_frame"]].to_numpy().tolist() == [
        [103, 39, 39],
        [101, 37, 40],
        [2, 7, 7],
    ]


def test_open_cells_need_no_event_at_all() -> None:
    assert follow_open_cells(*tables_of(LOST), HOURLY)["fate"].tolist() == ["censored"]


def test_landmarks_by_hand() -> None:
    # four frames are watched, then every third: 1 + 3 = 4, 7, 10, 13; frame 7 is in a gap, 13 is not before 15 - 2
    written = WrittenCell(1, (1, 2, 3, 4, 5, 6, *span(8, 14)), "mitosis", 15), WrittenCell(2, span(0, 9)), DYING
    detections, cells, recordings = tables_of(*written, n_frames=50)
    follow_ups, _ = follow_cells(detections, cells, recordings, HOURLY)
    table = Landmarks.validate(list_landmarks(detections, follow_ups, HOURLY))
    first = table[table["cell_id"] == 1]
    assert first["landmark_id"].tolist() == ["r:1:4", "r:1:10", "r:1:12"]
    assert first["regular"].tolist() == [True, True, False]
    assert first["last"].tolist() == [False, False, True]
    assert first["age_frames"].tolist() == [3, 9, 11]
    assert first["n_frames"].tolist() == [4, 9, 11]
    assert first["first_frame"].tolist() == [1, 1, 1]
    assert first["time_h"].tolist() == [5.5, 2.5, 1.5]
    assert first["watchable_h"].tolist() == [22.5, 19.5, 18.5]
    lost = table[table["cell_id"] == 2]  # frames 3 and 6, and the last one shown, 7, of a cell last seen in 9
    assert lost["time_h"].tolist() == [3.0, 1.5, 1.0]
    assert table["fate"].unique().tolist() == ["mitosis", "censored", "apoptosis"]
    assert list(table.columns) == list(Landmarks.to_schema().columns)


def test_landmarks_of_many_recordings_read_each_ones_length(tmp_path: Path) -> None:
    _, recordings, detections, cells = tiny_store(tmp_path)
    recordings = recordings.assign(n_frames=range(20, 26))
    follow_ups, _ = follow_cells(detections, cells, recordings, HOURLY)
    table = list_landmarks(detections, follow_ups, HOURLY)
    lengths = table["last_frame"] + 1 + table["watchable_h"] * 2
    assert (lengths == table["recording_id"].astype(int) + 20).all()
    assert set(table["recording_id"]) == set(recordings["recording_id"])


def test_no_landmark_is_refused() -> None:
    detections, cells, recordings = tables_of(DIVIDING, DYING, LOST)
    aged = HOURLY.model_copy(update={"min_frames": 100})
    follow_ups, excluded = follow_cells(detections, cells, recordings, aged)
    assert excluded["reason"].tolist() == [module.TOO_YOUNG] * 3
    with pytest.raises(
        InputError, match=r"None of 3 followed cells has a landmark, .* lower min_frames 100 or guard_h"
    ):
        list_landmarks(detections, follow_ups, aged)


def test_nothing_given_is_changed() -> None:
    given_tables = tables_of(DIVIDING, DYING, LOST)
    before = [table.copy() for table in given_tables]
    follow_ups, _ = follow_cells(*given_tables, HOURLY)
    copied = follow_ups.copy()
    list_landmarks(given_tables[0], follow_ups, HOURLY)
    for changed, same in zip((*given_tables, follow_ups), (*before, copied), strict=True):
        pd.testing.assert_frame_equal(changed, same)


@st.composite
def some_cells(draw: st.DrawFn) -> tuple[WrittenCell, ...]:
    """Cells with gaps and any end, some followed past it, beside one of each fate."""
    written = [DIVIDING, DYING, LOST]
    for number in range(draw(st.integers(1, 4))):
        first, length = draw(st.integers(0, 8)), draw(st.integers(1, 30))
        kept = draw(st.lists(st.booleans(), min_size=length, max_size=length))
        frames = [first, *(first + 1 + step for step in range(length) if kept[step])]
        fate = draw(st.sampled_from(["mitosis", "apoptosis", "censored"]))
        event = None if fate == CENSORED else max(0, frames[-1] + draw(st.integers(-4, 3)))
        written.append(WrittenCell(number, tuple(frames), fate, event))
    return tuple(written)


@st.composite
def some_settings(draw: st.DrawFn) -> FollowUpSettings:
    guard_h, bin_h = draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])), draw(st.sampled_from([0.5, 1.0, 2.0]))
    horizon_h = guard_h + bin_h * draw(st.integers(1, 6))
    return FollowUpSettings(
        events=draw(st.sampled_from([("apoptosis", "mitosis"), ("mitosis",)])),
        guard_h=guard_h,
        bin_h=bin_h,
        horizon_h=horizon_h,
        report_h=(horizon_h,),
        headline_h=horizon_h,
        min_frames=draw(st.integers(1, 6)),
        stride_frames=draw(st.integers(1, 4)),
    )


N_FRAMES = 60
INTERVALS_MIN = st.sampled_from([20.0, 25.0, 30.0])
CODES = {CENSORED: 0, "apoptosis": 1, "mitosis": 2}


def landmarks_of(written: tuple[WrittenCell, ...], interval_min: float, follow_up: FollowUpSettings) -> pd.DataFrame:
    detections, cells, recordings = tables_of(*written, frame_interval_min=interval_min)
    follow_ups, _ = follow_cells(detections, cells, recordings, follow_up)
    table = list_landmarks(detections, follow_ups, follow_up)
    return table[table["regular"]].reset_index(drop=True)


def labels_of(landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> dict[tuple[int, int], list[int]]:
    """Labels of the bins by cell and frame."""
    labels_nk = label_landmarks(landmarks, ("apoptosis", "mitosis"), follow_up.edges_h)
    keys = zip(landmarks["cell_id"], landmarks["last_frame"], strict=True)
    return dict(zip(keys, labels_nk.tolist(), strict=True))


def walk(cell: WrittenCell, landmark: int, interval_min: float, follow_up: FollowUpSettings) -> list[int]:
    """Labels found by walking from frame to frame, in exact arithmetic."""
    event_frame = cell.event_frame
    end = cell.frames[-1] if event_frame is None else event_frame
    labels = []
    for lower_h, upper_h in zip(follow_up.edges_h[:-1], follow_up.edges_h[1:], strict=True):
        label = UNOBSERVED
        recorded_h = Fraction(N_FRAMES - 1 - landmark) * Fraction(interval_min) / 60
        for frame in range(landmark + 1, end + 1) if recorded_h >= upper_h else ():
            hours = Fraction(frame - landmark) * Fraction(interval_min) / 60
            if frame == event_frame and lower_h < hours <= upper_h:
                label = CODES[cell.fate]
                break
            if (hours >= upper_h and frame != event_frame) or hours > upper_h:
                label = EVENT_FREE
                break
        labels.append(label)
    return labels


@budget(max_examples=60, deadline=None)
@given(written=some_cells(), interval_min=INTERVALS_MIN, follow_up=some_settings())
def test_landmarks_are_those_of_a_loop_over_frames(written, interval_min, follow_up) -> None:
    guard = guard_frames(follow_up.guard_h, interval_min)
    expected = []
    for cell in written:
        end = cell.frames[-1] + 1 if cell.event_frame is None else cell.event_frame
        start = cell.frames[0] + follow_up.min_frames - 1
        expected += [
            (cell.cell_id, frame)
            for frame in cell.frames
            if start <= frame < end - guard and (frame - start) % follow_up.stride_frames == 0
        ]
    table = landmarks_of(written, interval_min, follow_up)
    assert list(zip(table["cell_id"], table["last_frame"], strict=True)) == expected
    # what is forecast comes after the guard: an event falls into some bin or after all of them, never before
    assert (table.loc[table["fate"] != CENSORED, "time_h"] > follow_up.guard_h).all()


@budget(max_examples=60, deadline=None)
@given(written=some_cells(), interval_min=INTERVALS_MIN, follow_up=some_settings())
def test_labels_of_landmarks_agree_with_a_walk_over_frames(written, interval_min, follow_up) -> None:
    by_id = {cell.cell_id: cell for cell in written}
    labels = labels_of(landmarks_of(written, interval_min, follow_up), follow_up)
    for (cell_id, landmark), found in labels.items():
        assert found == walk(by_id[cell_id], landmark, interval_min, follow_up)


@budget(max_examples=60, deadline=None)
@given(written=some_cells(), interval_min=INTERVALS_MIN, follow_up=some_settings(), lost_frames=st.integers(1, 12))
def test_losing_a_cell_earlier_only_takes_labels_away(written, interval_min, follow_up, lost_frames) -> None:
    before = labels_of(landmarks_of(written, interval_min, follow_up), follow_up)
    shortened = [
        WrittenCell(
            cell.cell_id,
            tuple(frame for frame in cell.frames if frame < (cell.event_frame or 1000))[:-lost_frames] or (0,),
        )
        for cell in written[2:]
    ]
    after = labels_of(landmarks_of((*written[:2], *shortened), interval_min, follow_up), follow_up)
    for key in after.keys() & before.keys():
        for now, then in zip(after[key], before[key], strict=True):
            assert now in (then, UNOBSERVED)


@pytest.mark.parametrize("interval_min", [20.0, 25.0, 30.0])
def test_without_a_guard_a_cell_is_shown_up_to_the_frame_before_its_event(interval_min: float) -> None:
    unguarded = HOURLY.model_copy(update={"guard_h": 0.0, "stride_frames": 1})
    table = landmarks_of((DIVIDING, DYING, LOST), interval_min, unguarded)
    last = table.groupby("cell_id").last()
    assert last["last_frame"].tolist() == [39, 39, 39]
    assert last["time_h"].to_numpy() == pytest.approx([interval_min / 60, interval_min / 60, 0.0])


def test_a_label_ends_the_watching_and_sets_tracks_aside() -> None:
    detections, cells, recordings = tables_of(DYING, LOST)
    cells = cells.assign(first_frame=0, last_frame=39)
    before, _ = follow_cells(detections, cells, recordings, HOURLY)
    labelled = cells.assign(recorded_last_frame=39, labelled=None, last_frame=[39, 19])
    ended, _ = follow_cells(detections, labelled, recordings, HOURLY)
    assert before["end_frame"].to_list() == [40, 39]
    assert ended["end_frame"].to_list() == [40, 19]
    assert ended["last_frame"].to_list() == [before["last_frame"][0], before["last_frame"][1] - 20]
    for how, reason in (("unusable", module.UNUSABLE_TRACK), ("disagree", module.SCORERS_DIFFER)):
        set_aside = labelled.assign(
            fate=["apoptosis", "unscored"], event_frame=pd.array([40, None], "Int64"), labelled=["used", how]
        )
        _, aside = follow_cells(detections, set_aside, recordings, HOURLY)
        assert aside["reason"].to_list() == [reason]
