"""What a person says about the files that tracks and fates come in."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from cellfate.core.fates import CENSORED, FATES, UNSCORED
from cellfate.core.settings import Settings

PLACEHOLDER = "{recording_id}"
"""What stands for the recording in the name of a file."""
IMAGE = "{image}"
"""What stands for the recording's image file, with its folders and without its ending: a file beside the image."""
Format = Literal[
    "coco_vid",
    "cell_tracking_challenge",
    "trackmate_xml",
    "trackmate_csv",
    "btrack",
    "geff",
    "napari_csv",
    "labels",
    "deepcell",
    "imaris_csv",
    "cell_acdc",
    "cellprofiler_csv",
    "csv",
    "intervals",
]
DEFAULT_FILES: dict[str, str] = {
    "trackmate_xml": "{recording_id}.xml",
    "btrack": "{recording_id}.h5",
    "geff": "{recording_id}.geff",
    "labels": "labels/{recording_id}.tif",
    "deepcell": "{recording_id}.trk",
    "trackmate_csv": "{recording_id}_spots.csv",
    "imaris_csv": "{recording_id}_Position.csv",
    "cell_acdc": "{recording_id}_acdc_output.csv",
    "cellprofiler_csv": "{recording_id}.csv",
    "napari_csv": "{recording_id}.csv",
    "csv": "{recording_id}.csv",
}
"""Where the tracks of a recording are looked for, relative to the folder of recordings; the surest formats first."""
SPOT_FORMATS = frozenset({"trackmate_xml", "trackmate_csv"})
"""Formats in which a person can type the fate of a cell into the name of a spot."""
LABEL_FORMATS = frozenset({"labels", "deepcell"})
"""Formats of label images: their positions are pixels."""
TRACE_FORMATS = ("csv", "intervals")
"""Formats of cells without images: a row a cell and frame, or a row a cell."""
UNTRACKED_FORMATS = frozenset({"csv", "napari_csv", "trackmate_csv", "imaris_csv", "cell_acdc", "cellprofiler_csv"})
"""Formats with a column of cells, in which a number can stand for spots of no track."""
MEASURED_FORMATS = frozenset(
    {
        *SPOT_FORMATS,
        *("btrack", "geff", "napari_csv", "imaris_csv", "cell_acdc", "cellprofiler_csv", *TRACE_FORMATS),
    }
)
"""Formats whose files may hold what was measured of each spot."""
OWN_FRAMES = frozenset({None, "coco_vid", "cell_tracking_challenge", "imaris_csv", *LABEL_FORMATS})
"""Formats that say themselves which frame is the first; None: that of the layout."""
TIMED_FORMATS = frozenset({"napari_csv", "geff", *TRACE_FORMATS})
"""Formats in which spots can have times instead of frames."""
_WORDS: dict[str, str] = {
    **{fate: fate for fate in FATES},
    **dict.fromkeys(("lost", "neither", "none", "no event", "alive", "survived"), CENSORED),
    **dict.fromkeys(("not scored", "not_scored", "unknown", "na", "nan"), UNSCORED),
}
"""What words for a fate mean."""


def is_file_each(template: str) -> bool:
    """Whether a name of files has a place for the recording, so that every recording has its own."""
    return PLACEHOLDER in template or IMAGE in template


