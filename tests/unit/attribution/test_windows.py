"""Time windows counted back from the last frame."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cellfate.attribution.windows import cut_time_windows, frames_in


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
