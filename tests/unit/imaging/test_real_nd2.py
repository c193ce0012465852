"""A real .nd2 file, against what the library nd2 reads of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings
from cellfate.imaging.opening import open_with_remarks

nd2 = pytest.importorskip("nd2", reason="the extra formats is not installed")


@pytest.mark.real
@pytest.mark.parametrize("z", ["max", 4])
def test_a_real_nd2_file(real_data: Path, tmp_path: Path, z: str | int) -> None:
    source = real_data / "nd2_example" / "cluster.nd2"
    if not source.is_file():
        pytest.skip("nd2_example is not here")
    shutil.copy(source, tmp_path)
    with nd2.ND2File(source) as file:
        assert file.sizes == {"T": 3, "Z": 10, "C": 2, "Y": 31, "X": 38}
        image_tzcyx = file.asarray()
        starts_s = [event["Time [s]"] for event in file.events(orient="records") if event["Z Index"] == 0]
        size_um, names = file.voxel_size().x, [channel.channel.name for channel in file.metadata.channels]
    folder = RecordingFolder(tmp_path)
    recordings, files, _, remarks = open_with_remarks(folder, RecordingSettings(layout="vendor", z=z))
    (row,) = recordings.to_dict("records")
    assert row["recording_id"] == "cluster"
    assert row["n_frames"] == 3
    assert row["channels"].split("|") == names == ["5-FAM/pH 9.0", "FM 4-64/2% CHAPS"]
    assert row["frame_interval_min"] == pytest.approx(np.median(np.diff(starts_s)) / 60)
    assert row["pixel_size_um"] == pytest.approx(size_um)
    assert remarks.empty
    (recording,) = lazy_recordings(folder, recordings, files)
    expected_tcyx = image_tzcyx.max(axis=1) if z == "max" else image_tzcyx[:, z]
    for frame in range(3):
        assert_array_equal(recording.read_frame(frame), expected_tcyx[frame], strict=True)
    with pytest.raises(InputError, match="has 10 plane"):
        open_with_remarks(folder, RecordingSettings(layout="vendor", z=10))


@pytest.mark.real
def test_images_that_an_nd2_file_lacks_are_no_zeros(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "nd2_example" / "cluster.nd2"
    if not source.is_file():
        pytest.skip("nd2_example is not here")
    content = source.read_bytes()
    start = content.rindex(b"ImageDataSeq|15!")  # plane 5 of frame 1, in the list of what the file holds
    (tmp_path / "cluster.nd2").write_bytes(content[:start] + b"ImageDataXXX|15!" + content[start + 16 :])
    with nd2.ND2File(tmp_path / "cluster.nd2") as file:
        assert not file.read_frame(15).any()
    folder = RecordingFolder(tmp_path)
    words = r"cluster\.nd2 has no pixels of frame 1, plane 5; .* set recordings\.on_missing_frames to 'cut' or 'gap'"
    with pytest.raises(InputError, match=words):
        open_with_remarks(folder, RecordingSettings(layout="vendor"))
    recordings, files, _, remarks = open_with_remarks(
        folder, RecordingSettings(layout="vendor", on_missing_frames="gap")
    )
    assert recordings[["n_frames", "missing_frames"]].to_numpy().tolist() == [[3, "1"]]
    assert remarks["check"].tolist() == ["missing_frames"]
    (recording,) = lazy_recordings(folder, recordings, files)
    assert recording.read_frame(2).any()
    with pytest.raises(InputError, match="Frame 1 of recording 'cluster' is missing"):
        recording.read_frame(1)
    cut = RecordingSettings(layout="vendor", on_missing_frames="cut", frame_interval_min=60)
    recordings, *_ = open_with_remarks(folder, cut)
    assert recordings["n_frames"].tolist() == [1]
