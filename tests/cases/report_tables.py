"""Small tables as a run of both readings would leave them: six recordings, of which three are tested."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core import tables as schemas
from cellfate.core.fates import APOPTOSIS, CENSORED, EVENTS, MITOSIS, NONE
from cellfate.core.tables import EVERYTHING, SHARED
from cellfate.report.reproduction import StudyTables, reproduce
from tests.cases.alarm_tables import alarm_tables
from tests.cases.explanation_tables import attribution_scores, background_swap, tree_shapley_values
from tests.cases.score_tables import DOSES, FOLLOW_UP, HEADLINE_H, REPORT_H, score_tables

INTERVAL_MIN = 30.0
CHANNELS = ("circadian", "p53")
CELL = ["recording_id", "cell_id"]
SCHEMAS = {
    "questions": schemas.Questions,
    "recordings": schemas.Recordings,
    "frame_files": schemas.FrameFiles,
    "cells": schemas.Cells,
    "recordings_set_aside": schemas.SetAside,
    "tracks_set_aside": schemas.SetAside,
    "cells_set_aside": schemas.SetAside,
    "follow_ups": schemas.FollowUps,
    "landmarks": schemas.Landmarks,
    "splits": schemas.Splits,
    "leakage": schemas.Leakage,
    "sister_concordance": schemas.SisterConcordance,
    "forecasts": schemas.Forecasts,
    "metrics": schemas.Metrics,
    "comparisons": schemas.Comparisons,
    "seed_scores": schemas.SeedScores,
    "prediction_sets": schemas.PredictionSets,
    "added_value": schemas.AddedValue,
    "calibration": schemas.Calibration,
    "confusion": schemas.Confusion,
    "operating_curves": schemas.OperatingCurves,
    "masking_curves": schemas.MaskingCurves,
    "commitments": schemas.Commitments,
    "shuffled_commitments": schemas.ShuffledCommitments,
    "commitment_summary": schemas.CommitmentSummary,
    "losses": schemas.Losses,
    "transfer": schemas.Transfer,
    "loss_sensitivity": schemas.LossSensitivity,
    "alarms": schemas.Alarms,
    "alarm_summary": schemas.AlarmSummary,
    "net_benefit": schemas.NetBenefit,
    "observed_incidence": schemas.ObservedIncidence,
    "dose_incidence": schemas.DoseIncidence,
    "condition_incidence": schemas.ConditionIncidence,
    "condition_summary": schemas.ConditionSummary,
    "condition_tests": schemas.ConditionTests,
    "dose_response": schemas.DoseResponse,
    "preflight_findings": schemas.PreflightFindings,
    "reproduction": schemas.Reproduction,
    "frame_features": schemas.FrameFeatures,
    "classifier_history": schemas.TrainingHistory,
    "clock_history": schemas.TrainingHistory,
    "classifier_attention": schemas.Attention,
    "classifier_shapley": schemas.Attributions,
    "clock_shapley": schemas.Attributions,
    "classifier_occlusion": schemas.Attributions,
    "clock_occlusion": schemas.Attributions,
}


@dataclass(frozen=True)
class ReportCase:
    """Tables by catalog name, and the config of each model folder as a dict."""

    tables: dict[str, pd.DataFrame]
    models: dict[str, dict[str, Any]]


def report_case(n_cells: int = 6, low: float = 0.01) -> ReportCase:
    """A run with so many cells a recording; `low` is the lower end of the models' lead over the measurements.

    Fates go round: apoptosis, mitosis, censored. Every seventh cell is forecast the wrong event.
    """
    follow_ups = make_follow_ups(n_cells)
    landmarks = make_landmarks(follow_ups)
    forecasts = make_forecasts(follow_ups)
    commitments = make_commitments(follow_ups, forecasts)
    tables = {
        **_study(follow_ups),
        **_set_aside(),
        **_preflight(),
        "follow_ups": follow_ups,
        "landmarks": landmarks,
        "questions": make_questions(),
        "splits": _splits(follow_ups),
        "leakage": make_leakage(),
        "sister_concordance": make_concordance(),
        "forecasts": forecasts,
        **score_tables(low),
        "added_value": added_value(),
        "commitments": commitments,
        "shuffled_commitments": commitments.assign(draw=0),
        "commitment_summary": _commitment_summary(commitments),
        **alarm_tables(forecasts, follow_ups),
        "background_swap": background_swap(),
        "frame_features": _features(follow_ups),
        "classifier_history": _history(validation_auroc=0.8, validation_balanced_accuracy=0.75),
        "clock_history": _history(),
        **_explanations("classifier", _explain(landmarks[landmarks["last"]], None), "apoptosis"),
        **_explanations("clock", _explain(landmarks[landmarks["regular"]], HEADLINE_H), "mitosis within 5 h"),
    }
    tables["reproduction"] = make_reproduction(tables)
    models = {
        name: {"kind": name, "channels": list(CHANNELS), "data_digest": "0123abcd"} for name in ("classifier", "clock")
    }
    return ReportCase(tables, models)


def make_reproduction(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Published figures beside those of the case, which compares no attention."""
    names = ("questions", "metrics", "masking_curves", "recordings", "splits")
    study = StudyTables(
        attention_statistics=schemas.AttentionStatistics.empty(), **{name: tables[name] for name in names}
    )
    return reproduce(study, None, FOLLOW_UP, AttentionStatisticsSettings())


