"""Tracks: importers, one file a format, that turn tracking files into detections and cells; their validation."""
