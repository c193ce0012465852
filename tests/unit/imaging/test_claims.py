"""Files that claim more than memory holds, formats that are refused, and two more that are read."""

import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings
from cellfate.imaging.opening import open_with_remarks
from tests.cases import stored_images


def open_all(root: Path, **settings: Any) -> Any:
    return open_with_remarks(RecordingFolder(root), RecordingSettings.model_validate(settings))


def write_png_bomb(path: Path, side_px: int) -> None:
    """Write a PNG of zeros whose pixels are never in memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packed, row = zlib.compressobj(9), b"\0" * (1 + 2 * side_px)
    data = b"".join(packed.compress(row) for _ in range(64)) + packed.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 16, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def test_a_png_that_claims_gigabytes_is_not_decoded(tmp_path: Path) -> None:
    for t in range(2):
        write_png_bomb(tmp_path / f"e_s1_t{t}.png", 36_000)
    asked = {"layout": "file_pattern", "pattern": "metamorph", "frame_interval_min": 5}
    with pytest.raises(
        InputError, match=r"claims frames of .* 36000 x 36000 px, 2592 MB each, but 2048 MB are allowed"
    ):
        open_all(tmp_path, **asked)
    recordings, *_ = open_all(tmp_path, **asked, max_frame_mb=2600)
    assert recordings["height_px"].tolist() == [36_000]


@pytest.mark.parametrize(
    ("shape", "words"), [((2**40, 1, 1, 4, 4), "frames, more than 1000000"), ((2, 1, 1, 2**20, 2**20), "MB each")]
)
@pytest.mark.parametrize("choice", ["stop", "gap"])
def test_a_zarr_that_claims_the_impossible(tmp_path: Path, shape: tuple[int, ...], words: str, choice: str) -> None:
    group = zarr.open_group(str(tmp_path / "a.ome.zarr"), mode="w", zarr_format=2)
    group.create_array("0", shape=shape, chunks=(1, 1, 1, 4, 4), dtype="uint16")
    group.attrs.update(stored_images.zarr_attributes())
    start = time.monotonic()
    for missing_chunks in ("error", "empty"):
        with pytest.raises(InputError, match=words):
            open_all(
                tmp_path, layout="ome_zarr", missing_chunks=missing_chunks, on_missing_frames=choice, channels=("a",)
            )
    assert time.monotonic() - start < 10


def test_a_tiff_header_with_absurd_sizes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.uint16), metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[tag].overwrite(2**30)
    for asked in ({"layout": "tiff_stacks"}, {"layout": "file_pattern", "pattern": r"(?P<time>a)\.tif"}):
        with pytest.raises(InputError):
            open_all(tmp_path, frame_interval_min=5, **asked)


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_old_versions_of_ome_zarr_are_told_by_their_number(tmp_path: Path, version: str) -> None:
    stored_images.write_ome_zarr(tmp_path, stored_images.make_image())
    path = tmp_path / "pos1.ome.zarr/.zattrs"
    content = json.loads(path.read_text())
    content["multiscales"][0].pop("axes")
    content["multiscales"][0]["version"] = version
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"is of version {version}, which does not name its axes, but 0.3 to 0.5 were"):
        open_all(tmp_path, layout="ome_zarr")


@pytest.mark.parametrize("name", ["movie.avi", "A01.MP4", "t001.jpg", "a.gif"])
def test_movies_for_the_eye_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"compressed pixels of 8 bits made for the eye.*export the recording as TIFF"):
        open_all(tmp_path, layout="tiff_stacks", frame_interval_min=5)


def test_imagexpress_names(tmp_path: Path) -> None:
    """Names as the vendor's software writes them, with and without a random part, and its thumbnails."""
    image_tcyx = stored_images.make_image(shape_tzcyx=(3, 1, 2, 6, 7))[:, 0]
    for t, c in np.ndindex(3, 2):
        folder = tmp_path / f"day1/TimePoint_{t + 1}"
        folder.mkdir(parents=True, exist_ok=True)
        ending = ".TIF" if t else "D2F5A1C4-0B7E-4F5A-9C3D-1E2F3A4B5C6D.tif"
        tifffile.imwrite(folder / f"my_exp_B02_s3_w{c + 1}{ending}", image_tcyx[t, c])
        tifffile.imwrite(folder / f"my_exp_B02_s3_w{c + 1}_thumb{ending}", image_tcyx[t, c, :2, :2])
    asked = {"layout": "file_pattern", "pattern": "imagexpress", "frame_interval_min": 15, "channels": ("h2b", "p53")}
    recordings, files, _, _ = open_all(tmp_path, **asked)
    assert recordings["recording_id"].tolist() == ["day1_my_exp_B02_3"]
    (recording,) = lazy_recordings(RecordingFolder(tmp_path), recordings, files)
    for frame in range(3):
        assert_array_equal(recording.read_frame(frame), image_tcyx[frame], strict=True)


def test_micromanager_without_its_metadata_is_told(tmp_path: Path) -> None:
    settings = stored_images.write_plane_files(tmp_path, stored_images.make_image())
    remarks = open_all(tmp_path, **settings)[3]
    assert remarks["check"].tolist() == ["side_file"]
    assert "images of MicroManager without their metadata.txt" in remarks["finding"].iloc[0]
    (tmp_path / "metadata.txt").touch()
    assert "with a metadata.txt that cannot be read" in open_all(tmp_path, **settings)[3]["finding"].iloc[0]
    (tmp_path / "metadata.txt").write_text('{"Summary": {}}')
    assert open_all(tmp_path, **settings)[3].empty


def write_stk(path: Path, image_tyx: np.ndarray, step_ms: int) -> None:
    """Write one page with all planes behind it, and the tags by which MetaMorph counts and dates them."""
    n, height, width = image_tyx.shape
    head = 8 + 2 + 12 * 11 + 4
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, head + 24 * n), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, height * width * 2)]
    tags += [(33628, 4, 1, head), (33629, 5, n, head)]
    content = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    dates = b"".join(struct.pack("<6I", 0, 1, 2459000, step_ms * i, 2459000, 0) for i in range(n))
    path.write_bytes(content + b"\0\0\0\0" + dates + image_tyx.tobytes())


def test_a_stack_of_metamorph_with_its_times(tmp_path: Path) -> None:
    image_tyx = stored_images.make_image(shape_tzcyx=(5, 1, 1, 4, 6))[:, 0, 0]
    write_stk(tmp_path / "exp_w1GFP_s1.stk", image_tyx, step_ms=600_000)
    recordings, files, _, _ = open_all(tmp_path, layout="tiff_stacks")
    assert recordings[["recording_id", "frame_interval_min"]].to_numpy().tolist() == [["exp_w1GFP_s1", 10]]
    (recording,) = lazy_recordings(RecordingFolder(tmp_path), recordings, files)
    for frame in range(5):
        assert_array_equal(recording.read_frame(frame)[0], image_tyx[frame], strict=True)
