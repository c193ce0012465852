"""Events held against tracks, worked by hand: a recording of 40 frames, 30 minutes each."""

import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.preflight import PreflightSettings
from cellfate.preflight.events import check_events
from cellfate.tracks.settings import FateColumns, TrackColumns, TrackSettings

RECORDINGS = pd.DataFrame({"recording_id": ["a"], "n_frames": 40, "frame_interval_min": 30.0})
CSV = TrackSettings(format="csv")
IN_FRAMES = TrackSettings(format="csv", fates_file="fates.csv", fates_columns=FateColumns())
IN_HOURS = IN_FRAMES.model_copy(update={"fates_time_unit": "h"})


def made_cells(*cells: tuple) -> pd.DataFrame:
    names = ["cell_id", "parent_id", "first_frame", "last_frame", "fate", "event_frame"]
    kinds = dict.fromkeys(("parent_id", "first_frame", "last_frame", "event_frame"), "Int64")
    return pd.DataFrame(cells, columns=names).astype(kinds).assign(recording_id="a")


def find(*cells: tuple, tracks: TrackSettings = CSV, **chosen: object) -> pd.DataFrame:
    """Findings of cells: number, parent, first and last frame, fate, event frame."""
    found = check_events(made_cells(*cells), RECORDINGS, tracks, PreflightSettings(**chosen))
    return tables.PreflightFindings.validate(pd.concat(found, ignore_index=True))


def dead(number: int, first: int, last: int, event: int) -> tuple:
    return (number, None, first, last, "apoptosis", event)


@pytest.mark.parametrize("event", [7, 10, 11, 14])
def test_an_event_near_the_end_of_its_track_is_well(event):
    """The last frame is 10: 10 and 11 are the place of the event, and three frames to either side are near."""
    assert find(dead(1, 0, 10, event)).empty


@pytest.mark.parametrize(("event", "value", "side"), [(6, 4, "early"), (15, 4, "late"), (30, 19, "late")])
def test_an_event_away_from_the_end_of_its_track_is_told(event, value, side):
    (row,) = find(dead(1, 0, 10, event)).to_dict("records")
    assert (row["check"], row["severity"], row["cell_id"], row["frame"]) == ("event_apart", "warning", 1, event)
    assert (row["value"], row["limit"]) == (value, 3)
    words = f"is in frame {event}, {value} frame(s) too {side}: it is last seen in frame 10; correct the event"
    assert words in row["finding"]


def test_a_division_belongs_to_the_first_frame_of_the_daughters():
    mother, daughters = (
        (1, None, 0, 10, "mitosis", 16),
        [(2, 1, 11, 39, "censored", None), (3, 1, 12, 39, "censored", None)],
    )
    (row,) = find(mother, *daughters).to_dict("records")
    assert row["value"] == 5
    assert "5 frame(s) too late: its daughters are first seen in frame 11" in row["finding"]
    assert find((*mother[:5], 11), *daughters).empty


def test_whole_hours_read_as_frames_are_told_as_hours():
    """Deaths at the end of tracks at 20, 28 and 36 frames are at 10, 14 and 18 h."""
    cells = [dead(1, 0, 20, 10), dead(2, 4, 28, 14), dead(3, 6, 36, 18)]
    found = find(*cells, tracks=IN_FRAMES)
    assert len(found) == 3
    assert found["finding"].str.endswith("the times fit as hours: if they are, set tracks.fates_time_unit to h.").all()
    assert not find(*cells).finding.str.contains("fit as hours").any()  # from the tracks: no parameter says it
    column = TrackSettings(format="csv", columns=TrackColumns(fate="fate", event_frame="end"))
    assert find(*cells, tracks=column)["finding"].str.contains("give frames in that column").all()


def test_frames_read_as_hours_are_told_as_frames():
    """Frame 10 read as 10 h is frame 20."""
    found = find(dead(1, 0, 10, 20), dead(2, 4, 14, 28), tracks=IN_HOURS)
    assert found["finding"].str.endswith("fit as frames: if they are, set tracks.fates_time_unit to frame.").all()


def test_minutes_read_as_frames_are_told_as_minutes():
    """Deaths at 10, 30 and 39 min, which are frames 0, 1 and 1 of 30 min."""
    found = find(dead(1, 0, 0, 10), dead(2, 0, 1, 30), dead(3, 0, 1, 39), tracks=IN_FRAMES)
    assert found["finding"].str.endswith("fit as minutes: if they are, set tracks.fates_time_unit to min.").all()


