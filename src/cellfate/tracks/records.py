"""Records of the room: whose tracks are read, where those of one recording come from, and what was read there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import LARGEST
from cellfate.core.spot_features import SPOT_KIND, list_spot_columns
from cellfate.imaging.file_search import check_inside, find_written
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.units import FRAME_WORDS, MICROMETRES, MINUTES, PIXEL_WORDS
from cellfate.tracks.settings import IMAGE, PLACEHOLDER, TrackSettings

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""Detections, cells, and what is wrong with some recordings."""
_IMAGE_ENDING = re.compile(r"(\.ome)?\.(tiff?|btf|tf[28]|zarr|nd2|czi|lif)$", re.IGNORECASE)

_FILES = {"fates_file": "table of fates", "edges_file": "table of edges", "graph_file": "file of parents"}
_WHOLE = 1e-3
_MOST_APART_FRAMES = 0.25
"""Times that were rounded, or whose clock drifts, lie so far from their frames, at most."""


def name_file(template: str, recording_id: str, image: str) -> str:
    """Name the file of a recording by a template.

    `{recording_id}` stands there in the place of its name, or `{image}` in that of its image file or folder (relative
    to the folder of recordings) without ending.

    Examples
    --------
    >>> name_file("{image}_tracks.csv", "plate1_A01", "plate1/A01.ome.tif")
    'plate1/A01_tracks.csv'
    """
    meant = {PLACEHOLDER: recording_id, IMAGE: _IMAGE_ENDING.sub("", image)}
    return re.sub("|".join(map(re.escape, meant)), lambda match: meant[match[0]], template)


@dataclass(frozen=True, eq=False)
class OpenedRecordings:
    """Opened recordings, and what a person says of their tracks.

    Attributes
    ----------
    folder : RecordingFolder
        Folder of recordings.
    table, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles`.
    settings : RecordingSettings
        Their layout.
    tracks : TrackSettings
        Format of the tracks.
    """

    folder: RecordingFolder
    table: pd.DataFrame
    frame_files: pd.DataFrame
    settings: RecordingSettings
    tracks: TrackSettings


@dataclass(frozen=True)
class TrackSource:
    """The recording whose tracks are read, and the folder that its files lie in.

    Attributes
    ----------
    root : Path
        Folder of recordings.
    recording_id : str
        Name of the recording.
    n_frames : int
        Its number of frames.
    frame_interval_min : float
        Minutes between two frames.
    pixel_size_um : float
        Side of a pixel in micrometres; NaN where it is not known.
    height_px, width_px : int
        Size of its images; 0 where there are none.
    image : str
        Its file or folder, relative to the root.
    other_images : mapping of str to str
        Folded names of the files of the other recordings (`stated.fold_image_name`), and which recording each is of.
    """

    root: Path
    recording_id: str
    n_frames: int
    frame_interval_min: float
    pixel_size_um: float
    height_px: int
    width_px: int
    image: str
    other_images: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_images(self) -> bool:
        """Whether there are images, so that cells have positions."""
        return self.height_px > 0

    def find_table(self, tracks: TrackSettings) -> Path:
        """Path of the table of this recording's tracks; without images it is the recording's own file."""
        return self.find(tracks.file_template) if self.has_images else self.root / self.image

    def find(self, template: str, parameter: str = "files") -> Path:
        """Path of a file of this recording, as `name_file` names it; `parameter` is that which does, for messages.

        Raises
        ------
        InputError
            If the path leaves the root, by a link too, or neither a file nor a folder is there.
        """
        relative = PurePosixPath(name_file(template, self.recording_id, self.image))
        if relative.is_absolute() or ".." in relative.parts:
            raise InputError(
                f"The tracks of recording '{self.recording_id}' would be in {relative}, outside the folder of "
                f"recordings; give the recording a name without '..', or correct tracks.{parameter}."
            )
        path = find_written(self.root, relative.as_posix())
        if not path.exists():
            raise InputError(
                f"Recording '{self.recording_id}' has no {_FILES.get(parameter, 'track file')} {path}; put it there, "
                f"or name another in tracks.{parameter}."
            )
        check_inside(self.root, self.recording_id, [path.relative_to(self.root).as_posix()])
        if not (path.is_file() or path.is_dir()):
            raise InputError(
                f"The tracks {path} of recording '{self.recording_id}' are neither a file nor a folder, but something "
                "that waits to be written to (a pipe or a device); put the file itself there."
            )
        return path

    def to_pixels(self, values: NDArray[np.float64], unit: str, path: Path) -> NDArray[np.float64]:
        """Turn positions into pixels.

        Raises
        ------
        InputError
            If the unit is not known, or is a length and the recording has no pixel size.
        """
        word = unit.strip().lower()
        if word in PIXEL_WORDS:
            return values
        if word not in MICROMETRES:
            raise InputError(
                f"Positions in {path} are in '{unit}', but pixels or micrometres were expected; set "
                "tracks.position_unit to px or um."
            )
        if not self.pixel_size_um > 0:
            raise InputError(
                f"Positions in {path} are in '{unit}', but the pixel size of recording '{self.recording_id}' is not "
                "known; set recordings.pixel_size_um, or tracks.position_unit to px if they are pixels.",
                "recordings.pixel_size_um",
            )
        return values * (MICROMETRES[word] / self.pixel_size_um)

    def to_frames(self, times: NDArray[np.float64], unit: str, path: Path) -> NDArray[np.int64]:
        """Turn times into frames.

        Parameters
        ----------
        times : ndarray of float
            Times since the first frame.

        Raises
        ------
        InputError
            If the unit is not known, a time is farther than a quarter of a frame from the nearest, or two are in one.
        """
        word = unit.strip().lower()
        if word not in MINUTES and word not in FRAME_WORDS:
            raise InputError(
                f"Times in {path} are in '{unit}', but frames, seconds, minutes or hours were expected; set "
                "tracks.time_unit to frame, s, min or h."
            )
        frames = times if word in FRAME_WORDS else times * (MINUTES[word] / self.frame_interval_min)
        nearest = np.round(np.where(np.abs(frames) < LARGEST, frames, np.nan))
        apart = np.abs(frames - nearest)
        n_times, n_frames = (len(np.unique(values)) for values in (np.round(frames, 3), nearest))
        if n_frames < n_times or not (apart <= (_WHOLE if word in FRAME_WORDS else _MOST_APART_FRAMES)).all():
            raise InputError(
                f"A time in {path} is {times[int(np.argmax(apart))]:g} ({unit}), which is no whole number of frames of "
                f"{self.frame_interval_min:g} min; correct the times, tracks.time_unit or "
                "recordings.frame_interval_min."
            )
        return nearest.astype(np.int64)


