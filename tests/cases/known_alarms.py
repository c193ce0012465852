"""Alarms on the exact incidence of simulated cells: what is known of them, and what would have been seen of all."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import CELL
from cellfate.metrics.alarms import list_alarms
from cellfate.prediction.settings import AlarmSettings
from cellfate.simulation import SimulatedStudy, list_true_incidence, simulate_study
from tests.cases.simulated import hazard_settings

FOLLOW_UP = FollowUpSettings()


def follow_simulated(study: SimulatedStudy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Follow-ups of a study without its images; and `life_end`, `destiny`: the event of each cell, lost or not."""
    settings = study.settings
    pairs = [(plan, cell) for plan in study.plans for cell in plan.cells]
    cells = pd.DataFrame(
        {
            "recording_id": [plan.recording_id for plan, _ in pairs],
            "cell_id": [cell.life.cell_id for _, cell in pairs],
            "group_id": [plan.recording_id for plan, _ in pairs],
            "fate": [cell.fate for _, cell in pairs],
            "event_frame": pd.array([cell.event_frame for _, cell in pairs], dtype="Int64"),
            "life_end": [cell.life.event_frame for _, cell in pairs],
            "destiny": [cell.life.destiny for _, cell in pairs],
        }
    )
    tracked = [np.arange(cell.life.first_frame, cell.last_frame + 1) for _, cell in pairs]
    detections = cells.loc[cells.index.repeat([len(frames) for frames in tracked]), CELL].reset_index(drop=True)
    recordings = pd.DataFrame(
        {
            "recording_id": [plan.recording_id for plan in study.plans],
            "dose": [plan.dose for plan in study.plans],
            "frame_interval_min": settings.frame_interval_min,
            "n_frames": settings.n_frames,
        }
    )
    follow_ups, _ = follow_cells(detections.assign(frame=np.concatenate(tracked)), cells, recordings, FOLLOW_UP)
    return follow_ups, cells[[*CELL, "life_end", "destiny"]]


def compare_with_truth(
    seed: int, n_recordings: int, alarms: Sequence[AlarmSettings] = (AlarmSettings(),), loss_per_h: float = 0.04
) -> pd.DataFrame:
    """Count the alarms of one study whose recordings go on for the horizon: right as weighted, and right in truth."""
    study = simulate_study(hazard_settings(n_recordings, loss_per_h, seed))
    follow_ups, lives = follow_simulated(study)
    truth = list_true_incidence(study, FOLLOW_UP.edges_h, (FOLLOW_UP.headline_h,))
    asked = truth.merge(follow_ups[[*CELL, "first_frame", "last_frame"]], on=CELL)
    old = asked["frame"] - asked["first_frame"] >= FOLLOW_UP.min_frames - 1
    shown = asked[old & (asked["frame"] <= asked["last_frame"])].drop(columns=["first_frame", "last_frame"])
    found = [list_alarms(shown, follow_ups, FOLLOW_UP, alarm).merge(lives, on=CELL) for alarm in alarms]
    counts = [_count(table, study.settings.n_frames, study.settings.frame_interval_min / 60) for table in found]
    return pd.DataFrame(counts, index=pd.Index([alarm.threshold for alarm in alarms], name="threshold"))


def _count(alarms: pd.DataFrame, n_frames: int, interval_h: float) -> dict[str, float]:
    found = alarms[(n_frames - 1 - alarms["frame"]) * interval_h >= FOLLOW_UP.headline_h]
    in_time = (found["life_end"] - found["frame"]) * interval_h <= FOLLOW_UP.headline_h
    return {
        "n_alarms": len(found),
        "n_unknown": int((found["answer"] == "unknown").sum()),
        "n_right_true": int((in_time & (found["destiny"] == found["outcome"])).sum()),
        "n_right_weighted": float(found.loc[found["answer"] == "right", "weight"].sum()),
        "n_weighted": float(found["weight"].sum()),
    }
