"""Preflight: what is wrong or odd in recordings and tracks, found before anything is cut. Tables in, tables out."""

from cellfate.preflight.checking import run_preflight, set_bad_frames_aside, stop_at_errors
from cellfate.preflight.settings import PreflightSettings

__all__ = ["PreflightSettings", "run_preflight", "set_bad_frames_aside", "stop_at_errors"]
