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
from tests.unit.imaging.test_tiff_stacks import MOVIE, OME, STACKS, ome_xml, open_stacks, read_all


def write_binary_only(path: Path, image: Any, metadata_file: str) -> None:
    binary = f'<BinaryOnly MetadataFile="{metadata_file}" UUID="urn:uuid:other"/>'
    xml = f'<?xml version="1.0"?><OME xmlns="{OME}" UUID="urn:uuid:me">{binary}</OME>'.encode()
    tifffile.imwrite(path, image, photometric="minisblack", description=xml, metadata=None)


def write_companion_set(root: Path) -> np.ndarray:
    """Write a file a channel of three frames each, and the file that describes both."""
    image_ctyx = MOVIE.reshape(2, 3, 12, 17)
    blocks = ""
    for c in range(2):
        write_binary_only(root / f"a_c{c}.ome.tif", image_ctyx[c], "a.companion.ome")
        uuid = f'<UUID FileName="a_c{c}.ome.tif">urn:uuid:c{c}</UUID>'
        blocks += "".join(
            f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="0" IFD="{t}" PlaneCount="1">{uuid}</TiffData>'
            for t in range(3)
        )
    names = "".join(f'<Channel ID="Channel:0:{c}" Name="{name}"/>' for c, name in enumerate(("h2b", "p53")))
    (root / "a.companion.ome").write_bytes(ome_xml(3, names + blocks, channels=2))
    return image_ctyx


@pytest.mark.parametrize("files", [None, "a_c1*", "*.ome*"])
def test_a_set_is_read_by_its_companion_file(tmp_path: Path, files: str | None) -> None:
    image_ctyx = write_companion_set(tmp_path)
    recordings, (recording,), _ = open_stacks(tmp_path, channels=None, files=files, frame_interval_min=None)
    assert recordings[["channels", "frame_interval_min"]].to_numpy().tolist() == [["h2b|p53", 5]]
    assert_array_equal(read_all(recording), image_ctyx.swapaxes(0, 1), strict=True)


def test_a_companion_file_that_was_not_copied_or_is_no_image_is_told(tmp_path: Path) -> None:
    write_companion_set(tmp_path)
    with pytest.raises(InputError, match=r"a\.companion\.ome describes the images of a set; name the images in"):
        open_stacks(tmp_path, files="*.companion.ome")
    (tmp_path / "a.companion.ome").unlink()
    with pytest.raises(InputError, match=r"whose description is in file a\.companion\.ome, which is missing; copy it"):
        open_stacks(tmp_path)
    write_binary_only(tmp_path / "a_c0.ome.tif", MOVIE, "../a.companion.ome")
    with pytest.raises(
        InputError, match=r"its description is in '\.\./a\.companion\.ome', which is outside its folder"
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
    write_companion_set(tmp_path)
    path = tmp_path / "a.companion.ome"
    asked = RecordingSettings.model_validate(STACKS)
    assert open_with_remarks(RecordingFolder(tmp_path), asked)[3].empty
    path.write_text(
        re.sub(r'<TiffData FirstT="2".*?</TiffData>', "", path.read_text()).replace('SizeT="3"', 'SizeT="2"')
    )
    (sentence,) = open_with_remarks(RecordingFolder(tmp_path), asked)[3]["finding"]
    assert "has 6 pages in its file(s), but their description states 4" in sentence
