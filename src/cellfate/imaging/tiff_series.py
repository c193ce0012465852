"""An image of many pages in a TIFF file, or in a set of OME-TIFF files: which page holds which plane."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE, damaged, first_line
from cellfate.imaging.ome_xml import check_ome, ome_file_names, ome_text
from cellfate.imaging.planes import ZChoice, project
from cellfate.imaging.tiff_pages import check_pages


@dataclass(frozen=True, eq=False)
class TiffSeries:
    """One image of a TIFF file; its file is closed but while a frame is read.

    Attributes
    ----------
    path : Path
        The file.
    pages : tifffile.TiffPageSeries
        Its pages.
    axes : str
        Axes of the image, slowest first, of the letters T, C, Z, Y, X and S (samples of a pixel).
    shape : tuple of int
        Sizes of the axes.
    """

    path: Path
    pages: tifffile.TiffPageSeries
    axes: str
    shape: tuple[int, ...]

    def size(self, letter: str) -> int:
        """Size of an axis; 1 if there is none."""
        return self.shape[self.axes.index(letter)] if letter in self.axes else 1

    @property
    def n_channels(self) -> int:
        """Channels, or samples of a pixel."""
        return self.size("C") * self.size("S")

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Pixel type in native byte order."""
        return np.dtype(self.pages.dtype).newbyteorder("=")

    def check_complete(self) -> None:
        """Check that every page is there and lies within its file; an InputError names the first that is not."""
        for _, fault in self.find_faults():
            raise fault

    def find_faults(self, whole: bool = True) -> Iterator[tuple[int, InputError]]:
        """Find the pages that are not there, or do not lie within their file: the frame of each, and the fault.

        Every file of a set must be whole if `whole`.
        """
        for path in sorted({self._file_of(page) for page in self.pages if page} if self.pages.is_multifile else ()):
            check_pages(path, whole)
        sizes: dict[Path, int] = {}
        offset = self._direct_offset
        n_pages = math.prod(self._leading)
        if offset is not None:
            n_bytes = max(self.path.stat().st_size - offset, 0)  # an offset may lie beyond the end of a damaged file
            n_whole = n_bytes // max(self.pages.keyframe.nbytes, 1)
            for index in range(n_whole, n_pages):
                where = self._describe(index)
                reason = f"pixels of {where} are missing: it is cut short or was not written whole"
                yield from self._of_frames(index, InputError(damaged(self.path, reason)))
            return
        for index in range(n_pages):
            try:
                page = self._page(index)
            except InputError as error:
                yield from self._of_frames(index, error)
                continue
            path = self._file_of(page)
            size = sizes.get(path) or sizes.setdefault(path, path.stat().st_size)
            starts, counts = page.dataoffsets, page.databytecounts
            ends = [start + count for start, count in zip(starts, counts, strict=False)]
            if not ends or len(starts) != len(counts) or max(ends) > size or min(counts) <= 0:
                reason = f"pixels of {self._describe(index)} are missing: it is cut short or not whole"
                yield from self._of_frames(index, InputError(damaged(path, reason)))

    def read_frame(self, frame: int, z: ZChoice) -> NDArray[Any]:
        """Decode the pages of one frame, each once: shape (C, Y, X), native dtype.

        Raises
        ------
        InputError
            If a page is missing or damaged.
        """
        shape_csyx = (self.size("C"), self.size("S"), self.size("Y"), self.size("X"))
        if self._frame_is_one_block and (z == "max" or self.size("Z") == 1):
            planes_czsyx = self._read_block(frame)
            return project(planes_czsyx.swapaxes(1, 2).reshape(-1, self.size("Z"), *shape_csyx[2:]), "max")
        if "Y" in self._leading_axes:
            return self._read_lines(frame, z)
        image_csyx = np.empty(shape_csyx, dtype=self.dtype)
        filled = np.zeros(self.size("C"), dtype=bool)
        for index, place in self._frame_pages(frame, z):
            planes_czsyx = self._decode(index, frame)
            if "Z" not in self._leading_axes:
                planes_czsyx = planes_czsyx if z == "max" else planes_czsyx[:, z : z + 1]
            plane_csyx = planes_czsyx.max(axis=1) if planes_czsyx.shape[1] > 1 else planes_czsyx[:, 0]
            channels = slice(None) if "C" not in self._leading_axes else slice(place["C"], place["C"] + 1)
            if filled[channels].any():
                np.maximum(image_csyx[channels], plane_csyx, out=image_csyx[channels])
            else:
                image_csyx[channels] = plane_csyx
                filled[channels] = True
        return image_csyx.reshape(-1, *shape_csyx[2:])

    def _read_lines(self, frame: int, z: ZChoice) -> NDArray[Any]:
        """Read a frame whose pages are lines of the image: so channels that stand last are often stored."""
        axes = self._leading_axes.replace("T", "")
        pages = [self._decode_page(index) for index, _ in self._frame_pages(frame, "max")]
        shape = tuple(self.size(axis) for axis in axes) + pages[0].shape
        planes_czsyx = self._arrange(np.stack(pages).reshape(shape), axes + self.page_axes)
        return project(planes_czsyx.swapaxes(1, 2).reshape(-1, self.size("Z"), *planes_czsyx.shape[3:]), z)

    def files_of_frame(self, frame: int) -> list[Path]:
        """Files that the pixels of a whole frame are in."""
        if not self.pages.is_multifile:
            return [self.path]
        return sorted({self._file_of(self._page(index)) for index, _ in self._frame_pages(frame, "max")})

    @property
    def page_axes(self) -> str:
        """Axes of one page."""
        return self.axes[len(self._leading) :]

    @property
    def _leading(self) -> tuple[int, ...]:
        return self.shape[: len(self.shape) - len(self.pages.keyframe.shape)]

    @property
    def _leading_axes(self) -> str:
        return self.axes[: len(self._leading)]

    def _file_of(self, page: Any) -> Path:
        same = page.parent is self.pages.keyframe.parent and not self.pages.is_multifile
        return self.path if same else self.path.with_name(page.parent.filehandle.name)

    def _frame_pages(self, frame: int, z: ZChoice) -> Iterator[tuple[int, dict[str, int]]]:
        chosen = {"T": range(frame, frame + 1), "C": range(self.size("C"))}
        chosen["Z"] = range(self.size("Z")) if z == "max" else range(z, z + 1)
        chosen["Y"] = range(self.size("Y"))
        axes = self._leading_axes
        for places in np.ndindex(*(len(chosen[axis]) for axis in axes)):
            place = {axis: chosen[axis][number] for axis, number in zip(axes, places, strict=True)}
            index = 0
            for axis, size in zip(axes, self._leading, strict=True):
                index = index * size + place[axis]
            yield index, place

    def _page(self, index: int) -> Any:
        try:
            page = self.pages[index]
        except (IndexError, tifffile.TiffFileError):  # no such page, or one that breaks off
            page = None
        if page is None:
            raise InputError(
                f"File {self.path} has no pixels of {self._describe(index)}: a page, or another file of its set, is "
                f"missing; add it, or {ADVICE}"
            )
        return page

    def _of_frames(self, index: int, fault: InputError) -> Iterator[tuple[int, InputError]]:
        """Say of a fault of a page which frames it is of: of all where the page holds all."""
        if "T" not in self._leading_axes:
            yield from ((frame, fault) for frame in range(self.size("T")))
            return
        yield int(np.unravel_index(index, self._leading)[self._leading_axes.index("T")]), fault

    def _describe(self, index: int) -> str:
        places = np.unravel_index(index, self._leading) if self._leading else ()
        words = {"T": "frame", "C": "channel", "Z": "plane"}
        named = [f"{words[axis]} {int(place)}" for axis, place in zip(self._leading_axes, places, strict=True)]
        return ", ".join(named) if named else "its one page"

    @property
    def _direct_offset(self) -> int | None:
        """Where uncompressed pixels begin that lie in one piece; None where they do not."""
        return None if self.pages.is_multifile else self.pages.dataoffset

    @property
    def _frame_is_one_block(self) -> bool:
        slowest = next((axis for axis, size in zip(self.axes, self.shape, strict=True) if size > 1), "T")
        return self._direct_offset is not None and (slowest == "T" or self.size("T") == 1)

    def _read_block(self, frame: int) -> NDArray[Any]:
        axes = self.axes.replace("T", "")
        shape = tuple(self.size(axis) for axis in axes)
        n_bytes = math.prod(shape) * self.dtype.itemsize
        return self._arrange(self._read_directly(frame * n_bytes, shape), axes)

    def _decode(self, index: int, frame: int) -> NDArray[Any]:
        key, axes = self.pages.keyframe, self.page_axes
        if self._direct_offset is not None:
            pixels = self._read_directly(index * key.nbytes, key.shape)
        else:
            pixels = self._decode_page(index)
        if "T" in axes:  # frames that were written as samples of a pixel
            pixels, axes = pixels.take(frame, axis=axes.index("T")), axes.replace("T", "")
        return self._arrange(pixels, axes)

    def _arrange(self, pixels: NDArray[Any], axes: str) -> NDArray[Any]:
        order = [axes.index(axis) for axis in "CZSYX" if axis in axes]
        shape = [self.size(axis) if axis in axes else 1 for axis in "CZSYX"]
        return np.asarray(pixels, dtype=self.dtype).transpose(order).reshape(shape)

    def _read_directly(self, start: int, shape: tuple[int, ...]) -> NDArray[Any]:
        stored = np.dtype(self.pages.dtype).newbyteorder(self.pages.keyframe.parent.byteorder)
        with self.path.open("rb") as file:
            file.seek((self._direct_offset or 0) + start)
            pixels = np.fromfile(file, dtype=stored, count=math.prod(shape))
        if pixels.size < math.prod(shape):
            raise InputError(damaged(self.path, "it is cut short"))
        return pixels.reshape(shape)

    def _decode_page(self, index: int) -> NDArray[Any]:
        page = self._page(index)
        handle = page.parent.filehandle
        try:
            handle.open()
            pixels = np.asarray(page.asarray())
            if pixels.shape != self.pages.keyframe.shape:
                raise ValueError(f"it decodes to shape {pixels.shape}")
        except Exception as error:  # the codecs raise errors of many kinds on damaged bytes
            where = self._describe(index)
            raise InputError(damaged(self._file_of(page), f"{where}: {first_line(error)}")) from error
        finally:
            handle.close()
        return pixels


