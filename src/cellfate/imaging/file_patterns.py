"""Files whose names say position, time, channel and z: one a frame, one a frame and channel, or one a plane."""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from math import nan
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_system_file
from cellfate.imaging.file_search import check_inside
from cellfate.imaging.file_times import FileClock, order_times
from cellfate.imaging.folder_contents import TIFF_ENDINGS, nothing_here
from cellfate.imaging.headers import Examined, FrameFile, ImageHeader, Looked, Remark, StackHeader, look
from cellfate.imaging.image_files import read_headers
from cellfate.imaging.micromanager import SideFile, read_side_file
from cellfate.imaging.missing_frames import leave_out_frames, write_ranges
from cellfate.imaging.planes import check_plane
from cellfate.imaging.settings import RecordingSettings

FOLDER = r"(?:(?P<folder>.+)/)?"
"""Start of the patterns of programs: folders, which become part of the recording's name."""
NAMELESS = "recording"
"""Name of the one recording whose files name none."""
_IMAGE = r"(?i:\.(?:tiff?|png))"
_STAMP = r"\d{4}y\d{2}m\d{2}d_\d{2}h\d{2}m|\d{2}d\d{2}h\d{2}m"
_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
PRESETS = {
    "micromanager": (
        FOLDER + r"img_channel(?P<channel>\d+)_position(?P<position>\d+)_time(?P<time>\d+)_z(?P<z>\d+)" + _IMAGE,
        FOLDER + r"img_(?P<time>\d{9})_(?P<channel>.+)_(?P<z>\d{3})" + _IMAGE,
    ),
    "metamorph": (
        FOLDER + r"(?P<experiment>(?!.*_thumb_).+?)(?:_(?P<channel>w\d+(?:(?!_w\d)[^/])*?))?(?:_s(?P<position>\d+))?"
        r"_t(?P<time>\d+)" + _IMAGE,
    ),
    "imagexpress": (
        FOLDER
        + r"TimePoint_(?P<time>\d+)/(?:ZStep_(?P<z>\d+)/)?(?P<experiment>(?!.*_thumb)[^/]+)_(?P<well>[A-Z]{1,2}\d{2})"
        rf"(?:_s(?P<position>\d+))?(?:_(?P<channel>w\d{{1,2}}))?(?:{_UUID})?" + _IMAGE,
    ),
    "incucyte": (FOLDER + rf"(?P<channel>.+)_(?P<well>[A-Z]{{1,2}}\d+)_(?P<field>\d+)_(?P<time>{_STAMP})" + _IMAGE,),
}
"""Names that programs give their files, as regular expressions; the first that matches a path is used."""
_IMAGE_ENDINGS = (*TIFF_ENDINGS, ".png")
_PLANE_GROUPS = ("time", "channel", "z")
_Key = tuple[int, str, str]
"""Frame, channel and z."""


@dataclass(frozen=True)
class _Plane:
    recording_id: str
    time: str
    channel: str
    z: str
    file_name: str


