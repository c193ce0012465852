"""Recordings: layouts on disk, lazy frames, crop windows. The room knows no fates.

Throughout the room `root` is the folder of recordings, `settings` what a person says of it, `recording_id`, `path` and
`where` name a recording or a file in messages, and `recordings` and `frame_files` are the tables of these names.
"""

from cellfate.imaging.opening import lazy_recordings, open_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.windows import cut_window, window_origin

__all__ = [
    "Recording",
    "RecordingFolder",
    "RecordingSettings",
    "cut_window",
    "lazy_recordings",
    "open_recordings",
    "window_origin",
]
