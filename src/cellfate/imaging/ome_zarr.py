"""OME-Zarr 0.4 and 0.5, from a folder or an fsspec URL: a recording each image."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_system_file
from cellfate.imaging.file_search import check_inside, find_files, name_root, recording_name
from cellfate.imaging.headers import ADVICE, Examined, FrameFile, Looked, StackHeader, check_sizes, first_line, look
from cellfate.imaging.missing_frames import leave_out_frames
from cellfate.imaging.ome_zarr_metadata import ZarrImage, inner_path, ome_attributes, read_image
from cellfate.imaging.one_frame import check_one_frame
from cellfate.imaging.planes import ZChoice, check_plane, project
from cellfate.imaging.reopening import Reopened
from cellfate.imaging.settings import RecordingSettings

if TYPE_CHECKING:
    import zarr

_ENDING = (".zarr",)


@dataclass(frozen=True)
class OmeZarr(Reopened):
    """Frames of one image of an OME-Zarr group.

    Attributes
    ----------
    group : str
        Folder or fsspec URL of the outermost group.
    scene : str
        Path of the image in it; `.` for itself.
    n_frames : int
        Size of T.
    z : 'max' or int
        Planes that are used.
    missing_chunks : str
        `error`: a chunk that is not there is an error; `empty`: it reads as the array's fill value.
    file_axes : str or None
        Axes that a person gave; None: as the image says.
    """

    group: str
    scene: str
    n_frames: int
    z: ZChoice
    missing_chunks: str
    file_axes: str | None = None

    def place(self, frame: int) -> str:
        """Name the image."""
        return self.group if self.scene == "." else f"{self.group}/{self.scene}"

    def read(self, frame: int) -> NDArray[Any]:
        """Read the chunks of one frame, as `FrameSource.read`."""
        image, array = self._array
        sizes = _sizes(image, array)
        chosen: dict[str, Any] = {"T": frame, "?": 0}
        if self.z != "max" and "Z" in sizes:
            chosen["Z"] = slice(self.z, self.z + 1)
        kept = "".join(axis for axis in image.axes if axis not in "T?")
        try:
            pixels = np.asarray(array[tuple(chosen.get(axis, slice(None)) for axis in image.axes)])
        except Exception as error:  # zarr and its codecs raise errors of many kinds on damaged chunks
            raise InputError(_damaged(self.place(frame), f"a chunk of frame {frame}", error)) from error
        order = [kept.index(axis) for axis in "CZYX" if axis in kept]
        pixels = pixels.transpose(order)
        for place, axis in enumerate("CZ"):
            pixels = pixels if axis in kept else np.expand_dims(pixels, place)
        return project(pixels, "max")

    @cached_property
    def _array(self) -> "tuple[ZarrImage, zarr.Array[Any]]":
        try:
            return _open_image(self.group, self.scene, self.missing_chunks, self.file_axes)
        except InputError:
            raise
        except Exception as error:  # as above
            raise InputError(_damaged(self.place(0), "its description", error)) from error


def look_at_zarr(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Look at every OME-Zarr group of a folder or URL; as `opening.LookAt`."""
    for name, place in _find_groups(root, settings):
        group = place if "://" in place else str(root / place)
        try:
            if "://" not in place:
                check_inside(root, name, [place])
            scenes = _list_scenes(group)
        except InputError as error:
            yield Looked(name, place, error)
            continue
        for scene in scenes:
            called = name if len(scenes) == 1 else f"{name}_{scene.replace('/', '_')}"
            yield look(called, place, partial(_examine, root, called, place, group, scene, settings))


def _find_groups(root: Path, settings: RecordingSettings) -> list[tuple[str, str]]:
    if settings.images_url is not None:
        return _list_url(settings.images_url.rstrip("/"), settings.files)
    if settings.files is None and root.suffix == ".zarr":
        return [(recording_name(root.parent, root, _ENDING), ".")]
    return [
        (recording_name(name_root(root, settings.files), path, _ENDING), path.relative_to(root).as_posix())
        for path in find_files(root, settings, _ENDING)
    ]


