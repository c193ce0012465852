"""Time windows counted back from the last frame."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cellfate.attribution.windows import cut_time_windows, frames_in, place_windows


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 12), st.integers(1, 9))
def test_windows_part_the_frames_in_order(numbers: set[int], window_frames: int, n_windows: int) -> None:
    frames = np.array(sorted(numbers))
    windows = cut_time_windows(frames, window_frames, n_windows)
    assert 1 <= len(windows) <= n_windows
    for number, (first, last) in enumerate(zip(windows.first_frames, windows.last_frames, strict=True)):
        members = frames[windows.window_of_t == number]
        assert (members[0], members[-1]) == (first, last)
        if number > 0:
            assert last - first < window_frames
    assert (np.diff(windows.window_of_t) >= 0).all()


def test_a_window_inside_a_gap_does_not_exist() -> None:
    windows = cut_time_windows(np.array([0, 1, 8, 9]), window_frames=2, n_windows=9)
    assert windows.first_frames.tolist() == [0, 8]


def test_frames_in_hours() -> None:
    assert [frames_in(4.0, 30.0), frames_in(0.1, 30.0), frames_in(1.0, 25.0)] == [8, 1, 2]


def test_windows_are_placed_in_hours_from_the_landmark_and_touch() -> None:
    landmarks = pd.DataFrame({"landmark_id": ["a", "b"], "last_frame": [9, 40], "frame_interval_min": [30.0, 60.0]})
    windows = pd.DataFrame(
        {"landmark_id": ["b", "a", "a"], "window_first_frame": [39, 2, 6], "window_last_frame": [40, 5, 9]}
    )
    placed = place_windows(windows, landmarks)
    # a: frame 2 is 7 frames before the last, and begins half a frame earlier: 7.5 * .5 h
    assert placed["first_h"].tolist() == [-1.5, -3.75, -1.75]
    assert placed["last_h"].tolist() == [0.5, -1.75, 0.25]
