"""Recordings that are not whole, in every layout that can tell: refused, cut, or with gaps that are never shown."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings
from cellfate.imaging.missing_frames import read_ranges, write_ranges
from cellfate.imaging.opening import open_recordings, open_with_remarks
from tests.cases import coco_folder, ctc_folder, stored_images

N_FRAMES = 8
IMAGE_TCYX = np.random.default_rng(1).integers(1, 9999, (N_FRAMES, 2, 6, 7)).astype(np.uint16)
CHANNELS = ("h2b", "p53")
Writer = Callable[[Path], dict[str, Any]]


def write_micromanager(root: Path) -> dict[str, Any]:
    """A channel of frame 2 is not there, and the file of the last frame was cut short."""
    settings = stored_images.write_plane_files(root, IMAGE_TCYX[:, None])
    (root / "img_channel001_position001_time000000002_z000.tif").unlink()
    last = root / "img_channel000_position001_time000000007_z000.tif"
    last.write_bytes(last.read_bytes()[:-10])
    return settings


def write_metamorph(root: Path) -> dict[str, Any]:
    """Frame 2, the third, was missed; of the last frame one channel was written, and the other is an empty file."""
    for t, c in np.ndindex(N_FRAMES, 2):
        path = root / f"exp_w{c + 1}CSU_{c}_s1_t{t + 1}.TIF"
        if t == N_FRAMES - 1 and c == 1:
            path.touch()
        elif t != 2:
            tifffile.imwrite(path, IMAGE_TCYX[t, c])
    return {"layout": "file_pattern", "pattern": "metamorph", "frame_interval_min": 5, "channels": CHANNELS}


def write_incucyte(root: Path) -> dict[str, Any]:
    """A scan was missed, so that the stamps leap; a channel of the last was skipped."""
    for t, c in np.ndindex(N_FRAMES, 2):
        if t != 2 and (t, c) != (N_FRAMES - 1, 1):
            name = f"{CHANNELS[c]}_A1_1_2020y03m{28 + t // 2}d_{12 * (t % 2):02d}h00m.tif"
            tifffile.imwrite(root / name, IMAGE_TCYX[t, c])
    return {"layout": "file_pattern", "pattern": "incucyte"}


def write_ome_tiff(root: Path) -> dict[str, Any]:
    """The description lists eight frames, but nothing of frame 2, and stops before the last."""
    blocks, number = "", 0
    for t, c in np.ndindex(N_FRAMES - 1, 2):
        if t != 2:
            blocks += f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="0" IFD="{number}" PlaneCount="1"/>'
            number += 1
    named = "".join(f'<Channel ID="Channel:0:{i}" Name="{name}"/>' for i, name in enumerate(CHANNELS))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        f'SizeC="2" SizeT="{N_FRAMES}" TimeIncrement="5" TimeIncrementUnit="min">{named}{blocks}</Pixels></Image></OME>'
    )
    pages = np.delete(IMAGE_TCYX[:-1], 2, axis=0).reshape(-1, 6, 7)
    tifffile.imwrite(root / "A01.ome.tif", pages, description=text.encode(), metadata=None, photometric="minisblack")
    return {"layout": "tiff_stacks"}


def write_ome_set(root: Path) -> dict[str, Any]:
    """A set of a file each frame, of which two were not copied."""
    for t in range(N_FRAMES):
        blocks = "".join(
            f'<TiffData FirstT="{i}" FirstC="0" FirstZ="0" IFD="0" PlaneCount="2"><UUID FileName="A{i}.ome.tif">'
            f"urn:uuid:{i}</UUID></TiffData>"
            for i in range(N_FRAMES)
        )
        text = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{t}"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" SizeC="2" '
            f'SizeT="{N_FRAMES}">{blocks}</Pixels></Image></OME>'
        )
        options = {"description": text.encode(), "metadata": None, "photometric": "minisblack"}
        tifffile.imwrite(root / f"A{t}.ome.tif", IMAGE_TCYX[t], **options)
    (root / "A2.ome.tif").unlink()
    (root / "A7.ome.tif").unlink()
    return {"layout": "tiff_stacks", "channels": CHANNELS, "frame_interval_min": 5, "files": "A*"}


def write_ome_zarr(root: Path) -> dict[str, Any]:
    """A chunk of frame 2 was not copied, and the last frame never written."""
    settings = stored_images.write_ome_zarr(root, IMAGE_TCYX[:, None])
    shutil.rmtree(root / "pos1.ome.zarr/0/7")
    (root / "pos1.ome.zarr/0/2/0/1/0/0").unlink()
    return settings


@pytest.mark.parametrize(
    "write", [write_micromanager, write_metamorph, write_incucyte, write_ome_tiff, write_ome_set, write_ome_zarr]
)
def test_what_is_whole_is_kept(tmp_path: Path, write: Writer) -> None:
    settings = write(tmp_path)
    folder = RecordingFolder(tmp_path)
    with pytest.raises(InputError, match=r"set recordings\.on_missing_frames to 'cut' or 'gap'"):
        open_recordings(folder, RecordingSettings.model_validate(settings))
    for choice, n_frames, missing in (("cut", 2, "2-7"), ("gap", 7, "2, 7")):
        asked = RecordingSettings.model_validate({**settings, "on_missing_frames": choice})
        recordings, files, _, remarks = open_with_remarks(folder, asked)
        assert recordings["n_frames"].tolist() == [n_frames]
        assert recordings["missing_frames"].tolist() == [missing]
        assert remarks[remarks["check"] == "missing_frames"]["frame"].tolist() == [2]
        told = remarks["finding"].iloc[0]
        assert told.startswith(f"Recording '{recordings['recording_id'].iloc[0]}' is read without frame(s) {missing}: ")
        (recording,) = lazy_recordings(folder, recordings, files)
        recording = pickle.loads(pickle.dumps(recording))
        whole = [frame for frame in range(n_frames) if frame != 2]
        assert sorted(files["frame"].unique()) == whole
        assert recording.n_frames == n_frames
        assert recording.missing_frames == read_ranges(missing)
        for frame in whole:
            assert_array_equal(recording.read_frame(frame), IMAGE_TCYX[frame], strict=True)
        for frame in (2, 7):
            with pytest.raises(InputError, match=r"is missing|does not exist"):
                recording.read_frame(frame)


def write_cut_short(path: Path, share: float = 0.6, **options: Any) -> None:
    tifffile.imwrite(path, IMAGE_TCYX.reshape(-1, 6, 7), photometric="minisblack", **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def write_described(path: Path, n_pages: int) -> None:
    """Write fewer pages than ImageJ's description says, as a program that stopped."""
    text = f"ImageJ=1.53t\nimages={2 * N_FRAMES}\nchannels=2\nframes={N_FRAMES}\nhyperstack=true\nmode=grayscale\n"
    pages = IMAGE_TCYX.reshape(-1, 6, 7)[:n_pages]
    tifffile.imwrite(path, pages, photometric="minisblack", metadata=None, description=text)


