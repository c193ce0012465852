"""Preflight: what is wrong or odd in recordings and tracks, found before anything is cut. Tables in, tables out.

A check takes tables and gives tables `PreflightFindings`, one a check. Throughout the room `recordings`, `frame_files`,
`detections`, `quality` and `findings` are the tables `Recordings`, `FrameFiles`, `Detections`, `FrameQuality` and
`PreflightFindings`, `cells` has the columns of `Cells` but group_id, and `placed` is what `tracks.place_detections`
gives; `tracks` says how the tracks were read, `settings` from where on something is told and how many cases are.
"""

from cellfate.preflight.checking import run_preflight, set_bad_frames_aside, stop_at_errors
from cellfate.preflight.settings import PreflightSettings

__all__ = ["PreflightSettings", "run_preflight", "set_bad_frames_aside", "stop_at_errors"]