def _list_url(url: str, files: str | None) -> list[tuple[str, str]]:
    import fsspec

    if url.endswith(".zarr"):
        return [(_bare_name(url.rpartition("/")[2]), url)]
    try:
        system, path = fsspec.core.url_to_fs(url)
        found = system.glob(f"{path}/{files}") if files else system.ls(path, detail=False)
    except Exception as error:  # file systems raise errors of their own
        raise InputError(
            f"The URL {url} cannot be listed ({error}); correct recordings.images_url, or give a group's URL."
        ) from error
    start = path.rstrip("/") + "/"
    names = sorted(str(place).rstrip("/").removeprefix(start) for place in found)
    names = [name for name in names if (files or name.endswith(_ENDING)) and not is_system_file(name)]
    if not names:
        raise InputError(
            f"The URL {url} holds no group that ends with .zarr; correct recordings.images_url and recordings.files."
        )
    return [(_bare_name(name.replace("/", "_")), f"{url}/{name}") for name in names]


def _bare_name(name: str) -> str:
    return name.removesuffix(".zarr").removesuffix(".ome")


def _list_scenes(group: str) -> list[str]:
    """Paths of the images in a group: itself, the fields of a plate, or the series that bioformats2raw makes."""
    from cellfate.imaging.zarr_stores import open_group

    try:
        opened = open_group(group, "error")
        ome = ome_attributes(dict(opened.attrs))
        if "multiscales" in ome:
            return ["."]
        if "plate" in ome:
            return [
                f"{inner_path(well['path'])}/{inner_path(field['path'])}"
                for well in ome["plate"]["wells"]
                for field in ome_attributes(dict(opened[well["path"]].attrs))["well"]["images"]
            ]
        series = list(itertools.takewhile(lambda name: name in opened, map(str, itertools.count())))
    except Exception as error:  # zarr raises errors of many kinds on damaged descriptions
        raise InputError(_damaged(group, "its description", error)) from error
    if not series:
        raise InputError(_damaged(group, "its description", "it has neither multiscales nor a plate"))
    return series


def _open_image(
    group: str, scene: str, missing_chunks: str, file_axes: str | None
) -> "tuple[ZarrImage, zarr.Array[Any]]":
    import zarr

    from cellfate.imaging.zarr_stores import open_group, watch_blosc

    opened: Any = open_group(group, missing_chunks)
    if scene != ".":
        opened = opened[scene]
    ome = ome_attributes(dict(opened.attrs))
    place = group if scene == "." else f"{group}/{scene}"
    _check_version(ome, place)
    image = read_image(ome)
    array = opened[image.array_path]
    if not isinstance(array, zarr.Array) or array.ndim != len(image.axes):
        raise ValueError(f"its axes are {image.axes} but {image.array_path} is no array of so many")
    watch_blosc(array)
    return (image if file_axes is None else replace(image, axes=_given_axes(place, image.axes, file_axes))), array


