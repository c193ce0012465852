"""Axes of TIFF stacks: what the advice of an error names is taken when it is followed; channels may stand last."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings

MOVIE_TCYX = np.arange(6 * 2 * 4 * 5, dtype=np.uint16).reshape(6, 2, 4, 5)


def read_stack(root: Path, **changes: Any) -> np.ndarray:
    settings = {"layout": "tiff_stacks", "frame_interval_min": 5, "channels": ("a", "b"), **changes}
    recordings, files, _ = open_recordings(RecordingFolder(root), RecordingSettings.model_validate(settings))
    (recording,) = lazy_recordings(RecordingFolder(root), recordings, files)
    return np.stack([recording.read_frame(frame) for frame in range(recording.n_frames)])


def advised_axes(error: str) -> list[str]:
    return re.findall(r"\b[TCZ]*YX[CS]?\b", error[error.index("file_axes to") :])


def write_time_as_z(path: Path) -> None:
    tifffile.imwrite(path, MOVIE_TCYX, imagej=True, metadata={"axes": "ZCYX"})


def write_time_as_z_with_one_channel(path: Path) -> None:
    tifffile.imwrite(path, MOVIE_TCYX[:, 0], imagej=True, metadata={"axes": "ZYX"})


def write_time_as_z_channels_first(path: Path) -> None:
    tifffile.imwrite(path, MOVIE_TCYX.swapaxes(0, 1), metadata={"axes": "CZYX"}, photometric="minisblack")


def write_pages(path: Path) -> None:
    tifffile.imwrite(path, MOVIE_TCYX.reshape(12, 4, 5), metadata=None, photometric="minisblack")


def write_two_unnamed_axes(path: Path) -> None:
    tifffile.imwrite(path, MOVIE_TCYX, photometric="minisblack")


def write_time_as_channels(path: Path) -> None:
    """Write what tifffile makes of an array whose axes it is not told, in a file that is called OME-TIFF."""
    tifffile.imwrite(path.with_suffix(".ome.tif"), MOVIE_TCYX[:, 0], photometric="minisblack")


def write_time_as_named_channels(path: Path) -> None:
    details = {"axes": "CYX", "Channel": {"Name": [f"Channel:0:{c}" for c in range(6)]}}
    tifffile.imwrite(path.with_suffix(".ome.tif"), MOVIE_TCYX[:, 0], photometric="minisblack", metadata=details)


def write_channels_last(path: Path) -> None:
    tifffile.imwrite(path, np.moveaxis(MOVIE_TCYX, 1, -1), photometric="minisblack")


@pytest.mark.parametrize(
    ("write", "axes", "channels"),
    [
        (write_time_as_z, "TCYX", 2),
        (write_time_as_z_with_one_channel, "TYX", 1),
        (write_time_as_z_channels_first, "CTYX", 2),
        (write_pages, "TCYX", 2),
        (write_two_unnamed_axes, "TCYX", 2),
        (write_channels_last, "TYXC", 2),
        (write_time_as_channels, "TYX", 1),
        (write_time_as_named_channels, "TYX", 1),
    ],
)
def test_every_advice_is_taken_when_followed(tmp_path: Path, write: Any, axes: str, channels: int) -> None:
    write(tmp_path / "A01.tif")
    names = ("a", "b")[:channels]
    with pytest.raises(InputError, match=r"set recordings\.file_axes to") as told:
        read_stack(tmp_path, channels=names)
    advised = advised_axes(str(told.value))
    assert axes in advised
    for given in advised:
        read_stack(tmp_path, channels=names, file_axes=given)
    assert_array_equal(read_stack(tmp_path, channels=names, file_axes=axes), MOVIE_TCYX[:, :channels], strict=True)


@pytest.mark.parametrize("given", ["CTYX", "TZYX", "TYX", "TZCYX", "TYXS"])
def test_the_advice_after_a_wrong_answer_is_taken_too(tmp_path: Path, given: str) -> None:
    write_channels_last(tmp_path / "A01.tif")
    try:
        found = read_stack(tmp_path, file_axes=given)
    except InputError as told:
        advised = advised_axes(str(told))
        assert "TYXC" in advised
        assert_array_equal(read_stack(tmp_path, file_axes="TYXC"), MOVIE_TCYX, strict=True)
    else:
        pytest.fail(f"{given} gives frames of shape {found.shape}")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("given", ["TYXC", "TYXS"])
def test_channels_last_as_samples_of_a_pixel(tmp_path: Path, compression: str | None, given: str) -> None:
    image_tyxs = np.moveaxis(MOVIE_TCYX, 1, -1)
    options = {"photometric": "minisblack", "planarconfig": "contig", "compression": compression}
    tifffile.imwrite(tmp_path / "A01.tif", image_tyxs, **options)
    assert_array_equal(read_stack(tmp_path, file_axes=given), MOVIE_TCYX, strict=True)


@pytest.mark.parametrize("z", ["max", 1])
def test_channels_last_with_planes_and_pages_that_are_lines(tmp_path: Path, z: Any) -> None:
    image_tzyxc = np.random.default_rng(0).integers(0, 999, (3, 2, 4, 5, 2)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "A01.tif", image_tzyxc, photometric="minisblack", compression="zlib")
    expected_tyxc = image_tzyxc.max(axis=1) if z == "max" else image_tzyxc[:, 1]
    found = read_stack(tmp_path, file_axes="TZYXC", z=z)
    assert_array_equal(found, np.moveaxis(expected_tyxc, -1, 1), strict=True)


@pytest.mark.parametrize("write", [write_time_as_channels, write_time_as_named_channels])
def test_channels_of_one_frame_that_nobody_named_may_be_time(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "A01.tif")
    with pytest.raises(InputError, match=r"one frame of 6 channels \(axes CYX\); if its channels are time points, set"):
        read_stack(tmp_path, channels=None)
    found = read_stack(tmp_path, channels=tuple("abcdef"))
    assert_array_equal(found, MOVIE_TCYX[:, 0][np.newaxis], strict=True)


def test_planes_or_channels_of_one_frame_may_be_time(tmp_path: Path) -> None:
    image_zcyx = np.arange(5 * 3 * 20, dtype=np.uint16).reshape(5, 3, 4, 5)
    tifffile.imwrite(tmp_path / "A01.tif", image_zcyx, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(InputError) as told:
        read_stack(tmp_path, channels=None)
    words = "if its planes are time points, set recordings.file_axes to 'TCYX'; if its channels are time points, set"
    assert f"one frame of 5 planes and 3 channels (axes ZCYX); {words}" in str(told.value)
    assert_array_equal(read_stack(tmp_path, file_axes="TCYX", channels=("a", "b", "c")), image_zcyx, strict=True)
    as_channels = read_stack(tmp_path, file_axes="ZTYX", channels=None)
    assert_array_equal(as_channels, image_zcyx.max(axis=0)[:, np.newaxis], strict=True)


@pytest.mark.parametrize("n_frames", [3, 4])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_few_frames_that_were_written_as_colours(tmp_path: Path, n_frames: int, compression: str | None) -> None:
    movie_tyx = MOVIE_TCYX[:n_frames, 0]
    tifffile.imwrite(
        tmp_path / "A01.tif", movie_tyx, photometric="rgb", planarconfig="separate", compression=compression
    )
    for named in (None, ("h2b",)):
        with pytest.raises(InputError, match=rf"one frame of {n_frames} channels \(axes SYX\); .*file_axes to 'TYX'"):
            read_stack(tmp_path, channels=named)
        assert_array_equal(read_stack(tmp_path, file_axes="TYX", channels=named)[:, 0], movie_tyx, strict=True)
    assert read_stack(tmp_path, channels=tuple("abcd"[:n_frames])).shape == (1, n_frames, 4, 5)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_frames_in_a_page_whose_axes_the_file_says(tmp_path: Path, compression: str | None) -> None:
    details = {"axes": "CTYX"}
    tifffile.imwrite(
        tmp_path / "A01.tif",
        MOVIE_TCYX[:3].swapaxes(0, 1),
        photometric="rgb",
        metadata=details,
        compression=compression,
    )
    found = read_stack(tmp_path, channels=("a", "b"))
    assert_array_equal(found, MOVIE_TCYX[:3], strict=True)


def test_a_lost_page_that_holds_all_frames_is_told_of_all(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "A01.tif", MOVIE_TCYX[:3, 0], photometric="rgb", compression="zlib", metadata=None)
    path = tmp_path / "A01.tif"
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["StripByteCounts"].overwrite([60_000, 10, 10])
    with pytest.raises(InputError, match="No frame of recording 'A01' can be kept"):
        read_stack(tmp_path, file_axes="TYX", channels=None, on_missing_frames="gap")


@pytest.mark.parametrize("given", ["TCYX", "CTYX", "TYX"])
def test_the_samples_of_one_page_are_not_parted(tmp_path: Path, given: str) -> None:
    tifffile.imwrite(tmp_path / "A01.tif", MOVIE_TCYX[:4, 0], photometric="rgb", metadata=None)
    with pytest.raises(
        InputError, match=r"axes SYX .*channels names 2; correct recordings\.channels: no axes of 2 .* fit\."
    ):
        read_stack(tmp_path, file_axes=given)
