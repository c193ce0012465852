"""Multi-page TIFF, ImageJ hyperstacks and OME-TIFF: a recording each file, or each image of an OME file or set."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.file_search import check_inside, find_files, name_root, recording_name
from cellfate.imaging.folder_contents import TIFF_ENDINGS
from cellfate.imaging.headers import Examined, FrameFile, Looked, Remark, StackHeader, check_sizes, damaged, look
from cellfate.imaging.missing_frames import advise, leave_out_frames
from cellfate.imaging.ome_xml import COMPANION, ome_file_names, ome_text
from cellfate.imaging.planes import ZChoice, check_plane
from cellfate.imaging.reopening import Reopened
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.tiff_axes import label_axes
from cellfate.imaging.tiff_metadata import read_facts
from cellfate.imaging.tiff_pages import check_pages
from cellfate.imaging.tiff_series import TiffSeries, open_series


@dataclass(frozen=True)
class TiffStack(Reopened):
    """Frames of one image of a TIFF file.

    The pages are found when the first frame is read, and again in every process that it is sent to; the file is open
    while a frame is read.

    Attributes
    ----------
    path : Path
        The file.
    scene : int
        Number of the image in the file.
    axes : str
        Axes of the image, as when it was opened.
    n_frames, n_channels : int
        Sizes of T and C.
    z : 'max' or int
        Planes that are used.
    whole : bool
        Whether every page must be there.
    """

    path: Path
    scene: int
    axes: str
    n_frames: int
    n_channels: int
    z: ZChoice
    whole: bool = True

    def place(self, frame: int) -> str:
        """Name the file."""
        return str(self.path)

    def read(self, frame: int) -> NDArray[Any]:
        """Decode the pages of one frame, as `FrameSource.read`."""
        with self._lock:
            try:
                return self._read(frame)
            except InputError:
                raise
            except Exception as error:  # as in open_series: a file that has changed since it was opened
                raise InputError(damaged(self.path, error)) from error

    def _read(self, frame: int) -> NDArray[Any]:
        series = self._series
        n_frames = series.size("T") if self.whole else min(series.size("T"), self.n_frames)
        if n_frames != self.n_frames or series.n_channels != self.n_channels:
            raise InputError(
                f"File {self.path} has {series.size('T')} frames of {series.n_channels} channel(s), but "
                f"{self.n_frames} of {self.n_channels} were found when it was opened; run data_processing again."
            )
        return series.read_frame(frame, self.z)

    @cached_property
    def _series(self) -> TiffSeries:
        found = open_series(self.path, self.whole)
        if self.scene >= len(found):
            raise InputError(f"File {self.path} has no image {self.scene} any more; run data_processing again.")
        return label_axes(self.path, found[self.scene], self.axes, self.n_channels, self.whole)


def look_at_stacks(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Look at every TIFF of a folder; as `opening.LookAt`."""
    seen: set[Path] = set()
    found = find_files(root, settings, TIFF_ENDINGS)
    paths = [path for path in found if not path.name.endswith(COMPANION)]
    if not paths:
        raise InputError(f"File {found[0]} describes the images of a set; name the images in recordings.files.")
    for path in paths:
        if path in seen:  # a file of an OME-TIFF set that was opened by its first file
            continue
        name = recording_name(name_root(root, settings.files), path, TIFF_ENDINGS)
        place = path.relative_to(root).as_posix()
        try:
            check_inside(root, name, [place])
            images = open_series(path, settings.on_missing_frames == "stop")
            seen |= _files_of_set(path, images)
        except InputError as error:
            yield Looked(name, place, _advise(path, error, settings))
            continue
        for scene, image in enumerate(images):
            called = name if len(images) == 1 else f"{name}_{scene}"
            surplus = _tell_surplus(images) if scene == 0 else ()
            yield look(called, place, partial(_examine, root, called, path, scene, image, settings, surplus))


def _files_of_set(path: Path, images: list[Any]) -> set[Path]:
    text = ome_text(images[0].keyframe.parent) if images[0].kind == "ome" else ""
    if text:
        return {path.with_name(name) for name in ome_file_names(text)}
    pages = (page for image in images if image.is_multifile for page in image if page is not None)
    return {path.with_name(page.parent.filehandle.name) for page in pages}


def _tell_surplus(images: list[Any]) -> tuple[Remark, ...]:
    """Tell of pages that are in the files but that no image takes in, since the description states fewer."""
    if images[0].kind in ("uniform", "generic"):  # nothing is stated
        return ()
    if any(image.is_multifile for image in images):
        pages = [page for image in images for page in image if page is not None]
        stated, files = len(pages), list({id(page.parent): page.parent for page in pages}.values())
    else:
        stated = sum(math.prod(image.shape[: image.ndim - image.keyframe.ndim]) for image in images)
        files = [images[0].keyframe.parent]
    held = sum(len(file.pages) for file in files)
    if held <= stated:
        return ()
    text = f"has {held} pages in its file(s), but their description states {stated}, and the others are left out"
    return (Remark("other_facts", f"{text}; if they are frames, save it anew with the program that made it"),)


def _examine(
    root: Path,
    name: str,
    path: Path,
    scene: int,
    image: Any,
    settings: RecordingSettings,
    remarks_of_file: tuple[Remark, ...],
) -> Examined:
    whole = settings.on_missing_frames == "stop"
    n_channels = len(settings.channels) if settings.channels else None
    labelled = label_axes(path, image, settings.file_axes, n_channels, whole)
    check_plane(str(path), settings.z, labelled.size("Z"))
    header = StackHeader(
        n_frames=labelled.size("T"),
        n_channels=labelled.n_channels,
        n_planes=labelled.size("Z"),
        height_px=labelled.size("Y"),
        width_px=labelled.size("X"),
        dtype=str(labelled.dtype),
        **read_facts(image, scene),
    )
    check_sizes(f"File {path}", header, settings.max_frame_mb)
    n_frames, missing, remarks = _leave_out(name, labelled, settings)
    header = replace(header, n_frames=n_frames, times_min=header.times_min[:n_frames])
    frame_files = tuple(
        FrameFile(frame, file.relative_to(root).as_posix())
        for frame in range(n_frames)
        if frame not in missing
        for file in labelled.files_of_frame(frame)
    )
    check_inside(root, path.name, (file.file_name for file in frame_files))
    reopening = {"image_format": "tiff_stack", "scene": str(scene), "file_axes": labelled.axes}
    return Examined(header, frame_files, reopening, missing, (*remarks_of_file, *remarks))


def _find_break(path: Path) -> InputError | None:
    try:
        check_pages(path)
    except InputError as error:
        return error
    return None


def _advise(path: Path, error: InputError, settings: RecordingSettings) -> InputError:
    """Add to an error of a file how to go on without the frames that it lacks, where that works."""
    if settings.on_missing_frames == "stop" and path.is_file():
        try:
            open_series(path, whole=False)
        except InputError:
            return error
        return advise(error)
    return error


def _leave_out(
    name: str, labelled: TiffSeries, settings: RecordingSettings
) -> tuple[int, tuple[int, ...], tuple[Remark, ...]]:
    n_frames, whole = labelled.size("T"), settings.on_missing_frames == "stop"
    faults: dict[int, InputError] = {}
    for frame, fault in labelled.find_faults(whole):
        faults.setdefault(frame, fault)
        if whole:
            break
    broken = None if whole or labelled.pages.is_multifile else _find_break(labelled.path)
    if broken is not None and not faults:  # how many frames there should be is not known
        faults, n_frames = {n_frames: broken}, n_frames + 1
    return leave_out_frames(name, n_frames, faults, settings)
