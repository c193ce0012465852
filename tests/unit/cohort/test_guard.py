"""The guard in frames, whatever floating point makes of hours."""

from cellfate.cohort.guard import guard_frames


def test_hours_become_frames_rounded_up() -> None:
    assert [int(guard_frames(h, 30.0)) for h in (0.0, 0.1, 0.5, 1.0, 1.2)] == [0, 1, 1, 2, 3]
    assert guard_frames(0.33, 3.3) == 6  # 0.33 * 60 / 3.3 is 6.000000000000001 in floating point
    assert guard_frames(1.0, [30.0, 25.0, 20.0]).tolist() == [2, 3, 3]
