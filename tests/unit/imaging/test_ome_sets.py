"""Sets of OME-TIFF that a companion file describes, and descriptions that state fewer pages than there are."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.imaging.opening import open_with_remarks
from tests.cases import stored_images
from tests.unit.imaging.test_tiff_stacks import MOVIE, OME, STACKS, open_stacks, read_all


def write_binary_only(path: Path, image: Any, metadata_file: str) -> None:
    binary = f'<BinaryOnly MetadataFile="{metadata_file}" UUID="urn:uuid:other"/>'
    xml = f'<?xml version="1.0"?><OME xmlns="{OME}" UUID="urn:uuid:me">{binary}</OME>'.encode()
    tifffile.imwrite(path, image, photometric="minisblack", description=xml, metadata=None)


IMAGE_TCYX = stored_images.make_image()[:3, 0]


@pytest.mark.parametrize("files", [None, "pos1_c1*", "*.ome*"])
def test_a_set_is_read_by_its_companion_file(tmp_path: Path, files: str | None) -> None:
    stored_images.write_companion_set(tmp_path, IMAGE_TCYX[:, np.newaxis])
    recordings, (recording,), _ = open_stacks(tmp_path, channels=None, files=files, frame_interval_min=None)
    assert recordings[["channels", "frame_interval_min"]].to_numpy().tolist() == [["h2b|p53", 10]]
    assert_array_equal(read_all(recording), IMAGE_TCYX, strict=True)


def test_a_companion_file_that_was_not_copied_or_is_no_image_is_told(tmp_path: Path) -> None:
    stored_images.write_companion_set(tmp_path, IMAGE_TCYX[:, np.newaxis])
    with pytest.raises(InputError, match=r"pos1\.companion\.ome describes the images of a set; name the images in"):
        open_stacks(tmp_path, files="*.companion.ome")
    (tmp_path / "pos1.companion.ome").unlink()
    with pytest.raises(
        InputError, match=r"whose description is in file pos1\.companion\.ome, which is missing; copy it"
    ):
        open_stacks(tmp_path)
    write_binary_only(tmp_path / "pos1_c0.ome.tif", MOVIE, "../pos1.companion.ome")
    with pytest.raises(
        InputError, match=r"its description is in '\.\./pos1\.companion\.ome', which is outside its folder"
    ):
        open_stacks(tmp_path)


def test_a_description_in_another_image_is_named(tmp_path: Path) -> None:
    write_binary_only(tmp_path / "a.ome.tif", MOVIE, "first.ome.tif")
    with pytest.raises(
        InputError, match=r"description is in another file \(first\.ome\.tif\); name the file that holds"
    ):
        open_stacks(tmp_path)


def write_stated(path: Path, options: dict[str, Any], said: bytes, instead: bytes) -> None:
    tifffile.imwrite(path, MOVIE, photometric="minisblack", **options)
    content = path.read_bytes()
    assert content.count(said) == 1
    path.write_bytes(content.replace(said, instead))


@pytest.mark.parametrize(
    ("name", "options", "said", "instead"),
    [
        ("a.ome.tif", {"metadata": {"axes": "TYX"}}, b'SizeT="6"', b'SizeT="4"'),
        ("a.tif", {"imagej": True, "metadata": {"axes": "TYX"}}, b"images=6\nframes=6", b"images=4\nframes=4"),
    ],
)
def test_pages_beyond_those_that_are_stated_are_told(
    tmp_path: Path, name: str, options: dict[str, Any], said: bytes, instead: bytes
) -> None:
    write_stated(tmp_path / name, options, said, instead)
    asked = RecordingSettings.model_validate({**STACKS, "frame_interval_min": 5})
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), asked)
    assert recordings["n_frames"].tolist() == [4]
    assert remarks["check"].tolist() == ["other_facts"]
    assert (
        "has 6 pages in its file(s), but their description states 4, and the others are" in remarks["finding"].iloc[0]
    )


def test_pages_of_a_set_beyond_those_that_are_stated_are_told(tmp_path: Path) -> None:
    stored_images.write_companion_set(tmp_path, IMAGE_TCYX[:, np.newaxis])
    path = tmp_path / "pos1.companion.ome"
    asked = RecordingSettings(layout="tiff_stacks")
    assert open_with_remarks(RecordingFolder(tmp_path), asked)[3].empty
    path.write_text(
        re.sub(r'<TiffData FirstT="2".*?</TiffData>', "", path.read_text()).replace('SizeT="3"', 'SizeT="2"')
    )
    (sentence,) = open_with_remarks(RecordingFolder(tmp_path), asked)[3]["finding"]
    assert "has 6 pages in its file(s), but their description states 4" in sentence
