"""OME-Zarr of both versions, on disk and behind a URL; chunks and descriptions that are damaged or missing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import Recording, RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from tests.cases import stored_images

IMAGE = stored_images.make_image()
ZARR = {"layout": "ome_zarr"}


def open_zarr(root: Path, **changes: Any) -> tuple[Any, list[Recording], Any]:
    folder = RecordingFolder(root)
    recordings, files, set_aside = open_recordings(folder, RecordingSettings.model_validate({**ZARR, **changes}))
    return recordings, list(lazy_recordings(folder, recordings, files)), set_aside


@pytest.fixture
def bucket() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    yield "memory://bucket/plate1"
    system.rm("/bucket", recursive=True)


def upload(source: Path, url: str) -> None:
    system, path = fsspec.core.url_to_fs(url)
    for file in source.rglob("*"):
        if file.is_file():
            system.pipe(f"{path}/{file.relative_to(source).as_posix()}", file.read_bytes())


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_images_behind_a_url_are_read(tmp_path: Path, bucket: str, zarr_format: int) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE, zarr_format)
    upload(tmp_path / "pos1.ome.zarr", f"{bucket}/pos1.ome.zarr")
    upload(tmp_path / "pos1.ome.zarr", f"{bucket}/pos2.ome.zarr")
    (tmp_path / "empty").mkdir()
    recordings, opened, _ = open_zarr(tmp_path / "empty", images_url=bucket)
    assert recordings["recording_id"].tolist() == ["pos1", "pos2"]
    assert recordings["source"].tolist()[0] == f"{bucket}/pos1.ome.zarr"
    assert_array_equal(opened[1].read_frame(2), IMAGE[2].max(axis=0), strict=True)
    for changes in ({"images_url": f"{bucket}/pos2.ome.zarr"}, {"images_url": bucket, "files": "*2.ome.zarr"}):
        assert open_zarr(tmp_path / "empty", **changes)[0]["recording_id"].tolist() == ["pos2"]


def test_a_chunk_that_is_missing_behind_a_url_is_an_input_error(tmp_path: Path, bucket: str) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE, 3)
    next((tmp_path / "pos1.ome.zarr/0/c/2/0/1").rglob("0/0")).unlink()
    upload(tmp_path / "pos1.ome.zarr", f"{bucket}/pos1.ome.zarr")
    _, (recording,), _ = open_zarr(tmp_path, images_url=bucket)
    assert_array_equal(recording.read_frame(1), IMAGE[1].max(axis=0))
    with pytest.raises(InputError, match=r"Frame 2 of recording 'pos1' .* has no chunk of frame 2 \(0/c/2/0/1/0/0\)"):
        recording.read_frame(2)
    _, (recording,), _ = open_zarr(tmp_path, images_url=bucket, missing_chunks="empty")
    assert (recording.read_frame(2) > 0).all()


@pytest.mark.parametrize("url", ["memory://nowhere/at/all", "nosuchscheme://bucket", "memory://nowhere/a.zarr"])
def test_a_url_without_images_is_an_input_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match=r"nowhere|nosuchscheme"):
        open_zarr(tmp_path, images_url=url)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_missing_chunk_is_found_when_the_recording_is_opened(tmp_path: Path, zarr_format: int) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE[:, :1], zarr_format)
    chunk = tmp_path / ("pos1.ome.zarr/0/2/0/1/0/0" if zarr_format == 2 else "pos1.ome.zarr/0/c/2/0/1/0/0")
    chunk.unlink()
    with pytest.raises(
        InputError, match="has no chunk of frame 2, plane 0, channel 1; copy it again, or set recordings"
    ):
        open_zarr(tmp_path)
    recordings, _, set_aside = open_zarr_beside_a_whole_one(tmp_path)
    assert recordings["recording_id"].tolist() == ["whole"]
    assert set_aside["recording_id"].tolist() == ["pos1"]
    _, (recording,), _ = open_zarr(tmp_path, files="pos1*", missing_chunks="empty")
    assert_array_equal(recording.read_frame(2), [IMAGE[2, 0, 0], np.zeros_like(IMAGE[2, 0, 1])])


def open_zarr_beside_a_whole_one(root: Path) -> tuple[Any, list[Recording], Any]:
    (root / "other").mkdir()
    stored_images.write_ome_zarr(root / "other", IMAGE)
    (root / "other/pos1.ome.zarr").rename(root / "whole.zarr")
    return open_zarr(root, on_bad_recording="skip")


def test_a_chunk_that_goes_missing_later_is_an_input_error(tmp_path: Path) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE)
    _, (recording,), _ = open_zarr(tmp_path)
    shutil.rmtree(tmp_path / "pos1.ome.zarr/0/2/0/1")
    with pytest.raises(InputError, match="has no chunk of frame 2"):
        recording.read_frame(2)


def test_a_missing_shard_is_an_input_error(tmp_path: Path) -> None:
    stored_images.write_ome_zarr_5(tmp_path, IMAGE)
    (tmp_path / "pos1.ome.zarr/0/c/1/0/0/0/0").unlink()
    with pytest.raises(InputError, match="has no chunk of frame 2, plane 0, channel 0"):
        open_zarr(tmp_path)


@pytest.mark.parametrize("zarr_format", [2, 3])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, 10_000), garbage=st.binary(max_size=30))
def test_a_truncated_chunk_never_reads_as_something_else(
    tmp_path_factory: pytest.TempPathFactory, zarr_format: int, kept: int, garbage: bytes
) -> None:
    root = tmp_path_factory.mktemp("zarr")
    stored_images.write_ome_zarr(root, IMAGE, zarr_format)
    _, (recording,), _ = open_zarr(root)
    chunk = root / ("pos1.ome.zarr/0/2/0/1/0/0" if zarr_format == 2 else "pos1.ome.zarr/0/c/2/0/1/0/0")
    content = chunk.read_bytes()
    damaged = content[: kept % len(content)] + garbage
    assume(len(damaged) != len(content))  # another byte at the end of as many is another image, and no cut
    chunk.write_bytes(damaged)
    assert_array_equal(recording.read_frame(1), IMAGE[1].max(axis=0))
    try:
        image = recording.read_frame(2)
    except InputError as error:
        assert "a chunk of frame 2 is damaged" in str(error)  # noqa: PT017
    else:
        assert_array_equal(image, IMAGE[2].max(axis=0))


def rewrite(group: Path, change: Any) -> None:
    path = group / "zarr.json"
    content = json.loads(path.read_text())
    change(content["attributes"]["ome"], content)
    path.write_text(json.dumps(content))


BAD_DESCRIPTIONS = {
    "no multiscales": lambda ome, _: ome.pop("multiscales"),
    "no axes": lambda ome, _: ome["multiscales"][0].pop("axes"),
    "too few axes": lambda ome, _: ome["multiscales"][0]["axes"].pop(0),
    "twice the same": lambda ome, _: ome["multiscales"][0]["axes"][0].update(name="c"),
    "no such array": lambda ome, _: ome["multiscales"][0]["datasets"][0].update(path="7"),
    "leads out": lambda ome, _: ome["multiscales"][0]["datasets"][0].update(path="../pos1.ome.zarr/0"),
    "absolute": lambda ome, _: ome["multiscales"][0]["datasets"][0].update(path="/etc"),
    "no datasets": lambda ome, _: ome["multiscales"][0].update(datasets=[]),
    "a number": lambda ome, _: ome.update(multiscales=5),
    "version 9": lambda _, content: content.update(zarr_format=9),
}


@pytest.mark.parametrize("name", BAD_DESCRIPTIONS)
def test_a_wrong_description_is_an_input_error(tmp_path: Path, name: str) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE, 3)
    rewrite(tmp_path / "pos1.ome.zarr", BAD_DESCRIPTIONS[name])
    with pytest.raises(
        InputError, match=r"OME-Zarr image .*pos1\.ome\.zarr.* cannot be read: its description"
    ) as caught:
        open_zarr(tmp_path)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_fuzzed_description_is_read_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    root = tmp_path_factory.mktemp("zarr")
    stored_images.write_ome_zarr(root, IMAGE[:2, :1], 3)
    path = root / data.draw(st.sampled_from(["pos1.ome.zarr/zarr.json", "pos1.ome.zarr/0/zarr.json"]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(32, 126))
    path.write_bytes(content)
    try:
        _, (recording,), _ = open_zarr(root, frame_interval_min=10, channels=("a", "b"))
        image = recording.read_frame(0)
    except InputError:
        return
    assert image.shape == (2, recording.height_px, recording.width_px)


def test_damage_to_the_text_of_a_description_is_an_input_error(tmp_path: Path) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE, 3)
    for path in (tmp_path / "pos1.ome.zarr/zarr.json", tmp_path / "pos1.ome.zarr/0/zarr.json"):
        content = path.read_bytes()
        for damaged in (content[:100], b"", b"\xff\xfe" + content):
            path.write_bytes(damaged)
            with pytest.raises(InputError, match=r"pos1\.ome\.zarr"):
                open_zarr(tmp_path)
        path.write_bytes(content)


def test_units_decide_what_a_scale_means(tmp_path: Path) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE, 3)

    def use_seconds(ome: Any, _: Any) -> None:
        ome["multiscales"][0]["axes"][0]["unit"] = "second"
        for axis in (3, 4):
            ome["multiscales"][0]["axes"][axis]["unit"] = "nanometer"
        ome["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [60, 1, 1, 500, 500]}]

    rewrite(tmp_path / "pos1.ome.zarr", use_seconds)
    row = open_zarr(tmp_path)[0].iloc[0]
    assert row["frame_interval_min"] == pytest.approx(10)  # 10 s a step, 60 times
    assert row["pixel_size_um"] == pytest.approx(0.25)  # 0.5 nm a step, 500 times
    rewrite(tmp_path / "pos1.ome.zarr", lambda ome, _: ome["multiscales"][0]["axes"][0].pop("unit"))
    with pytest.raises(InputError, match="do not say the time between two frames"):
        open_zarr(tmp_path)


def test_axes_in_another_order_and_absent_axes_are_read(tmp_path: Path) -> None:
    image_cytx = stored_images.make_image("float32", (2, 5, 3, 7, 1))[..., 0]
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=3)
    group.create_array("full", data=image_cytx, chunks=(1, 2, 1, 4))
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "t", "type": "time"}]
    axes += [{"name": "x", "type": "space"}]
    group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": [{"path": "full"}]}]}
    _, (recording,), _ = open_zarr(tmp_path, channels=("a", "b"), frame_interval_min=5)
    assert recording.n_frames == 3
    for frame in range(3):
        assert_array_equal(recording.read_frame(frame), image_cytx[:, :, frame], strict=True)


def test_fields_of_a_plate_are_recordings(tmp_path: Path) -> None:
    for well in ("A/1", "B/3"):
        for field in ("0", "1"):
            place = tmp_path / "plate.zarr" / well
            place.mkdir(parents=True, exist_ok=True)
            stored_images.write_ome_zarr(place, IMAGE + int(field), 2)
            (place / "pos1.ome.zarr").rename(place / field)
        zarr.open_group(str(place), mode="a", zarr_format=2).attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}]}
    plate = zarr.open_group(str(tmp_path / "plate.zarr"), mode="a", zarr_format=2)
    plate.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "B/3"}]}
    recordings, opened, _ = open_zarr(tmp_path)
    assert recordings["recording_id"].tolist() == ["plate_A_1_0", "plate_A_1_1", "plate_B_3_0", "plate_B_3_1"]
    assert_array_equal(opened[3].read_frame(1), (IMAGE + 1)[1].max(axis=0))


def test_series_of_a_converted_file_are_recordings(tmp_path: Path) -> None:
    for series in ("0", "1"):
        (tmp_path / "lif.zarr").mkdir(exist_ok=True)
        stored_images.write_ome_zarr(tmp_path / "lif.zarr", IMAGE + int(series), 2)
        (tmp_path / "lif.zarr/pos1.ome.zarr").rename(tmp_path / "lif.zarr" / series)
    zarr.open_group(str(tmp_path / "lif.zarr"), mode="a", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    recordings, opened, _ = open_zarr(tmp_path)
    assert recordings["recording_id"].tolist() == ["lif_0", "lif_1"]
    assert_array_equal(opened[1].read_frame(0), (IMAGE + 1)[0].max(axis=0))


def test_the_root_may_be_the_group_itself(tmp_path: Path) -> None:
    stored_images.write_ome_zarr(tmp_path, IMAGE)
    recordings, (recording,), _ = open_zarr(tmp_path / "pos1.ome.zarr")
    assert recordings["recording_id"].tolist() == ["pos1"]
    assert_array_equal(recording.read_frame(0), IMAGE[0].max(axis=0))


def test_only_the_chunks_of_a_frame_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cellfate.imaging.zarr_stores import WholeStore

    keys: list[str] = []
    whole = WholeStore.get

    async def listen(store: Any, key: str, *args: Any, **options: Any) -> Any:
        keys.append(key)
        return await whole(store, key, *args, **options)

    monkeypatch.setattr(WholeStore, "get", listen)
    stored_images.write_ome_zarr(tmp_path, IMAGE, 3)
    _, (recording,), _ = open_zarr(tmp_path, z=1)
    assert not [key for key in keys if "/c/" in key]
    recording.read_frame(2)
    assert sorted(key for key in keys if "/c/" in key) == ["0/c/2/1/0/0/0", "0/c/2/1/1/0/0"]


def test_a_link_out_of_the_root_inside_a_group_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    stored_images.write_ome_zarr(tmp_path / "outside", IMAGE)
    stored_images.write_ome_zarr(tmp_path / "root", IMAGE)
    shutil.rmtree(tmp_path / "root/pos1.ome.zarr/0")
    (tmp_path / "root/pos1.ome.zarr/0").symlink_to(tmp_path / "outside/pos1.ome.zarr/0")
    with pytest.raises(InputError, match="lies outside the folder of recordings"):
        open_zarr(tmp_path / "root")


def write_axes(root: Path, axes: str, image: Any, labels: tuple[str, ...] = ()) -> None:
    group = zarr.open_group(str(root / "pos1.ome.zarr"), mode="w", zarr_format=2)
    array = group.create_array("0", shape=image.shape, chunks=image.shape, dtype=image.dtype)
    array[:] = image
    described = {"axes": [{"name": axis} for axis in axes], "datasets": [{"path": "0"}], "version": "0.4"}
    group.attrs.update({"multiscales": [described], "omero": {"channels": [{"label": label} for label in labels]}})


MOVIE_TYX = np.arange(6 * 4 * 5, dtype=np.uint16).reshape(6, 4, 5)


@pytest.mark.parametrize(
    ("axes", "image", "labels", "advised"),
    [
        ("zyx", MOVIE_TYX, (), "TYX"),
        ("cyx", MOVIE_TYX, (), "TYX"),
        ("cyx", MOVIE_TYX, tuple("abcdef"), "TYX"),
        ("tzyx", MOVIE_TYX[np.newaxis], (), "ZTYX"),
        ("czyx", MOVIE_TYX[np.newaxis], (), "CTYX"),
        ("tczyx", MOVIE_TYX[np.newaxis, :, np.newaxis], (), "CTZYX"),
    ],
)
def test_time_that_is_stored_as_another_axis(
    tmp_path: Path, axes: str, image: Any, labels: tuple[str, ...], advised: str
) -> None:
    write_axes(tmp_path, axes, image, labels)
    asked = {"frame_interval_min": 5, "channels": ("h2b",)}
    words = rf"pos1\.ome\.zarr says that it holds one frame of 6 (planes|channels).*file_axes to '{advised}'"
    with pytest.raises(InputError, match=words):
        open_zarr(tmp_path, **asked)
    recordings, (recording,), _ = open_zarr(tmp_path, **asked, file_axes=advised)
    assert recordings["file_axes"].tolist() == [advised]
    found = np.stack([recording.read_frame(frame)[0] for frame in range(recording.n_frames)])
    assert_array_equal(found, MOVIE_TYX, strict=True)


@pytest.mark.parametrize("given", ["TCYX", "YXC"])
def test_axes_that_do_not_fit_are_refused_with_those_of_the_image(tmp_path: Path, given: str) -> None:
    write_axes(tmp_path, "zyx", MOVIE_TYX)
    with pytest.raises(InputError, match=rf"file_axes is {given}, but OME-Zarr image .* has the axes ZYX; give"):
        open_zarr(tmp_path, frame_interval_min=5, file_axes=given)


def test_one_frame_is_read_where_a_person_says_so(tmp_path: Path) -> None:
    write_axes(tmp_path, "zyx", MOVIE_TYX)
    _, (recording,), _ = open_zarr(tmp_path, frame_interval_min=5, file_axes="ZYX")
    assert_array_equal(recording.read_frame(0)[0], MOVIE_TYX.max(axis=0), strict=True)
