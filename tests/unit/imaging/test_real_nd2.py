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