def look_at_pattern(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Sort the files below a folder by their names and look at every recording; as `opening.LookAt`."""
    planes, left_out = _match_files(root, settings)
    for recording_id, group in itertools.groupby(planes, key=lambda plane: plane.recording_id):
        found = list(group)
        source = str(Path(found[0].file_name).parent.as_posix())
        folders = {str(Path(plane.file_name).parent) for plane in found}
        beside = [name for name in left_out if str(Path(name).parent) in folders]
        left_out = [name for name in left_out if name not in beside]  # told once
        yield look(recording_id, source, partial(_examine, root, recording_id, found, settings, beside))


def _match_files(root: Path, settings: RecordingSettings) -> tuple[list[_Plane], list[str]]:
    """Read the names of the files; those of images that do not match, but for thumbnails, come second."""
    given = str(settings.pattern)
    patterns = [re.compile(pattern) for pattern in PRESETS.get(given, (given,))]
    names = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() or path.is_symlink()]
    names = [name for name in names if not is_system_file(name)]
    if not names:
        advice = "give the folder of the images, or a folder above it"
        raise nothing_here(root, "file_pattern", "file at all", lambda name: False, advice)
    planes, left_out = [], []
    for name in sorted(names):
        match = next(filter(None, (pattern.fullmatch(name) for pattern in patterns)), None)
        if match is not None:
            planes.append(_plane(name, match))
        elif name.lower().endswith(_IMAGE_ENDINGS) and "thumb" not in name.lower():
            left_out.append(name)
    if not planes:
        raise InputError(
            f"None of the {len(names)} files in {root} matches the pattern '{given}', which must match a whole path "
            f"relative to that folder, such as {min(left_out or names)}; {_advise_layout(left_out)}."
        )
    return sorted(planes, key=lambda plane: (plane.recording_id, plane.file_name)), left_out


def _advise_layout(images: list[str]) -> str:
    stacks = [name for name in images if name.lower().endswith(".stk")]
    if not stacks:
        return "correct recordings.pattern, or give another folder"
    if re.search(r"_t\d+\.stk$", stacks[0].lower()):
        return "a stack of planes for each time point is not read: export every plane as a TIFF of its own"
    return (
        "a .stk holds all frames of a channel: set recordings.layout to tiff_stacks, which reads each as a recording, "
        "or export single TIFFs if there are several channels"
    )


def recording_of(match: re.Match[str]) -> str:
    """Name of the recording that a file belongs to, from the groups of the pattern that its path matches."""
    groups = match.groupdict().items()
    place = [text.replace("/", "_") for name, text in groups if name not in _PLANE_GROUPS and text]
    return "_".join(place) or NAMELESS


def _plane(file_name: str, match: re.Match[str]) -> _Plane:
    groups = {name: text or "" for name, text in match.groupdict().items()}
    time, channel, z = (groups.get(name, "") for name in _PLANE_GROUPS)
    return _Plane(recording_of(match), time, channel, z, file_name)


def _examine(root: Path, name: str, planes: list[_Plane], settings: RecordingSettings, beside: list[str]) -> Examined:
    found = _natural_order(plane.channel for plane in planes)
    codes = settings.channel_codes or found
    folders = {(root / plane.file_name).parent for plane in planes}
    side, remarks_of_files = read_side_file(folders, settings.pattern == "micromanager")
    planes = _of_channels(name, planes, codes, found)
    clock = order_times(name, {plane.time: plane.file_name for plane in planes}, settings)
    z_codes = _natural_order(plane.z for plane in planes)
    check_plane(f"Recording '{name}'", settings.z, len(z_codes))
    chosen = z_codes if settings.z == "max" else z_codes[settings.z : settings.z + 1]
    table = _tabulate(name, planes, clock)
    wanted = list(itertools.product(range(clock.n_frames), codes, chosen))
    check_inside(root, name, table.values())
    headers, damaged = read_headers(root, {key: table[key] for key in wanted if key in table}, settings)
    absent = [key for key in wanted if key not in table]
    faults = {key[0]: fault for key, fault in reversed(damaged.items())}
    if absent:
        faults |= dict.fromkeys((key[0] for key in absent), _missing(name, wanted, absent, table, clock))
    n_frames, missing, remarks = leave_out_frames(name, clock.n_frames, faults, settings)
    wanted = [key for key in wanted if key[0] not in missing]
    header = _check_headers(name, {table[key]: headers[key] for key in wanted}, len(codes) > 1 or len(chosen) > 1)
    first_files = {key[0]: (table[key], headers[key]) for key in reversed(wanted)}
    stack = StackHeader(
        n_frames=n_frames,
        n_channels=max(len(codes), header.n_samples),
        n_planes=len(z_codes),
        height_px=header.height_px,
        width_px=header.width_px,
        dtype=header.dtype,
        channels=_names_of(codes, settings) if header.n_samples == 1 else None,
        frame_interval_min=side.interval_min,
        pixel_size_um=side.pixel_size_um,
        times_min=_find_times(clock, side, first_files, n_frames),
    )
    remarks_of_files += (*side.compare_frames(name, clock.n_frames), *_tell_left_out(beside, settings))
    files = _list_files(wanted, table, codes, chosen)
    return Examined(stack, files, missing=missing, remarks=(*remarks, *remarks_of_files))


def _list_files(
    wanted: list[_Key], table: dict[_Key, str], codes: tuple[str, ...], chosen: tuple[str, ...]
) -> tuple[FrameFile, ...]:
    return tuple(
        FrameFile(
            frame=frame,
            file_name=table[frame, code, z],
            channel=codes.index(code) if len(codes) > 1 else None,
            z=chosen.index(z) if len(chosen) > 1 else None,
        )
        for frame, code, z in wanted
    )


def _of_channels(name: str, planes: list[_Plane], codes: tuple[str, ...], found: tuple[str, ...]) -> list[_Plane]:
    kept = [plane for plane in planes if plane.channel in codes]
    if not kept:
        raise InputError(
            f"Recording '{name}' has no file of the channels {', '.join(codes)}, but of {', '.join(found)}; correct "
            "channel_codes."
        )
    return kept


def _tell_left_out(names: list[str], settings: RecordingSettings) -> tuple[Remark, ...]:
    if not names:
        return ()
    text = (
        f"lies beside {len(names)} image(s) that do not match the pattern '{settings.pattern}' and are left out, such"
    )
    advice = "correct recordings.pattern if they belong to the recordings"
    return (Remark("unmatched_file", f"{text} as {names[0]}; {advice}"),)


def _find_times(
    clock: FileClock, side: SideFile, first_files: dict[int, tuple[str, ImageHeader]], n_frames: int
) -> tuple[float, ...]:
    """When the frames were taken: by their names, else by the first file of each, else by MicroManager's side file."""
    times = list(clock.times_min) or [nan] * n_frames
    for frame, (file_name, header) in first_files.items() if not clock.times_min else ():
        time = side.time_of(file_name, clock.label(frame)) if header.time_min is None else header.time_min
        times[frame] = nan if time is None else time
    return tuple(times[:n_frames])


def _names_of(codes: tuple[str, ...], settings: RecordingSettings) -> tuple[str, ...] | None:
    """Names that the files give their channels; none where a person named each code, or codes are only numbers."""
    is_translated = settings.channel_codes is not None or all(code.isdigit() for code in codes)
    return None if not all(codes) or (settings.channels and is_translated) else codes


def _tabulate(name: str, planes: list[_Plane], clock: FileClock) -> dict[_Key, str]:
    table: dict[_Key, str] = {}
    for plane in planes:
        key = (clock.frame_of(plane.time), plane.channel, plane.z)
        if key in table:
            raise InputError(
                f"Recording '{name}' has two files of {_words(key, clock)}: {table[key]} and {plane.file_name}; add "
                "what tells them apart to the pattern as a group, or remove one."
            )
        table[key] = plane.file_name
    return table


def _missing(
    name: str, wanted: list[_Key], missing: list[_Key], table: dict[_Key, str], clock: FileClock
) -> InputError:
    frames, channels = {key[0] for key in missing}, {key[1] for key in missing}
    what, way = _words(missing[0], clock), "add it"
    if len(channels) == 1 < len({key[1] for key in wanted}) and len(frames) > 1:
        what = f"channel '{missing[0][1]}' at frames {write_ranges(frames)}"
        way = "add them, leave the channel out by recordings.channel_codes"
    return InputError(
        f"Recording '{name}' has no file of {what} ({len(missing)} of {len(wanted)} files are missing, one that is "
        f"there is {next(iter(table.values()))}); {way}, or set recordings.on_bad_recording to 'skip'."
    )


def _words(key: _Key, clock: FileClock) -> str:
    frame, code, z = key
    channel = f", channel '{code}'" if code else ""
    return f"frame {frame} (time {clock.label(frame)}){channel}{f', z {z}' if z else ''}"


def _check_headers(name: str, headers: dict[str, ImageHeader], one_sample: bool) -> ImageHeader:
    names = list(headers)
    first = headers[names[0]]
    for file_name, header in headers.items():
        same = (header.height_px, header.width_px, header.dtype, header.n_samples)
        if same != (first.height_px, first.width_px, first.dtype, first.n_samples):
            raise InputError(
                f"File {file_name} of recording '{name}' is {header.describe()}, but {names[0]} is {first.describe()} "
                "and all files of a recording must agree; replace the file."
            )
    if one_sample and first.n_samples > 1:
        raise InputError(
            f"File {names[0]} of recording '{name}' has {first.n_samples} samples a pixel, but one was expected, since "
            "there is a file for each channel or plane; correct the pattern, or replace the file."
        )
    return first


def _natural_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Order codes with numbers in them by the numbers: w2 before w10."""

    def key(code: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", code) if part]

    return tuple(sorted(set(codes), key=key))
