"""Vendor files through bioio: a reader made here stands for the vendors', whose files are not at hand."""

import datetime as dt
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings, vendor_files
from tests.cases import stored_images

bioio = pytest.importorskip("bioio", reason="the extra formats is not installed")
xarray = pytest.importorskip("xarray")

SCENES = [np.moveaxis(stored_images.make_image(seed=seed), 1, 2) for seed in (1, 2)]
"""Axes T, C, Z, Y, X."""


def make_reader(**changes: Any) -> type:
    """A bioio reader of an invented format: the file holds nothing, the pixels are `SCENES`."""
    import dask.array as da
    from bioio_base.reader import Reader
    from bioio_base.types import PhysicalPixelSizes

    class InventedReader(Reader):
        decoded: list[tuple[int, ...]] = []  # noqa: RUF012

        def __init__(self, image: Any, **_: Any) -> None:
            self._fs, self._path = None, str(image)
            if Path(image).read_bytes() != b"invented":
                raise ValueError("no such\nfile")

        @staticmethod
        def _is_supported_image(fs: Any, path: str, **_: Any) -> bool:
            return True

        @property
        def scenes(self) -> tuple[str, ...]:
            return ("Pos 1", "Pos 2")

        def _read_delayed(self) -> Any:
            pixels = SCENES[self.current_scene_index]
            lazy = da.from_array(pixels, chunks=(1, 1, *pixels.shape[2:]))
            lazy = lazy.map_blocks(self._note, dtype=pixels.dtype)
            names = {"C": changes.get("names", list(stored_images.CHANNELS))}
            return xarray.DataArray(lazy, dims=list("TCZYX"), coords=names)

        def _note(self, block: Any, block_info: Any = None) -> Any:
            if block_info:
                self.decoded.append(tuple(block_info[0]["chunk-location"][:2]))
            return block

        def _read_immediate(self) -> Any:
            return self._read_delayed().compute()

        @property
        def physical_pixel_sizes(self) -> Any:
            return PhysicalPixelSizes(None, 0.5, changes.get("size", 0.5))

        @property
        def time_interval(self) -> Any:
            return changes.get("interval", dt.timedelta(minutes=10))

    return InventedReader


def open_invented(
    root: Path, monkeypatch: pytest.MonkeyPatch, reader: type, **changes: Any
) -> tuple[Any, list[Any], Any]:
    monkeypatch.setattr(bioio, "BioImage", functools.partial(bioio.BioImage, reader=reader))
    folder = RecordingFolder(root)
    settings = RecordingSettings.model_validate({"layout": "vendor", **changes})
    recordings, files, set_aside = open_recordings(folder, settings)
    return recordings, list(lazy_recordings(folder, recordings, files)), set_aside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exp.nd2").write_bytes(b"invented")
    return tmp_path


def test_every_scene_is_a_recording(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = make_reader()
    recordings, opened, _ = open_invented(folder, monkeypatch, reader)
    assert recordings["recording_id"].tolist() == ["exp_0", "exp_1"]
    assert recordings["channels"].tolist() == ["h2b|p53"] * 2
    assert recordings[["frame_interval_min", "pixel_size_um"]].to_numpy().tolist() == [[10, 0.5]] * 2
    for scene, recording in zip(SCENES, opened, strict=True):
        assert_array_equal(recording.read_frame(2), scene[2].max(axis=1), strict=True)
    _, opened, _ = open_invented(folder, monkeypatch, reader, z=1)
    assert_array_equal(opened[1].read_frame(3), SCENES[1][3, :, 1], strict=True)


def test_a_frame_costs_only_its_own_planes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader: Any = make_reader()
    _, opened, _ = open_invented(folder, monkeypatch, reader)
    reader.decoded.clear()
    opened[0].read_frame(2)
    assert sorted(reader.decoded) == [(2, 0), (2, 1)]


@pytest.mark.parametrize("interval", [None, dt.timedelta(0), -1.0])
def test_an_interval_that_the_file_does_not_say_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, interval: Any
) -> None:
    reader = make_reader(interval=interval, size=None)
    with pytest.raises(InputError, match=r"in recordings\.frame_interval_min"):
        open_invented(folder, monkeypatch, reader)
    recordings, _, _ = open_invented(folder, monkeypatch, reader, frame_interval_min=15)
    assert recordings["frame_interval_min"].tolist() == [15, 15]
    assert recordings["pixel_size_um"].isna().all()


def test_a_damaged_file_is_set_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "torn.czi").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"torn\.czi cannot be read by bioio \(BioImage does not support"):
        open_invented(folder, monkeypatch, make_reader())
    recordings, _, set_aside = open_invented(folder, monkeypatch, make_reader(), on_bad_recording="skip")
    assert len(recordings) == 2
    assert set_aside["recording_id"].tolist() == ["torn"]


@pytest.mark.parametrize("suffix", ["nd2", "czi", "lif"])
def test_the_real_plugins_turn_garbage_into_an_input_error(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"exp.{suffix}").write_bytes(b"not a file of a vendor" * 50)
    settings = RecordingSettings.model_validate({"layout": "vendor", "frame_interval_min": 1})
    with pytest.raises(InputError, match=rf"exp\.{suffix} cannot be read by bioio"):
        open_recordings(RecordingFolder(tmp_path), settings)


def test_without_bioio_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bioio", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[formats\]'"):
        vendor_files.open_vendor_file(folder / "exp.nd2")
