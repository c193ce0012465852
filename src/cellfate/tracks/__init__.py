"""Tracks: importers, one file a format, that turn tracking files into detections and cells; their validation.

Throughout the room `source` is the recording whose tracks are read, `tracks` what a person says of them, `path` the
file, for messages, `folder` the folder of recordings. `recordings` and `frame_files` are the tables of these names;
`detections` and `cells` have the columns of theirs, but for the group_id of cells, which comes last; `parents` gives
the parent of each cell that has one.
"""

from cellfate.tracks.importing import gather_tracks, import_tracks
from cellfate.tracks.settings import TrackSettings

__all__ = ["TrackSettings", "gather_tracks", "import_tracks"]
