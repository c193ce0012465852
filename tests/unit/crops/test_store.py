"""The crop store: a round trip is identity, and what was not finished is no store."""

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.crops.cutting import BadRecording, RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops
from tests.cases.crop_stores import CHANNELS, tiny_store

SIZE = CropSettings(height_px=8, width_px=8, chunk_frames=3)


def crops_of(lengths: list[int], dtype: str = "uint16", recording_id: str = "r", masks: bool = True) -> RecordingCrops:
    """Random crops of cells 2, 4, 6, ...; every second frame of each is missing."""
    rng = np.random.default_rng(sum(lengths))
    n = sum(lengths)
    frames = [2 * np.arange(length) for length in lengths]
    return RecordingCrops(
        recording_id=recording_id,
        channels=("a", "b"),
        frame_interval_min=15.0,
        height_px=20,
        width_px=30,
        frames_nchw=(rng.random((n, 2, 8, 8)) * 4000).astype(dtype),
        masks_nhw=rng.random((n, 8, 8)) < 0.5 if masks else None,
        cell_ids=2 * np.arange(1, len(lengths) + 1, dtype=np.int64),
        offsets=np.cumsum([0, *lengths]).astype(np.int64),
        frame_numbers=np.concatenate([*frames, []]).astype(np.int64),
        y0_px=rng.integers(-8, 20, n),
        x0_px=rng.integers(-8, 30, n),
    )


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32", ">u2", "float64"]),
    masks=st.booleans(),
    compression=st.sampled_from(["none", "lz4", "zstd"]),
    chunk_frames=st.integers(1, 12),
)
def test_a_round_trip_is_identity(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    dtype: str,
    masks: bool,
    compression: str,
    chunk_frames: int,
) -> None:
    layout = SIZE.model_copy(update={"compression": compression, "chunk_frames": chunk_frames})
    path = tmp_path_factory.mktemp("store") / "crops.zarr"
    crops = crops_of(lengths, dtype, masks=masks)
    write_crops(path, [crops], layout)
    store = CropStore(path)
    for place, cell_id in enumerate(crops.cell_ids):
        rows = slice(crops.offsets[place], crops.offsets[place + 1])
        sequence = store.read("r", cell_id)
        assert sequence.frames_tchw.dtype == np.dtype(dtype).newbyteorder("=")
        assert_array_equal(sequence.frames_tchw, crops.frames_nchw[rows])
        assert (sequence.masks_thw is None) == (crops.masks_nhw is None)
        if crops.masks_nhw is not None:
            assert_array_equal(sequence.masks_thw, crops.masks_nhw[rows])
        assert_array_equal(sequence.frame_numbers_t, crops.frame_numbers[rows])
        assert_array_equal(sequence.y0_px, crops.y0_px[rows])
        assert_array_equal(sequence.x0_px, crops.x0_px[rows])
        assert (sequence.recording_id, sequence.cell_id, sequence.channels) == ("r", cell_id, ("a", "b"))
        assert sequence.frame_interval_min == 15.0
    assert store.tracks["n_frames"].tolist() == lengths
    assert store.settings == layout


@settings(max_examples=8, deadline=None)
@given(first=st.integers(-2, 20), last=st.integers(-2, 20))
def test_a_range_of_frames_equals_slicing_by_frame_number(
    tmp_path_factory: pytest.TempPathFactory, first: int, last: int
) -> None:
    crops = crops_of([5, 8])
    path = tmp_path_factory.mktemp("store") / "crops.zarr"
    write_crops(path, [crops], SIZE)
    whole = CropStore(path).read("r", 4)
    part = CropStore(path).read("r", 4, first, last)
    chosen = (whole.frame_numbers_t >= first) & (whole.frame_numbers_t <= last)
    assert_array_equal(part.frame_numbers_t, whole.frame_numbers_t[chosen])
    assert_array_equal(part.frames_tchw, whole.frames_tchw[chosen])
    assert_array_equal(part.inside_thw, whole.inside_thw[chosen])