def open_series(path: Path, whole: bool = True) -> list[tifffile.TiffPageSeries]:
    """Find the images of a TIFF file, several only where OME metadata say so; the file is closed again.

    Unless `whole`, an image may state more pages than there are.

    Raises
    ------
    InputError
        If the file is missing, damaged, or names files outside its folder.
    """
    n_pages = check_pages(path, whole)
    try:
        with tifffile.TiffFile(path, omexml=_companion_text(path, whole)) as tiff:
            series = list(tiff.series)
            series = series if whole else [_as_stated(tiff, series[0], n_pages), *series[1:]]
            described = tiff.is_ome or tiff.is_imagej
            found = len(tiff.pages) if whole else min(len(tiff.pages), n_pages)  # tifffile counts one that breaks off
    except InputError:
        raise
    except Exception as error:  # tifffile raises errors of many kinds on damaged headers
        raise InputError(damaged(path, first_line(error))) from error
    if found != n_pages or not series or not all(one.keyframe.shape for one in series):
        raise InputError(damaged(path, f"{found} of {n_pages} pages can be read"))
    if described and any(one.kind in ("uniform", "generic") for one in series):
        raise InputError(damaged(path, "its OME or ImageJ description does not fit its pages"))
    if len(series) > 1 and not all(one.kind == "ome" for one in series):
        raise InputError(f"File {path} holds {len(series)} images of different kinds, but one was expected; {ADVICE}")
    return series


