"""The known answer: what decided each fate, and how well anyone could do who knew all of it."""

from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.fates import APOPTOSIS, CENSORED
from cellfate.simulation.records import Life, PlannedRecording, SimulatedCell, SimulatedStudy
from cellfate.simulation.settings import CHANNELS, CauseSettings, SimulationSettings
from cellfate.simulation.signals import window_bounds_h
from cellfate.statistics.effect_sizes import separation
from cellfate.statistics.scores import balanced_accuracy, count_confusion

_NO_ORACLE = (
    "Hazards are known and fates are drawn from them frame by frame, so no score of a whole cell exists; compare "
    "forecasts with the true incidence instead."
)


def list_truth(study: SimulatedStudy) -> pd.DataFrame:
    """Tell what decided each cell's fate, when and in which channel.

    Parameters
    ----------
    study : SimulatedStudy
        The study.

    Returns
    -------
    DataFrame
        Table `Truth`, one row a cell. The deciding cause is the one that pushed hardest towards the fate that came;
        it is null for censored cells and where no biology decides. Beside the schema's columns: `confounder`, what
        goes with fates beside the causes (`length`, `surroundings`, `hidden` or null), and `log_odds_confounder`;
        `dose`, `parent_id` (true mother, null for founders), `first_frame`, `last_frame`, `event_frame`, and for
        every cause c `log_odds_<c>`, `<c>_first_frame` and `<c>_last_frame`, and `log_odds_dose`; the log odds add up
        to `oracle_logit`. Where hazards are known, no window before the event decides: the cause, its window and
        strength and `oracle_logit` are null in all cells, and in place of the log odds stand the cell's own cycle
        length `cycle_h` and `p53_on_h`, the hours of its track with p53 on.
    """
    rows = [_describe(cell, plan, study.settings) for plan in study.plans for cell in plan.cells]
    table = pd.DataFrame(rows)
    whole = [name for name in table if str(name).endswith("_frame") or name == "parent_id"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def score_oracle(study: SimulatedStudy) -> dict[str, Any]:
    """Score a predictor that knows the planted log odds of every cell.

    Parameters
    ----------
    study : SimulatedStudy
        The study.

    Returns
    -------
    dict
        Balanced accuracy at log odds 0 and AUROC over cells with a fate, the number of such cells in all and by fate,
        of censored cells and of recordings, and the settings. Scores are NaN if a fate is missing, and where hazards
        are known: fates are then decided frame by frame, so that there is no score of a cell; a `note` says so.
    """
    cells = [cell for plan in study.plans for cell in plan.cells]
    fated = [cell for cell in cells if cell.fate != CENSORED]
    dies = np.array([cell.fate == APOPTOSIS for cell in fated], dtype=bool)
    logits = np.array([cell.life.oracle_logit for cell in fated])
    known = study.settings.hazards is not None
    confusion_1kk = count_confusion(
        dies.astype(np.int64), (logits > 0).astype(np.int64), np.zeros(len(dies), np.int64), np.ones((1, 1)), 2
    )
    return {
        "balanced_accuracy": np.nan if known else float(balanced_accuracy(confusion_1kk)[0]),
        "auroc": np.nan if known else separation(logits, dies),
        "n_cells": len(fated),
        "n_apoptosis": int(dies.sum()),
        "n_mitosis": int((~dies).sum()),
        "n_censored": len(cells) - len(fated),
        "n_recordings": len(study.plans),
        "settings": study.settings.model_dump(mode="json", exclude_none=True),
        **({"note": _NO_ORACLE} if known else {}),
    }


def trace_reporters(study: SimulatedStudy) -> pd.DataFrame:
    """List the true reporter levels of every cell over the frames of its track.

    Parameters
    ----------
    study : SimulatedStudy
        The study.

    Returns
    -------
    DataFrame
        recording_id, cell_id, fate, frame, hours_before_event (NaN when censored) and one column a channel, without
        units. Where hazards are known also the state: `phase` and `p53_on`.
    """
    return pd.concat(
        [_trace(cell, plan, study.settings) for plan in study.plans for cell in plan.cells], ignore_index=True
    )


def cause_window(cell: SimulatedCell, cause: CauseSettings, settings: SimulationSettings) -> tuple[int, int]:
    """First and last frame of a cause's window in a cell."""
    start, end = (hours / settings.frame_h for hours in window_bounds_h(cell.life, cause, settings))
    return int(np.ceil(start)), int(np.floor(end))


def _describe(cell: SimulatedCell, plan: PlannedRecording, settings: SimulationSettings) -> dict[str, Any]:
    life, causes = cell.life, settings.causes
    row: dict[str, Any] = {
        "recording_id": plan.recording_id,
        "cell_id": life.cell_id,
        "fate": cell.fate,
        "deciding_channel": None,
        "window_first_frame": None,
        "window_last_frame": None,
        "strength": None,
        "oracle_logit": life.oracle_logit,
        "dose": plan.dose,
        "parent_id": life.parent_id,
        "first_frame": life.first_frame,
        "last_frame": cell.last_frame,
        "event_frame": cell.event_frame,
        "log_odds_dose": life.dose_log_odds,
        "confounder": None if settings.confounder is None else settings.confounder.kind,
        "log_odds_confounder": life.confounder_log_odds,
    }
    if life.course is not None:
        del row["log_odds_dose"], row["log_odds_confounder"]
        n_tracked = cell.last_frame - life.first_frame + 1
        row["cycle_h"] = life.course.cycle_frames * settings.frame_h
        row["p53_on_h"] = float(life.course.p53_on[:n_tracked].sum() * settings.frame_h)
        return row
    windows = [cause_window(cell, cause, settings) for cause in causes]
    for cause, log_odds, (first, last) in zip(causes, life.log_odds, windows, strict=True):
        row[f"log_odds_{cause.channel}"] = float(log_odds)
        row[f"{cause.channel}_first_frame"], row[f"{cause.channel}_last_frame"] = first, last
    if cell.fate != CENSORED and causes:
        towards = 1 if cell.fate == APOPTOSIS else -1
        deciding = int(np.argmax(towards * life.log_odds))
        row["deciding_channel"] = causes[deciding].channel
        row["window_first_frame"], row["window_last_frame"] = windows[deciding]
        row["strength"] = float(life.log_odds[deciding])
    return row


def _trace(cell: SimulatedCell, plan: PlannedRecording, settings: SimulationSettings) -> pd.DataFrame:
    n = cell.last_frame - cell.life.first_frame + 1
    frames = cell.frames[:n]
    left_h = (cell.life.event_frame - frames) * settings.frame_h
    return pd.DataFrame(
        {
            "recording_id": plan.recording_id,
            "cell_id": cell.life.cell_id,
            "fate": cell.fate,
            "frame": frames,
            "hours_before_event": left_h if cell.fate != CENSORED else np.nan,
            **{name: cell.reporters[:n, c] for c, name in enumerate(CHANNELS)},
            **_states(cell.life, frames),
        }
    )


def _states(life: Life, frames: np.ndarray) -> dict[str, np.ndarray]:
    """States in tracked frames where hazards are known; else nothing."""
    if life.course is None:
        return {}
    return {
        "phase": (frames - life.birth_frame) / life.course.cycle_frames,
        "p53_on": life.course.p53_on[frames - life.first_frame],
    }