def test_a_killed_write_leaves_no_store(tmp_path: Path) -> None:
    def broken() -> Iterator[RecordingCrops]:
        yield crops_of([3])
        message = "killed"
        raise KeyboardInterrupt(message)

    with pytest.raises(KeyboardInterrupt):
        write_crops(tmp_path / "crops.zarr", broken(), SIZE)
    with pytest.raises(InputError, match=r"has no manifest\.json, so it was never finished; run data_processing again"):
        CropStore(tmp_path / "crops.zarr")
    (tmp_path / "crops.zarr" / "half.partial").mkdir()
    write_crops(tmp_path / "crops.zarr", [crops_of([4])], SIZE)  # the next run is not disturbed by the remains
    store = CropStore(tmp_path / "crops.zarr")
    assert store.tracks["n_frames"].tolist() == [4]
    left = {path.name for path in store.path.iterdir()}
    assert left == {"manifest.json", store.manifest["recordings"][0]["group"]}


def test_a_failed_write_leaves_the_older_store(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([3])], SIZE)
    with pytest.raises(InputError):
        write_crops(tmp_path / "crops.zarr", [BadRecording("r", "it is torn")], SIZE)
    assert CropStore(tmp_path / "crops.zarr").tracks["n_frames"].tolist() == [3]


def test_no_recording_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of 1 recordings could be cropped \(the first: it is torn\)"):
        write_crops(tmp_path / "crops.zarr", [BadRecording("r", "it is torn")], SIZE)


def test_channels_that_differ_are_refused(tmp_path: Path) -> None:
    other = replace(crops_of([3], recording_id="s"), channels=("a", "c"))
    with pytest.raises(InputError, match=r"Recording 's' has channels \['a', 'c'\]"):
        write_crops(tmp_path / "crops.zarr", [crops_of([3]), other], SIZE)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([3])], SIZE)
    store = CropStore(tmp_path / "crops.zarr")
    with pytest.raises(InputError, match="Recording 'q' is not in crop store"):
        store.read("q", 2)
    with pytest.raises(InputError, match="Recording 'r' has no crops of cell 3"):
        store.read("r", 3)


@pytest.mark.parametrize("content", ['{"format_version": 1', "[]", '{"format_version": 1}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json .*run data_processing again"):
        CropStore(tmp_path)


def test_a_recording_that_is_no_longer_in_the_store_is_named(tmp_path: Path) -> None:
    store = tiny_store(tmp_path)[0]
    shutil.rmtree(store.path / store.manifest["recordings"][0]["group"])
    with pytest.raises(InputError, match=f"crops of recording '{store.recording_ids[0]}'.*run data_processing again"):
        _ = CropStore(store.path).tracks


def test_another_format_is_refused(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([3])], SIZE)
    manifest = tmp_path / "crops.zarr" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format_version": 99}))
    with pytest.raises(InputError, match="has format 99"):
        CropStore(tmp_path / "crops.zarr")


def digest_of(path: Path, item: RecordingCrops, size: CropSettings) -> str:
    write_crops(path, [item], size)
    return CropStore(path).digest


def test_the_digest_follows_pixels_masks_and_index(tmp_path: Path) -> None:
    crops = crops_of([3])
    one_pixel = crops.frames_nchw.copy()
    one_pixel[-1, -1, -1, -1] ^= 1
    assert crops.masks_nhw is not None
    variants = [
        crops,
        replace(crops, frames_nchw=one_pixel),
        replace(crops, frames_nchw=crops.frames_nchw[::-1]),
        replace(crops, masks_nhw=~crops.masks_nhw),
        replace(crops, masks_nhw=None),
        replace(crops, x0_px=crops.x0_px + 1),
        replace(crops, frames_nchw=crops.frames_nchw.view("int16")),
    ]
    digests = [digest_of(tmp_path / f"{number}", item, SIZE) for number, item in enumerate(variants)]
    assert len(set(digests)) == len(variants)
    corrected = SIZE.model_copy(update={"background": 7.0})
    assert digest_of(tmp_path / "corrected", crops, corrected) not in digests


def test_the_digest_does_not_follow_chunks_and_compression(tmp_path: Path) -> None:
    changes: list[dict[str, object]] = [
        {},
        {"chunk_frames": 2},
        {"compression": "none"},
        {"compression": "zstd", "compression_level": 9},
    ]
    sizes = [SIZE.model_copy(update=change) for change in changes]
    digests = {digest_of(tmp_path / f"{number}", crops_of([5, 4]), size) for number, size in enumerate(sizes)}
    assert len(digests) == 1


def test_a_store_can_be_moved_and_sent_to_another_process(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([3])], SIZE)
    store = CropStore(tmp_path / "crops.zarr")
    before = store.read("r", 2).frames_tchw
    sent = pickle.loads(pickle.dumps(store))
    assert sent._opened == {}
    assert_array_equal(sent.read("r", 2).frames_tchw, before)
    shutil.move(tmp_path / "crops.zarr", tmp_path / "elsewhere.zarr")
    assert_array_equal(CropStore(tmp_path / "elsewhere.zarr").read("r", 2).frames_tchw, before)


