"""Which layout the images of a folder have, and what the first recordings say of channels, time and pixels."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from glob import escape
from itertools import islice
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.words import show_count
from cellfate.imaging.frame_times import find_interval
from cellfate.imaging.headers import Examined, Looked, StackHeader
from cellfate.imaging.opening import look_at_recordings
from cellfate.imaging.settings import Layout, RecordingSettings
from cellfate.recognition import image_files, image_folders
from cellfate.recognition.candidates import Candidate
from cellfate.recognition.proposals import Part, Proposal, ask, found
from cellfate.recognition.survey import Survey, shown

FIRST = 3
"""Recordings that are opened; what they say is taken for all."""
_SMALLER = 0.9
"""Share of the smallest of these files below which the smallest of all is opened, too."""
_UNREAD = {".lsm", ".ims", ".oib", ".oif", ".vsi", ".avi", ".mp4", ".mov", ".jpg", ".jpeg", ".dv", ".bmp"}
_FINDERS: tuple[Callable[[Survey], list[Candidate]], ...] = (
    image_folders.find_coco,
    image_folders.find_challenge,
    image_files.find_vendor,
    image_files.find_zarr,
    image_files.find_tiff,
)


@dataclass(frozen=True, kw_only=True)
class Images(Part):
    """The recordings of a folder, as far as names and the first few files tell.

    Attributes
    ----------
    layout : str
        Layout of the recordings.
    names : tuple of str
        Recordings, ordered.
    header : StackHeader or None
        What the first recording says; None where none could be opened without an answer of a person.
    cell_px : float or None
        Diameter of a cell in pixels, where masks or boxes say it.
    sources : dict of str to str
        File or folder of the recordings that were opened.
    files : dict of str to str
        File or folder of the recordings that have one of their own.
    lengths : dict of str to int
        Frames of the recordings that were opened.
    settings : RecordingSettings or None
        With which they were opened; None where a question must be answered before.
    """

    layout: Layout
    names: tuple[str, ...]
    header: StackHeader | None
    cell_px: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    settings: RecordingSettings | None = None

    @property
    def frame_interval_min(self) -> float | None:
        """Minutes between two frames, where known."""
        given = self.value("recordings.frame_interval_min")
        if isinstance(given, float):
            return given
        return None if self.header is None else find_interval(self.header)


def recognise_images(survey: Survey, layout: Layout | None = None) -> Images:
    """Recognise the layout of the images, and open the first recordings.

    Raises
    ------
    InputError
        If there are no images that can be read, or images of several layouts.
    """
    candidate = _choose(survey, layout)
    settings = None if candidate.settings is None else RecordingSettings(**candidate.settings)
    asked, settings, looked = ([], None, []) if settings is None else _open_or_ask(survey.root, settings)
    small = [] if settings is None else _open_smallest(survey.root, settings, candidate.files, looked)
    stored = _stored(looked + small) | dict(candidate.channels)
    usual = Counter(stored.values()).most_common(1)
    looked.sort(key=lambda one: [stored.get(one.recording_id)] != [channels for channels, _ in usual])
    headers = [one.outcome.header for one in looked if isinstance(one.outcome, Examined)]
    errors = [one.outcome for one in looked if isinstance(one.outcome, InputError)]
    if errors and not headers and not candidate.open_parameters:
        raise InputError(
            f"The recordings in {survey.root} look like layout {candidate.layout}, but none of the first {len(looked)} "
            f"can be opened; the first: {errors[0]}"
        )
    names = candidate.names or _names(looked, candidate.files)
    header = headers[0] if headers else None
    return Images(
        layout=candidate.layout,
        names=names,
        header=header,
        values=(*candidate.values, *asked, *_said(candidate, looked, headers)),
        notes=(*candidate.notes, *_odd_channels(stored), *(_unread(looked + small) if headers else ())),
        cell_px=candidate.cell_px,
        used=candidate.used,
        sources={one.recording_id: one.source for one in looked},
        files={name: file for name, file in candidate.files.items() if name in names},
        lengths={one.recording_id: one.outcome.header.n_frames for one in looked if isinstance(one.outcome, Examined)},
        settings=settings,
    )


def _choose(survey: Survey, layout: Layout | None) -> Candidate:
    candidates: list[Candidate] = []
    rest = survey
    for find in _FINDERS:
        found_here = find(rest)
        candidates += found_here
        rest = rest.without(name for one in found_here for name in one.used)
    if layout is not None:
        candidates = [one for one in candidates if one.layout == layout]
    if not candidates:
        raise InputError(_no_images(survey, layout))
    if len(candidates) > 1:
        listed = "; ".join(f"{one.layout} ({one.words})" for one in candidates)
        raise InputError(
            f"The folder {survey.root} holds images in {len(candidates)} layouts: {listed}; keep one in the folder, or "
            f"say which is meant, such as --layout {candidates[0].layout}."
        )
    return candidates[0]


def _no_images(survey: Survey, layout: Layout | None) -> str:
    endings = sorted({Path(name).suffix.lower() or "none" for name in survey.files})
    seen = f"{len(survey.files)} files (endings: {shown(endings, 8)})" if survey.files else "no files"
    unread = sorted(_UNREAD & set(endings))
    advice = f"; {', '.join(unread)} is not read, save it as TIFF (in Fiji: File > Save As > Tiff)" if unread else ""
    wanted = f"images of layout {layout}" if layout else "images (TIFF, PNG, OME-Zarr, .nd2, .czi, .lif)"
    return f"The folder {survey.root} has no {wanted} but {seen}{advice}; give the folder that the images are in."


def _open_first(root: Path, settings: RecordingSettings) -> list[Looked]:
    try:
        return list(islice(look_at_recordings(root, settings), FIRST))
    except InputError as error:
        return [Looked(settings.layout, "", error)]


def _unread(looked: list[Looked]) -> Iterator[str]:
    for one in looked:
        if isinstance(one.outcome, InputError):
            yield f"Recording '{one.recording_id}' cannot be opened: {one.outcome}"


def _open_or_ask(
    root: Path, settings: RecordingSettings
) -> tuple[list[Proposal], RecordingSettings | None, list[Looked]]:
    """Open the first recordings; where each lacks frames, open them without, and ask what becomes of these."""
    looked = _open_first(root, settings)
    errors = [one.outcome for one in looked if isinstance(one.outcome, InputError)]
    if not errors or len(errors) < len(looked):
        return [], settings, looked
    gaps = settings.model_copy(update={"on_missing_frames": "gap"})
    again = _open_first(root, gaps)
    if not any(isinstance(one.outcome, Examined) for one in again):
        return [], settings, looked
    words = (
        f"None of the first {len(looked)} recordings is whole: cut (a recording ends before the first frame that is "
        f"not), gap (such frames are left out), or stop once the files are there. The first: {errors[0]}"
    )
    return [ask("recordings.on_missing_frames", words)], gaps, again


def _names(looked: list[Looked], files: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the opened recordings as they are, of the others as their files are called."""
    opened = {one.source for one in looked}
    for one in looked:
        opened |= {file.file_name for file in one.outcome.frame_files} if isinstance(one.outcome, Examined) else set()
    others = {name for name, file in files.items() if file not in opened}
    return tuple(sorted(others | {one.recording_id for one in looked if one.source}))


