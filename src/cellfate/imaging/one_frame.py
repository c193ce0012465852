"""Files that say they hold one frame: their planes or channels may be time points."""

from collections.abc import Sequence

from cellfate.core.errors import InputError

_WORDS = {"Z": "planes", "C": "channels", "S": "channels"}


def check_one_frame(where: str, axes: str, shape: Sequence[int], file_axes: str | None, n_channels: int | None) -> None:
    """Refuse a file of one frame whose planes, or whose channels that nobody named, may be time points.

    Programs write movies as z stacks, and arrays whose axes they were not told as channels; what follows a cell over
    time has no use for one frame. `axes` are those that the file says, of the letters T, C, Z, S, Y and X; samples of a
    pixel that stand last are colours. Where a person gave `file_axes`, nothing is refused.

    Raises
    ------
    InputError
        It names the axes that fit if these are time points, and what says that it is one frame.
    """
    sizes = {axis: size for axis, size in zip(axes, shape, strict=True) if size > 1}
    inner = [axis for axis in axes.removesuffix("S") if axis in _WORDS and axis in sizes]
    is_named = n_channels == sizes.get("C", 1) * sizes.get("S", 1)
    may_be_time = [axis for axis in inner if axis == "Z" or not is_named]
    if file_axes is not None or "T" in sizes or not may_be_time:
        return
    fitting = [axis for axis in may_be_time if n_channels in (None, sizes.get("C", 1) if axis == "Z" else 1)]
    held = " and ".join(f"{sizes[axis]} {_WORDS[axis]}" for axis in inner)
    ways = [
        f"if its {_WORDS[axis]} are time points, set recordings.file_axes to '{_as_time(axes, axis)}'"
        for axis in fitting or may_be_time
    ]
    needs = f"'{_without_samples(axes)}' there" if "Z" in may_be_time else "its channels named in recordings.channels"
    raise InputError(
        f"{where} says that it holds one frame of {held} (axes {axes}); {'; '.join(ways)}; a recording of one frame "
        f"needs {needs}."
    )


def _as_time(axes: str, axis: str) -> str:
    return _without_samples(axes.translate(str.maketrans(f"{axis}T", f"T{axis}")))


def _without_samples(axes: str) -> str:
    """Say channels for samples of a pixel that do not stand last, as `file_axes` does."""
    return axes[:-1].replace("S", "C") + axes[-1]
