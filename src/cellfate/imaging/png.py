"""Reading PNG files: the header alone, or the pixels. Whatever is wrong with a file is an `InputError`."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE, ImageHeader, check_regular, damaged, missing_file

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_SAMPLES = {0: 1, 2: 3, 4: 2, 6: 4}
"""Samples a pixel by colour type; 3, a palette, holds no intensities."""
_LARGEST_PX = 1 << 17


def read_header(path: Path) -> ImageHeader:
    """Read what a PNG of 8 or 16 bits without a palette holds, as `image_files.read_header`."""
    content, tail = _ends(path)
    whole = content.startswith(_SIGNATURE) and content[12:16] == b"IHDR" and len(content) >= 26 and tail == _END
    if not whole:
        raise InputError(damaged(path, "it is cut short or is no PNG", "PNG"))
    width, height, bits, colour = struct.unpack(">IIBB", content[16:26])
    if bits not in (8, 16) or colour not in _SAMPLES or not min(width, height) > 0 or max(width, height) > _LARGEST_PX:
        raise InputError(
            f"File {path} is a PNG of {width} x {height} px with {bits} bits and colour type {colour}, but 8 or 16 "
            f"bits a sample without a palette were expected; {ADVICE}"
        )
    n_samples = _SAMPLES[colour]
    return ImageHeader("YX" if n_samples == 1 else "YXS", n_samples, height, width, f"uint{bits}")


def read_pixels(path: Path) -> NDArray[Any]:
    """Decode a PNG, as `image_files.read_pixels`."""
    import imagecodecs

    header = read_header(path)
    try:
        pixels = imagecodecs.png_decode(path.read_bytes())
    except Exception as error:  # the codec raises errors of its own
        raise InputError(damaged(path, error, "PNG")) from error
    shape_yxs = (header.height_px, header.width_px, header.n_samples)
    if pixels.size != np.prod(shape_yxs) or str(pixels.dtype) != header.dtype:
        raise InputError(damaged(path, f"it holds {pixels.dtype} of shape {pixels.shape}", "PNG"))
    return np.ascontiguousarray(np.moveaxis(pixels.reshape(shape_yxs), -1, 0))


def _ends(path: Path) -> tuple[bytes, bytes]:
    check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(33)
            file.seek(max(0, path.stat().st_size - len(_END)))
            return content, file.read()
    except OSError as error:
        raise missing_file(path, error) from error
