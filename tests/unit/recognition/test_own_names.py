"""Names of a person's own are sorted only where they mean one thing."""

import re
from itertools import product

import pytest

from cellfate.recognition.own_names import guess_patterns


def names(template: str, **fields: tuple[object, ...]) -> list[str]:
    return [template.format(**dict(zip(fields, values, strict=True))) for values in product(*fields.values())]


FRAMES = tuple(range(12))


@pytest.mark.parametrize(
    ("files", "group", "first"),
    [
        (names("{p}/img_{t:03d}.tif", p=("pos1", "pos2"), t=FRAMES), {"folder1": "pos1", "time": "000"}, 0),
        (names("{p}_t{t:02d}.tif", p=("A01", "A02"), t=FRAMES), {"place1": "A01", "time": "00"}, 0),
        (names("{p}_t{t:02d}.tif", p=("A01", "B02"), t=FRAMES), {"place1": "A01", "time": "00"}, 0),
        (
            names("{p}_C{c}_t{t}.tif", p=("A01", "B02"), c=(1, 2), t=FRAMES),
            {"place1": "A01", "channel": "C1", "time": "0"},
            0,
        ),
        (
            names("x_{p}_T{t:04d}F001L01A01Z01C{c:02d}.tif", p=("A01", "A02"), t=FRAMES, c=(1, 2)),
            {"place1": "A01", "channel": "01", "time": "0000"},
            0,
        ),
        (
            names("day1/well{w}_ch{c}_T{t:04d}_z{z}.tif", w=(1, 2), c=(0, 1), t=FRAMES, z=(0, 1, 2)),
            {"place1": "1", "channel": "0", "time": "0000", "z": "0"},
            0,
        ),
        (
            names("{n}_t{t:03d}_{c}.tif", n=("ctrl", "drug"), t=FRAMES, c=("GFP", "Cy5")),
            {"name": "ctrl", "channel": "GFP"},
            0,
        ),
        (
            names("{n}_{c}_t{t:03d}.tif", n=("ctrl", "drug"), c=("GFP", "Cy5"), t=FRAMES),
            {"name": "ctrl", "channel": "GFP"},
            0,
        ),
        (names("s1/{c}/{t:03d}.png", c=("DAPI", "mCherry"), t=FRAMES), {"channel": "DAPI", "time": "000"}, 0),
        (names("exp 2024-01-05_frame{t}.tif", t=FRAMES), {"time": "0"}, 0),
        (
            names("plate7/{w}/f{f}-{t:03d}.tif", w=("A01", "B02"), f=(1, 2), t=FRAMES),
            {"folder2": "A01", "time": "000"},
            0,
        ),
    ],
)
def test_names_that_mean_one_thing(files, group, first):
    (pattern,) = guess_patterns(files)
    match = re.fullmatch(pattern, files[first])
    assert match is not None
    assert group.items() <= match.groupdict().items()


@pytest.mark.parametrize(
    "files",
    [
        names("img_{a:03d}_{b:03d}.tif", a=FRAMES, b=FRAMES),  # which is the time?
        names("{p}_{c}.tif", p=("a", "b"), c=("x", "y")),  # no time
        names("scan{t:03d}.tif", t=(0, 5, 9, 30)),  # numbers that do not count up
        [*names("a_t{t}.tif", t=FRAMES), "overview.tif"],
        names("s{s}_z{z}.tif", s=(1, 2, 3), z=(1, 2, 3)),  # planes without a time
        names("t{t}_s1_t{u}.tif", t=(1, 2), u=(1, 2)),
        # 491 and 561 may be recordings, or belong to the channels
        [*names("e_w1CSU_491_t{t}.tif", t=FRAMES), *names("e_w2CSU_561_t{t}.tif", t=FRAMES)],
    ],
)
def test_names_that_could_mean_more_are_not_guessed(files):
    assert guess_patterns(files) == ()


def test_one_missing_file_is_left_to_the_reader():
    files = names("A{p}_t{t:02d}.tif", p=(1, 2), t=FRAMES)
    assert len(guess_patterns(files[:5] + files[6:])) == 1


@pytest.mark.parametrize(
    "files",
    [
        names("w{w:02d}_t{t:03d}.tif", w=(1, 2, 3), t=FRAMES),  # wells, or wavelengths
        names("ctrl_c{c}_t{t:03d}.tif", c=(1, 2, 3), t=FRAMES),  # conditions, or channels
        names("{gene}/img_t{t:03d}.tif", gene=("p53", "p21"), t=FRAMES),  # knock-downs, or reporters
    ],
)
def test_channels_that_may_be_recordings_are_both(files):
    channels, recordings = guess_patterns(files)
    matches = [re.fullmatch(channels, files[0]), re.fullmatch(recordings, files[0])]
    assert [set(match.groupdict()) for match in matches if match] == [{"channel", "time"}, {"name", "time"}]


def test_rows_and_columns_of_a_plate_are_no_channels():
    files = names("r02c{c:02d}f01-ch1sk{t}fk1.tiff", c=(1, 2, 3), t=FRAMES)
    (pattern,) = guess_patterns(files)
    assert pattern == r"r02c(?P<place1>\d+)f01-ch1sk(?P<time>\d+)fk1\.tiff"
