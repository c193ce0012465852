"""What the axes of an image in a TIFF file are: as the file says, or as a person does."""

import itertools
import math
from pathlib import Path

import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE
from cellfate.imaging.one_frame import check_one_frame
from cellfate.imaging.tiff_series import TiffSeries

_KNOWN_AXES = frozenset("TCZYXS")


def label_axes(
    path: Path, series: tifffile.TiffPageSeries, file_axes: str | None, n_channels: int | None, whole: bool = True
) -> TiffSeries:
    """Say what the axes of an image are: as the file says, unless `file_axes` does.

    With the number of channels, pages that the file does not sort are sorted by `file_axes`. Unless `whole`, the last
    frame may lack channels.

    Raises
    ------
    InputError
        If the axes are not known, or do not fit.
    """
    axes, shape = str(series.axes), tuple(series.shape)
    leading = len(axes) - len(series.keyframe.shape)
    if file_axes is not None:
        axes, shape = _given_axes(path, axes, shape, file_axes, n_channels, whole)
    elif leading == 1 and axes[0] not in _KNOWN_AXES and (n_channels or 1) == series.keyframe.samplesperpixel:
        axes = "T" + axes[1:]
    known = set(axes) <= _KNOWN_AXES and len(set(axes)) == len(axes) and {"Y", "X"} <= set(axes)
    if not known or (leading >= 0 and shape[leading:] != series.keyframe.shape and file_axes is None):
        raise InputError(
            f"File {path} has axes {series.axes} of shape {tuple(series.shape)}, which do not say what is time and "
            f"what is channel; {_advise(str(series.axes), tuple(series.shape), n_channels)} (slowest first)."
        )
    labelled = TiffSeries(path, series, axes, shape)
    if labelled.size("C") > 1 and labelled.size("S") > 1:
        raise InputError(f"File {path} stores axes {axes} in a way that is not read (colours of channels); {ADVICE}")
    check_one_frame(f"File {path}", axes, shape, file_axes, n_channels)
    return labelled


def _given_axes(
    path: Path, axes: str, shape: tuple[int, ...], given: str, n_channels: int | None, whole: bool
) -> tuple[str, tuple[int, ...]]:
    if axes.endswith("S"):  # samples of a pixel are channels that stand last
        given = given[:-1] + given[-1].replace("C", "S")
    fits = given[-2:] == axes[-2:] or (given.endswith("C") and axes.endswith("YX"))
    if fits and len(given) == len(axes) and n_channels in (None, _count_channels(given, shape)):
        return given, shape
    is_whole = bool(n_channels) and shape[0] % (n_channels or 1) == 0
    is_pages = not axes.startswith("S")
    if is_pages and len(given) == len(axes) + 1 and "C" in given[:2] and n_channels and (is_whole or not whole):
        others = math.ceil(shape[0] / n_channels)
        sizes = (n_channels, others) if given[0] == "C" else (others, n_channels)
        if given[2:] == axes[1:]:
            return given, sizes + shape[1:]
    raise InputError(
        f"Parameter recordings.file_axes is {given}, but file {path} has axes {axes} of shape {shape}"
        f"{f' and recordings.channels names {n_channels}' if n_channels else ''}; "
        f"{_advise(axes, shape, n_channels, ', or to null if the file says its axes itself')}."
    )


def _advise(axes: str, shape: tuple[int, ...], n_channels: int | None, otherwise: str = "") -> str:
    """Say what `_given_axes` takes for an image of this shape; where channels are named, as many of them."""
    end = "YXS" if axes.endswith("YXS") else "YX"
    leading = shape[: len(shape) - len(end)]
    if not leading:
        return "it has one page: give a file with all frames, set recordings.file_axes to YX"
    if len(leading) > len("TCZ"):
        return f"save it with the axes T, C, Z, Y and X alone; then set recordings.file_axes to TCZ{end}"
    orders = ["".join(order) + end for order in itertools.permutations("TCZ", len(leading))]
    if leading and end == "YX":
        orders += [f"{''.join(order)}YXC" for order in itertools.permutations("TZ", len(leading) - 1)]
    orders = [order for order in orders if "T" in order]
    fitting = [order for order in orders if n_channels == _count_channels(order, shape)] if n_channels else orders
    may_part = len(leading) == 1 and end == "YX" and axes[0] != "S"
    if may_part and n_channels and n_channels > 1 and shape[0] % n_channels == 0:
        fitting += ["TCYX", "CTYX"]
    if not fitting:
        return f"correct recordings.channels: no axes of {n_channels} channels fit"
    return f"set recordings.file_axes to {' or '.join(fitting)}{otherwise}"


def _count_channels(order: str, shape: tuple[int, ...]) -> int:
    return math.prod(size for axis, size in zip(order, shape, strict=True) if axis in "CS")
