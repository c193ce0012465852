"""Tracks: importers, one file a format, that turn tracking files into detections and cells; their validation."""

from cellfate.tracks.importing import gather_tracks, import_tracks
from cellfate.tracks.settings import TrackSettings

__all__ = ["TrackSettings", "gather_tracks", "import_tracks"]
