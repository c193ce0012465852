"""Bytes that were changed anywhere in a file: pixels, or an `InputError`; never another error, never a long wait."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from tests.cases import stored_images

IMAGE = stored_images.make_image(shape_tzcyx=(3, 1, 2, 8, 9))


def read_folder(root: Path, parameters: dict[str, Any]) -> np.ndarray | None:
    """All frames of the first recording, or None where it is an input error."""
    folder = RecordingFolder(root)
    asked = {"frame_interval_min": 10, "channels": stored_images.CHANNELS}
    try:
        recordings, files, _ = open_recordings(folder, RecordingSettings.model_validate({**parameters, **asked}))
        recording = next(lazy_recordings(folder, recordings, files))
        frames = [recording.read_frame(frame) for frame in range(recording.n_frames)]
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    assert all(frame.shape == (2, recording.height_px, recording.width_px) for frame in frames)
    return np.stack(frames)


@pytest.mark.parametrize("name", ["imagej", "ome_tiff", "plain_pages", "plane_files"])
@settings(max_examples=40, deadline=4000)
@given(data=st.data())
def test_changed_bytes_of_a_tiff_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: Any
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    parameters = stored_images.WRITERS[name](root, IMAGE)
    path = sorted(root.iterdir())[-1]
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    read_folder(root, parameters)


@pytest.mark.parametrize("name", ["imagej", "ome_tiff", "plain_pages", "plane_files"])
@settings(max_examples=30, deadline=4000)
@given(data=st.data())
def test_changed_headers_of_a_tiff_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: Any
) -> None:
    """Most bytes are pixels; here only the directories of the pages are hit."""
    root = tmp_path_factory.mktemp("fuzz")
    parameters = stored_images.WRITERS[name](root, IMAGE)
    path = sorted(root.iterdir())[-1]
    with tifffile.TiffFile(path) as tiff:
        starts = [page.offset for page in tiff.pages]
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(starts)) + data.draw(st.integers(0, 200))
        content[min(place, len(content) - 1)] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    read_folder(root, parameters)


@settings(max_examples=30, deadline=4000)
@given(data=st.data())
def test_changed_pixels_of_a_deflated_page_are_found(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Deflate carries a checksum: a changed byte of its stream is found, or it changes nothing."""
    root = tmp_path_factory.mktemp("fuzz")
    parameters = stored_images.write_ome_tiff(root, IMAGE)
    path = root / "pos1.ome.tif"
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[data.draw(st.integers(0, 5))]
        start, count = page.dataoffsets[0], page.databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start + data.draw(st.integers(0, count - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    found = read_folder(root, parameters)
    if found is not None:
        assert_array_equal(found, IMAGE.max(axis=1))


@settings(max_examples=30, deadline=4000)
@given(data=st.data())
def test_garbage_is_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    start = data.draw(
        st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"])
    )
    (root / "a.tif").write_bytes(start + data.draw(st.binary(max_size=300)))
    assert read_folder(root, {"layout": "tiff_stacks"}) is None
