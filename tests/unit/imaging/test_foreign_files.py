"""What lies in people's folders beside images, names that no file can have, and things that are no files."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.imaging.folder_contents import nothing_here
from cellfate.imaging.image_files import read_header
from cellfate.imaging.recording_names import check_name
from cellfate.imaging.tiff_pages import check_pages
from tests.cases import coco_folder, ctc_folder, stored_images

LITTER = ("._{}", ".DS_Store", "Thumbs.db", "__MACOSX/._{}", "__MACOSX/{}", "desktop.ini")


def open_with(root: Path, **settings: Any) -> list[str]:
    recordings, files, _ = open_recordings(RecordingFolder(root), RecordingSettings.model_validate(settings))
    return sorted(files["file_name"].unique()) + recordings["recording_id"].tolist()


def litter(root: Path) -> None:
    """Put beside every file what macOS and Windows put there."""
    for path in [path for path in root.rglob("*") if path.is_file()]:
        for template in LITTER:
            other = path.with_name(template.format(path.name)) if "/" not in template else None
            other = other or path.parent / template.format(path.name)
            other.parent.mkdir(exist_ok=True)
            other.write_bytes(b"\0\5\x16\7Mac OS X")


def write_bare_stack(root: Path, image: Any) -> dict[str, Any]:
    return {**stored_images.write_plain_pages(root, image), "files": "**/*.tif"}


@pytest.mark.parametrize(
    "write",
    [
        stored_images.write_imagej,
        stored_images.write_ome_tiff,
        write_bare_stack,
        stored_images.write_plane_files,
        stored_images.write_ome_zarr,
    ],
)
def test_files_of_the_system_are_never_images(tmp_path: Path, write: Callable[..., dict[str, Any]]) -> None:
    settings = write(tmp_path, stored_images.make_image())
    alone = open_with(tmp_path, **settings)
    litter(tmp_path)
    (tmp_path / "._pos1.ome.zarr").mkdir()
    assert open_with(tmp_path, **settings) == alone


def test_files_of_the_system_are_no_sequence_and_no_label_image(tmp_path: Path) -> None:
    ctc_folder.write_ctc_folder(tmp_path)
    settings = {"layout": "cell_tracking_challenge", "channels": ("h2b",), "frame_interval_min": 5}
    alone = open_with(tmp_path, **settings, labels="gold_track")
    litter(tmp_path)
    assert open_with(tmp_path, **settings, labels="gold_track") == alone


def test_a_folder_of_litter_is_told_as_empty(tmp_path: Path) -> None:
    for name in ("Thumbs.db", "desktop.ini", "._A01.tif", ".DS_Store"):
        (tmp_path / name).touch()
    error = nothing_here(tmp_path, "tiff_stacks", "file", lambda name: name.endswith(".tif"), "give another")
    assert "it is empty" in str(error)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "has a slash"),
        ("a\\b", "has a slash"),
        ("..", "is blank"),
        ("", "is blank"),
        ("a\tb", "cannot be shown"),
        ("a\x1b[31mb", "cannot be shown"),
        (" a", "has blanks at an end"),
        ("a" * 300, "is longer than 200 bytes"),
        ("\u00e4" * 101, "is longer than 200 bytes"),
    ],
)
def test_names_that_no_file_can_have_are_refused_at_opening(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        check_name(name)
    assert len(str(told.value)) < 300
    assert str(told.value).isprintable()
    root = coco_folder.write_coco_folder(tmp_path)
    content = coco_folder.annotation_content()
    content["videos"][0]["name"] = name
    coco_folder.write_annotations(root, content)
    settings = {"layout": "coco_vid", "channels": coco_folder.CHANNELS, "frame_interval_min": 30}
    with pytest.raises(InputError, match=words):
        open_with(root, **settings)


@pytest.mark.parametrize("name", ["A01", "exp 3, day 1", "\u00e4" * 100, "A01.b", "p53|x"])
def test_other_names_are_taken(name: str) -> None:
    assert check_name(name) == name


def test_channels_in_another_order_name_both_recordings(tmp_path: Path) -> None:
    for name, channels in (("A01", ["h2b", "p53"]), ("A02", ["p53", "h2b"])):
        details = {"axes": "TCYX", "Channel": {"Name": channels}}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", np.ones((3, 2, 6, 7), np.uint16), metadata=details)
    settings = {"layout": "tiff_stacks", "frame_interval_min": 5}
    for named in ({}, {"channels": ("h2b", "p53")}):
        with pytest.raises(InputError, match="'A02' stores the channels p53, h2b, but 'A01' stores h2b, p53; all"):
            open_with(tmp_path, **settings, **named)
        assert open_with(tmp_path, **settings, **named, on_bad_recording="skip")[-1] == "A01"


@pytest.mark.parametrize("name", ["A01.tif", "A01.png"])
def test_pipes_and_folders_are_never_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is a folder, a pipe or a device"):
        read_header(tmp_path / name)
    with pytest.raises(InputError, match="is a folder, a pipe or a device"):
        check_pages(tmp_path / name)
    with pytest.raises(InputError, match=f"{name} is a folder, a pipe or a device|None of the|has no"):
        open_with(tmp_path, layout="tiff_stacks", frame_interval_min=5)


def test_a_pipe_among_the_files_of_an_ome_set_is_not_opened(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "A.ome.tif", np.ones((2, 6, 7), np.uint16), metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "A.ome.tif") as tiff:
        text = str(tiff.ome_metadata)
    uuid = '<TiffData IFD="0" FirstT="1"><UUID FileName="B.ome.tif">urn:uuid:b</UUID></TiffData></Pixels>'
    description = text.replace("</Pixels>", uuid).encode()
    tifffile.imwrite(tmp_path / "A.ome.tif", np.ones((6, 7), np.uint16), description=description, metadata=None)
    os.mkfifo(tmp_path / "B.ome.tif")
    with pytest.raises(InputError, match=r"B\.ome\.tif is a folder, a pipe or a device"):
        open_with(tmp_path, layout="tiff_stacks", frame_interval_min=5, files="A*")
    (tmp_path / "B.ome.tif").unlink()
    (tmp_path / "B.ome.tif").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"B\.ome\.tif is a folder, a pipe or a device"):
        open_with(tmp_path, layout="tiff_stacks", frame_interval_min=5, files="A*")
    outside = tmp_path.parent / f"{tmp_path.name}_outside.tif"
    shutil.copy(tmp_path / "A.ome.tif", outside)
    (tmp_path / "B.ome.tif").unlink()
    (tmp_path / "B.ome.tif").symlink_to(outside)
    with pytest.raises(InputError, match=r"'B\.ome\.tif', a link out of its folder"):
        open_with(tmp_path, layout="tiff_stacks", frame_interval_min=5, files="A*")
