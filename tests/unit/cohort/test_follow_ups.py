"""Follow-ups and landmarks against numbers worked by hand, and against loops over single frames."""

import logging
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from numpy.typing import NDArray

from cellfate.cohort import follow_ups as module
from cellfate.cohort.follow_ups import follow_cells, follow_open_cells, list_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.cohort.tracked_cells import guard_frames
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.core.tables import FollowUps, Landmarks, SetAside
from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED, label_bins
from tests.cases.crop_stores import tiny_store
from tests.unit.crops.cases import WrittenCell, span, store_of

HOURLY = FollowUpSettings(guard_h=1.0, horizon_h=5.0, report_h=(2.0, 5.0), headline_h=5.0, min_frames=4)
DIVIDING = WrittenCell(101, span(0, 39), "mitosis", 40)
DYING = WrittenCell(102, span(0, 39), "apoptosis", 40)
LOST = WrittenCell(103, span(0, 39))


@dataclass(frozen=True)
class Tracks:
    """The parts of a crop store that follow-ups look at, without a disk."""

    cells: tuple[WrittenCell, ...]
    recording_ids: tuple[str, ...] = ("r",)
    set_aside: pd.DataFrame = field(default_factory=pd.DataFrame)

    def frame_numbers(self, recording_id: str, cell_id: int) -> NDArray[np.int64]:
        return np.array(next(cell.frames for cell in self.cells if cell.cell_id == cell_id), dtype=np.int64)


def tables_of(*written: WrittenCell, frame_interval_min: float = 30.0, n_frames: int = 60):
    """Tracks, recordings and cells of one recording."""
    recordings = pd.DataFrame(
        {"recording_id": ["r"], "dose": ["High"], "frame_interval_min": [frame_interval_min], "n_frames": [n_frames]}
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
    return Tracks(written), recordings, cells


def test_every_cell_is_followed_to_its_event_or_to_where_it_was_lost(tmp_path: Path) -> None:
    dying = WrittenCell(2, (0, 1, 3, 4, 5, 6), "apoptosis", 7)  # a gap in frame 2; guard of 2 frames: shown before 5
    written = WrittenCell(1, span(2, 9), "mitosis", 10), dying, WrittenCell(3, span(1, 9))
    table, excluded = follow_cells(*store_of(tmp_path, *written), HOURLY)
    FollowUps.validate(table)
    assert table["sample_id"].tolist() == ["r:1", "r:2", "r:3"]
    columns = ["first_frame", "last_frame", "n_frames", "age_frames", "end_frame"]
    assert table[columns].to_numpy().tolist() == [[2, 7, 6, 5, 10], [0, 4, 4, 4, 7], [1, 7, 7, 6, 9]]
    assert table["fate"].tolist() == ["mitosis", "apoptosis", "censored"]
    assert table["outcome"].tolist()[:2] == ["mitosis", "apoptosis"]
    assert table["outcome"].isna().tolist() == [False, False, True]
    assert table["event_frame"].tolist() == [10, 7, pd.NA]
    assert table["lead_time_h"].tolist()[:2] == [1.5, 1.5]
    assert np.isnan(table["lead_time_h"].iloc[2])
    assert excluded.empty
    assert list(excluded.columns) == ["recording_id", "cell_id", "stage", "reason", "last_frame"]


def test_an_event_that_is_not_forecast_censors_at_the_frame_before_it() -> None:
    dying = WrittenCell(1, span(0, 19), "apoptosis", 22)  # not marked in its last two frames: alive, for it died later
    only_mitosis = HOURLY.model_copy(update={"events": ("mitosis",)})
    table, _ = follow_cells(*tables_of(dying, DIVIDING, LOST), only_mitosis)
    FollowUps.validate(table)
    row = table.iloc[0]
    assert (row["fate"], row["end_frame"], row["last_frame"]) == ("censored", 21, 19)
    assert pd.isna(row["event_frame"])
    assert pd.isna(row["outcome"])
    assert np.isnan(row["lead_time_h"])


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


def test_recordings_that_could_not_be_cropped_stay_listed() -> None:
    tracks, recordings, cells = tables_of(DIVIDING, DYING, LOST)
    bad = pd.DataFrame({"recording_id": ["q"], "cell_id": [pd.NA], "stage": ["cut_crops"], "reason": ["torn"]})
    _, excluded = follow_cells(Tracks(tracks.cells, set_aside=bad), recordings, cells, HOURLY)
    assert excluded[["recording_id", "stage", "reason"]].to_numpy().tolist() == [["q", "cut_crops", "torn"]]


def test_cells_of_recordings_outside_the_store_are_not_followed() -> None:
    tracks, recordings, cells = tables_of(DIVIDING, DYING, LOST)
    stranger = cells.assign(recording_id="elsewhere")
    table, _ = follow_cells(tracks, recordings, pd.concat([stranger, cells]), HOURLY)
    assert table["recording_id"].tolist() == ["r"] * 3


def test_an_event_that_never_happens_is_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"None of 2 followed cells ends in apoptosis \(found: 1 censored, 1 mitosis\).* list only events",
    ):
        follow_cells(*tables_of(DIVIDING, LOST), HOURLY)


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


