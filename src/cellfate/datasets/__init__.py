"""Kedro I/O classes; no science."""
