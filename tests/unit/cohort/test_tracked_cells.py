"""Hours as frames, and the guard that every track keeps."""

import numpy as np

from cellfate.cohort.tracked_cells import TrackedCell, guard_frames, horizon_frames


def test_guard_and_horizon_in_frames() -> None:
    assert [guard_frames(h, 30.0) for h in (0.0, 0.1, 0.5, 1.0, 1.2)] == [0, 1, 1, 2, 3]
    assert guard_frames(0.33, 3.3) == 6  # 0.33 * 60 / 3.3 is 6.000000000000001 in floating point
    assert [horizon_frames(h, 30.0) for h in (0.4, 0.5, 5.0, 5.4)] == [0, 1, 10, 10]
    assert horizon_frames(4.1, 6.0) == 41  # 4.1 * 60 / 6 is 40.99999999999999 in floating point


def test_a_track_is_guarded_alike_however_it_ends() -> None:
    frames = np.array([3, 4, 6, 7, 8])
    dying = TrackedCell("r", 1, "g", "High", 30.0, "apoptosis", 9, frames)
    lost = TrackedCell("r", 1, "g", "High", 30.0, "censored", None, frames)
    for cell in (dying, lost):
        assert cell.end == 9
        assert cell.frames_before_guard(1.0).tolist() == [3, 4, 6]
        assert cell.frames_before_guard(0.0).tolist() == frames.tolist()
