"""Multi-page TIFF: what is in a file, what it says, and every way in which it can be unusable."""

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from cellfate.imaging.tiff_pages import check_pages
from tests.cases import stored_images

STACKS = {"layout": "tiff_stacks", "frame_interval_min": 5}
MOVIE = stored_images.make_image(shape_tzcyx=(6, 1, 1, 12, 17))[:, 0, 0]
"""Axes T, Y, X."""
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def open_stacks(root: Path, **changes: Any) -> tuple[Any, list[Any], Any]:
    folder = RecordingFolder(root)
    recordings, files, set_aside = open_recordings(folder, RecordingSettings.model_validate({**STACKS, **changes}))
    return recordings, list(lazy_recordings(folder, recordings, files)), set_aside


def read_all(recording: Any) -> np.ndarray:
    return np.stack([recording.read_frame(frame) for frame in range(recording.n_frames)])


def ome_xml(n_frames: int, blocks: str, channels: int = 1, more: str = "") -> bytes:
    """OME-XML of a movie of 12 x 17 px; `blocks` are its TiffData elements."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{more}<OME xmlns="{OME}" UUID="urn:uuid:file0"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="17" SizeY="12" SizeZ="1" '
        f'SizeC="{channels}" SizeT="{n_frames}" TimeIncrement="5" TimeIncrementUnit="min">{blocks}</Pixels></Image>'
        "</OME>"
    ).encode()


def block(file_name: str, frame: int, channel: int = 0, number: int = 0) -> str:
    uuid = f'<UUID FileName="{file_name}">urn:uuid:file{number}</UUID>'
    return f'<TiffData FirstT="{frame}" FirstC="{channel}" FirstZ="0" IFD="0" PlaneCount="1">{uuid}</TiffData>'


def write_ome_set(root: Path, names: tuple[str, ...], channels: int = 1) -> None:
    """Write one plane a file; every file describes the whole set."""
    n_frames = len(names) // channels
    blocks = "".join(block(name, i // channels, i % channels, i) for i, name in enumerate(names))
    for i, name in enumerate(names):
        xml = ome_xml(n_frames, blocks, channels).replace(b"urn:uuid:file0", f"urn:uuid:file{i}".encode(), 1)
        tifffile.imwrite(root / name, MOVIE[i], description=xml, metadata=None)


def test_a_movie_of_one_channel_needs_no_words(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack", metadata=None)
    recordings, (recording,), _ = open_stacks(tmp_path)
    assert recordings["channels"].tolist() == ["channel"]
    assert_array_equal(read_all(recording)[:, 0], tifffile.imread(tmp_path / "a.tif"))


@pytest.mark.parametrize("options", [{"byteorder": ">"}, {"bigtiff": True}, {"compression": "zlib", "predictor": True}])
def test_other_byte_orders_and_codecs(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack", **options)
    _, (recording,), _ = open_stacks(tmp_path)
    assert_array_equal(read_all(recording)[:, 0], MOVIE, strict=True)


def test_colours_are_channels(tmp_path: Path) -> None:
    colours = stored_images.make_image("uint8", (5, 1, 3, 12, 17))[:, 0]
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(colours, 1, -1), photometric="rgb", metadata={"axes": "TYXS"})
    _, (recording,), _ = open_stacks(tmp_path, channels=("r", "g", "b"))
    assert_array_equal(read_all(recording), colours, strict=True)


def test_a_hyperstack_with_one_directory_is_read_directly(tmp_path: Path) -> None:
    """ImageJ writes stacks of more than 4 GB with one page and all pixels behind it."""
    image = stored_images.make_image()
    details = {"axes": "TZCYX"}
    tifffile.imwrite(tmp_path / "a.tif", image, imagej=True, truncate=True, photometric="minisblack", metadata=details)
    assert check_pages(tmp_path / "a.tif") == 1
    _, (recording,), _ = open_stacks(tmp_path, channels=("a", "b"))
    assert_array_equal(read_all(recording), image.max(axis=1), strict=True)
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[:-300])
    with pytest.raises(InputError, match=r"a\.tif"):
        open_stacks(tmp_path, channels=("a", "b"))
    with pytest.raises(InputError, match="Frame 3 of recording 'a' cannot be read"):
        recording.read_frame(3)


def test_twelve_bits_are_unpacked(tmp_path: Path) -> None:
    pixels = (np.arange(2 * 4 * 8, dtype=np.uint16).reshape(2, 4, 8) * 61) % 4096
    write_packed(tmp_path / "a.tif", pixels, bits=12)
    recordings, (recording,), _ = open_stacks(tmp_path)
    assert recordings["dtype"].tolist() == ["uint16"]
    assert_array_equal(read_all(recording)[:, 0], pixels, strict=True)


def write_packed(path: Path, pixels_tyx: np.ndarray, bits: int) -> None:
    """Write pages whose pixels take `bits` bits each, by hand: no writer does it."""
    content, patches = bytearray(b"II*\0\0\0\0\0"), [4]
    for page in pixels_tyx:
        data = b"".join(imagecodecs.packints_encode(row, bits) for row in page)
        data_offset = len(content)
        content += data + b"\0" * (len(data) % 2)
        struct.pack_into("<I", content, patches[-1], len(content))
        tags = [(256, page.shape[1]), (257, page.shape[0]), (258, bits), (259, 1), (262, 1), (273, data_offset)]
        tags += [(277, 1), (278, page.shape[0]), (279, len(data))]
        content += struct.pack("<H", len(tags))
        for tag, value in tags:
            content += struct.pack("<HHII", tag, 4, 1, value)
        patches.append(len(content))
        content += b"\0\0\0\0"
    path.write_bytes(content)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_ome_set_over_several_files_is_one_recording(tmp_path: Path, channels: int) -> None:
    names = tuple(f"set_{i}.ome.tif" for i in range(6))
    write_ome_set(tmp_path, names, channels)
    recordings, (recording,), _ = open_stacks(tmp_path, channels=("a", "b")[:channels])
    assert recordings["recording_id"].tolist() == ["set_0"]
    assert_array_equal(read_all(recording), MOVIE.reshape(-1, channels, 12, 17), strict=True)
    _, files, _ = open_recordings(
        RecordingFolder(tmp_path), RecordingSettings.model_validate({**STACKS, "channels": ("a", "b")[:channels]})
    )
    assert files["file_name"].tolist() == list(names)
    assert files["frame"].tolist() == [i // channels for i in range(6)]


def test_a_missing_file_of_an_ome_set_is_named(tmp_path: Path) -> None:
    write_ome_set(tmp_path, tuple(f"set_{i}.ome.tif" for i in range(6)), channels=2)
    (tmp_path / "set_3.ome.tif").unlink()
    with pytest.raises(
        InputError, match=r"set_0\.ome\.tif has no pixels of frame 1, channel 1: a page, or another file"
    ):
        open_stacks(tmp_path, channels=("a", "b"))


def test_a_file_of_an_ome_set_that_goes_missing_later_is_named(tmp_path: Path) -> None:
    write_ome_set(tmp_path, tuple(f"set_{i}.ome.tif" for i in range(6)))
    _, (recording,), _ = open_stacks(tmp_path)
    (tmp_path / "set_3.ome.tif").unlink()
    assert_array_equal(recording.read_frame(2)[0], MOVIE[2])
    with pytest.raises(InputError, match="Frame 3 of recording 'set_0' cannot be read"):
        recording.read_frame(3)


@pytest.mark.parametrize("name", ["../secret.tif", "/etc/secret.tif", "deeper/other.tif", "..\\secret.tif"])
def test_an_ome_file_that_names_files_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    tifffile.imwrite(tmp_path / "secret.tif", MOVIE[1])
    (tmp_path / "root").mkdir()
    xml = ome_xml(2, block("a.ome.tif", 0) + block(name, 1, number=1))
    tifffile.imwrite(tmp_path / "root/a.ome.tif", MOVIE[0], description=xml, metadata=None)
    with pytest.raises(InputError, match="which is outside its folder"):
        open_stacks(tmp_path / "root")


def test_ome_xml_with_entities_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    xml = ome_xml(1, block("a.ome.tif", 0), more=bomb)
    tifffile.imwrite(tmp_path / "a.ome.tif", MOVIE[0], description=xml, metadata=None)
    with pytest.raises(InputError, match="document type"):
        open_stacks(tmp_path)


def test_every_image_of_an_ome_file_is_a_recording(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "plate.ome.tif", ome=True) as writer:
        for first in (0, 3):
            details = {"axes": "TYX", "PhysicalSizeX": 0.3 + first, "Channel": {"Name": ["h2b"]}}
            writer.write(MOVIE[first : first + 3], photometric="minisblack", metadata=details)
    recordings, opened, _ = open_stacks(tmp_path)
    assert recordings["recording_id"].tolist() == ["plate_0", "plate_1"]
    assert recordings["pixel_size_um"].tolist() == [0.3, 3.3]
    assert recordings["channels"].tolist() == ["h2b", "h2b"]
    assert_array_equal(read_all(opened[1])[:, 0], MOVIE[3:])


def test_the_interval_follows_from_the_times_of_planes(tmp_path: Path) -> None:
    details = {"axes": "TYX", "Plane": {"DeltaT": [0.0, 30.1, 60.0, 90.2, 120.0, 150.0], "DeltaTUnit": ["min"] * 6}}
    tifffile.imwrite(tmp_path / "a.ome.tif", MOVIE, photometric="minisblack", metadata=details)
    recordings, _, _ = open_stacks(tmp_path, frame_interval_min=None)
    assert recordings["frame_interval_min"].tolist() == pytest.approx([30.0], abs=0.2)


@pytest.mark.parametrize(("unit", "expected"), [("micron", 0.5), ("nm", 0.0005), ("\\u00B5m", 0.5), ("pixel", None)])
def test_imagej_says_its_unit_of_length(tmp_path: Path, unit: str, expected: float | None) -> None:
    details = {"axes": "TYX", "unit": unit}
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, imagej=True, resolution=(2, 2), metadata=details)
    size = open_stacks(tmp_path)[0]["pixel_size_um"].iloc[0]
    assert np.isnan(size) if expected is None else size == pytest.approx(expected)


def test_planes_without_time_are_not_taken_for_one_frame(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(InputError, match=r"one frame of 6 planes .* set recordings\.file_axes to 'TYX'"):
        open_stacks(tmp_path)
    _, (recording,), _ = open_stacks(tmp_path, file_axes="TYX")
    assert_array_equal(read_all(recording)[:, 0], MOVIE)
    _, (recording,), _ = open_stacks(tmp_path, file_axes="ZYX")
    assert_array_equal(read_all(recording)[:, 0], MOVIE.max(axis=0)[None])


def test_pages_of_several_channels_need_their_order(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack", metadata=None)
    with pytest.raises(InputError, match=r"do not say what is time and what is channel; set recordings\.file_axes to"):
        open_stacks(tmp_path, channels=("a", "b"))
    _, (recording,), _ = open_stacks(tmp_path, channels=("a", "b"), file_axes="TCYX")
    assert_array_equal(read_all(recording), MOVIE.reshape(3, 2, 12, 17))
    _, (recording,), _ = open_stacks(tmp_path, channels=("a", "b"), file_axes="CTYX")
    assert_array_equal(read_all(recording), MOVIE.reshape(2, 3, 12, 17).swapaxes(0, 1))
    with pytest.raises(InputError, match=r"file_axes is TCYX, but file .*a\.tif has axes .*channels names 4"):
        open_stacks(tmp_path, channels=("a", "b", "c", "d"), file_axes="TCYX")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (np.zeros((12, 16), np.uint16), "Page 6 of file .* is 16 x 12 px of 16 bits.* but page 0 is 17 x 12 px of 16"),
        (np.zeros((12, 17), np.uint8), "Page 6 of file .* is 17 x 12 px of 8 bits"),
        (np.zeros((12, 17), np.int16), "Page 6 of file .*signed"),
    ],
)
def test_a_page_that_differs_is_named(tmp_path: Path, other: np.ndarray, words: str) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in (*MOVIE, other):
            writer.write(page, photometric="minisblack", metadata=None, contiguous=False)
    with pytest.raises(InputError, match=words):
        open_stacks(tmp_path)


@pytest.mark.parametrize("name", ["imagej", "ome_tiff", "plain_pages"])
def test_a_file_cut_anywhere_is_an_input_error(tmp_path: Path, name: str) -> None:
    """However much is missing, no frame is lost in silence; only what pads the file may go."""
    image = stored_images.make_image()
    parameters = stored_images.WRITERS[name](tmp_path, image)
    path = next(tmp_path.iterdir())
    content = path.read_bytes()
    n_whole = 0
    for kept in np.linspace(0, len(content) - 1, 60).astype(int):
        path.write_bytes(content[:kept])
        try:
            _, (recording,), _ = open_stacks(tmp_path, **{**parameters, "frame_interval_min": 10})
        except InputError:
            continue
        n_whole += 1
        assert_array_equal(read_all(recording), image[:, 0] if name == "plain_pages" else image.max(axis=1))
    assert n_whole <= 1


def test_pages_that_run_in_a_circle_are_an_input_error(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack", metadata=None)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        first, last = tiff.pages[0].offset, tiff.pages[5].offset
    n_tags = struct.unpack_from("<H", content, last)[0]
    struct.pack_into("<I", content, last + 2 + 12 * n_tags, first)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(InputError, match="the chain of pages runs in a circle after page 5"):
        open_stacks(tmp_path)


def test_pages_that_run_in_a_circle_behind_a_damaged_one_are_an_error_too(tmp_path: Path) -> None:
    """Page 3 states a size that is none, and after page 5 comes page 2: a reader that goes on would never end."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, MOVIE, photometric="minisblack", metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        second, third, last = (tiff.pages[page].offset for page in (2, 3, 5))
    struct.pack_into("<I", content, third + 2 + 4, 2**31)  # values of the first tag
    n_tags = struct.unpack_from("<H", content, last)[0]
    struct.pack_into("<I", content, last + 2 + 12 * n_tags, second)
    path.write_bytes(content)
    for whole in (True, False):
        with pytest.raises(InputError, match="behind its end" if whole else "circle behind a damaged page"):
            check_pages(path, whole)


