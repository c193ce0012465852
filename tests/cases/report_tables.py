"""Small tables as a run would leave them, for tests of the report: three recordings a part."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tests.cases.explanation_tables import attribution_scores, background_swap, shapley_values, tree_shapley_values

DOSES = ("Control", "Low", "High")


@dataclass(frozen=True)
class ReportCase:
    """Tables by catalog name, and the model's config as a dict."""

    tables: dict[str, pd.DataFrame]
    model: dict[str, Any]


def report_case(outcomes: tuple[str, str] = ("apoptosis", "mitosis"), low: float = 0.05) -> ReportCase:
    """A run on nine recordings; `low` is the lower end of the difference to dose alone."""
    kind = "landmark" if "none" in outcomes else "whole_track"
    samples = _samples(outcomes)
    tables = {
        "preflight_findings": _findings(),
        "preflight_summary": _summary(),
        "recordings": _recordings(),
        "frame_files": pd.DataFrame({"recording_id": ["r0"] * 4, "frame": range(4), "file_name": "f.tif"}),
        "recordings_set_aside": _set_aside("r9", None, "open_recordings", "frame 3 of r9 has 2 channels, expected 3"),
        "tracks_set_aside": _set_aside(None, None, "", "").head(0),
        "samples_excluded": _set_aside("r1", 40, "make_samples", "censored: no fate was seen"),
        "cells": _cells(samples),
        "samples": samples,
        "splits": _splits(samples),
        "leakage": _leakage(),
        "metrics": _metrics(outcomes),
        "comparisons": _comparisons(outcomes, low),
        "predictions": _predictions(samples, outcomes),
        "attribution_scores": attribution_scores(),
        "background_swap": background_swap(),
        "shapley": shapley_values(),
        "tree_shapley": tree_shapley_values(),
        "attention": pd.DataFrame({"sample_id": samples["sample_id"], "frame": 0, "attention": 1.0}),
    }
    model = {
        "outcomes": list(outcomes),
        "channels": ["circadian", "p53", "cell_cycle"],
        "samples": {"kind": kind, "guard_h": 1.0, "horizon_h": 5.0},
        "data_digest": "0123abcd",
        "members": [{"fold": 0, "best_epoch": 3}],
    }
    return ReportCase(tables, model)


def _findings() -> pd.DataFrame:
    rows = [
        ("r9", None, None, None, "recording", "error", 1, "frame 3 of r9 has 2 channels, expected 3"),
        ("r1", "r1/004.tif", 7, 4, "jump", "warning", 1, "In recording 'r1' cell 7 moves 31.0 px a frame."),
        ("r1", "r1/002.tif", 9, 2, "jump", "warning", 1, "In recording 'r1' cell 9 moves 22.0 px a frame."),
        ("r2", None, None, None, "jump", "warning", 12, "In recording 'r2' 12 further cases are not listed."),
    ]
    names = ["recording_id", "file", "cell_id", "frame", "check", "severity", "n_cases", "finding"]
    findings = pd.DataFrame(rows, columns=names).assign(channel=None, value=float("nan"), limit=float("nan"))
    return findings.astype({"cell_id": "Int64", "frame": "Int64"})


def _summary() -> pd.DataFrame:
    names = [*(f"r{i}" for i in range(9)), "r9"]
    errors, warnings = [0] * 9 + [1], [0, 2, 12] + [0] * 7
    return pd.DataFrame({"recording_id": names, "n_errors": errors, "n_warnings": warnings})


def _recordings() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(9)],
            "channels": "circadian|p53|cell_cycle",
            "n_frames": 4,
            "height_px": 160,
            "width_px": 160,
            "frame_interval_min": 30.0,
            "pixel_size_um": float("nan"),
            "condition": "drug",
            "dose": [DOSES[i % 3] for i in range(9)],
            "group_id": [f"r{i}" for i in range(9)],
        }
    )