def _companion_text(path: Path, whole: bool) -> str | None:
    """OME-XML of the companion file of a TIFF file; None: it has none. What it describes is checked."""
    with tifffile.TiffFile(path) as tiff:
        own, text = tiff.ome_metadata, ome_text(tiff)
    if own is not None:
        check_ome(path, text)
    if text == (own or ""):
        return None
    for other in sorted(path.with_name(name) for name in ome_file_names(text)):
        if other.is_file():  # tifffile would name another file, and leave this one open
            check_pages(other, whole)
    return text


def _as_stated(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, n_pages: int) -> tifffile.TiffPageSeries:
    """Give an image of which pages are missing the shape that its description states, else that of its whole pages."""
    axes, page = "", series.keyframe
    shape: tuple[int, ...] = ()
    said = tiff.imagej_metadata or {}
    if tiff.is_imagej and series.kind in ("uniform", "generic"):
        sizes = {"T": said.get("frames", 1), "Z": said.get("slices", 1), "C": said.get("channels", 1)}
        if math.prod(sizes.values()) != said.get("images"):
            sizes = {"T": said.get("images", 1)}
        axes = "".join(axis for axis, size in sizes.items() if size > 1)
        shape = tuple(size for size in sizes.values() if size > 1)
    elif series.kind == "shaped" and n_pages > math.prod(series.shape[: -len(page.shape)]):
        shape = tuple((tiff.shaped_metadata or ({},))[0].get("shape", ()))[: -len(page.shape)]
        axes = "Q" * len(shape)
    elif series.kind in ("uniform", "generic") and len(tiff.pages) > n_pages > 1:
        axes, shape = "I", (n_pages,)
    if math.prod(shape) <= 1:
        return series
    pages = [tiff.pages[number] for number in range(n_pages)]
    kind = "imagej" if tiff.is_imagej else "shaped"
    whole_shape, all_axes = shape + page.shape, axes + page.axes
    return tifffile.TiffPageSeries(pages, whole_shape, page.dtype, all_axes, kind=kind, truncated=n_pages == 1)