class TrackColumns(Settings):
    """Names of the columns of a plain CSV; some also name properties of spots.

    `cell_id`, `fate`, `event_frame` and, together, `y` and `x` name node properties of GEFF, `fate` an attribute of the
    spots of TrackMate.
    """

    cell_id: str = "cell_id"
    """Number of the cell. In GEFF it is used where the file has such a property or names its tracklets."""
    frame: str = "frame"
    """Number of the frame."""
    y: str = "y"
    """Row of the centre of the cell."""
    x: str = "x"
    """Column of the centre of the cell."""
    spot_id: str | None = None
    """`csv`: number of the spot, in a table in which every row names the spot that it came from; null: rows name cells
    (`cell_id`)."""
    parent_spot_id: str | None = None
    """`csv`: number of the spot it came from in the frame before: blank, -1, or 0 where no spot has the number 0, for
    none."""
    parent_id: str | None = None
    """Number of the cell it came from: blank, -1, or 0 where no cell has the number 0, for none; null: not known."""
    fate: str | None = None
    """Fate of the cell, the same on each of its rows or blank; null: the file states none. `trackmate_xml`: an
    attribute of the spots, such as name; `trackmate_csv`: a column of theirs, such as LABEL. There, the first spot with
    a fate is the event, and names that TrackMate gives (ID12, Track_3) state nothing."""
    event_frame: str | None = None
    """Frame of the event (censored cells: the last frame in which they were watched), the same on each row of the cell
    or blank; null: the file states none."""
    recording_id: str | None = None
    """Recording of the row, where one file holds several; null: a file a recording."""

    @model_validator(mode="after")
    def _check_spots(self) -> "TrackColumns":
        if (self.spot_id is None) != (self.parent_spot_id is None):
            raise ValueError(
                f"columns.spot_id is {self.spot_id} and columns.parent_spot_id is {self.parent_spot_id}, but spots are "
                "linked by both; name both columns, or neither."
            )
        if self.spot_id is not None and self.parent_id is not None:
            raise ValueError(
                f"columns.spot_id is '{self.spot_id}' and columns.parent_id is '{self.parent_id}', but spots "
                "name their parents by columns.parent_spot_id; set columns.parent_id to null."
            )
        return self


def name_reporter_values(reporter: str) -> tuple[str, str, str]:
    """Name what a reporter that switches becomes: its state, and the hours since it appeared and vanished."""
    return reporter, f"{reporter}_since_on_h", f"{reporter}_since_off_h"


