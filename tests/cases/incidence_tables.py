"""Small tables as a run of the fate clock would leave them: six recordings, of which three are tested."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.fates import APOPTOSIS, CENSORED, EVENTS, FATES, MITOSIS, NONE
from cellfate.metrics.commitments import summarise_commitments
from cellfate.metrics.settings import ScoreSettings
from tests.cases.explanation_tables import attribution_scores, shapley_values, tree_shapley_values

DOSES = ("Control", "Low", "High")
INTERVAL_MIN = 30.0
GUARD_FRAMES = 2
MIN_FRAMES = 4
REPORT_H = (2.0, 5.0, 10.0)
HEADLINE_H = 5.0
THRESHOLDS = {APOPTOSIS: 0.4, MITOSIS: 0.5}
SKILL = {"ensemble": 0.84, "clock": 0.8, "handcrafted_and_age": 0.81, "age_and_time": 0.64, "dose": 0.58}
"""AUROC of each predictor for mitosis within the headline horizon."""


@dataclass(frozen=True)
class IncidenceCase:
    """Tables by catalog name, and the model folder's config as a dict."""

    tables: dict[str, pd.DataFrame]
    model: dict[str, Any]


def incidence_case(n_cells: int = 6, low: float = 0.01) -> IncidenceCase:
    """A run with so many cells a recording; `low` is the lower end of the ensemble's lead over the best reference.

    Every seventh cell is forecast the wrong event. Fates go round: apoptosis, mitosis, censored.
    """
    follow_ups = make_follow_ups(n_cells)
    incidence = make_incidence(follow_ups)
    commitments = make_commitments(follow_ups, incidence)
    tables = {
        "follow_ups": follow_ups,
        "follow_ups_excluded": _excluded(),
        "landmarks": make_landmarks(follow_ups),
        "clock_splits": _splits(follow_ups),
        "clock_history": _history(),
        "incidence": incidence,
        "incidence_metrics": _metrics(),
        "incidence_comparisons": _comparisons(low),
        "incidence_calibration": _calibration(),
        "observed_incidence": _observed(),
        "dose_incidence": _doses(),
        "commitments": commitments,
        "clock_shapley": shapley_values().assign(explained_outcome="mitosis within 5 h"),
        "clock_tree_shapley": tree_shapley_values(),
        "clock_attribution_scores": attribution_scores(),
        "commitment_summary": summarise_commitments(commitments, ScoreSettings(n_resamples=100)),
    }
    follow_up = {"events": list(EVENTS), "guard_h": 1.0, "horizon_h": 10.0, "bin_h": 1.0}
    reported = {"report_h": list(REPORT_H), "headline_h": HEADLINE_H, "min_frames": MIN_FRAMES, "stride_frames": 3}
    model = {"follow_up": {**follow_up, **reported}, "channels": ["p53"], "data_digest": "0123abcd"}
    return IncidenceCase(tables, model)


def make_follow_ups(n_cells: int) -> pd.DataFrame:
    """Cells of recordings r0..r5; lengths go from 8 frames up."""
    rows = []
    for recording, cell in product(range(6), range(1, n_cells + 1)):
        fate, end = FATES[cell % 3], 9 + 5 * ((cell + recording) % 7)
        last = end - GUARD_FRAMES - 1
        known = fate != CENSORED
        rows.append(
            {
                "sample_id": f"r{recording}:{cell}",
                "recording_id": f"r{recording}",
                "cell_id": cell,
                "group_id": f"r{recording}",
                "dose": DOSES[recording % 3],
                "first_frame": 0,
                "last_frame": last,
                "n_frames": last + 1,
                "age_frames": last,
                "outcome": fate if known else None,
                "event_frame": end if known else pd.NA,
                "lead_time_h": (end - last) * INTERVAL_MIN / 60 if known else np.nan,
                "frame_interval_min": INTERVAL_MIN,
                "fate": fate,
                "end_frame": end,
            }
        )
    return pd.DataFrame(rows).astype({"event_frame": "Int64"})


