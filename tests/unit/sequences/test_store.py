"""The crop store: a round trip is identity, and what was not finished is no store."""

import json
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.sequences.crops import BadRecording, RecordingCrops
from cellfate.sequences.settings import CropSettings
from cellfate.sequences.store import CropStore, write_crops
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


@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    masks=st.booleans(),
)
def test_a_round_trip_is_identity(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], dtype: str, masks: bool
) -> None:
    path = tmp_path_factory.mktemp("store") / "crops.zarr"
    crops = crops_of(lengths, dtype, masks=masks)
    write_crops(path, [crops], SIZE)
    store = CropStore(path)
    for place, cell_id in enumerate(crops.cell_ids):
        rows = slice(crops.offsets[place], crops.offsets[place + 1])
        sequence = store.read("r", cell_id)
        assert sequence.frames_tchw.dtype == np.dtype(dtype)
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
    assert store.settings == SIZE


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
    assert not (tmp_path / "crops.zarr").exists()
    with pytest.raises(InputError, match=r"has no manifest\.json, so it was never finished; run data_processing again"):
        CropStore(tmp_path / "crops.zarr.partial")
    write_crops(tmp_path / "crops.zarr", [crops_of([4])], SIZE)  # the next run is not disturbed by the remains
    assert CropStore(tmp_path / "crops.zarr").tracks["n_frames"].tolist() == [4]
    assert not (tmp_path / "crops.zarr.partial").exists()


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


def test_the_digest_follows_pixels_and_settings(tmp_path: Path) -> None:
    crops = crops_of([3])
    brighter = replace(crops, frames_nchw=crops.frames_nchw + np.uint16(1))
    variants = [(crops, SIZE), (brighter, SIZE), (crops, SIZE.model_copy(update={"chunk_frames": 2})), (crops, SIZE)]
    digests = []
    for number, (item, size) in enumerate(variants):
        write_crops(tmp_path / f"{number}", [item], size)
        digests.append(CropStore(tmp_path / f"{number}").digest)
    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


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
