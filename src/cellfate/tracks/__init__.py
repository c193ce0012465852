"""Tracks: importers, one file a format, that turn tracking files into detections and cells; their validation."""

from cellfate.tracks.importing import import_tracks

__all__ = ["import_tracks"]
