"""Pipelines: thin nodes and their wiring. They meet only at catalog names."""