def stated_axes(group: str) -> tuple[str, tuple[int, ...]]:
    """Axes of the first image of a group as it says them, and their sizes.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    image, array = OmeZarr(group, _list_scenes(group)[0], 0, "max", "empty")._array
    kept = [(axis, size) for axis, size in zip(image.axes, array.shape, strict=True) if axis != "?"]
    return "".join(axis for axis, _ in kept), tuple(size for _, size in kept)


def _given_axes(place: str, axes: str, given: str) -> str:
    """Name the axes of an image as a person does; others of size 1 keep their place."""
    letters = axes.replace("?", "")
    if len(given) != len(letters) or any(given.index(axis) != letters.index(axis) for axis in "YX"):
        raise InputError(
            f"Parameter recordings.file_axes is {given}, but OME-Zarr image {place} has the axes {letters}; give other "
            f"names for these {len(letters)} axes with Y and X in their place, or null if the image says them right."
        )
    named = iter(given)
    return "".join(axis if axis == "?" else next(named) for axis in axes)


def _check_version(ome: dict[str, Any], place: str) -> None:
    multiscale = ome["multiscales"][0]
    version = str(multiscale.get("version", ome.get("version", "")))
    if "axes" not in multiscale and version in ("", "0.1", "0.2"):
        raise InputError(
            f"OME-Zarr image {place} is of version {version or '0.1 or 0.2'}, which does not name its axes, but 0.3 to "
            "0.5 were expected; write it anew, for example with bioformats2raw or ome-zarr-py."
        )


def _sizes(image: ZarrImage, array: "zarr.Array[Any]") -> dict[str, int]:
    return dict(zip(image.axes, array.shape, strict=True))


def _examine(root: Path, name: str, place: str, group: str, scene: str, settings: RecordingSettings) -> Examined:
    source = OmeZarr(group, scene, 0, settings.z, settings.missing_chunks, settings.file_axes)
    image, array = source._array
    sizes = _sizes(image, array)
    others = math.prod(size for axis, size in zip(image.axes, array.shape, strict=True) if axis == "?")
    if others != 1 or min(array.shape) < 1:
        raise InputError(
            f"OME-Zarr image {source.place(0)} has axes {image.axes} of shape {array.shape}, but t, c, z, y and x were "
            f"expected; {ADVICE}"
        )
    named = len(settings.channels) if settings.channels else None
    lengths = [sizes[axis] for axis in image.axes if axis != "?"]
    where = f"OME-Zarr image {source.place(0)}"
    check_one_frame(where, image.axes.replace("?", ""), lengths, settings.file_axes, named)
    check_plane(source.place(0), settings.z, sizes.get("Z", 1))
    header = StackHeader(
        n_frames=sizes.get("T", 1),
        n_channels=sizes.get("C", 1),
        n_planes=sizes.get("Z", 1),
        height_px=sizes["Y"],
        width_px=sizes["X"],
        dtype=str(np.dtype(array.dtype).newbyteorder("=")),
        channels=image.channels,
        frame_interval_min=image.frame_interval_min,
        pixel_size_um=image.pixel_size_um,
        pixel_sides_um=image.pixel_sides_um,
    )
    check_sizes(where, header, settings.max_frame_mb)
    faults: dict[int, InputError] = {}
    if "://" not in group:
        check_inside(root, place, [f"{place}/{scene}/{image.array_path}"])
        if settings.missing_chunks == "error":
            faults = _find_missing(Path(group, scene, image.array_path), image, array, settings)
    n_frames, missing, remarks = leave_out_frames(name, header.n_frames, faults, settings)
    header = replace(header, n_frames=n_frames)
    reopening = {"image_format": "ome_zarr", "scene": scene, "missing_chunks": settings.missing_chunks}
    reopening |= {} if settings.file_axes is None else {"file_axes": image.axes.replace("?", "")}
    files = tuple(FrameFile(frame, place) for frame in range(n_frames) if frame not in missing)
    return Examined(header, files, reopening, missing, remarks)


def _find_missing(
    folder: Path, image: ZarrImage, array: "zarr.Array[Any]", settings: RecordingSettings
) -> dict[int, InputError]:
    """Find on a local disk the frames of which a chunk, or shard, has no file; one is enough if none may be missing."""
    steps = getattr(array, "shards", None) or array.chunks
    counts = [math.ceil(size / step) for size, step in zip(array.shape, steps, strict=True)]
    faults: dict[int, InputError] = {}
    for place in np.ndindex(*counts):
        if not (folder / array.metadata.encode_chunk_key(place)).is_file():
            starts = {axis: at * step for axis, at, step in zip(image.axes, place, steps, strict=True)}
            fault = _missing(str(folder), _words(starts))
            n_frames, step = (
                dict(zip(image.axes, numbers, strict=True)).get("T", 1) for numbers in (array.shape, steps)
            )
            first = starts.get("T", 0)
            faults |= {frame: fault for frame in range(first, min(first + step, n_frames)) if frame not in faults}
            if settings.on_missing_frames == "stop":
                break
    return faults


def _words(starts: dict[str, int]) -> str:
    words = {"T": "frame", "C": "channel", "Z": "plane"}
    return ", ".join(f"{words[axis]} {start}" for axis, start in starts.items() if axis in words) or "its one frame"


def _missing(place: str, where: str) -> InputError:
    return InputError(
        f"OME-Zarr image {place} has no chunk of {where}; copy it again, or set recordings.missing_chunks to "
        "'empty' if its writer leaves out chunks in which all pixels are 0."
    )


def _damaged(place: str, part: str, cause: object) -> str:
    if type(cause).__name__ == "MissingChunkError":
        return str(_missing(place, f"{part.removeprefix('a chunk of ')} ({cause})"))
    return f"OME-Zarr image {place} cannot be read: {part} is damaged or missing ({first_line(cause)}); {ADVICE}"