@dataclass(frozen=True)
class Remark:
    """Something about the tracks of a recording that a person should know although they can be read.

    Attributes
    ----------
    check : str
        Check of the preflight that it is told under; it decides whether it is an error.
    sentence : str
        What was found and what to do.
    """

    check: str
    sentence: str


@dataclass(frozen=True, eq=False)
class TrackedCells:
    """What a file says of the cells of one recording.

    Attributes
    ----------
    detections : DataFrame
        cell_id, frame, y_px, x_px, spot_id (Int64, null where the file numbers no spots), and a column a spot feature:
        one row a cell and frame in which it was seen.
    cells : DataFrame
        cell_id, each once; parent_id (Int64, null for none); fate (null where none is stated), event_frame (Int64,
        null where none is stated); cell_name (null where the file gives none); begin (where the file itself says in
        which frame a cell begins).
    parents_known : bool
        Whether the file says who came from whom. Where it does not, parent_id is null throughout.
    remarks : tuple of Remark
        What a person should know about them.
    """

    detections: pd.DataFrame
    cells: pd.DataFrame
    parents_known: bool
    remarks: tuple[Remark, ...] = ()


def make_tracked(
    detections: pd.DataFrame,
    parents: dict[int, int] | None,
    stated: pd.DataFrame | None = None,
    cell_ids: NDArray[np.int64] | None = None,
    names: Mapping[int, str | None] | None = None,
    remarks: tuple[Remark, ...] = (),
) -> TrackedCells:
    """Put together what a file says of its cells.

    Parameters
    ----------
    detections : DataFrame
        cell_id, frame, y_px, x_px, spot_id where the file numbers its spots, and columns of spot features.
    parents : dict of int to int, or None
        Parent of each cell that has one; None where parents are not known.
    stated : DataFrame or None
        fate and event_frame, indexed by cell_id, of cells whose fate the file states.
    cell_ids : ndarray of int64, or None
        Cells that the file lists; those of the detections when not given.
    names : mapping of int to str, or None
        Name that the file gives each cell; None where it gives none.
    """
    ids = np.unique(detections["cell_id"].to_numpy(np.int64)) if cell_ids is None else np.sort(cell_ids)
    nothing = pd.DataFrame({"fate": [], "event_frame": []}, index=pd.Index([], dtype="int64"))
    stated = (nothing if stated is None else stated).reindex(ids)
    known = parents or {}
    cells = pd.DataFrame(
        {
            "cell_id": ids,
            "parent_id": pd.array([known.get(int(cell), pd.NA) for cell in ids], dtype="Int64"),
            "fate": stated["fate"].astype(object).to_numpy(),
            "event_frame": pd.array(stated["event_frame"].array, dtype="Int64"),
            "cell_name": [None if names is None else names.get(int(cell)) for cell in ids],
        }
    )
    kinds = {"cell_id": "int64", "frame": "int64", "y_px": "float64", "x_px": "float64", "spot_id": "Int64"}
    kinds |= dict.fromkeys(list_spot_columns(detections), SPOT_KIND)
    return TrackedCells(detections.reindex(columns=list(kinds)).astype(kinds), cells, parents is not None, remarks)
