"""Key numbers of the tiny study, taken from a finished run; `python -m tests.golden.study PROJECT` writes them down."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from tests.conftest import CELL, read_table

FILE = Path(__file__).with_name("test_study.json")
REFERENCES = ("boosting", "age_and_time", "dose")
"""Predictors within hours without a network."""
TRAINED = ("network", "blend", "classifier")
OBSERVED_H = 10.0
"""Hours after the first landmark of a cell; at this size nothing happens in the first 8."""


def gather_numbers(project: Path) -> dict[str, Any]:
    """Counts, scores without a network, observed incidence, and scores of trained networks.

    Parameters
    ----------
    project
        Folder in which pipeline `demo` has run in environment `test`.
    """
    metrics = read_table(project, "08_reporting", "metrics")
    observed = read_table(project, "08_reporting", "observed_incidence")
    at_end = observed[(observed["dose"] == "all") & (observed["time_h"] == OBSERVED_H)]
    return {
        "counts": count_study(project),
        "references": score_within(metrics, REFERENCES, ("auroc", "average_precision", "brier")),
        "observed_incidence": at_end.set_index("outcome")["incidence"].to_dict(),
        "trained": score_within(metrics, TRAINED[:2], ("auroc", "brier")) | score_fates(metrics),
    }


def count_study(project: Path) -> dict[str, Any]:
    """Count cells, landmarks, questions and parts."""
    follow_ups, landmarks, questions, splits, set_aside = (
        read_table(project, "05_model_input", name)
        for name in ("follow_ups", "landmarks", "questions", "splits", "cells_set_aside")
    )
    by_part = splits.merge(follow_ups, on=CELL).groupby(["part", "fate"]).size()
    return {
        "cells": len(read_table(project, "02_intermediate", "cells")),
        "follow_ups": follow_ups["fate"].value_counts().sort_index().to_dict(),
        "cells_set_aside": len(set_aside),
        "regular_landmarks": int(landmarks["regular"].sum()),
        "last_landmarks": int(landmarks["last"].sum()),
        "asked": {row.question: [bool(row.asked), row.n_cells, row.n_landmarks] for row in questions.itertuples()},
        "parts": {f"{part}, {fate}": int(n) for (part, fate), n in by_part.items()},
    }


def score_within(metrics: pd.DataFrame, predictors: tuple[str, ...], names: tuple[str, ...]) -> dict[str, float]:
    """Scores of every event within 2 and 3 h, by 'predictor, metric of event within h'."""
    rows = metrics[metrics["within_h"].notna() & metrics["predictor"].isin(predictors) & metrics["metric"].isin(names)]
    rows = rows[(rows["condition"] == "all") & (rows["outcome"] != "all")]
    return {
        f"{row.predictor}, {row.metric} of {row.outcome} within {row.within_h:g} h": float(row.estimate)
        for row in rows.itertuples()
    }


def score_fates(metrics: pd.DataFrame) -> dict[str, float]:
    """Brier score of which fate comes, of the trained networks."""
    rows = metrics[metrics["within_h"].isna() & (metrics["condition"] == "all") & (metrics["metric"] == "brier")]
    rows = rows[(rows["outcome"] == "all") & rows["predictor"].isin(TRAINED)]
    return {f"{row.predictor}, brier of which fate": float(row.estimate) for row in rows.itertuples()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(gather_numbers(Path(sys.argv[1])), indent=2) + "\n")
