"""PNG frames, whole and damaged; imagecodecs writes and scikit-image reads beside ours."""

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from skimage.io import imread

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from cellfate.imaging.headers import ImageHeader
from cellfate.imaging.image_files import read_header, read_pixels
from tests.cases import coco_folder

RNG = np.random.default_rng(0)


def make(dtype: str, samples: int) -> np.ndarray:
    image = RNG.integers(0, np.iinfo(dtype).max, (9, 14, samples), dtype=dtype, endpoint=True)
    return image[..., 0] if samples == 1 else image


def encode(image: np.ndarray) -> bytes:
    return bytes(imagecodecs.png_encode(image))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_samples_come_first(tmp_path: Path, dtype: str, samples: int) -> None:
    image = make(dtype, samples)
    path = tmp_path / "a.PNG"
    path.write_bytes(encode(image))
    assert read_header(path) == ImageHeader("YX" if samples == 1 else "YXS", samples, 9, 14, dtype)
    pixels = read_pixels(path)
    assert_array_equal(pixels, np.moveaxis(image.reshape(9, 14, samples), -1, 0), strict=True)
    if dtype == "uint8" and samples != 2:
        assert_array_equal(np.moveaxis(pixels, 0, -1).squeeze(), imread(path).squeeze())


def test_coco_recordings_may_be_png(tmp_path: Path) -> None:
    root = coco_folder.write_coco_folder(tmp_path)
    expected = {}
    for path in root.glob("images/*/*.tif"):
        expected[path.stem] = read_pixels(path)
        path.with_suffix(".png").write_bytes(encode(np.moveaxis(expected[path.stem], 0, -1).copy()))
        path.unlink()
    annotations = root / "annotations.json"
    annotations.write_text(annotations.read_text().replace(".tif", ".png"))
    settings_ = RecordingSettings(layout="coco_vid", channels=coco_folder.CHANNELS, frame_interval_min=30)
    recordings, files, _ = open_recordings(RecordingFolder(root), settings_)
    assert recordings["dtype"].tolist() == ["uint16", "uint16"]
    assert next(lazy_recordings(RecordingFolder(root), recordings, files)).read_frame(3).shape == (3, 32, 48)


@pytest.mark.parametrize("kept", [0, 7, 20, 60, -13, -12, -1])
def test_a_truncated_png_is_found_by_its_header(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(encode(make("uint16", 3))[:kept])
    for read in (read_header, read_pixels):
        with pytest.raises(InputError, match=r"cut\.png is not a whole, readable PNG image"):
            read(path)


def test_a_missing_png_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png is missing"):
        read_header(tmp_path / "a.png")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize(("bits", "colour", "width"), [(8, 3, 4), (1, 0, 4), (8, 0, 0), (8, 0, 2**31 - 1)], ids=str)
def test_palettes_and_odd_sizes_are_an_input_error(tmp_path: Path, bits: int, colour: int, width: int) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 4, bits, colour, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(40))) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="8 or 16 bits a sample without a palette were expected"):
        read_header(tmp_path / "a.png")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_is_found_or_changes_nothing(tmp_path: Path, place: int, value: int) -> None:
    image = np.arange(9 * 14 * 3, dtype=np.uint16).reshape(9, 14, 3) * 170
    content = bytearray(encode(image))
    content[place % len(content)] = value
    path = tmp_path / "a.png"
    path.write_bytes(content)
    try:
        pixels = read_pixels(path)
    except InputError:
        return
    assert_array_equal(pixels, np.moveaxis(image, -1, 0))