def test_times_since_the_first_frame_of_a_cell_are_told():
    found = find(dead(1, 20, 30, 11), dead(2, 15, 22, 8), tracks=IN_FRAMES)
    assert found["finding"].str.contains("counted from the first frame of each cell").all()


def test_times_that_fit_in_no_way_are_told_without_a_guess():
    assert find(dead(1, 0, 8, 35), tracks=IN_HOURS)["finding"].str.endswith("correct the event or the track.").all()


def test_btrack_goes_on_to_follow_what_is_left_of_a_dead_cell():
    btrack = TrackSettings(format="btrack")
    assert find(dead(1, 0, 30, 10), tracks=btrack).empty
    assert len(find(dead(1, 0, 10, 30), tracks=btrack)) == 1


def test_daughters_that_begin_late_and_daughters_of_one_frame_are_told():
    mother = (1, None, 0, 10, "mitosis", 15)
    found = find(mother, (2, 1, 15, 15, "censored", None), (3, 1, 15, 39, "censored", None))
    late, brief = found.to_dict("records")
    assert (late["check"], late["cell_id"], late["frame"], late["value"]) == ("late_daughters", 1, 15, 4)
    assert (
        "the daughters of cell 1 begin in frame 15, 4 frame(s) after the cell is last seen in frame 10"
        in late["finding"]
    )
    assert (brief["check"], brief["cell_id"], brief["frame"]) == ("short_daughter", 2, 15)
    last_frame = find(
        (1, None, 0, 38, "mitosis", 39), (2, 1, 39, 39, "censored", None), (3, 1, 39, 39, "censored", None)
    )
    assert last_frame.empty


def families(late: int, n: int = 5) -> list[tuple]:
    """Mothers of frames 0 to 10 whose divisions are stated so many frames after the first of the daughters."""
    each = [
        [(3 * k, None, 0, 10, "mitosis", 11 + late)]
        + [(3 * k + one, 3 * k, 11, 39, "censored", None) for one in (1, 2)]
        for k in range(n)
    ]
    return [cell for family in each for cell in family]


def test_divisions_that_are_all_stated_one_frame_late_are_told():
    (row,) = find(*families(1), tracks=IN_FRAMES).to_dict("records")
    assert (row["check"], row["value"]) == ("first_frame", 5)
    assert (
        "5 of 5 divisions are stated one frame after the first of the daughters; if the fates count" in row["finding"]
    )
    assert find(*families(0), tracks=IN_FRAMES).empty
    assert find(*families(1, n=4), tracks=IN_FRAMES).empty
    assert find(*families(1)).empty  # of the tracks themselves


def test_few_divisions_of_each_recording_are_counted_together():
    cells = pd.concat([made_cells(*families(1, n=2)).assign(recording_id=name) for name in ("a", "b", "c")])
    recordings = pd.concat([RECORDINGS.assign(recording_id=name) for name in ("a", "b", "c")])
    found = pd.concat(check_events(cells, recordings, IN_FRAMES, PreflightSettings()))
    assert found["check"].tolist() == ["first_frame"] * 3
    assert found["recording_id"].tolist() == ["a", "b", "c"]
    assert found["value"].tolist() == [2] * 3


def test_deaths_that_are_all_stated_one_frame_late_are_told_where_frames_are_stated():
    """Five cells of which each is last seen a frame before its death; one of six in its last frame is still 83 %."""
    late = [dead(cell, 0, 10 + cell, 11 + cell) for cell in range(1, 6)]
    (row,) = find(*late, dead(6, 0, 10, 10), tracks=IN_FRAMES).to_dict("records")
    assert (row["check"], row["value"]) == ("first_frame", 5)
    assert "5 of 6 deaths are stated one frame after the last of their tracks; if the fates count" in row["finding"]
    assert find(*late, dead(6, 0, 10, 10), dead(7, 0, 10, 10), tracks=IN_FRAMES).empty
    assert find(*late[:4], tracks=IN_FRAMES).empty
    assert find(*late, tracks=IN_HOURS).empty
    assert find(*late).empty  # of the tracks themselves


def test_how_far_is_far_is_a_parameter():
    assert find(dead(1, 0, 10, 15), max_event_gap_frames=4).empty
    assert len(find(dead(1, 0, 10, 12), max_event_gap_frames=0)) == 1
