"""What holds for every format: the same pixels, the same table, the same errors."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameFiles, Recordings
from cellfate.imaging import Recording, RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from tests.cases import stored_images

IMAGE = stored_images.make_image()


def open_folder(root: Path, parameters: dict[str, Any], **changes: Any) -> tuple[pd.DataFrame, list[Recording]]:
    """Open a folder and rebuild its recordings from tables that were written to disk, as the pipeline does."""
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, RecordingSettings.model_validate({**parameters, **changes}))
    for schema, table, name in ((Recordings, recordings, "recordings"), (FrameFiles, files, "files")):
        schema.validate(table).to_parquet(root / f"{name}.parquet")
    recordings, files = pd.read_parquet(root / "recordings.parquet"), pd.read_parquet(root / "files.parquet")
    return recordings, list(lazy_recordings(folder, recordings, files.sample(frac=1, random_state=0)))


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_the_table_says_what_the_files_say(tmp_path: Path, name: str) -> None:
    recordings, _ = open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE))
    row = recordings.iloc[0]
    assert len(recordings) == 1
    assert row["channels"] == "h2b|p53"
    assert (row["n_frames"], row["height_px"], row["width_px"], row["dtype"]) == (4, 12, 17, "uint16")
    assert row["frame_interval_min"] == pytest.approx(10.0)
    if name not in ("plain_pages", "plane_files"):
        assert row["pixel_size_um"] == pytest.approx(0.5)
    else:
        assert np.isnan(row["pixel_size_um"])


@pytest.mark.parametrize("name", stored_images.KEEPS_PLANES)
@pytest.mark.parametrize("z", ["max", 0, 2])
def test_frames_are_projected_or_one_plane(tmp_path: Path, name: str, z: Any) -> None:
    _, (recording,) = open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE), z=z)
    for frame in (3, 0):
        expected = IMAGE[frame].max(axis=0) if z == "max" else IMAGE[frame, z]
        assert_array_equal(recording.read_frame(frame), expected, strict=True)


@pytest.mark.parametrize("name", stored_images.KEEPS_PLANES)
def test_a_plane_that_does_not_exist_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"3 plane\(s\), numbered from 0, but recordings\.z is 3"):
        open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE), z=3)


@pytest.mark.parametrize("name", stored_images.WRITERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(2, 4), st.integers(1, 3), st.just(2), st.integers(2, 9), st.integers(2, 9)),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    seed=st.integers(0, 9),
)
def test_a_round_trip_keeps_every_pixel(
    tmp_path_factory: pytest.TempPathFactory, name: str, shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    if name == "ome_zarr_0.5":
        shape = (shape[0] + shape[0] % 2, *shape[1:])
    image = stored_images.make_image(dtype, shape, seed)
    root = tmp_path_factory.mktemp("round")
    _, (recording,) = open_folder(root, stored_images.WRITERS[name](root, image))
    expected = image[:, 0] if name == "plain_pages" else image.max(axis=1)
    got = np.stack([recording.read_frame(frame) for frame in range(recording.n_frames)])
    assert_array_equal(got, expected, strict=True)


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_a_recording_is_small_and_survives_being_sent(tmp_path: Path, name: str) -> None:
    _, (recording,) = open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE))
    before = recording.read_frame(1)
    content = pickle.dumps(recording)
    assert len(content) < 4000
    assert_array_equal(pickle.loads(content).read_frame(1), before)


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_threads_may_read_one_recording(tmp_path: Path, name: str) -> None:
    _, (recording,) = open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE), z="max")
    alone = [recording.read_frame(frame) for frame in range(4)]
    barrier = threading.Barrier(4)

    def read(frame: int) -> np.ndarray:
        barrier.wait()
        return recording.read_frame(frame % 4)

    fresh = pickle.loads(pickle.dumps(recording))
    recording = fresh
    with ThreadPoolExecutor(4) as pool:
        for frame, image in enumerate(pool.map(read, range(16))):
            assert_array_equal(image, alone[frame % 4])


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_no_file_stays_open(tmp_path: Path, name: str) -> None:
    _, (recording,) = open_folder(tmp_path, stored_images.WRITERS[name](tmp_path, IMAGE))
    recording.read_frame(0)
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("this system does not list open files")
    opened = [link.readlink() for link in handles.iterdir() if link.is_symlink()]
    assert not [path for path in opened if path.is_relative_to(tmp_path)]


@pytest.mark.parametrize("name", ["ome_tiff", "imagej", "ome_zarr_0.4", "ome_zarr_0.5"])
def test_a_parameter_that_differs_from_the_file_wins_with_a_warning(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    parameters = stored_images.WRITERS[name](tmp_path, IMAGE)
    recordings, _ = open_folder(tmp_path, parameters, frame_interval_min=12, pixel_size_um=0.5)
    assert recordings["frame_interval_min"].tolist() == [12]
    told = [record.getMessage() for record in caplog.records if "pos1" in record.getMessage()]
    words = "states a frame every 10 min, but the parameter recordings.frame_interval_min has a frame every 12 min"
    assert any(words in text for text in told)


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_a_wrong_number_of_channels_is_an_input_error(tmp_path: Path, name: str) -> None:
    parameters = stored_images.WRITERS[name](tmp_path, IMAGE)
    changes = {"channels": ("a", "b", "c")}
    with pytest.raises(InputError, match=r"(2 channel\(s\), but channels names 3 \(a, b, c\))|(file_axes is TCYX)"):
        open_folder(tmp_path, parameters, **changes)


@pytest.mark.parametrize("name", ["imagej", "plain_pages", "plane_files"])
def test_an_interval_that_nobody_says_is_an_input_error(tmp_path: Path, name: str) -> None:
    parameters = stored_images.WRITERS[name](tmp_path, IMAGE)
    if name == "imagej":
        import tifffile

        tifffile.imwrite(tmp_path / "pos1.tif", IMAGE, imagej=True, metadata={"axes": "TZCYX", "finterval": 0})
    with pytest.raises(InputError, match=r"in minutes in recordings\.frame_interval_min"):
        open_folder(tmp_path, {**parameters, "frame_interval_min": None})


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_a_link_that_leads_out_of_the_folder_is_an_input_error(tmp_path: Path, name: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    parameters = stored_images.WRITERS[name](outside, IMAGE)
    for path in outside.iterdir():
        (root / path.name).symlink_to(path)
    with pytest.raises(InputError, match="lies outside the folder of recordings"):
        open_folder(root, parameters)


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_links_within_the_folder_are_followed(tmp_path: Path, name: str) -> None:
    parameters = stored_images.WRITERS[name](tmp_path, IMAGE)
    link = tmp_path.with_name(tmp_path.name + "_link")
    link.symlink_to(tmp_path)
    _, (recording,) = open_folder(link, parameters)
    assert recording.read_frame(0).shape == (2, 12, 17)


@pytest.mark.parametrize("name", stored_images.WRITERS)
def test_a_type_that_changes_after_opening_is_an_input_error(tmp_path: Path, name: str) -> None:
    parameters = stored_images.WRITERS[name](tmp_path, IMAGE)
    _, (recording,) = open_folder(tmp_path, parameters)
    stored_images.WRITERS[name](tmp_path, IMAGE.astype("float32"))
    with pytest.raises(InputError, match=r"Frame 1 of recording '.*1'"):
        recording.read_frame(1)
