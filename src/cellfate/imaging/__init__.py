"""Recordings: layouts on disk, lazy frames, crop windows. The room knows no fates."""

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
