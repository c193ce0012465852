"""What a track file states about the images that it was made on, held against the recording."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from cellfate.imaging.units import MICROMETRES, MINUTES
from cellfate.tracks.records import Remark, TrackSource

_TOLERANCE = 0.01
_OTHER_IMAGE, _OTHER_FACTS = "other_image", "other_facts"


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
    unit_missing: bool = False


def read_interval(interval: float | None, time_unit: str, length_unit: str) -> float | None:
    """Turn a stated frame interval into minutes.

    Parameters
    ----------
    interval : float or None
        Time between two frames.
    time_unit, length_unit : str
        Words for the units of times and positions.

    Returns
    -------
    float or None
        None where the file states none: an interval of 1 beside positions in pixels is what nobody set.
    """
    minutes = MINUTES.get(time_unit.strip().lower())
    never_set = interval == 1 and length_unit.strip().lower() not in MICROMETRES
    return None if interval is None or interval <= 0 or minutes is None or never_set else interval * minutes


def compare_facts(stated: StatedFacts, source: TrackSource) -> tuple[Remark, ...]:
    """Tell where a track file and the recording contradict each other.

    Parameters
    ----------
    stated : StatedFacts
        What the track file states.
    source : TrackSource
        The recording.

    Returns
    -------
    tuple of Remark
        Check `other_image`, an error, where positions cannot be right: the image had another size. Check
        `other_facts`, a warning, for the rest: frames, interval, pixel size, name of the image.
    """
    about = f"recording '{source.recording_id}' ({source.image})"
    return (
        *(Remark(_OTHER_IMAGE, sentence) for sentence in _other_size(stated, source, about)),
        *(Remark(_OTHER_FACTS, sentence) for sentence in _other_facts(stated, source, about)),
    )


def _other_size(stated: StatedFacts, source: TrackSource, about: str) -> Iterator[str]:
    if stated.width_px is None or stated.height_px is None:
        return
    scale, pixels = 1.0, ""
    if stated.from_micrometres and stated.pixel_size_um is not None and source.pixel_size_um > 0:
        scale = stated.pixel_size_um / source.pixel_size_um
        pixels = f" of {stated.pixel_size_um:g} um"
    sizes = ((stated.width_px, source.width_px), (stated.height_px, source.height_px))
    if any(abs(own * scale - other) > (0 if scale == 1 else max(1.0, _TOLERANCE * other)) for own, other in sizes):
        of_recording = f" of {source.pixel_size_um:g} um" if pixels else ""
        yield (
            f"{stated.file} states an image of {stated.width_px} x {stated.height_px} px{pixels}, but {about} has "
            f"{source.width_px} x {source.height_px} px{of_recording}, so its positions cannot be right; give the "
            "tracks that were made on this recording, or, if they were made on a smaller copy whose pixel size was "
            "set, set tracks.position_unit to um."
        )


def _other_facts(stated: StatedFacts, source: TrackSource, about: str) -> Iterator[str]:
    if stated.unit_missing:
        yield (
            f"{stated.file} does not state the unit of its positions, which are taken for pixels of {about}; set "
            "tracks.position_unit to um if they are micrometres, or to px."
        )
    if stated.n_frames is not None and stated.n_frames != source.n_frames:
        yield (
            f"{stated.file} states {stated.n_frames} frames, but {about} has {source.n_frames}; check that the tracks "
            "were made on this recording, from its first frame on."
        )
    interval = stated.frame_interval_min
    if interval is not None and _differ(interval, source.frame_interval_min):
        yield (
            f"{stated.file} states a frame every {interval:g} min, but {about} has one every "
            f"{source.frame_interval_min:g} min, which is what counts; correct recordings.frame_interval_min, or leave "
            "it if that is right."
        )
    size = stated.pixel_size_um
    if size is not None and not stated.from_micrometres and _differ(size, source.pixel_size_um):
        yield (
            f"{stated.file} states pixels of {size:g} um, but {about} has pixels of {source.pixel_size_um:g} um; "
            "positions are taken as pixels of the file's own image; correct recordings.pixel_size_um, or leave it if "
            "that is right."
        )
    if stated.image_name and not _alike(stated.image_name, source):
        yield (
            f"{stated.file} states that it was made on the image '{stated.image_name}', but is read for {about}; check "
            "that the tracks are those of this recording."
        )


def _differ(stated: float, of_recording: float) -> bool:
    return bool(stated > 0 and of_recording > 0 and abs(stated / of_recording - 1) > _TOLERANCE)


def _alike(image_name: str, source: TrackSource) -> bool:
    """Whether the name of an image holds that of the recording, or the other way round."""
    stated = _plain(image_name)
    own = {_plain(source.recording_id), _plain(source.image)} - {""}
    return not stated or any(name in stated or stated in name for name in own)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(name.replace("\\", "/")).name.split(".")[0]).casefold().strip()
