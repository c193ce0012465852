"""Tables of scores, differences and incidence, made up by a formula: both questions, three doses."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS

FOLLOW_UP = FollowUpSettings(min_frames=4)
REPORT_H, HEADLINE_H = FOLLOW_UP.report_h, FOLLOW_UP.headline_h
DOSES = ("Control", "Low", "High")
N_GROUPS, N_EVENT_GROUPS = 30, 24
"""Test groups, and those that hold each outcome: enough to tell predictors apart."""
SKILL = {"blend": 0.84, "network": 0.8, "boosting": 0.81, "age_and_time": 0.64, "dose": 0.58}
"""AUROC of each predictor for mitosis within the headline horizon."""
FATE_SKILL = {"classifier": 0.87, "blend": 0.85, "measurements": 0.83, "track_length": 0.61, "dose": 0.71}
"""Balanced accuracy of each predictor of which fate comes."""


def score_tables(low: float) -> dict[str, pd.DataFrame]:
    """Tables of scores by catalog name; `low` is the lower end of the models' lead over the measurements."""
    return {
        "metrics": pd.concat([fate_metrics(), clock_metrics()], ignore_index=True),
        "comparisons": pd.concat([fate_comparisons(low), clock_comparisons(low)], ignore_index=True),
        "seed_scores": seed_scores(),
        "prediction_sets": prediction_sets(),
        "losses": losses(),
        "transfer": transfer(),
        "loss_sensitivity": loss_sensitivity(),
        "calibration": calibration(),
        "confusion": confusion(),
        "operating_curves": curves(),
        "masking_curves": masking(),
        "observed_incidence": observed(),
        "dose_incidence": doses(),
        **conditions(),
    }


METRIC_COLUMNS = [
    "predictor", "within_h", "metric", "outcome", "condition", "estimate", "low", "high", "n_cells", "n_landmarks",
    "n_events", "n_groups", "n_event_groups", "reason",
]  # fmt: skip


def fate_metrics() -> pd.DataFrame:
    rows = []
    for predictor, value in FATE_SKILL.items():
        keys = [(name, "all") for name in ("balanced_accuracy", "brier")]
        keys += [(name, event) for name in ("auroc", "average_precision", "recall") for event in EVENTS]
        for (metric, outcome), condition in product(keys, ("all", *DOSES, "within_dose")):
            score = 1 - value if metric == "brier" else value
            n_events = {"all": 12, APOPTOSIS: 5, MITOSIS: 7}[outcome]
            rows.append((predictor, np.nan, metric, outcome, condition, score, score - 0.05, score + 0.04, 12, 12))
            rows[-1] = (*rows[-1], n_events, N_GROUPS, N_EVENT_GROUPS, None)
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def clock_metrics() -> pd.DataFrame:
    rows = []
    for (predictor, skill), event, hours in product(SKILL.items(), EVENTS, REPORT_H):
        n_events = {APOPTOSIS: 30, MITOSIS: 60}[event] * int(hours)
        auroc = skill - 0.01 * hours + (0.03 if event == MITOSIS else 0) + 0.02
        precision = 0.4 * skill * np.sqrt(hours / 5) * (1.6 if event == MITOSIS else 1)
        brier = (0.35 - 0.3 * skill) * hours / 10
        for metric, value in {"auroc": auroc, "average_precision": precision, "brier": brier}.items():
            spread = 0.015 if metric == "brier" else 0.05
            for condition in ("all", *DOSES):
                score = (predictor, hours, metric, event, condition, value, value - spread, value + 0.8 * spread)
                rows.append((*score, 18, 1200, n_events, N_GROUPS, N_EVENT_GROUPS, None))
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


DIFFERENCE_COLUMNS = [
    "predictor", "reference", "within_h", "metric", "outcome", "difference", "low", "high", "n_landmarks", "n_groups",
    "n_event_groups", "p_value", "p_corrected", "primary", "best_trivial",
]  # fmt: skip


