"""Tables of traces: a family that is worked by hand, and simulated experiments whose reporter tells the fate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.cohort.splits import split_cells
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import FRAME
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.preflight import PreflightSettings, run_preflight
from cellfate.tracks import TrackSettings
from cellfate.tracks.importing import import_tracks

FAMILY = """cell,mother,born,ended,fate,red_on,red_off,drug
1,0,0,2.2,divided,,1.7,a
2,1,2.2,6.0,died,3.0,5.1,a
3,1,2.2,8.7,lost,,,a
4,0,0,10.0,lost,9.9,,a
"""
"""Hours; frames of 30 min, 10 h."""
INTERVALS = {
    "format": "intervals",
    "time_unit": "h",
    "columns": {"cell_id": "cell", "parent_id": "mother", "fate": "fate"},
    "intervals": {
        "birth": "born",
        "end": "ended",
        "switched_on": {"red": "red_on"},
        "switched_off": {"red": "red_off"},
    },
    "fate_names": {"died": "apoptosis", "divided": "mitosis"},
}


def about(**changes: Any) -> RecordingSettings:
    """Recordings of traces with a frame each 30 min, that end after 10 h."""
    given = {"layout": "traces", "frame_interval_min": 30, "traces": {"end_h": 10.0}, "group_by": "lineage"}
    given["conditions_columns"] = {"condition": "drug", "dose": None}
    return RecordingSettings.model_validate(given | changes)


def read(
    root: Path, tracks: dict[str, Any] | None = None, **changes: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Recordings, detections and cells of a folder of tables."""
    folder, settings = RecordingFolder(root), about(**changes)
    recordings, frame_files, _ = open_recordings(folder, settings)
    form = TrackSettings.model_validate(INTERVALS if tracks is None else tracks)
    detections, cells, _ = import_tracks(folder, recordings, frame_files, settings, form)
    return recordings, detections, cells


def find(root: Path, tracks: dict[str, Any] | None = None, **changes: Any) -> pd.DataFrame:
    """Findings of the preflight."""
    form = TrackSettings.model_validate(INTERVALS if tracks is None else tracks)
    return run_preflight(RecordingFolder(root), about(**changes), form, (2, 2), PreflightSettings()).findings


def simulate_families(n_founders: int, seed: int, last_h: float = 40.0) -> pd.DataFrame:
    """Families of two generations, hours since the first frame.

    Cells wait, with equal odds each hour, for red, 6 to 9 h after which they divide, or to die; red appears in no cell
    that dies. A tenth of all cells are lost.
    """
    rng = np.random.default_rng(seed)
    waiting = [(0, 0.0)] * n_founders
    rows: list[dict[str, Any]] = []
    while waiting:
        mother, born = waiting.pop(0)
        fate = str(rng.choice(["divided", "died", "lost"], p=[0.5, 0.4, 0.1]))
        waits_h = 2 + rng.exponential(6)
        ended = born + waits_h + (rng.uniform(6, 9) if fate == "divided" else 2)
        on = born + waits_h if fate == "divided" else np.nan
        if ended >= last_h:
            fate, ended = "lost", last_h
        on = on if on < ended else np.nan
        told = {"red_on": round(on, 3), "red_off": np.nan, "drug": "a"}
        rows.append(
            {"cell": len(rows) + 1, "mother": mother, "born": born, "ended": round(ended, 3), "fate": fate, **told}
        )
        waiting += [(len(rows), round(ended, 3))] * 2 if fate == "divided" else []
    return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class TraceStudy:
    """Tables that `data_processing` makes of traces."""

    detections: pd.DataFrame
    follow_ups: pd.DataFrame
    landmarks: pd.DataFrame
    splits: pd.DataFrame
    frame_features: pd.DataFrame


PLANTED_FOLLOW_UP = FollowUpSettings(
    guard_h=1.0, bin_h=1.0, horizon_h=4.0, report_h=(3.0,), headline_h=3.0, min_frames=3, stride_frames=2
)


def plant_reporter(root: Path, n_cells: int = 150, seed: int = 0) -> TraceStudy:
    """Cells that live 6 to 20 h; red appears just 4 h before a division, and in no cell that dies or is lost."""
    rng = np.random.default_rng(seed)
    fates = rng.choice(["divided", "died", "lost"], n_cells, p=[0.45, 0.45, 0.1])
    born = rng.uniform(0, 15, n_cells).round(3)
    ended = (born + rng.uniform(6, 20, n_cells)).round(3)
    red_on = np.where(fates == "divided", ended - 4, np.nan).round(3)
    cells = {"cell": range(1, n_cells + 1), "mother": 0, "born": born, "ended": ended, "fate": fates}
    table = pd.DataFrame(cells | {"red_on": red_on, "red_off": np.nan, "drug": "a"})
    table.to_csv(root / "day1.csv", index=False)
    recordings, detections, read_cells = read(root, traces={"end_h": 40.0})
    follow_ups, _ = follow_cells(detections, read_cells, recordings, PLANTED_FOLLOW_UP)
    scheme = SplitSettings(scheme="grouped_holdout", test_share=0.4, validation_share=0.2)
    return TraceStudy(
        detections,
        follow_ups,
        list_landmarks(detections, follow_ups, PLANTED_FOLLOW_UP),
        split_cells(follow_ups, read_cells, detections, PLANTED_FOLLOW_UP, scheme),
        detections[[*FRAME, *list_spot_columns(detections.columns)]],
    )