def test_landmarks_by_hand(tmp_path: Path) -> None:
    # four frames are watched, then every third: 1 + 3 = 4, 7, 10, 13; frame 7 is in a gap, 13 is not before 15 - 2
    written = WrittenCell(1, (1, 2, 3, 4, 5, 6, *span(8, 14)), "mitosis", 15), WrittenCell(2, span(0, 9)), DYING
    store, recordings, cells = store_of(tmp_path, *written)
    recordings = recordings.assign(n_frames=50)
    follow_ups, _ = follow_cells(store, recordings, cells, HOURLY)
    table = Landmarks.validate(list_landmarks(store, recordings, follow_ups, HOURLY))
    first = table[table["cell_id"] == 1]
    assert first["sample_id"].tolist() == ["r:1:4", "r:1:10"]
    assert first["last_frame"].tolist() == [4, 10]
    assert first["age_frames"].tolist() == [3, 9]
    assert first["first_frame"].tolist() == [1, 1]
    assert first["time_h"].tolist() == [5.5, 2.5]
    assert first["watchable_h"].tolist() == [22.5, 19.5]
    assert table[table["cell_id"] == 2]["time_h"].tolist() == [3.0, 1.5]  # frames 3 and 6 of a cell last seen in 9
    assert table["fate"].unique().tolist() == ["mitosis", "censored", "apoptosis"]
    assert list(table.columns) == list(Landmarks.to_schema().columns)


def test_landmarks_of_many_recordings_read_each_ones_length(tmp_path: Path) -> None:
    store, recordings, _, cells = tiny_store(tmp_path)
    recordings = recordings.assign(n_frames=range(20, 26))
    follow_ups, _ = follow_cells(store, recordings, cells, HOURLY)
    table = list_landmarks(store, recordings, follow_ups, HOURLY)
    lengths = table["last_frame"] + 1 + table["watchable_h"] * 2
    assert (lengths == table["recording_id"].astype(int) + 20).all()
    assert set(table["recording_id"]) == set(recordings["recording_id"])


def test_no_landmark_is_refused() -> None:
    tracks, recordings, cells = tables_of(DIVIDING, DYING, LOST)
    aged = HOURLY.model_copy(update={"min_frames": 100})
    follow_ups, excluded = follow_cells(tracks, recordings, cells, aged)
    assert excluded["reason"].tolist() == [module.TOO_YOUNG] * 3
    with pytest.raises(
        InputError, match=r"None of 3 followed cells has a landmark, .* lower min_frames 100 or guard_h"
    ):
        list_landmarks(tracks, recordings, follow_ups, aged)


def test_follow_ups_of_an_unknown_recording_are_refused() -> None:
    tracks, recordings, cells = tables_of(DIVIDING, DYING, LOST)
    follow_ups, _ = follow_cells(tracks, recordings, cells, HOURLY)
    with pytest.raises(InputError, match="Recording 'r' has follow-ups but is not among the 1 of table recordings"):
        list_landmarks(tracks, recordings.assign(recording_id="s"), follow_ups, HOURLY)


def test_nothing_given_is_changed() -> None:
    tracks, recordings, cells = tables_of(DIVIDING, DYING, LOST)
    before = cells.copy(), recordings.copy()
    follow_ups, _ = follow_cells(tracks, recordings, cells, HOURLY)
    copied = follow_ups.copy()
    list_landmarks(tracks, recordings, follow_ups, HOURLY)
    for given_, same in zip((cells, recordings, follow_ups), (*before, copied), strict=True):
        pd.testing.assert_frame_equal(given_, same)


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


INTERVALS_MIN = st.sampled_from([20.0, 25.0, 30.0])
CODES = {CENSORED: 0, "apoptosis": 1, "mitosis": 2}


def landmarks_of(written: tuple[WrittenCell, ...], interval_min: float, follow_up: FollowUpSettings) -> pd.DataFrame:
    tracks, recordings, cells = tables_of(*written, frame_interval_min=interval_min)
    follow_ups, _ = follow_cells(tracks, recordings, cells, follow_up)
    return Landmarks.validate(list_landmarks(tracks, recordings, follow_ups, follow_up))


def labels_of(landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> dict[tuple[int, int], list[int]]:
    """Labels of the bins by cell and frame."""
    labels_nk = label_bins(landmarks["time_h"], landmarks["fate"].map(CODES), follow_up.edges_h)
    keys = zip(landmarks["cell_id"], landmarks["last_frame"], strict=True)
    return dict(zip(keys, labels_nk.tolist(), strict=True))


def walk(cell: WrittenCell, landmark: int, interval_min: float, follow_up: FollowUpSettings) -> list[int]:
    """Labels found by walking from frame to frame, in exact arithmetic."""
    event_frame = cell.event_frame if cell.fate in follow_up.events else None
    last_alive = cell.frames[-1] if cell.event_frame is None else cell.event_frame - 1
    end = last_alive if event_frame is None else event_frame
    labels = []
    for lower_h, upper_h in zip(follow_up.edges_h[:-1], follow_up.edges_h[1:], strict=True):
        label = UNOBSERVED
        for frame in range(landmark + 1, end + 1):
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
