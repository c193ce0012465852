"""Lengths of time that leave something to ask, worked by hand, and settings that take them."""

import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.recognition.study import Hours, follow_up_values, grouping_values, plan_hours


@pytest.mark.parametrize(
    ("n_frames", "interval_min", "expected"),
    [
        (72, 30.0, Hours(1.0, 1.0, 10.0, (2.0, 5.0, 10.0), 5.0, 10)),  # 36 h - 5 h - 1 h = 30 h
        (24, 30.0, Hours(1.0, 1.0, 6.0, (2.0, 5.0, 6.0), 5.0, 10)),  # 12 h - 5 h - 1 h = 6 h
        (12, 30.0, Hours(1.0, 1.0, 2.0, (2.0,), 2.0, 5)),  # 10 frames leave 0 h; 5 leave 3.5 h - 1 h = 2.5 h
        (60, 2.0, Hours(0.5, 0.5, 1.0, (1.0,), 1.0, 10)),  # 2 h: with 1 h of guard 1.7 h - 1 h = .7 h, no bin
        (40, 120.0, Hours(2.0, 2.0, 10.0, (4.0, 6.0, 10.0), 10.0, 10)),  # a bin is a frame
        (4, 30.0, None),
    ],
)
def test_hours(n_frames, interval_min, expected):
    assert plan_hours(n_frames, interval_min) == expected


@pytest.mark.parametrize("n_frames", [12, 24, 60, 72, 300, 2000])
@pytest.mark.parametrize("interval_min", [0.5, 2.0, 7.0, 15.0, 30.0, 60.0, 90.0, 240.0])
def test_the_settings_take_the_hours(n_frames, interval_min):
    values = {one.key: one.value for one in follow_up_values(n_frames, interval_min)}
    hours = {key.removeprefix("follow_up."): value for key, value in values.items() if key.startswith("follow_up.")}
    if hours:
        settings = FollowUpSettings(**hours)
        left_h = (n_frames - settings.min_frames) * interval_min / 60 - settings.guard_h
        assert settings.horizon_h <= left_h + 1e-9
    assert all(max(value) < n_frames for key, value in values.items() if key.startswith("masking."))


def test_one_recording_is_divided_by_lineages_and_space_and_several_by_recording():
    def values(*given):
        return {one.key: one.value for one in grouping_values(*given)}

    assert values(1, 1, True) == {"recordings.group_by": "lineage", "splits.scheme": "spatial_blocks"}
    assert values(1, 1, False)["recordings.group_by"] == "recording"
    assert values(3, 3, True) == {
        "recordings.group_by": "recording",
        "splits.scheme": "grouped_folds",
        "splits.n_folds": 3,
    }
    assert values(2, 2, True) == {"recordings.group_by": "lineage", "splits.scheme": "spatial_blocks"}
    assert values(60, 8, True) == {"recordings.group_by": "recording", "splits.scheme": "grouped_folds"}
    assert values(60, 60, None)["splits.scheme"] == "grouped_holdout"