def added_value(low: float = 0.1, n_groups: int = 30) -> pd.DataFrame:
    """What images add to the age; `low` is the lower end of the log-likelihood that they gain per event."""
    gains = {"images": (0.3, low, 0.5), "measurements": (0.2, 0.05, 0.4), "network": (0.1, -0.1, 0.2)}
    asked = [("log_likelihood", EVERYTHING, np.nan)]
    asked += [(metric, event, 5.0) for event in EVENTS for metric in ("auroc", "auroc_within_time")]
    rows = []
    for metric, outcome, within_h in asked:
        for added, (gain, least, most) in gains.items():
            known = {"score_without": 0.6, "score_with": 0.6 + gain} if outcome != EVERYTHING else {}
            row = {"context": "age, recording_time", "added": added, "metric": metric, "outcome": outcome} | known
            row |= {"within_h": within_h, "difference": gain, "low": least, "high": most, "reason": ""}
            rows.append(row | {"n_landmarks": 120, "n_events": 30, "n_groups": n_groups})
    return pd.DataFrame(rows)


def make_questions(which: bool = True, within: bool = True) -> pd.DataFrame:
    """Table `Questions`; a question that is not asked says why."""
    rows = [
        ("which_fate", np.nan, which, 12, 12, None if which else "not asked: all 12 cells end in mitosis."),
        ("within_hours", HEADLINE_H, within, 18, 120, None if within else "not asked: no cell ends in an event."),
    ]
    columns = ["question", "within_h", "asked", "n_cells", "n_landmarks", "remark"]
    return pd.DataFrame(rows, columns=columns)


def make_follow_ups(n_cells: int) -> pd.DataFrame:
    """Cells of recordings r0..r5; lengths go from 7 shown frames up."""
    fates = (APOPTOSIS, MITOSIS, CENSORED)
    rows = []
    for recording, cell in product(range(6), range(1, n_cells + 1)):
        fate, end = fates[cell % 3], 9 + 5 * ((cell + recording) % 7)
        rows.append(
            {
                "recording_id": f"r{recording}",
                "cell_id": cell,
                "group_id": f"r{recording}",
                "dose": DOSES[recording % 3],
                "first_frame": 0,
                "last_frame": end - 3,
                "n_frames": end - 2,
                "fate": fate,
                "event_frame": pd.NA if fate == CENSORED else end,
                "end_frame": end,
                "frame_interval_min": INTERVAL_MIN,
                "recording_frames": 60,
            }
        )
    return pd.DataFrame(rows).astype({"event_frame": "Int64"})


