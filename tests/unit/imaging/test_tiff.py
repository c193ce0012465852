"""Reading TIFF files, whole and damaged."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ImageHeader
from cellfate.imaging.tiff import read_header, read_label_image, read_pixels

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 60000, (16, 20, 3), dtype=np.uint16)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"compression": "lzw"}, {"byteorder": ">"}])
def test_samples_come_first_in_native_bytes(tmp_path: Path, options: dict[str, str]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", **options)
    assert read_header(path) == ImageHeader("YXS", 3, 16, 20, "uint16")
    pixels = read_pixels(path)
    assert pixels.dtype.isnative
    assert_array_equal(pixels, np.moveaxis(RGB, -1, 0))


def test_planar_and_grey_images(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "planar.tif", np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate")
    tifffile.imwrite(tmp_path / "grey.tif", RGB[..., 0].astype(np.uint8))
    assert_array_equal(read_pixels(tmp_path / "planar.tif"), np.moveaxis(RGB, -1, 0))
    assert read_header(tmp_path / "grey.tif") == ImageHeader("YX", 1, 16, 20, "uint8")
    assert read_pixels(tmp_path / "grey.tif").shape == (1, 16, 20)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.3, 0.97])
def test_a_truncated_file_is_found_by_its_header(tmp_path: Path, compression: str | None, kept: float) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", compression=compression, rowsperstrip=4)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    for read in (read_header, read_pixels):
        with pytest.raises(InputError, match=r"cut\.tif is not a whole, readable TIFF image") as caught:
            read(path)
        assert "on_bad_recording" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_scrambled_pixels_are_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "scrambled.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", compression="zlib")
    content = bytearray(path.read_bytes())
    content[-2000:] = bytes(2000)
    path.write_bytes(content)
    assert read_header(path).n_samples == 3
    with pytest.raises(InputError, match=r"scrambled\.tif is not a whole, readable TIFF"):
        read_pixels(path)


def test_strips_that_were_never_written_are_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    tifffile.imwrite(path, RGB[..., 0], compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["StripByteCounts"].overwrite(0)
    with pytest.raises(InputError, match="pixels are missing"):
        read_header(path)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "is missing"), (b"", "not a whole"), (b"PNG, not TIFF", "not a whole")]
)
def test_what_is_no_tiff_is_an_input_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "odd.tif"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_header(path)


def test_several_pages_are_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((4, 8, 8), np.uint16), photometric="minisblack")
    with pytest.raises(InputError, match=r"stack\.tif holds 4 page\(s\) with axes YX"):
        read_header(path)


def test_label_images_hold_integers_of_the_right_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "good.tif", np.eye(5, dtype=np.uint16))
    tifffile.imwrite(tmp_path / "real.tif", np.eye(5, dtype=np.float32))
    assert_array_equal(read_label_image(tmp_path / "good.tif", 5, 5), np.eye(5))
    with pytest.raises(InputError, match=r"good\.tif has shape \(1, 5, 5\)"):
        read_label_image(tmp_path / "good.tif", 5, 6)
    with pytest.raises(InputError, match="float32"):
        read_label_image(tmp_path / "real.tif", 5, 5)
