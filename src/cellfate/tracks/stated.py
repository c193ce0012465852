"""What a track file states about the images that it was made on, held against the recording."""

import math
from dataclasses import dataclass

import numpy as np

from cellfate.imaging import stated as stated_facts
from cellfate.imaging.stated import Fact
from cellfate.imaging.units import MICROMETRES, MINUTES, is_known
from cellfate.tracks.records import Remark, TrackSource


@dataclass(frozen=True)
class StatedFacts:
    """What a track file states about its images; None where it states nothing.

    Attributes
    ----------
    file : str
        The track file, for messages.
    width_px, height_px, n_frames : int or None
        Size of the image and number of its frames.
    frame_interval_min : float or None
        Minutes between two frames.
    pixel_size_um : float or None
        Side of a pixel in micrometres.
    image_name : str or None
        File name of the image.
    from_micrometres : bool
        Whether positions became pixels by the pixel size of the recording; false: they are pixels of the stated image.
    pixel_sides : (float, float) or None
        Width and height of a pixel, in a unit of the file.
    units : tuple of str
        Words for the units of times and lengths.
    unit_missing : bool
        Whether a format that names the unit of positions does not do so here.
    """

    file: str
    width_px: int | None = None
    height_px: int | None = None
    n_frames: int | None = None
    frame_interval_min: float | None = None
    pixel_size_um: float | None = None
    image_name: str | None = None
    from_micrometres: bool = False
    pixel_sides: tuple[float, float] | None = None
    units: tuple[str, ...] = ()
    unit_missing: bool = False


def read_interval(interval: float | None, time_unit: str, length_unit: str) -> float | None:
    """Turn a stated frame interval into minutes; None where the file states none.

    An interval of 1 beside positions in pixels is what nobody set. Units are words of the file.
    """
    minutes = MINUTES.get(time_unit.strip().lower())
    never_set = interval == 1 and length_unit.strip().lower() not in MICROMETRES
    return None if interval is None or interval <= 0 or minutes is None or never_set else interval * minutes


def compare_facts(stated: StatedFacts, source: TrackSource) -> tuple[Remark, ...]:
    """Tell where a track file and the recording contradict each other.

    Returns
    -------
    tuple of Remark
        Check `other_image`, an error, where positions cannot be right: the image had another size, or is that of
        another recording. Check `other_facts`, a warning, for the rest: frames, interval, pixel size, name of the
        image, units that are not known. Check `pixel_sides`, a warning, where pixels are not square.
    """
    exchanged = _find_exchanged(stated, source)
    facts = [fact for fact in _list_stated(stated, source) if not (exchanged and fact.what == "image_name")]
    told = stated_facts.compare_facts(facts, list_facts(source))
    told = [
        (check, sentence + (_advise_size(stated, source) if check == "other_image" else "")) for check, sentence in told
    ]
    told += [("other_image", exchanged)] if exchanged else []
    if stated.unit_missing:
        told.append(("other_facts", _NO_UNIT.format(stated.file, _name(source))))
    unknown = (unit for unit in stated.units if not is_known(unit))
    told += [("other_facts", _STRANGE_UNIT.format(stated.file, unit, _name(source))) for unit in unknown]
    width, height = stated.pixel_sides or (1.0, 1.0)
    if not math.isclose(width, height, rel_tol=_SQUARE_WITHIN):
        how = _BY_ONE_SIZE if stated.from_micrometres else _BY_EACH_SIDE
        told.append(("pixel_sides", _NOT_SQUARE.format(stated.file, width, height) + how))
    return tuple(Remark(check, f"{sentence}.") for check, sentence in told)


def list_facts(source: TrackSource) -> list[Fact]:
    """List what counts of a recording: its images, and the parameters."""
    values = {
        "size_px": (source.width_px, source.height_px),
        "field_px": (source.width_px, source.height_px),
        "n_frames": source.n_frames,
        "frame_interval_min": source.frame_interval_min,
        "pixel_size_um": source.pixel_size_um,
    }
    names = [Fact(_name(source), "image_name", name) for name in (source.image, source.recording_id)]
    return [*names, *(Fact(_name(source), what, value) for what, value in values.items())]


_NO_UNIT = (
    "{} does not state the unit of its positions, which are taken for pixels of {}; set tracks.position_unit to um if "
    "they are micrometres, or to px"
)

_STRANGE_UNIT = (
    "{} states times or lengths in '{}', which is no unit that is known, so that they are not held against {}; correct "
    "the unit in the file (s, min, h, um or pixel), or check interval and pixel size yourself"
)
_SQUARE_WITHIN = 0.01
_NOT_SQUARE = "{} states pixels that are {:g} wide and {:g} high, but square ones were expected; "
_BY_EACH_SIDE = "positions are right, because each was divided by its side, but scale the images to square pixels"
_BY_ONE_SIZE = "set tracks.position_unit to null, so that each position is divided by its side"


def _find_exchanged(stated: StatedFacts, source: TrackSource) -> str | None:
    """Say that the image of a track file is that of another recording; None where it is not."""
    name = stated_facts.fold_image_name(stated.image_name or "")
    other = source.other_images.get(name)
    if other is None or name in map(stated_facts.fold_image_name, (source.image, source.recording_id)):
        return None
    return (
        f"{stated.file} states the image '{stated.image_name}', which is that of recording '{other}', but it is read "
        f"as the tracks of {_name(source)}; give each recording the tracks that were made on it"
    )


def _name(source: TrackSource) -> str:
    return f"recording '{source.recording_id}' ({source.image})"


def _advise_size(stated: StatedFacts, source: TrackSource) -> str:
    """Say what else can be done about an image of another size, by what fits."""
    own, size = (source.width_px, source.height_px), (stated.width_px or 0, stated.height_px or 0)
    if stated.pixel_size_um is not None and not stated.from_micrometres:
        scale = stated.pixel_size_um / source.pixel_size_um
        if np.allclose(np.multiply(size, scale), own, rtol=0.01, atol=1):
            return ", or set tracks.position_unit to um, because the fields of view are the same"
        if np.isnan(scale):
            return ", or, of a smaller copy, set recordings.pixel_size_um, and tracks.position_unit to um"
    if own == size[::-1]:
        return ", or turn the images back: width and height are swapped"
    return ", or the images as they were then, if they were cut out, turned or scaled since"


def _list_stated(stated: StatedFacts, source: TrackSource) -> list[Fact]:
    """List what a file states; the size of the image in pixels of the recording where positions are micrometres."""
    size: dict[str, object] = {}
    if stated.width_px is not None and stated.height_px is not None:
        size = {"size_px": (stated.width_px, stated.height_px)}
        if stated.from_micrometres and stated.pixel_size_um is not None and source.pixel_size_um > 0:
            scale = stated.pixel_size_um / source.pixel_size_um
            size = {"field_px": (stated.width_px * scale, stated.height_px * scale)}
    facts = {
        **size,
        "n_frames": stated.n_frames,
        "frame_interval_min": stated.frame_interval_min,
        "pixel_size_um": None if stated.from_micrometres else stated.pixel_size_um,
        "image_name": stated.image_name or None,
    }
    return [Fact(stated.file, name, value) for name, value in facts.items() if value is not None]