def _open_smallest(
    root: Path, settings: RecordingSettings, files: Mapping[str, str], first: list[Looked]
) -> list[Looked]:
    """Open that of the smallest file, where it is smaller than those opened: it may lack a channel, or its end."""
    sizes = {name: (root / file).stat().st_size for name, file in files.items() if (root / file).is_file()}
    opened = [sizes.pop(one.recording_id, 0) for one in first]
    smallest = min(sizes, key=lambda name: sizes[name], default=None)
    if smallest is None or sizes[smallest] > _SMALLER * min(opened, default=0):
        return []
    alone = settings.model_copy(update={"files": escape(files[smallest])})
    return [replace(one, recording_id=smallest) for one in _open_first(root, alone)]


def _stored(looked: list[Looked]) -> dict[str, str]:
    """Channels of recordings, in words."""
    headers = ((one.recording_id, one.outcome.header) for one in looked if isinstance(one.outcome, Examined))
    return {name: ", ".join(one.channels or [show_count(one.n_channels, "channel")]) for name, one in headers}


def _odd_channels(stored: Mapping[str, str]) -> Iterator[str]:
    """Say which recordings store other channels than most."""
    usual = next((channels for channels, _ in Counter(stored.values()).most_common(1)), None)
    odd = [f"'{name}' stores {channels}" for name, channels in stored.items() if channels != usual]
    if odd:
        yield (
            f"{shown(odd)}, and others store {usual}: all recordings of a study need the same channels. Save it with "
            "all of them, or take it out of the folder."
        )


def _said(candidate: Candidate, looked: list[Looked], headers: list[StackHeader]) -> Iterator[Proposal]:
    """Gather what files say of channels, time and pixels; null stands for: as the files say."""
    asked = {value.key for value in candidate.values}
    first = f"The files of '{looked[0].recording_id}'" if looked else "The files"
    header = headers[0] if headers else None
    if "recordings.channels" not in asked:
        yield _channels(candidate, header, first)
    if "recordings.frame_interval_min" not in asked:
        yield _interval(header, first)
    size = header.pixel_size_um if header else None
    said = f"{size:g} um, as the files say" if size else "the files do not say it; used only where a unit needs it"
    yield found("recordings.pixel_size_um", None, said)


def _channels(candidate: Candidate, header: StackHeader | None, first: str) -> Proposal:
    key = "recordings.channels"
    needs_names = candidate.layout in ("coco_vid", "cell_tracking_challenge")
    if header is None:
        return ask(key, "How many channels there are could not be told; name them in the order they are stored.")
    if header.channels and not all(name.isdigit() for name in header.channels):
        if needs_names:
            return found(key, list(header.channels), "the names that the files give")
        return found(key, None, f"{', '.join(header.channels)}, as the files say")
    if header.n_channels == 1:
        return found(key, ["channel"] if needs_names else None, "one channel without a name; called channel")
    return ask(
        key,
        f"{first} have {header.n_channels} channels without names; name them in the order they are stored, such as "
        f"[{', '.join(('h2b', 'p53', 'cdt1', 'gem')[: header.n_channels])}].",
    )


def _interval(header: StackHeader | None, first: str) -> Proposal:
    key = "recordings.frame_interval_min"
    minutes = find_interval(header) if header else None
    if minutes:
        return found(key, None, f"{minutes:g} min, as the files say")
    return ask(key, f"{first} do not say the time between two frames; give it in minutes.")