def test_a_damaged_page_names_its_frame_and_channel(tmp_path: Path) -> None:
    parameters = stored_images.write_ome_tiff(tmp_path, stored_images.make_image(shape_tzcyx=(4, 1, 2, 12, 17)))
    path = tmp_path / "pos1.ome.tif"
    with tifffile.TiffFile(path) as tiff:
        start, count = tiff.pages[5].dataoffsets[0], tiff.pages[5].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start : start + count] = bytes(count)
    path.write_bytes(content)
    _, (recording,), _ = open_stacks(tmp_path, **{**parameters, "frame_interval_min": 10})
    assert recording.read_frame(1).shape == (2, 12, 17)
    with pytest.raises(InputError, match=r"Frame 2 of recording 'pos1' .*pos1\.ome\.tif .*frame 2, channel 1"):
        recording.read_frame(2)


def test_a_bad_stack_is_set_aside(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", MOVIE, photometric="minisblack", metadata=None)
    (tmp_path / "b.tif").write_bytes((tmp_path / "b.tif").read_bytes()[:700])
    recordings, _, set_aside = open_stacks(tmp_path, on_bad_recording="skip")
    assert recordings["recording_id"].tolist() == ["a"]
    assert set_aside["recording_id"].tolist() == ["b"]
    assert "cut short" in set_aside["reason"].iloc[0]


def test_a_frame_costs_only_its_own_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    whole = tifffile.TiffPage.asarray

    def count(page: Any, *args: Any, **options: Any) -> Any:
        decoded.append(page.index)
        return whole(page, *args, **options)

    monkeypatch.setattr(tifffile.TiffPage, "asarray", count)
    monkeypatch.setattr(tifffile.TiffFrame, "asarray", count)
    parameters = stored_images.write_ome_tiff(tmp_path, stored_images.make_image())
    _, (recording,), _ = open_stacks(tmp_path, **{**parameters, "frame_interval_min": 10})
    assert decoded == []
    recording.read_frame(2)
    assert sorted(decoded) == list(range(12, 18))
    _, (recording,), _ = open_stacks(tmp_path, **{**parameters, "frame_interval_min": 10, "z": 1})
    decoded.clear()
    recording.read_frame(2)
    assert sorted(decoded) == [14, 15]


def test_files_are_found_by_a_glob(tmp_path: Path) -> None:
    for name in ("day1/A01", "day1/A02", "day2/A01", "notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"{name}.tif", MOVIE, photometric="minisblack", metadata=None)
    recordings, _, _ = open_stacks(tmp_path, files="day*/*.tif")
    assert recordings["recording_id"].tolist() == ["day1_A01", "day1_A02", "day2_A01"]
    assert recordings["source"].tolist() == ["day1/A01.tif", "day1/A02.tif", "day2/A01.tif"]
    for files, words in (("../*.tif", "leads out"), ("/tmp/*.tif", "leads out"), ("*.lsm", "has no file that match")):
        with pytest.raises(InputError, match=words):
            open_stacks(tmp_path, files=files)
    (tmp_path / "day1_A01.tif").write_bytes((tmp_path / "notes.tif").read_bytes())
    with pytest.raises(InputError, match=r"Two recordings in .* are named 'day1_A01'"):
        open_stacks(tmp_path, files="**/*.tif")


def test_an_empty_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no file that ends with \.tif; it is empty"):
        open_stacks(tmp_path)