@pytest.mark.parametrize(
    ("write", "axes"),
    [
        (lambda path: write_described(path, 9), None),
        (lambda path: write_described(path, 8), None),
        (lambda path: write_cut_short(path, metadata=None, compression="zlib"), "TCYX"),
        (lambda path: write_cut_short(path, compression="zlib"), "TCYX"),
        (lambda path: write_cut_short(path, 0.22), "TCYX"),
    ],
)
def test_stacks_that_end_early_are_cut(tmp_path: Path, write: Callable[[Path], None], axes: str | None) -> None:
    write(tmp_path / "A01.tif")
    settings = {"layout": "tiff_stacks", "channels": CHANNELS, "frame_interval_min": 5, "file_axes": axes}
    folder = RecordingFolder(tmp_path)
    with pytest.raises(InputError, match=r"set recordings\.on_missing_frames to 'cut' or 'gap'"):
        open_recordings(folder, RecordingSettings.model_validate(settings))
    asked = RecordingSettings.model_validate({**settings, "on_missing_frames": "cut"})
    recordings, files, _ = open_recordings(folder, asked)
    (recording,) = lazy_recordings(folder, recordings, files)
    assert recording.n_frames in (2, 3, 4)
    found = np.stack([recording.read_frame(frame) for frame in range(recording.n_frames)])
    assert_array_equal(found, IMAGE_TCYX[: recording.n_frames], strict=True)
    assert min(recording.missing_frames) == recording.n_frames


@pytest.mark.parametrize(("choice", "n_frames", "missing"), [("cut", 2, "2-5"), ("gap", 6, "2")])
def test_numbered_and_listed_images(tmp_path: Path, choice: str, n_frames: int, missing: str) -> None:
    ctc_folder.write_ctc_folder(tmp_path / "ctc")
    (tmp_path / "ctc/01/t002.tif").unlink()
    coco_folder.write_coco_folder(tmp_path / "coco")
    (tmp_path / "coco/images/001/0002.tif").write_bytes(b"")
    shared = {"frame_interval_min": 5, "on_missing_frames": choice}
    of_ctc = {"layout": "cell_tracking_challenge", "channels": ("h2b",), "labels": "silver_truth", **shared}
    recordings, files, _ = open_recordings(RecordingFolder(tmp_path / "ctc"), RecordingSettings.model_validate(of_ctc))
    assert recordings[["n_frames", "missing_frames"]].to_numpy().tolist() == [[n_frames, missing]]
    (recording,) = lazy_recordings(RecordingFolder(tmp_path / "ctc"), recordings, files)
    last = recording.label_paths[n_frames - 1]
    assert last is not None
    assert last.name == f"man_seg{n_frames - 1:03d}.tif"
    of_coco = {"layout": "coco_vid", "channels": coco_folder.CHANNELS, **shared}
    recordings, _, _ = open_recordings(RecordingFolder(tmp_path / "coco"), RecordingSettings.model_validate(of_coco))
    assert recordings["missing_frames"].fillna("").tolist() == [missing.replace("5", "7"), ""]
    assert recordings["n_frames"].tolist() == [2 if choice == "cut" else 8, 8]


def test_a_recording_without_a_whole_frame_is_refused(tmp_path: Path) -> None:
    for t in range(3):
        (tmp_path / f"e_s1_t{t}.tif").write_bytes(b"no image")
    for choice in ("cut", "gap"):
        settings = {"layout": "file_pattern", "pattern": "metamorph", "frame_interval_min": 5}
        with pytest.raises(InputError, match=r"No frame of recording 'e_1' can be kept: File .*e_s1_t0\.tif is not"):
            open_recordings(
                RecordingFolder(tmp_path), RecordingSettings.model_validate({**settings, "on_missing_frames": choice})
            )


@pytest.mark.parametrize("frames", [[], [0], [0, 1], [5, 7, 8, 11]])
def test_ranges_are_read_as_they_were_written(frames: list[int]) -> None:
    assert sorted(read_ranges(write_ranges(frames))) == frames
    assert read_ranges(float("nan")) == frozenset()
