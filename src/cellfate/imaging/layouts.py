"""Where the files of each recording are, by layout. Only names are looked at here, no image is opened."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.annotation_file import read_annotation_file
from cellfate.imaging.folder_contents import nothing_here
from cellfate.imaging.settings import RecordingSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ListedRecording:
    """The files of one recording, before any is opened.

    Attributes
    ----------
    recording_id : str
        Name of the recording.
    source : str
        Its folder, relative to the root.
    frame_files : tuple of (frame, file name)
        Image files, relative to the root, ordered by frame number; not yet checked for gaps.
    label_files : dict of frame to file name
        Label images, relative to the root.
    declared_sizes : set of (height_px, width_px)
        Image sizes that the annotation file states; empty where it states none.
    labels_expected : str or None
        The folder that label images were looked for in.
    """

    recording_id: str
    source: str
    frame_files: tuple[tuple[int, str], ...]
    label_files: dict[int, str]
    declared_sizes: frozenset[tuple[int, int]] = frozenset()
    labels_expected: str | None = None


@dataclass(frozen=True)
class TrackFiles:
    """The tracking files of one Cell Tracking Challenge sequence.

    Attributes
    ----------
    table : Path
        Text file with a line a track: label, first frame, last frame, parent.
    folder : Path
        Folder of the label images.
    prefix : str
        What the names of the label images start with, before the frame number.
    """

    table: Path
    folder: Path
    prefix: str


def list_recordings(root: Path, settings: RecordingSettings) -> list[ListedRecording]:
    """List the recordings of a `coco_vid` or `cell_tracking_challenge` folder, at least one, ordered by name.

    Raises
    ------
    InputError
        If the folder holds no recording, or its annotation file is not usable.
    """
    listing = _list_videos if settings.layout == "coco_vid" else _list_sequences
    return sorted(listing(root, settings), key=lambda listed: listed.recording_id)


def find_track_files(root: Path, sequence: str) -> TrackFiles | None:
    """Find the tracks of a Cell Tracking Challenge sequence such as `02`: the ground truth, else a tracker's result."""
    truth = TrackFiles(root / f"{sequence}_GT/TRA/man_track.txt", root / f"{sequence}_GT/TRA", "man_track")
    result = TrackFiles(root / f"{sequence}_RES/res_track.txt", root / f"{sequence}_RES", "mask")
    return next((files for files in (truth, result) if files.table.is_file()), None)


def numbered_files(folder: Path, prefix: str) -> dict[int, Path]:
    """Files `<prefix><number>.tif` of a folder by their number, whatever the number of digits."""
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.tiff?", re.IGNORECASE)
    found = ((pattern.fullmatch(path.name), path) for path in folder.iterdir()) if folder.is_dir() else ()
    return {int(match.group(1)): path for match, path in sorted(found, key=lambda pair: pair[1]) if match}


def _list_videos(root: Path, settings: RecordingSettings) -> list[ListedRecording]:
    path = root / settings.annotation_file
    if not path.is_file():
        name = settings.annotation_file
        advice = "give another folder, or name the annotation file in recordings.annotation_file"
        raise nothing_here(root, "coco_vid", f"annotation file {name}", lambda found: found == name, advice)
    tables = read_annotation_file(path, "videos", "images")
    videos, images = tables["videos"], tables["images"]
    for table, key, what in ((videos, "id", "video id"), (videos, "name", "video name"), (images, "id", "image id")):
        if table[key].duplicated().any():
            raise InputError(
                f"Annotation file {path} lists the {what} {table[key][table[key].duplicated()].iloc[0]} twice; make "
                "it unique."
            )
    strangers = ~images["video_id"].isin(videos["id"])
    if strangers.any():
        image = images[strangers].iloc[0]
        raise InputError(
            f"Image {image['id']} in {path} belongs to video {image['video_id']}, which 'videos' does not list; add "
            "the video."
        )
    if videos.empty:
        raise InputError(
            f"Annotation file {path} lists no videos, but at least one was expected; add the recordings to it."
        )
    by_video = dict(tuple(images.sort_values(["video_id", "frame_id"], kind="stable").groupby("video_id")))
    nothing = images.iloc[:0]
    return [
        _listed_video(name, by_video.get(number, nothing), settings)
        for number, name in zip(videos["id"], videos["name"], strict=True)
    ]


def _listed_video(name: str, images: pd.DataFrame, settings: RecordingSettings) -> ListedRecording:
    files = [str(PurePosixPath(settings.image_folder, file_name)) for file_name in images["file_name"]]
    sizes = images[["height", "width"]].dropna().drop_duplicates().astype(int)
    return ListedRecording(
        recording_id=name,
        source=str(PurePosixPath(files[0]).parent) if files else settings.image_folder,
        frame_files=tuple(zip(images["frame_id"].tolist(), files, strict=True)),
        label_files={},
        declared_sizes=frozenset(sizes.itertuples(index=False, name=None)),
    )


def _list_sequences(root: Path, settings: RecordingSettings) -> list[ListedRecording]:
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name.isdigit())
    tracked = [name for name in names if find_track_files(root, name) is not None]
    if not names:
        advice = "give the folder that such folders are in"
        raise nothing_here(root, "cell_tracking_challenge", "numbered sequence folder such as 01", str.isdigit, advice)
    if not tracked:
        raise InputError(
            f"Folder {root} holds the sequences {', '.join(names)} without tracks, but a folder 01 beside "
            "01_GT/TRA/man_track.txt or 01_RES/res_track.txt was expected; add the tracks, or give another folder."
        )
    if len(tracked) < len(names):
        _log.warning("Sequences without tracks are left out: %s", ", ".join(sorted(set(names) - set(tracked))))
    return [_listed_sequence(root, name, settings) for name in tracked]


def _listed_sequence(root: Path, name: str, settings: RecordingSettings) -> ListedRecording:
    frames = numbered_files(root / name, "t")
    folder, prefix = _label_place(root, name, settings)
    labels = numbered_files(folder, prefix) if folder is not None else {}
    return ListedRecording(
        recording_id=name,
        source=name,
        frame_files=tuple((frame, path.relative_to(root).as_posix()) for frame, path in sorted(frames.items())),
        label_files={frame: path.relative_to(root).as_posix() for frame, path in labels.items()},
        labels_expected=None if folder is None else folder.relative_to(root).as_posix(),
    )


def _label_place(root: Path, name: str, settings: RecordingSettings) -> tuple[Path | None, str]:
    tracks = find_track_files(root, name)
    if settings.labels == "none" or tracks is None:
        return None, ""
    if settings.labels == "gold_track" or tracks.prefix == "mask":
        return tracks.folder, tracks.prefix
    return root / f"{name}_ST/SEG", "man_seg"