class IntervalColumns(Settings):
    """Names of the columns of a table with a row a cell; cell, parent and fate are named as those of a plain CSV."""

    birth: str = "birth"
    """When the cell was first seen, in `tracks.time_unit`; that of cells in the first frame is 0."""
    end: str = "end"
    """When its event was or, without one, when it was last seen, in `tracks.time_unit`."""
    switched_on: dict[str, str] = Field(default={})
    """Column of the time at which each reporter was seen to appear, such as {red: red_on_h}; blank: it was not seen."""
    switched_off: dict[str, str] = Field(default={})
    """Column of the time at which each reporter was seen to vanish; blank: it was not seen."""

    @property
    def reporters(self) -> tuple[str, ...]:
        """Names of the reporters, in order."""
        return tuple(dict.fromkeys((*self.switched_on, *self.switched_off)))

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the values that they become, three a reporter."""
        return tuple(name for reporter in self.reporters for name in name_reporter_values(reporter))


class FateColumns(Settings):
    """Names of the columns of a separate table of fates."""

    recording_id: str | None = "recording_id"
    """Recording of the cell; null where `fates_file` names a file a recording."""
    cell_id: str = "cell_id"
    """Number of the cell, or its name: see `fates_cell`."""
    fate: str = "fate"
    """Fate of the cell."""
    time: str = "event_frame"
    """When the event was, in `fates_time_unit`; for a censored cell until when it was watched, or blank: all along."""


class TrackSettings(Settings):
    """Which format the tracks are in, and what the files do not say."""

    format: Format | None = None
    """Format of the tracks; null: the one that belongs to the layout of the recordings."""
    files: str | None = None
    """File of the tracks of a recording, relative to the folder of recordings, where {recording_id} stands for its
    name and {image} for its image file with folders and without ending; null: the name with the format's ending."""
    graph_file: str | None = None
    """`napari_csv`, `labels`, `deepcell` without lineages, `csv` without a column of parents: who came from whom, named
    as `files` are: JSON {daughter: [parent]}, a table with columns such as label and parent, or `res_track.txt` of the
    Challenge; null: parents are not known."""
    edges_file: str | None = None
    """`trackmate_csv`: TrackMate's table of edges, named as `files` are; null: parents are not known."""
    columns: TrackColumns = TrackColumns()
    """`csv`, and `geff` where it says so: names of the columns."""
    intervals: IntervalColumns = IntervalColumns()
    """`intervals`: names of the columns of when each cell was born, switched and ended."""
    spot_features: tuple[str, ...] = ()
    """Numbers that the tracker measured of each spot, by the names that the file has for them, such as
    MEAN_INTENSITY_CH1: models that read measurements are given them beside those made of the crops. A value has to be
    known in its frame: one of the whole track (its length, its mean) tells when the track ends. Formats of `coco_vid`,
    the Cell Tracking Challenge and label images hold none."""
    position_unit: Literal["px", "um"] | None = None
    """Unit of the positions; null: what the file says, and pixels where it says nothing. Micrometres are divided by
    the pixel size of the recording."""
    first_frame: int = Field(default=0, ge=0)
    """Number that the first frame of the recording has in the file; 1 where frames are counted from 1."""
    time_unit: Literal["frame", "s", "min", "h"] | None = None
    """`csv`, `intervals`, `napari_csv`, `geff`: unit of the times of spots (`columns.frame`, `columns.event_frame`) and
    of cells (`intervals`); null: what the file says, and frames where it says nothing. Times are divided by the frame
    interval of the recording."""
    btrack_axes: Literal["xy", "yx"] = "xy"
    """`btrack`: which coordinate stands first. btrack names the first x; files made from (row, column) hold y there."""
    keep_false_positives: bool = True
    """`btrack`: keep tracks whose fate is FALSE_POSITIVE, as censored cells; false leaves them out."""
    on_merge: Literal["stop", "cut"] = "stop"
    """What is done with tracks that merge (`trackmate_xml`, `trackmate_csv`, `geff`, `napari_csv`): the recording is
    refused; or the cells end where they merge, and what follows is a new cell whose parent is not known."""
    missing_parents: Literal["stop", "unknown"] = "stop"
    """What is done with a cell whose parent has no track: the recording is refused; or its parent is not known, and
    cells of one missing parent stay one lineage."""
    untracked_id: int | None = None
    """Tables: number that spots of no track have in the column of cells, such as 0 or -1; they are left out, as are
    rows where it is blank; null: blank only."""
    fates_file: str | None = None
    """Table of fates (CSV, .xlsx), relative to the folder of recordings, {recording_id} allowed; null: none."""
    missing_fates: Literal["stop", "unscored"] = "stop"
    """Where that file is missing: stop, or take it that nobody looked and the cells are unscored."""
    fates_columns: FateColumns = FateColumns()
    """Names of the columns of that table."""
    fates_cell: Literal["cell_id", "cell_name"] = "cell_id"
    """How that table calls cells: by their number (TrackMate: the ID of a cell's first spot), or by the name that the
    tracker gives them (TrackMate: Track_3, and Track_3.a and Track_3.b for its daughters)."""
    name_cells_by: Literal["track_name", "track_id"] = "track_name"
    """`trackmate_xml`: what cells are named by: the name of their track, or its TRACK_ID, which is another number."""
    fates_time_unit: Literal["frame", "h", "min"] = "frame"
    """Unit of its times: frames, counted as in `first_frame`, or hours or minutes since the first frame of the
    recording."""
    fate_names: dict[str, Literal["apoptosis", "mitosis", "censored", "unscored"]] = Field(default={})
    """What other words for a fate mean, such as {died: apoptosis}; upper and lower case are the same."""
    unlisted_cells: Literal["unscored", "censored"] = UNSCORED
    """Fate of a cell that does not divide in its tracks and for which the fates, where any are given, state nothing:
    unscored, nobody looked, and it is neither trained on nor scored; or censored, if every cell was watched to its last
    frame and only those with an event were written down."""

    @field_validator("files", "graph_file", "edges_file", "fates_file")
    @classmethod
    def _check_template(cls, template: str | None) -> str | None:
        if template is None:
            return None
        bare = template.replace(PLACEHOLDER, "").replace(IMAGE, "")
        parts = template.replace("\\", "/").split("/")
        if not template.strip("./ ") or "{" in bare or "}" in bare:
            raise ValueError(
                f"'{template}' is no name of a file; give one in which only {PLACEHOLDER} or {IMAGE} stands in braces."
            )
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise ValueError(f"'{template}' leaves the folder of recordings; give a path relative to it, without '..'.")
        return template

    @model_validator(mode="after")
    def _check_spot_features(self) -> "TrackSettings":
        if self.spot_features and self.format not in MEASURED_FORMATS:
            raise ValueError(
                f"spot_features are {', '.join(self.spot_features)} but format is {self.format}, whose files measure "
                f"nothing of a spot; set spot_features to [], or format to {', '.join(sorted(MEASURED_FORMATS))}."
            )
        twice = [name for name in self.spot_features if self.spot_features.count(name) > 1 or not name.strip()]
        if twice:
            raise ValueError(f"spot_features names '{twice[0]}' twice or blank; give every name once.")
        for key in ("fate", "event_frame", "cell_id", "parent_id", "spot_id", "parent_spot_id"):
            name = getattr(self.columns, key)
            if name in self.spot_features:
                raise ValueError(
                    f"spot_features names '{name}', which is columns.{key}: how a cell ends, or a number that calls "
                    "it, measures nothing of a spot; take it from spot_features."
                )
        return self

    @model_validator(mode="after")
    def _check_belongs(self) -> "TrackSettings":
        for name, formats in (
            ("graph_file", {"napari_csv", "csv", *LABEL_FORMATS}),
            ("edges_file", {"trackmate_csv"}),
            ("untracked_id", UNTRACKED_FORMATS),
            ("time_unit", TIMED_FORMATS),
            ("files", set(DEFAULT_FILES)),
        ):
            if getattr(self, name) is not None and self.format not in formats:
                raise ValueError(
                    f"{name} is '{getattr(self, name)}' but format is {self.format}, and {name} is only for "
                    f"{', '.join(sorted(formats))}; set {name} to null or correct the format."
                )
        if self.columns.event_frame is not None and self.format in {"cell_acdc", *SPOT_FORMATS}:
            raise ValueError(
                f"columns.event_frame is '{self.columns.event_frame}' but format is {self.format}, where the first "
                "spot with a fate is the event; set columns.event_frame to null."
            )
        if self.first_frame and self.format in OWN_FRAMES:
            raise ValueError(
                f"first_frame is {self.first_frame} but format is {self.format}, which says itself which frame is the "
                "first; set first_frame to 0."
            )
        if self.first_frame and not self.counts_frames:
            raise ValueError(
                f"first_frame is {self.first_frame} but frames are those of ImageNumber, which counts from 1; set "
                "first_frame to 0, or name another column of frames in columns.frame."
            )
        in_columns = self.columns.parent_id or self.columns.parent_spot_id
        if self.graph_file is not None and self.format == "csv" and in_columns:
            raise ValueError(
                f"graph_file is '{self.graph_file}' and columns name parents ('{in_columns}'), but parents come from "
                "one place; set either to null."
            )
        if self.format == "intervals" and self.time_unit == "s":
            raise ValueError("time_unit is s but format is intervals, whose times are frame, min or h; give minutes.")
        if self.position_unit == "um" and self.format in LABEL_FORMATS:
            raise ValueError(
                f"position_unit is um but format is {self.format}, whose positions are pixels; set position_unit to "
                "null."
            )
        return self

    @property
    def file_template(self) -> str:
        """Name of the file of a recording, with a place for its name; of formats in `DEFAULT_FILES`."""
        return self.files if self.files is not None else DEFAULT_FILES[str(self.format)]

    @property
    def counts_frames(self) -> bool:
        """Whether `first_frame` says from which number on the file counts frames."""
        by_image = self.format == "cellprofiler_csv" and self.columns.frame == TrackColumns().frame
        return self.format not in OWN_FRAMES and not by_image

    @property
    def states_fates(self) -> bool:
        """Whether fates are given beside what the tracks show: as a table, or as a column or property of the tracks."""
        in_tracks = (
            self.format in {"geff", "cell_acdc", *TRACE_FORMATS, *SPOT_FORMATS} and self.columns.fate is not None
        )
        return in_tracks or self.fates_file is not None

    def fate_of(self, word: str) -> str | None:
        """Fate that a word means, or None if it is not known.

        Examples
        --------
        >>> TrackSettings(fate_names={"died": "apoptosis"}).fate_of(" Died ")
        'apoptosis'
        >>> TrackSettings().fate_of("lost")
        'censored'
        """
        own = {key.strip().lower(): fate for key, fate in self.fate_names.items()}
        word = word.strip().lower()
        return own.get(word, _WORDS.get(word))