def make_landmarks(follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Every third frame from the first that is old enough, and the last one shown."""
    rows = []
    for cell in follow_ups.to_dict("records"):
        regular = set(range(FOLLOW_UP.min_frames - 1, cell["last_frame"] + 1, 3))
        rows += [_landmark(cell, frame, frame in regular) for frame in sorted({*regular, cell["last_frame"]})]
    return pd.DataFrame(rows).astype({"event_frame": "Int64"})


def _landmark(cell: dict[Any, Any], frame: int, regular: bool) -> dict[str, Any]:
    return {
        "landmark_id": f"{cell['recording_id']}:{cell['cell_id']}:{frame}",
        **{name: cell[name] for name in (*CELL, "group_id", "dose", "fate", "event_frame")},
        "first_frame": 0,
        "last_frame": frame,
        "n_frames": frame + 1,
        "age_frames": frame,
        "frame_interval_min": INTERVAL_MIN,
        "time_h": (cell["end_frame"] - frame) * INTERVAL_MIN / 60,
        "watchable_h": (59 - frame) * INTERVAL_MIN / 60,
        "regular": regular,
        "last": frame == cell["last_frame"],
    }


def make_forecasts(follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Forecasts at every frame of the test cells, rising to the end, and of which fate comes at the last."""
    rows: list[tuple[Any, ...]] = []
    for cell in follow_ups[follow_ups["recording_id"] >= "r3"].itertuples():
        forecast = _forecast_event(cell)
        late_h = 0.7 * ((2 * cell.cell_id + int(cell.recording_id[1:])) % 4)
        frames = range(FOLLOW_UP.min_frames - 1, cell.last_frame + 1)
        for frame, hours, (predictor, most) in product(frames, REPORT_H, (("blend", 0.9), ("network", 0.8))):
            left_h = (cell.end_frame - frame) * INTERVAL_MIN / 60
            p = most / (1 + np.exp((left_h - hours + late_h) / 1.5)) * (0.25 if cell.fate == CENSORED else 1)
            rows.append((predictor, cell.recording_id, cell.cell_id, frame, hours, *_share(forecast, p, 0.06)))
        for predictor, most in (("classifier", 0.8), ("blend", 0.7)):
            if cell.fate != CENSORED:
                p = most + 0.02 * (cell.cell_id % 5)
                fates = _share(forecast, p, 1 - p)
                rows.append((predictor, cell.recording_id, cell.cell_id, cell.last_frame, np.nan, *fates))
    names = ["predictor", *CELL, "frame", "within_h", "p_apoptosis", "p_mitosis"]
    table = pd.DataFrame(rows, columns=names).assign(scheme="grouped_holdout", fold=0, part="test")
    p_none = 1 - table["p_apoptosis"] - table["p_mitosis"]
    return table.assign(p_none=p_none.where(table["within_h"].notna(), 0.0).round(12), expected_h=np.nan)


def _share(forecast: str, p: float, rest: float) -> list[float]:
    return [p if event == forecast else rest for event in EVENTS]


def _forecast_event(cell: Any) -> str:
    """Event that is forecast for a cell: its fate, but for every seventh cell."""
    fate = MITOSIS if cell.fate == CENSORED else str(cell.fate)
    return fate if (cell.cell_id + int(cell.recording_id[1:])) % 7 else EVENTS[1 - EVENTS.index(fate)]


def make_commitments(follow_ups: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Read the calls, the likeliest outcome at each frame, off the forecasts of the headline horizon."""
    headline = forecasts[forecasts["within_h"] == HEADLINE_H]
    rows = []
    for (predictor, _, _), part in headline.groupby(["predictor", *CELL]):
        cell = follow_ups.merge(part[CELL].head(1)).iloc[0]
        calls = np.array([*EVENTS, NONE])[part[["p_apoptosis", "p_mitosis", "p_none"]].to_numpy().argmax(axis=1)]
        stays = np.flatnonzero(calls != calls[-1])
        frame = int(part["frame"].iloc[stays[-1] + 1 if len(stays) else 0])
        known = calls[-1] != NONE and cell["fate"] != CENSORED
        rows.append(
            {
                "predictor": predictor,
                **{name: cell[name] for name in (*CELL, "group_id", "dose", "fate")},
                "call": calls[-1],
                "within_h": HEADLINE_H,
                "frame": frame if calls[-1] != NONE else pd.NA,
                "hours_before_event": (cell["end_frame"] - frame) * INTERVAL_MIN / 60 if known else np.nan,
                "from_first": calls[-1] != NONE and not len(stays),
            }
        )
    return pd.DataFrame(rows).astype({"frame": "Int64", "cell_id": "int64"})


def _commitment_summary(commitments: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (predictor, fate), cells in commitments.groupby(["predictor", "fate"]):
        measured = {"share_called": (cells["call"] != NONE).mean()}
        if fate != CENSORED:
            right = cells[cells["call"] == fate]
            measured["median_lead_h"] = 2.5
            measured["share_from_first"] = right["from_first"].mean()
        for metric, value in measured.items():
            rows.append((predictor, fate, metric, value, value - 0.1, value + 0.1, len(cells), 3))
    columns = ["predictor", "fate", "metric", "estimate", "low", "high", "n_cells", "n_groups"]
    return pd.DataFrame(rows, columns=columns)


def _study(follow_ups: pd.DataFrame) -> dict[str, pd.DataFrame]:
    recordings = pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(6)],
            "source": "r",
            "axes": "TCYX",
            "channels": "|".join(CHANNELS),
            "n_frames": 60,
            "height_px": 160,
            "width_px": 160,
            "dtype": "uint16",
            "frame_interval_min": INTERVAL_MIN,
            "pixel_size_um": np.nan,
            "condition": "drug",
            "dose": [DOSES[i % 3] for i in range(6)],
            "group_id": [f"r{i}" for i in range(6)],
        }
    )
    files = pd.DataFrame({"recording_id": ["r0"] * 4, "frame": range(4), "file_name": "f.tif"})
    cells = follow_ups[[*CELL, "group_id", "fate", "event_frame"]].assign(
        parent_id=pd.array([pd.NA] * len(follow_ups), dtype="Int64"), lineage_id=None, first_frame=0, last_frame=50
    )
    return {"recordings": recordings, "frame_files": files.assign(label_file_name=None), "cells": cells}


def _set_aside() -> dict[str, pd.DataFrame]:
    rows = {
        "recordings": ("r9", pd.NA, "open_recordings", "frame 3 of r9 has 2 channels, expected 3"),
        "tracks": ("r1", 41, "import_tracks", "no position"),
        "cells": ("r1", 40, "follow_cells", "no tracked frame before the guard"),
    }
    columns = ["recording_id", "cell_id", "stage", "reason"]
    return {
        f"{name}_set_aside": pd.DataFrame([row], columns=columns).astype({"cell_id": "Int64"})
        for name, row in rows.items()
    }


def _preflight() -> dict[str, pd.DataFrame]:
    rows = [
        ("r9", None, None, None, "recording", "error", 1, "frame 3 of r9 has 2 channels, expected 3"),
        ("r1", "r1/004.tif", 7, 4, "jump", "warning", 1, "In recording 'r1' cell 7 moves 31.0 px a frame."),
        ("r1", "r1/002.tif", 9, 2, "jump", "warning", 1, "In recording 'r1' cell 9 moves 22.0 px a frame."),
        ("r2", None, None, None, "jump", "warning", 12, "In recording 'r2' 12 further cases are not listed."),
    ]
    names = ["recording_id", "file", "cell_id", "frame", "check", "severity", "n_cases", "finding"]
    findings = pd.DataFrame(rows, columns=names).assign(channel=None, value=np.nan, limit=np.nan)
    summary = pd.DataFrame({"recording_id": [*(f"r{i}" for i in range(9)), "r9"], "n_frames": 10, "n_cells": 3})
    counts = summary.assign(n_errors=[0] * 9 + [1], n_warnings=[0, 2, 12] + [0] * 7)
    return {
        "preflight_findings": findings.astype({"cell_id": "Int64", "frame": "Int64"}),
        "preflight_summary": counts,
        "label_findings": schemas.LabelFindings.empty(),
        "label_agreement": schemas.LabelAgreement.empty(),
    }


def _splits(follow_ups: pd.DataFrame) -> pd.DataFrame:
    part = follow_ups["recording_id"].map(lambda name: "test" if name >= "r3" else "train")
    part = part.where(follow_ups["recording_id"] != "r2", "validation")
    return follow_ups[CELL].assign(scheme="grouped_holdout", fold=0, part=part)


def make_leakage(**shared: int) -> pd.DataFrame:
    """Table `Leakage`: so many of 18 test cells share what is named; of 16 the tracks say who came from whom."""
    rows = [("validation", what, 6, 6, 0) for what in SHARED]
    rows += [("test", what, 18, 18 if what in ("recording", "group") else 16, shared.get(what, 0)) for what in SHARED]
    names = ["part", "shared", "n_cells", "n_known", "n_shared"]
    table = pd.DataFrame(rows, columns=names).assign(scheme="grouped_holdout", fold=0)
    return table.assign(share=table["n_shared"] / table["n_known"])


def make_concordance(p_same: float = 0.0005, p_hours: float = 0.2, reason: str | None = None) -> pd.DataFrame:
    """Table `SisterConcordance` of twenty pairs, or of none for a reason."""
    values = [("same_fate", 0.9, 0.6, 0.5, 0.7, p_same, 20), ("time_difference_h", 2.0, 2.4, 1.8, 3.0, p_hours, 18)]
    names = ["measure", "observed", "expected", "null_low", "null_high", "p_value", "n_pairs"]
    table = pd.DataFrame(values, columns=names).assign(condition=EVERYTHING, n_recordings=6, n_unseen=5, reason=reason)
    undefined = names[1:-1] if reason else []
    return table.assign(**dict.fromkeys(undefined, np.nan), n_pairs=0 if reason else table["n_pairs"])


def _history(**scores: float) -> pd.DataFrame:
    rows = [
        (fold, epoch, 1.2 / (epoch + 1) + 0.3, 0.9 / (epoch + 1) + 0.5 + 0.02 * fold, 1e-3 / (epoch + 1), epoch == 3)
        for fold in range(2)
        for epoch in range(5)
    ]
    names = ["fold", "epoch", "train_loss", "validation_log_loss", "learning_rate", "kept"]
    return pd.DataFrame(rows, columns=names).assign(**scores)


def _features(follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Measurements at every frame shown; p53 rises in the cells that die."""
    rows = follow_ups.loc[follow_ups.index.repeat(follow_ups["n_frames"]), [*CELL, "fate", "last_frame"]]
    frame = rows.groupby(CELL).cumcount()
    wave = 100 + 10 * np.sin(frame / 4)
    rise = 60 * (rows["fate"] == APOPTOSIS) * np.exp(-(rows["last_frame"] - frame) / 4)
    table = rows[CELL].assign(frame=frame, segmented=True, area=120 + frame, perimeter=40.0, circularity=0.9)
    table = table.assign(eccentricity=0.5, solidity=0.95, equivalent_diameter=12.0, n_neighbors=2.0)
    return table.assign(intensity_circadian=wave, intensity_p53=80 + rise).reset_index(drop=True)


def _explain(landmarks: pd.DataFrame, within_h: float | None) -> pd.DataFrame:
    """One explained landmark a test cell, with what followed it."""
    known = landmarks[(landmarks["recording_id"] >= "r3") & (landmarks["fate"] != CENSORED)]
    chosen = known.drop_duplicates(CELL, keep="last").reset_index(drop=True)
    outcome = chosen["fate"] if within_h is None else chosen["fate"].where(chosen["time_h"] <= within_h, NONE)
    first = chosen["first_frame"] if within_h is None else (chosen["last_frame"] - 11).clip(lower=0)
    facts = {"reference_log_odds": -0.4, "outcome": outcome, "lead_time_h": chosen["time_h"], "shown_from": first}
    return chosen.assign(fold=0, occluded=True, shapley=chosen.index < 8, **facts)


def _explanations(reading: str, explained: pd.DataFrame, outcome: str) -> dict[str, pd.DataFrame]:
    """Tables of one reading: attention of the classifier only, values of windows of 2 h, scores, curves."""
    attention = [
        (row.landmark_id, frame, (row.last_frame - frame) / 2, 0.9 / (row.last_frame - row.shown_from + 1), 0.1)
        for row in explained.itertuples()
        for frame in range(row.shown_from, row.last_frame + 1)
    ]
    names = ["landmark_id", "frame", "hours_before_event", "attention", "class_token"]
    paid = pd.DataFrame(attention if reading == "classifier" else [], columns=names)
    values = _attributions(explained, outcome)
    tables = {
        "explained_landmarks": explained,
        "attention": paid.astype({"landmark_id": str, "attention": float, "class_token": float, "frame": int}),
        "shapley": values[values["method"] == "shapley"],
        "occlusion": values[values["method"] != "shapley"],
        "tree_shapley": tree_shapley_values(),
        "attributions": values[values["method"] == "shapley"].assign(towards=1.0),
        "attribution_scores": attribution_scores(),
        "faithfulness_curves": _faithfulness(),
        "attribution_agreement": pd.DataFrame(
            {"method": ["shapley"], "other": ["occlusion_window"], "rank_correlation": [0.4], "n_cells": [8]}
        ),
        "randomised_weights": pd.DataFrame(
            {
                "method": "shapley", "stage": [0, 1], "layer": ["none", "head"], "rank_correlation": [1.0, 0.2],
                "low": [1.0, 0.1], "high": [1.0, 0.3], "n_cells": 4,
            }
        ),
    }  # fmt: skip
    return {f"{reading}_{name}": table for name, table in tables.items()}


def _attributions(explained: pd.DataFrame, outcome: str) -> pd.DataFrame:
    rows = []
    for row in explained.itertuples():
        for back in range(3):
            last = row.last_frame - 4 * back
            first = row.shown_from if back == 2 else last - 3
            if last < row.shown_from:
                continue
            first, window = max(first, row.shown_from), (row.landmark_id, back)
            rows.append((*window, first, last, "occlusion_window", "all", 0.5 / (back + 1)))
            if row.shapley:
                rows.append((*window, first, last, "shapley", "circadian", 0.1 - 0.05 * back))
                rows.append((*window, first, last, "shapley", "p53", 1.2 / (back + 1)))
        edges = (row.shown_from, row.last_frame)
        rows += [(row.landmark_id, 0, *edges, "occlusion_channel", name, 0.2) for name in CHANNELS]
    names = ["landmark_id", "windows_back", "window_first_frame", "window_last_frame", "method", "channel", "value"]
    return pd.DataFrame(rows, columns=names).assign(
        unit="logit", window_h=2.0, explained_outcome=outcome, prediction=1.5, baseline=-0.3
    )


def _faithfulness() -> pd.DataFrame:
    rows = [
        (method, curve, order, share, value * share, value * share - 0.1, value * share + 0.1, 8)
        for method, value in (("shapley", 2.0), ("occlusion_window", 1.0))
        for curve in ("deletion", "insertion")
        for order in ("own", "random", "reverse")
        for share in (0.0, 0.5, 1.0)
    ]
    names = ["method", "curve", "order", "share", "value", "low", "high", "n_cells"]
    return pd.DataFrame(rows, columns=names)