def make_landmarks(follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Every third frame from the first that is old enough to the last that is shown."""
    rows = [
        {
            "sample_id": f"{cell.sample_id}:{frame}",
            "recording_id": cell.recording_id,
            "cell_id": cell.cell_id,
            "group_id": cell.group_id,
            "dose": cell.dose,
            "first_frame": 0,
            "last_frame": frame,
            "age_frames": frame,
            "frame_interval_min": INTERVAL_MIN,
            "fate": cell.fate,
            "time_h": (cell.end_frame - frame) * INTERVAL_MIN / 60,
            "watchable_h": (50 - frame) * INTERVAL_MIN / 60,
        }
        for cell in follow_ups.itertuples()
        for frame in range(MIN_FRAMES - 1, cell.last_frame + 1, 3)
    ]
    return pd.DataFrame(rows)


def make_incidence(follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Forecasts of clock and ensemble at every frame of the test cells; they rise towards the end of the track."""
    tested = follow_ups[follow_ups["recording_id"] >= "r3"]
    rows = []
    for cell in tested.itertuples():
        forecast = _forecast_event(cell)
        late_h = 0.7 * ((2 * cell.cell_id + int(cell.recording_id[1:])) % 4)
        for frame, hours, (predictor, most) in product(
            range(MIN_FRAMES - 1, cell.last_frame + 1), REPORT_H, (("ensemble", 0.9), ("clock", 0.8))
        ):
            left_h = (cell.end_frame - frame) * INTERVAL_MIN / 60
            p = most / (1 + np.exp((left_h - hours + late_h) / 1.5)) * (0.25 if cell.fate == CENSORED else 1)
            of_event = {event: p if event == forecast else 0.06 for event in EVENTS}
            rows.append((predictor, cell.recording_id, cell.cell_id, frame, hours, *of_event.values()))
    names = ["predictor", "recording_id", "cell_id", "frame", "within_h", "p_apoptosis", "p_mitosis"]
    table = pd.DataFrame(rows, columns=names)
    table = table.assign(p_none=1 - table["p_apoptosis"] - table["p_mitosis"], expected_h=6.0)
    return table.assign(scheme="grouped_holdout", fold=0, part="test")


def _forecast_event(cell: Any) -> str:
    """Event that is forecast for a cell: its fate, but for every seventh cell."""
    fate = MITOSIS if cell.fate == CENSORED else str(cell.fate)
    return fate if (cell.cell_id + int(cell.recording_id[1:])) % 7 else EVENTS[1 - EVENTS.index(fate)]


def make_commitments(follow_ups: pd.DataFrame, incidence: pd.DataFrame) -> pd.DataFrame:
    """Read the calls off the forecasts: they rise, so a call stays from the first frame over its threshold."""
    headline = incidence[incidence["within_h"] == HEADLINE_H]
    rows = []
    for (predictor, _, _), forecasts in headline.groupby(["predictor", "recording_id", "cell_id"]):
        cell = follow_ups.merge(forecasts[["recording_id", "cell_id"]].head(1)).iloc[0]
        calls = [e for e in EVENTS if forecasts[f"p_{e}"].iloc[-1] >= THRESHOLDS[e]]
        call = calls[0] if calls else NONE
        over = forecasts[forecasts[f"p_{call}"] >= THRESHOLDS[call]]["frame"] if calls else pd.Series(dtype=float)
        frame = int(over.min()) if calls else pd.NA
        is_known = calls and cell["fate"] != CENSORED
        rows.append(
            {
                "predictor": predictor,
                **cell[["recording_id", "cell_id", "group_id", "dose", "fate"]].to_dict(),
                "call": call,
                "within_h": HEADLINE_H,
                "threshold": THRESHOLDS.get(call, np.nan),
                "frame": frame,
                "hours_before_event": (cell["end_frame"] - frame) * INTERVAL_MIN / 60 if is_known else np.nan,
            }
        )
    return pd.DataFrame(rows).astype({"frame": "Int64", "cell_id": "int64"})


def _excluded() -> pd.DataFrame:
    reason = "a track of 3 frames is shorter than the guard"
    rows = {"recording_id": ["r1", "r2"], "cell_id": [40, 41], "stage": "follow_cells", "reason": reason}
    return pd.DataFrame(rows).astype({"cell_id": "Int64"}).assign(last_frame=3)


def _splits(follow_ups: pd.DataFrame) -> pd.DataFrame:
    part = follow_ups["recording_id"].map(lambda name: "test" if name >= "r3" else "train")
    part = part.where(follow_ups["recording_id"] != "r2", "validation")
    return pd.DataFrame({"scheme": "grouped_holdout", "fold": 0, "sample_id": follow_ups["sample_id"], "part": part})


def _history() -> pd.DataFrame:
    rows = [
        (fold, epoch, 1.2 / (epoch + 1) + 0.3, 0.9 / (epoch + 1) + 0.5 + 0.02 * fold, 1e-3 / (epoch + 1), epoch == 3)
        for fold in range(2)
        for epoch in range(5)
    ]
    names = ["fold", "epoch", "train_loss", "validation_log_loss", "learning_rate", "kept"]
    return pd.DataFrame(rows, columns=names)


def _metrics() -> pd.DataFrame:
    rows = []
    for (predictor, skill), event, hours in product(SKILL.items(), EVENTS, REPORT_H):
        n_events = {APOPTOSIS: 30, MITOSIS: 60}[event] * int(hours)
        auroc = skill - 0.01 * hours + (0.03 if event == MITOSIS else 0) + 0.02
        precision = 0.4 * skill * np.sqrt(hours / 5) * (1.6 if event == MITOSIS else 1)
        brier = (0.35 - 0.3 * skill) * hours / 10
        for metric, value in {"auroc": auroc, "average_precision": precision, "brier": brier}.items():
            spread = 0.015 if metric == "brier" else 0.05
            for condition in ("all", *DOSES):
                score = (predictor, metric, event, condition, hours, value, value - spread, value + 0.8 * spread)
                rows.append((*score, 36, 1200, n_events, 3))
    names = ["predictor", "metric", "outcome", "condition", "within_h", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_cells", "n_samples", "n_events", "n_groups"])


def _comparisons(low: float) -> pd.DataFrame:
    references = [name for name in SKILL if name not in ("ensemble", "clock")]
    pairs = [("ensemble", "clock"), *product(("ensemble", "clock"), references)]
    rows = []
    for (predictor, reference), event, hours in product(pairs, EVENTS, REPORT_H):
        lead = SKILL[predictor] - SKILL[reference]
        for metric, size in (("auroc", 1.0), ("average_precision", 0.8), ("brier", -0.3)):
            best = predictor == "ensemble" and reference == "handcrafted_and_age"
            bottom = low if best and size > 0 else size * lead - 0.04
            value = round(size * lead, 3)
            score = (predictor, reference, metric, event, hours, value, round(bottom, 3), value + 0.04)
            rows.append((*score, 1200, 3))
    names = ["predictor", "reference", "metric", "outcome", "within_h", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_samples", "n_groups"])


def _calibration() -> pd.DataFrame:
    rows = []
    for (predictor, skill), event, hours, place in product(SKILL.items(), EVENTS, REPORT_H, range(4)):
        p = (0.1 + 0.22 * place) * (0.3 if event == APOPTOSIS else 1) * (0.7 + 0.03 * hours)
        observed = p * (0.6 + 0.4 * skill)
        rows.append((predictor, event, hours, place, p, observed, 0.8 * observed, 1.2 * observed, 300, 3))
    names = ["predictor", "outcome", "within_h", "bin", "mean_probability", "observed", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_samples", "n_groups"])


def _observed() -> pd.DataFrame:
    rows = []
    for (place, dose), event, hours in product(enumerate((*DOSES, "all")), EVENTS, range(0, 41, 2)):
        rate = 0.012 * (place + 0.4) if event == APOPTOSIS else 0.03 / (place + 1)
        share = 0.6 * (1 - np.exp(-rate * hours))
        spread = np.nan if hours == 40 else 0.3 * share
        rows.append((dose, event, float(hours), share, share - spread, share + spread))
        n_all = 3 if dose == "all" else 1
        rows[-1] = (*rows[-1], n_all * (120 - 3 * hours), n_all * 120, n_all * 2)
    names = ["dose", "outcome", "time_h", "incidence", "low", "high", "n_at_risk", "n_cells", "n_groups"]
    return pd.DataFrame(rows, columns=names)


def _doses() -> pd.DataFrame:
    rows = []
    for (predictor, skill), (place, dose), event, hours in product(
        SKILL.items(), enumerate((*DOSES, "all")), EVENTS, REPORT_H
    ):
        observed = hours * (0.006 * (place + 1) if event == APOPTOSIS else 0.03 / (place + 1))
        forecast = observed * (0.7 + 0.4 * skill)
        counts = (36, 3) if dose == "all" else (12, 1)
        rows.append((predictor, dose, event, hours, forecast, observed, 0.7 * observed, 1.3 * observed, *counts))
    names = ["predictor", "dose", "outcome", "within_h", "forecast", "observed", "low", "high", "n_cells", "n_groups"]
    return pd.DataFrame(rows, columns=names)