def _samples(outcomes: tuple[str, str]) -> pd.DataFrame:
    rows = [
        {
            "sample_id": f"r{recording}:{cell}",
            "recording_id": f"r{recording}",
            "cell_id": cell,
            "group_id": f"r{recording}",
            "dose": DOSES[recording % 3],
            "first_frame": 0,
            "last_frame": 3,
            "n_frames": 4,
            "age_frames": 3,
            "outcome": outcomes[cell % 2],
            "event_frame": 6,
            "lead_time_h": 1.5,
            "frame_interval_min": 30.0,
        }
        for recording in range(9)
        for cell in (1, 2)
    ]
    return pd.DataFrame(rows)


def _cells(samples: pd.DataFrame) -> pd.DataFrame:
    fates = samples["outcome"].replace({"none": "censored"})
    kept = samples[["recording_id", "cell_id", "group_id", "event_frame"]]
    return kept.assign(fate=fates, first_frame=0, last_frame=5, lineage_id=None, parent_id=None)


def _splits(samples: pd.DataFrame) -> pd.DataFrame:
    part = samples["recording_id"].str[1:].astype(int) // 3
    parts = part.map({0: "train", 1: "validation", 2: "test"})
    return pd.DataFrame({"scheme": "grouped_holdout", "fold": 0, "sample_id": samples["sample_id"], "part": parts})


def _leakage() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fold": [0, 0],
            "part": ["validation", "test"],
            "n_samples": [6, 6],
            "n_cells": [6, 6],
            "n_groups": [3, 3],
            "share_recording": [0.0, 0.0],
            "share_lineage": [float("nan")] * 2,
            "share_sister": [float("nan")] * 2,
        }
    )


def _predictions(samples: pd.DataFrame, outcomes: tuple[str, str]) -> pd.DataFrame:
    tested = samples.merge(_splits(samples), on="sample_id").query("part == 'test'").reset_index(drop=True)
    positive = pd.Series([0.9, 0.2, 0.6, 0.4, 0.3, 0.7])
    return pd.DataFrame(
        {
            "predictor": "cellfate",
            "scheme": "grouped_holdout",
            "fold": 0,
            "part": "test",
            "sample_id": tested["sample_id"],
            f"p_{outcomes[0]}": positive,
            f"p_{outcomes[1]}": 1 - positive,
            "call": [outcomes[0] if p >= 0.5 else outcomes[1] for p in positive],
        }
    )


def _metrics(outcomes: tuple[str, str]) -> pd.DataFrame:
    scores = {"cellfate": 0.87, "track_length": 0.61, "dose": 0.71, "handcrafted": 0.83}
    kinds = [(name, "all") for name in ("balanced_accuracy", "auroc", "average_precision")]
    rows = [
        (predictor, metric, outcome, condition, value, value - 0.05, value + 0.04, *_counts(metric), 3)
        for predictor, value in scores.items()
        for metric, outcome in [*kinds, ("average_precision", outcomes[0]), *(("recall", name) for name in outcomes)]
        for condition in ("all", *DOSES, "within_dose")
    ]
    names = [
        "predictor",
        "metric",
        "outcome",
        "condition",
        "estimate",
        "low",
        "high",
        "n_cells",
        "n_samples",
        "n_groups",
    ]
    return pd.DataFrame(rows, columns=names)


def _counts(metric: str) -> tuple[int, int]:
    return (3, 3) if metric == "recall" else (6, 6)


def _comparisons(outcomes: tuple[str, str], low: float) -> pd.DataFrame:
    rows = [
        ("cellfate", reference, metric, outcome, value, value - (0.16 - low), value + 0.07, 6, 3, reference == "dose")
        for reference, value in (("track_length", 0.26), ("dose", 0.16), ("handcrafted", 0.04))
        for metric, outcome in (("balanced_accuracy", "all"), ("auroc", "all"), ("average_precision", outcomes[0]))
    ]
    names = ["predictor", "reference", "metric", "outcome", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_samples", "n_groups", "best_trivial"])


def _set_aside(recording_id: str | None, cell_id: int | None, stage: str, reason: str) -> pd.DataFrame:
    frame = pd.DataFrame({"recording_id": [recording_id], "cell_id": [cell_id], "stage": [stage], "reason": [reason]})
    return frame.astype({"cell_id": "Int64"})
