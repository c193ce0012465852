"""The scores of the published model, from its counts (methods: reproduction ledger T1-T4)."""

import numpy as np
import pandas as pd
import pytest

from cellfate.metrics import ScoreSettings, score_forecasts
from cellfate.report.reproduction import find_counts
from cellfate.statistics import scores
from tests.unit.metrics.tables import FIVE_H, fated, say_which

N_APOPTOSIS, N_MITOSIS = 439, 1650
SINGLE = 1e-6  # the published tables hold single-precision numbers


def _confusion(apoptosis_right, mitosis_right, n_apoptosis=N_APOPTOSIS, n_mitosis=N_MITOSIS):
    return np.array(
        [[[apoptosis_right, n_apoptosis - apoptosis_right], [n_mitosis - mitosis_right, mitosis_right]]], dtype=float
    )


def _full_test_set():
    """The published calls: 401 of 439 apoptoses and 1593 of 1650 mitoses right."""
    landmarks = fated(["apoptosis"] * N_APOPTOSIS + ["mitosis"] * N_MITOSIS)
    p = np.concatenate([[0.9] * 401, [0.1] * 38, [0.9] * 57, [0.1] * 1593])
    return landmarks, say_which(landmarks, p)


def _row(table, metric, outcome="all"):
    return table[(table["metric"] == metric) & (table["outcome"] == outcome) & (table["condition"] == "all")].iloc[0]


def test_the_scores_of_the_full_test_set_follow_from_its_counts():
    landmarks, forecasts = _full_test_set()
    table = score_forecasts(forecasts, landmarks, FIVE_H, ScoreSettings(n_resamples=1000))
    expected = {
        ("balanced_accuracy", "all"): 0.93945,
        ("macro_f1", "all"): 0.93257,
        ("precision", "apoptosis"): 0.87555,
        ("recall", "apoptosis"): 0.91344,
        ("precision", "mitosis"): 0.97670,
        ("recall", "mitosis"): 0.96545,
    }
    for (metric, outcome), value in expected.items():
        assert _row(table, metric, outcome)["estimate"] == pytest.approx(value, abs=5.1e-6)
    # Every cell its own group: the naive interval that the ledger derives, .926 to .953.
    interval = _row(table, "balanced_accuracy")
    assert (interval["low"], interval["high"]) == pytest.approx((0.926, 0.953), abs=1.5e-3)
    assert (interval["n_landmarks"], interval["n_groups"]) == (2089, 2089)
    assert _row(table, "recall", "apoptosis")["n_events"] == 439


@pytest.mark.real
def test_published_tables_follow_from_whole_counts(real_data):
    folder = real_data / "published_tables"
    full = pd.read_csv(folder / "full_test_set.csv", sep=";").iloc[0]
    confusion = _confusion(401, 1593)
    assert scores.balanced_accuracy(confusion)[0] == pytest.approx(full["Recall_macro"], abs=SINGLE)
    assert scores.macro_f1(confusion)[0] == pytest.approx(full["F1_macro"], abs=SINGLE)
    assert scores.precision(confusion).mean() == pytest.approx(full["Precision_macro"], abs=SINGLE)
    removed = pd.read_csv(folder / "removed_last_n_full_test_set.csv", sep=";").set_index("Truncation")
    cohorts = {0: (439, 1650), 5: (439, 1650), 10: (439, 1650), 20: (410, 1486), 25: (397, 1406), 30: (376, 1339)}
    recalls = {0: (0.913, 0.965), 5: (0.927, 0.910), 10: (0.911, 0.907), 20: (0.880, 0.853), 25: (0.864, 0.712)}
    for k, cohort in (cohorts | {40: (351, 1094), 50: (315, 512)}).items():
        right = find_counts(removed.loc[k], *cohort)
        confusion = _confusion(*right, *cohort)
        assert scores.macro_f1(confusion)[0] == pytest.approx(removed.loc[k, "F1"], abs=SINGLE)
        if k in recalls:
            assert tuple(scores.recall(confusion)[0]) == pytest.approx(recalls[k], abs=5.1e-4)


@pytest.mark.real
def test_the_published_cohort_does_not_shrink_when_the_end_is_kept(real_data):
    folder = real_data / "published_tables"
    kept = pd.read_csv(folder / "kept_last_n_full_test_set.csv", sep=";").set_index("Truncation")
    for _, row in kept.iterrows():
        right = find_counts(row, N_APOPTOSIS, N_MITOSIS)
        confusion = _confusion(*right)
        assert scores.macro_f1(confusion)[0] == pytest.approx(row["F1"], abs=SINGLE)