def fate_comparisons(low: float) -> pd.DataFrame:
    keys = [("balanced_accuracy", "all"), ("auroc", APOPTOSIS), ("average_precision", APOPTOSIS), ("brier", "all")]
    pairs = [(p, r) for p in ("classifier", "blend") for r in FATE_SKILL if r != p]
    rows = []
    for (predictor, reference), (metric, outcome) in product(pairs, keys):
        value = round(FATE_SKILL[predictor] - FATE_SKILL[reference], 3) * (-1 if metric == "brier" else 1)
        bottom = low if reference == "measurements" and metric != "brier" else value - 0.11
        score = (predictor, reference, np.nan, metric, outcome, value, bottom, value + 0.07)
        rows.append((*score, 12, N_GROUPS, N_EVENT_GROUPS, 0.01, 0.02, False, reference == "dose"))
    return pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS)


def clock_comparisons(low: float) -> pd.DataFrame:
    rows = []
    references = [name for name in SKILL if name != "blend"]
    for reference, event, hours in product(references, EVENTS, REPORT_H):
        lead = SKILL["blend"] - SKILL[reference]
        for metric, size in (("auroc", 1.0), ("average_precision", 0.8), ("brier", -0.3)):
            bottom = low if reference == "boosting" and size > 0 else size * lead - 0.04
            value = round(size * lead, 3)
            score = ("blend", reference, hours, metric, event, value, round(bottom, 3), value + 0.04)
            primary = hours == HEADLINE_H and event == APOPTOSIS and metric == "auroc"
            tested = (0.01, 0.01 if primary else 0.02, primary)
            rows.append((*score, 1200, N_GROUPS, N_EVENT_GROUPS, *tested, reference == "age_and_time"))
    return pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS)


def prediction_sets(reason: str | None = None) -> pd.DataFrame:
    """How often sets hold what came, of both readings; with a reason nothing is known."""
    rows = [
        (predictor, within_h, condition, outcome)
        for predictor, within_h in (("classifier", np.nan), ("blend", HEADLINE_H))
        for condition, outcome in product(("all", *DOSES), ("all", *EVENTS))
    ]
    table = pd.DataFrame(rows, columns=["predictor", "within_h", "condition", "outcome"]).assign(level=0.9)
    measured = {"share_held": 0.924, "low": 0.85, "high": 0.97, "mean_size": 1.3, "share_undecided": 0.28}
    known = dict.fromkeys(measured, np.nan) if reason else measured
    return table.assign(**known, n_landmarks=1200, n_groups=N_GROUPS, reason=reason)


def seed_scores(n_seeds: int = 3) -> pd.DataFrame:
    """Scores over so many seeds: the leading predictors, alone and held against a reference."""
    names = ["predictor", "reference", "within_h", "metric", "outcome"]
    keys = [("classifier", np.nan, "balanced_accuracy", "all"), ("classifier", np.nan, "brier", "all")]
    keys += [("classifier", np.nan, "auroc", event) for event in EVENTS]
    keys += [("blend", HEADLINE_H, metric, event) for metric in ("auroc", "brier") for event in EVENTS]
    rows = [
        (predictor, reference, within_h, metric, outcome)
        for predictor, within_h, metric, outcome in keys
        for reference in (None, "measurements" if predictor == "classifier" else "boosting")
    ]
    table = pd.DataFrame(rows, columns=names).assign(n_seeds=n_seeds, kept=0.85, mean=0.8312, sd=0.02)
    mean = table["mean"].where(table["reference"].isna(), -0.01)
    arms = {"another_low": -0.12, "another_high": 0.1, "average_low": -0.06, "average_high": 0.05}
    bounds = {name: mean + arm if n_seeds > 2 else np.nan for name, arm in arms.items()}
    why = None if n_seeds > 2 else "no interval: 3 seeds at least tell how much they differ"
    return table.assign(mean=mean, **bounds, n_groups=N_GROUPS, n_event_groups=N_EVENT_GROUPS, reason=why)


def transfer() -> pd.DataFrame:
    """Deaths are forecast well on the whole and too rarely at the high dose; of divisions it cannot be told."""
    ratios = {"all": 1.0, "Control": 1.05, "Low": 0.95, "High": 2.0}
    rows = []
    for predictor, event, hours, (condition, ratio) in product(SKILL, EVENTS, REPORT_H, ratios.items()):
        few = event == MITOSIS
        verdict = "cannot be told" if few else "does not" if ratio > 1.25 else "transfers"
        reason = {"transfers": None, "does not": "observed over expected lies outside 0.8 to 1.25"}.get(verdict, "few")
        numbers = (ratio, ratio - 0.1, ratio + 0.1, 1.0, 0.9, 1.1, 1200, N_GROUPS, 11 if few else N_EVENT_GROUPS)
        kind = "all" if condition == "all" else "dose"
        rows.append((predictor, hours, event, kind, condition, *numbers, verdict, reason))
    scores = [
        f"{name}{end}" for name in ("observed_over_expected", "calibration_slope") for end in ("", "_low", "_high")
    ]
    names = ["predictor", "within_h", "outcome", "kind", "condition", *scores]
    return pd.DataFrame(rows, columns=[*names, "n_landmarks", "n_groups", "n_event_groups", "verdict", "reason"])


