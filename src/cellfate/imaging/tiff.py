"""Reading one-page TIFF files: the header alone, or the pixels. Whatever is wrong with a file is an `InputError`."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE, ImageHeader, check_regular, damaged

_METAMORPH_TIME = re.compile(r'id="acquisition-time-local"[^>]*value="(\d{4})(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})')


def read_header(path: Path) -> ImageHeader:
    """Read what a TIFF of one page holds, as `image_files.read_header`."""
    with _opened(path) as tiff:
        return _check_page(tiff, path)


def read_pixels(path: Path) -> NDArray[Any]:
    """Decode the one page of a TIFF, as `image_files.read_pixels`."""
    with _opened(path) as tiff:
        header = _check_page(tiff, path)
        try:
            pixels = np.asarray(tiff.pages.first.asarray())
        except Exception as error:  # the codecs raise errors of many kinds on damaged bytes
            raise InputError(damaged(path, error)) from error
    if header.axes == "YXS":
        pixels = np.moveaxis(pixels, -1, 0)
    shape_syx = (header.n_samples, header.height_px, header.width_px)
    return np.ascontiguousarray(pixels.reshape(shape_syx), dtype=header.dtype)


def read_label_image(path: Path, height_px: int, width_px: int) -> NDArray[np.integer]:
    """Decode a label image (Y, X): every pixel holds the number of the cell it belongs to, or 0.

    Raises
    ------
    InputError
        As `read_pixels`, and if the image has another size, several samples a pixel, or holds no integers.
    """
    labels_syx = read_pixels(path)
    if labels_syx.shape != (1, height_px, width_px) or labels_syx.dtype.kind not in "iu":
        raise InputError(
            f"Label image {path} has shape {labels_syx.shape} (S, Y, X) and type {labels_syx.dtype}, but integers of "
            f"shape {(1, height_px, width_px)} were expected; replace the label image."
        )
    return np.asarray(labels_syx[0])


def _opened(path: Path) -> tifffile.TiffFile:
    check_regular(path)
    try:
        return tifffile.TiffFile(path)
    except Exception as error:  # tifffile raises errors of many kinds on damaged headers
        raise InputError(damaged(path, error)) from error


def _check_page(tiff: tifffile.TiffFile, path: Path) -> ImageHeader:
    try:
        n_pages, page = len(tiff.pages), tiff.pages.first
        axes, shape, dtype = page.axes, page.shape, page.dtype
        ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
        complete = bool(ends) and max(ends) <= tiff.filehandle.size and min(page.databytecounts) > 0
    except Exception as error:  # as above: damaged tags
        raise InputError(damaged(path, error)) from error
    if not complete:
        raise InputError(damaged(path, "pixels are missing: it is cut short or was not written whole"))
    if n_pages != 1 or axes not in ("YX", "YXS", "SYX") or dtype is None:
        raise InputError(
            f"File {path} holds {n_pages} page(s) with axes {axes}, but one page with axes YX or YXS was expected "
            "(channels are samples of a pixel, one file a frame; for several pages a file give layout 'tiff_stacks'); "
            f"{ADVICE}"
        )
    sizes = dict(zip(axes, shape, strict=True))
    n_samples, pixels = sizes.get("S", 1), str(dtype.newbyteorder("="))
    return ImageHeader(axes, n_samples, sizes["Y"], sizes["X"], pixels, _metamorph_time(page.description))


def _metamorph_time(description: str) -> float | None:
    """Minutes since anything at which MetaMorph took an image; None where it is not of MetaMorph."""
    found = _METAMORPH_TIME.search(description) if "acquisition-time-local" in description else None
    try:
        return None if found is None else dt.datetime(*map(int, found.groups()), tzinfo=dt.UTC).timestamp() / 60  # type: ignore[misc, arg-type]
    except ValueError:
        return None