def test_a_recording_without_cells_can_be_stored(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([], recording_id="empty"), crops_of([3])], SIZE)
    store = CropStore(tmp_path / "crops.zarr")
    assert store.tracks["recording_id"].tolist() == ["r"]


def test_masks_can_be_left_unread(tmp_path: Path) -> None:
    write_crops(tmp_path / "crops.zarr", [crops_of([3])], SIZE)
    assert CropStore(tmp_path / "crops.zarr").read("r", 2, with_masks=False).masks_thw is None


def test_the_tiny_store_holds_what_it_promises(tmp_path: Path) -> None:
    store, recordings, detections, cells = tiny_store(tmp_path, n_recordings=2)
    assert store.channels == CHANNELS
    assert len(store.tracks) == len(cells) == 10
    assert len(detections) == store.tracks["n_frames"].sum()
    means = {}
    for row in cells.itertuples():
        sequence = store.read(row.recording_id, row.cell_id)
        assert_array_equal(
            sequence.frames_tchw[~np.broadcast_to(sequence.inside_thw[:, None], sequence.frames_tchw.shape)], 0
        )
        middle = sequence.frames_tchw[:, 1, 6:10, 6:10][sequence.inside_thw[:, 6:10, 6:10]]
        means.setdefault(row.fate, []).append(float(middle.mean()))
    assert min(means["apoptosis"]) > max(means["mitosis"]) + 200
    assert not store.read("00", 1).inside_thw.all()
    assert set(recordings["dose"]) == {"Control", "High"}


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_zarr_reads_what_was_written(tmp_path: Path, compression: str) -> None:
    crops = crops_of([4, 7])
    write_crops(tmp_path / "crops.zarr", [crops], SIZE.model_copy(update={"compression": compression}))
    entry = CropStore(tmp_path / "crops.zarr").manifest["recordings"][0]
    group = zarr.open_group(tmp_path / "crops.zarr" / entry["group"], mode="r", zarr_format=3)
    assert dict(group.attrs) == entry
    assert group["frames"].dtype == np.uint16
    for name, values in (("frames", crops.frames_nchw), ("masks", crops.masks_nhw), ("offsets", crops.offsets)):
        assert_array_equal(group[name][:], values)


def test_a_chunk_of_zeros_is_written(tmp_path: Path) -> None:
    crops = crops_of([7])
    write_crops(tmp_path / "crops.zarr", [replace(crops, frames_nchw=np.zeros_like(crops.frames_nchw))], SIZE)
    assert len(list((tmp_path / "crops.zarr").glob("*/frames/c/*/0/0/0"))) == 3
    assert not CropStore(tmp_path / "crops.zarr").read("r", 2).frames_tchw.any()


def written(path: Path, compression: str) -> tuple[CropStore, Path]:
    """Write a store of cells 2 and 4 with three crops each, a chunk each; and its only group."""
    write_crops(path, [crops_of([3, 3])], SIZE.model_copy(update={"compression": compression}))
    store = CropStore(path)
    return store, path / store.manifest["recordings"][0]["group"]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