def losses() -> pd.DataFrame:
    rows = [
        (hours, dose, n, n // 4, n // 20, weights, 1.5, 0.0)
        for hours in REPORT_H
        for dose, n, weights in (("all", 1200, "some own"), ("High", 600, "own"), ("Low", 600, "pooled"))
    ]
    names = ["within_h", "dose", "n_landmarks", "n_lost_landmarks", "n_lost_cells", "weights", "largest_weight"]
    return pd.DataFrame(rows, columns=[*names, "share_truncated"])


def loss_sensitivity() -> pd.DataFrame:
    rows = [
        ("blend", HEADLINE_H, metric, event, share, value - 0.1 * share, 60)
        for metric, value in (("auroc", 0.86), ("observed_share", 0.25))
        for event in EVENTS
        for share in (0.0, 0.1, 0.3)
    ]
    names = ["predictor", "within_h", "metric", "outcome", "died_share", "estimate", "n_lost_cells"]
    return pd.DataFrame(rows, columns=names)


def calibration() -> pd.DataFrame:
    rows = []
    for (predictor, skill), event, hours, place in product(SKILL.items(), EVENTS, REPORT_H, range(4)):
        p = (0.1 + 0.22 * place) * (0.3 if event == APOPTOSIS else 1) * (0.7 + 0.03 * hours)
        observed = p * (0.6 + 0.4 * skill)
        rows.append((predictor, hours, event, place, p, observed, 0.8 * observed, 1.2 * observed, 300, 3))
    for predictor, event, place in product(FATE_SKILL, EVENTS, range(4)):
        p = 0.2 + 0.2 * place
        rows.append((predictor, np.nan, event, place, p, 0.9 * p, 0.7 * p, min(1.0, 1.2 * p), 3, 3))
    names = ["predictor", "within_h", "outcome", "bin", "mean_probability", "observed", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_landmarks", "n_groups"])


def confusion() -> pd.DataFrame:
    rows = []
    for predictor, threshold in (("classifier", "headline"), ("classifier", "tuned"), ("blend", "headline")):
        for outcome, call in product(EVENTS, EVENTS):
            total, right = (5, 4) if outcome == APOPTOSIS else (7, 5)
            n = right if outcome == call else total - right
            rows.append((predictor, threshold, outcome, call, n, n / total))
    return pd.DataFrame(rows, columns=["predictor", "threshold", "outcome", "call", "n_landmarks", "share"])


def curves() -> pd.DataFrame:
    rows = []
    asked = [(p, s, HEADLINE_H) for p, s in SKILL.items()] + [(p, s, np.nan) for p, s in FATE_SKILL.items()]
    for (predictor, skill, hours), event in product(asked, EVENTS):
        for step in range(11):
            wrong, recall = step / 10, (step / 10) ** (1 - skill + 0.05)
            precision = np.nan if step == 0 else 0.3 * recall / (0.3 * recall + 0.7 * wrong)
            threshold = np.inf if step == 0 else 1 - step / 10
            n_positive, n_negative = (5, 7) if np.isnan(hours) else (300, 900)
            rows.append((predictor, hours, event, threshold, recall, wrong, precision, n_positive, n_negative))
    names = ["predictor", "within_h", "outcome", "threshold", "recall", "false_positive_rate", "precision"]
    return pd.DataFrame(rows, columns=[*names, "n_positive", "n_negative"])


def masking() -> pd.DataFrame:
    rows = []
    keys = [("balanced_accuracy", "all", 12), ("recall", APOPTOSIS, 5), ("recall", MITOSIS, 7)]
    for experiment, cohort, k, (metric, outcome, n) in product(
        ("remove_last", "keep_last"), ("fixed", "shrinking"), (0, 5, 10), keys
    ):
        value = 0.85 - 0.02 * k if experiment == "remove_last" else 0.5 + 0.03 * k
        n_left = n if cohort == "fixed" else n - k // 5
        rows.append((experiment, cohort, k, metric, outcome, value, value - 0.1, value + 0.1, n_left, 3))
    names = ["experiment", "cohort", "k_frames", "metric", "outcome", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "n_landmarks", "n_groups"])


def observed() -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for (place, dose), event, hours in product(enumerate((*DOSES, "all")), EVENTS, range(0, 41, 2)):
        rate = 0.012 * (place + 0.4) if event == APOPTOSIS else 0.03 / (place + 1)
        share = 0.6 * (1 - np.exp(-rate * hours))
        spread = np.nan if hours == 40 else 0.3 * share
        n_all = 3 if dose == "all" else 1
        counts = (n_all * (120 - 3 * hours), n_all * 120, n_all * 2)
        rows.append((dose, event, float(hours), share, share - spread, share + spread, *counts))
    names = ["dose", "outcome", "time_h", "incidence", "low", "high", "n_at_risk", "n_cells", "n_groups"]
    return pd.DataFrame(rows, columns=names)


def doses() -> pd.DataFrame:
    rows = []
    for (predictor, skill), (place, dose), event, hours in product(
        SKILL.items(), enumerate((*DOSES, "all")), EVENTS, REPORT_H
    ):
        observed = hours * (0.006 * (place + 1) if event == APOPTOSIS else 0.03 / (place + 1))
        forecast = observed * (0.7 + 0.4 * skill)
        apart = forecast - observed
        ends = (0.8 * forecast, 1.2 * forecast, apart, apart - 0.01, apart + 0.01)
        counts = (36, 3) if dose == "all" else (12, 1)
        rows.append((predictor, dose, event, hours, forecast, observed, 0.7 * observed, 1.3 * observed, *counts, *ends))
    names = ["predictor", "dose", "outcome", "within_h", "forecast", "observed", "low", "high", "n_cells", "n_groups"]
    names += ["forecast_low", "forecast_high", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=names)


def conditions() -> dict[str, pd.DataFrame]:
    """Three doses of a drug compared, each of 120 cells in 2 groups; no dose is an amount."""
    since = {"condition": "drug", "since": "first frame"}
    curves = observed().query("dose != 'all'").assign(**since)
    curves = curves.assign(curve=curves["dose"])
    last = curves[curves["time_h"] == 36].drop(columns=["time_h", "n_at_risk"]).assign(by_h=36.0)
    half = {"half_h": np.nan, "half_low": np.nan, "half_high": np.nan, "reason": "half of the cells is not reached"}
    rows = [
        (event, compared, reference, statistic, df, p, corrected, 0.067, 1e-5, 90, True, n_units, 60 * n_units, reason)
        for event in EVENTS
        for compared, reference, statistic, df, p, corrected, n_units, reason in (
            ("all", None, 12.5, 2, 0.067, np.nan, 6, "with so few groups p is never below 0.07"),
            ("Low", "Control", 2.5, 1, np.nan, np.nan, 4, "no two ways to deal the groups out differ"),
            ("High", "Control", 9.5, 1, np.nan, np.nan, 4, "no two ways to deal the groups out differ"),
        )
    ]
    names = [
        "outcome", "compared", "reference", "statistic", "df", "p_value", "p_corrected", "least_p", "p_of_cells",
        "n_assignments", "exact", "n_units", "n_cells", "reason",
    ]  # fmt: skip
    return {
        "condition_incidence": curves,
        "condition_summary": last.assign(n_events=12, n_event_groups=2, **half),
        "condition_tests": pd.DataFrame(rows, columns=names),
        "dose_response": dose_response(),
    }


def dose_response() -> pd.DataFrame:
    """Curves through six amounts of the drug, one an event."""
    fit = {"condition": "drug", "by_h": 36.0, "unit": "uM", "bottom": 0.1, "top": 0.9, "middle": 1.0}
    fit |= {"half_dose": 1.0, "half_low": 0.5, "half_high": 2.0, "slope": 2.0, "n_doses": 6, "n_cells": 480}
    rows = [{"outcome": event, **fit, "n_groups": 4, "reason": None} for event in EVENTS]
    return pd.DataFrame(rows)