@pytest.mark.parametrize("array", ["frames", "masks"])
@pytest.mark.parametrize("harm", ["flip", "flip the checksum", "cut", "grow", "empty", "remove"])
def test_a_damaged_chunk_is_an_error_that_names_the_cell(
    tmp_path: Path, compression: str, array: str, harm: str
) -> None:
    store, group = written(tmp_path / "crops.zarr", compression)
    (chunk,) = [path for path in (group / array / "c" / "1").rglob("*") if path.is_file()]
    content = chunk.read_bytes()
    if harm.startswith("flip"):
        flip(chunk, -1 if "checksum" in harm else len(content) // 2)
    elif harm == "remove":
        chunk.unlink()
    else:
        chunk.write_bytes({"cut": content[:-5], "grow": content + b"0", "empty": b""}[harm])
    reason = "missing" if harm == "remove" else "damaged"
    with pytest.raises(InputError, match=rf"Cell 4 of recording 'r' .*{array}/c/1/.* is {reason}.*copy the store"):
        store.read("r", 4)
    assert len(store.read("r", 2).frame_numbers_t) == 3  # the other cell is whole


@pytest.mark.parametrize("array", ["cell_ids", "offsets", "frame_numbers", "y0_px", "x0_px"])
@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_damaged_index_is_an_error_that_names_the_recording(tmp_path: Path, array: str, harm: str) -> None:
    _, group = written(tmp_path / "crops.zarr", "lz4")
    chunk = group / array / "c" / "0"
    if harm == "flip":
        flip(chunk, 3)
    else:
        chunk.unlink()
    with pytest.raises(InputError, match=f"recording 'r' cannot be read: Chunk .*{array}/c/0 is"):
        CropStore(tmp_path / "crops.zarr").read("r", 4)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"uint16"', '"object"'),
        ('"name": "bytes"', '"name": "pickle"'),
        ('"shape": [\n    6', '"shape": [\n    60'),
        ('"shape": [\n    6', '"shape": [\n    -6'),
        ('"node_type": "array"', '"node_type": "group"'),
        ("{", "["),
    ],
)
def test_a_changed_description_is_an_error(tmp_path: Path, old: str, new: str) -> None:
    store, group = written(tmp_path / "crops.zarr", "lz4")
    description = group / "frames" / "zarr.json"
    text = description.read_text()
    assert old in text
    description.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match="recording 'r'"):
        store.read("r", 4)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_fuzzed_chunk_never_gives_other_pixels(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    compression = data.draw(st.sampled_from(["none", "lz4", "zstd"]))
    store, group = written(tmp_path_factory.mktemp("fuzz") / "crops.zarr", compression)
    before = store.read("r", 4).frames_tchw
    chunk = group / "frames" / "c" / "1" / "0" / "0" / "0"
    content = bytearray(chunk.read_bytes())
    places = data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4))
    for place in places:
        content[place] = data.draw(st.integers(0, 255))
    chunk.write_bytes(content)
    try:
        after = store.read("r", 4).frames_tchw
    except InputError:
        return
    assert_array_equal(after, before)


@pytest.mark.parametrize(
    "change",
    [
        {"recordings": 3},
        {"recordings": [{}]},
        {"settings": {"height_px": "many"}},
        {"settings": []},
        {"recordings": [{"recording_id": "r", "group": "../elsewhere"}]},
    ],
)
def test_a_manifest_of_nonsense_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    store, _ = written(tmp_path / "crops.zarr", "lz4")
    manifest = tmp_path / "crops.zarr" / "manifest.json"
    manifest.write_text(json.dumps({**store.manifest, **change}))
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        CropStore(tmp_path / "crops.zarr")


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_store_is_read_from_a_url(tmp_path: Path, compression: str) -> None:
    local, _ = written(tmp_path / "crops.zarr", compression)
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path / "crops.zarr"), "/bucket/crops.zarr", recursive=True)
    try:
        store = pickle.loads(pickle.dumps(CropStore("memory://bucket/crops.zarr")))
        assert store.tracks.equals(local.tracks)
        assert store.digest == local.digest
        for cell_id in (2, 4):
            assert_array_equal(store.read("r", cell_id, 2, 4).frames_tchw, local.read("r", cell_id, 2, 4).frames_tchw)
            assert_array_equal(store.read("r", cell_id).masks_thw, local.read("r", cell_id).masks_thw)
        (chunk,) = memory.glob("/bucket/crops.zarr/*/frames/c/1/0/0/0")
        memory.rm(chunk)
        with pytest.raises(InputError, match=r"Cell 4 of recording 'r' .*memory://bucket/.* is missing"):
            store.read("r", 4)
    finally:
        memory.rm("/bucket", recursive=True)
    with pytest.raises(InputError, match=r"Crop store memory://bucket/crops\.zarr has no manifest\.json"):
        CropStore("memory://bucket/crops.zarr")


def test_reading_neither_imports_zarr_nor_unpickles(tmp_path: Path) -> None:
    written(tmp_path / "crops.zarr", "lz4")
    code = (
        "import pickle, sys; pickle.load = pickle.loads = None\n"
        "from cellfate.crops.store import CropStore\n"
        f"CropStore({str(tmp_path / 'crops.zarr')!r}).read('r', 4)\n"
        "assert 'zarr' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
