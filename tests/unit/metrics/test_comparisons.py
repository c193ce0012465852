"""Paired differences by hand, who is held against whom, and the sum of a run."""

import json

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from cellfate.core.errors import InputError
from cellfate.core.predictors import REFERENCES, TRIVIAL_REFERENCES
from cellfate.core.tables import Comparisons
from cellfate.metrics import ReferenceSettings, ScoreSettings, compare_forecasts, score_forecasts, summarise_scores
from cellfate.metrics.comparisons import best_of
from tests.unit.metrics.tables import (
    FIVE_H,
    FOLLOW_UP,
    fated,
    forecast,
    say_which,
    simulate_fates,
    simulate_hazards,
    watched,
)

FEW = ScoreSettings(n_resamples=300)
KEYS = [("balanced_accuracy", "all"), ("brier", "all")]
KEYS += [(metric, event) for event in FIVE_H.events for metric in ("auroc", "average_precision", "brier")]


def _compare(forecasts, landmarks, follow_up=FOLLOW_UP, scores=FEW):
    return Comparisons.validate(compare_forecasts(forecasts, landmarks, follow_up, scores))


def _row(table, metric, reference, outcome="all"):
    rows = table[(table["metric"] == metric) & (table["reference"] == reference) & (table["outcome"] == outcome)]
    return rows.iloc[0]


def test_a_predictor_minus_itself_is_zero_in_every_resample():
    landmarks, p = simulate_fates(n=120)
    table = _compare(pd.concat([say_which(landmarks, p), say_which(landmarks, p, "dose")]), landmarks)
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    landmarks, truth = simulate_hazards()
    table = _compare(pd.concat([forecast(landmarks, truth), forecast(landmarks, truth, predictor="dose")]), landmarks)
    assert (table[["difference", "low", "high"]].fillna(0) == 0).all(axis=None)
    assert len(table) == 3 * len(KEYS)


def test_pairing_by_hand():
    # Two groups alike in the model; the reference misses one of two apoptoses of group b only. Resamples draw a twice,
    # both, or b twice (chances 1/4, 1/2, 1/4), where recall of apoptosis differs by 0, 1/4, 1/2 and balanced accuracy
    # by half of that.
    landmarks = fated(["apoptosis", "apoptosis", "mitosis"] * 2, groups=list("aaabbb"))
    reference = say_which(landmarks, [0.9, 0.8, 0.1, 0.9, 0.4, 0.1], "dose")
    table = _compare(pd.concat([say_which(landmarks, [0.9, 0.8, 0.1] * 2), reference]), landmarks)
    row = _row(table, "balanced_accuracy", "dose")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.125, 0.0, 0.25))
    assert (row["n_landmarks"], row["n_groups"]) == (6, 2)


def test_paired_intervals_are_narrower_than_the_spread_of_both_suggests():
    landmarks, p = simulate_fates(n=600, group_spread=1.5)
    weaker = np.clip(p + np.random.default_rng(1).normal(0, 0.05, len(p)), 0.01, 0.99)
    both = pd.concat([say_which(landmarks, p), say_which(landmarks, weaker, "dose")])
    difference = _row(_compare(both, landmarks), "auroc", "dose", "apoptosis")
    alone = score_forecasts(both, landmarks, FOLLOW_UP, FEW).query("metric == 'auroc' and condition == 'all'")
    alone = alone[alone["outcome"] == "apoptosis"]
    assert difference["difference"] == pytest.approx(-np.diff(alone["estimate"])[0])
    assert difference["high"] - difference["low"] < 0.5 * (alone["high"] - alone["low"]).mean()


def test_classifier_and_clock_stand_side_by_side_on_the_same_cells():
    landmarks, p = simulate_fates()
    predictors = ("classifier", "network", "blend", "dose")
    table = _compare(pd.concat([say_which(landmarks, p, name) for name in predictors]), landmarks)
    pairs = set(zip(table["predictor"], table["reference"], strict=True))
    assert pairs == {
        (leading, other) for leading in ("classifier", "blend") for other in predictors if other != leading
    }
    assert table["within_h"].isna().all()
    assert len(table) == 6 * len(KEYS)
    assert list(zip(table["metric"], table["outcome"], strict=True))[::3] == KEYS * 2


def test_the_leading_predictor_of_the_clock_is_the_first_there_is():
    landmarks, truth = simulate_hazards()
    noise = np.random.default_rng(1).uniform(0.5, 1.5, truth.shape)
    values = {"network": truth * noise / 2, "track_age": np.full(truth.shape, 0.1), "boosting": truth[::-1]}
    models = {name: forecast(landmarks, given, predictor=name) for name, given in values.items()}
    without = _compare(pd.concat(models.values()), landmarks)
    assert set(without["predictor"]) == {"network"}
    everything = pd.concat([*models.values(), forecast(landmarks, truth, predictor="blend")])
    table = _compare(everything, landmarks)
    assert set(zip(table["predictor"], table["reference"], strict=True)) == {("blend", name) for name in values}
    assert len(table) == 3 * 3 * len(KEYS)
    with pytest.warns(UserWarning, match="undefined"):  # what the constant never calls
        scores = score_forecasts(everything, landmarks, FOLLOW_UP, FEW).query("condition == 'all'")
    estimates = scores.set_index(["predictor", "metric", "outcome", "within_h"])
    for row in table.itertuples():
        of = [estimates.loc[(name, row.metric, row.outcome, row.within_h)] for name in (row.predictor, row.reference)]
        assert row.difference == pytest.approx(of[0]["estimate"] - of[1]["estimate"], abs=1e-12, nan_ok=True)
        assert row.n_landmarks == of[0]["n_landmarks"]
    better = table[(table["reference"] == "track_age") & (table["outcome"] != "all")]
    assert (better[better["metric"] == "auroc"]["low"] > 0).all()
    assert (better[(better["metric"] == "brier") & (better["within_h"] > 2)]["high"] < 0).all()


def test_the_best_trivial_reference_is_marked_for_each_metric():
    landmarks, p = simulate_fates()
    rng = np.random.default_rng(0)
    references = {"dose": rng.random(len(p)), "track_length": 0.3 * rng.random(len(p)) + 0.7 * p, "measurements": p}
    tables = [say_which(landmarks, q, name) for name, q in references.items()]
    table = _compare(pd.concat([say_which(landmarks, p), *tables]), landmarks)
    assert table.loc[table["best_reference"], "reference"].tolist() == ["measurements"] * len(KEYS)
    best = table[table["best_trivial"]]
    assert best["reference"].tolist() == ["track_length"] * len(KEYS)  # measurements are not trivial
    assert list(zip(best["metric"], best["outcome"], strict=True)) == KEYS


def test_lower_is_better_for_losses():
    three = {"dose": 0.4, "track_length": 0.5, "measurements": 0.9}
    assert best_of(TRIVIAL_REFERENCES, "brier", three) == "dose"
    assert best_of(TRIVIAL_REFERENCES, "auroc", three) == "track_length"
    assert best_of(REFERENCES, "auroc", three) == "measurements"
    assert best_of(TRIVIAL_REFERENCES, "auroc", {"measurements": 0.9, "dose": np.nan}) is None


def test_different_landmarks_are_refused():
    landmarks, p = simulate_fates(n=40)
    fewer = say_which(landmarks, p, "dose").iloc[1:]
    with pytest.raises(InputError, match=r"\('rg\d\d:\d+:\d+' is one of 1\)"):
        _compare(pd.concat([say_which(landmarks, p), fewer]), landmarks)


def test_with_one_predictor_or_without_an_answer_there_is_little_to_say():
    landmarks, p = simulate_fates(n=40)
    assert _compare(say_which(landmarks, p), landmarks).empty
    short = watched([1, 2], ["mitosis", "censored"], [0, 1], watchable_h=3.0)
    p = np.full((2, 1, 2), 0.2)
    both = pd.concat([forecast(short, p, FIVE_H), forecast(short, p, FIVE_H, predictor="dose")])
    table = _compare(both, short, FIVE_H)
    assert table["difference"].isna().all()
    assert (table["n_landmarks"] == 0).all()


def test_the_sum_of_a_run_is_plain_json_with_its_settings():
    landmarks, p = simulate_fates()
    asked_twice = landmarks.assign(regular=True, time_h=np.random.default_rng(0).integers(1, 12, len(p)))
    both = pd.concat([say_which(landmarks, p), say_which(landmarks, 1 - p, "dose")])
    hours = [
        forecast(landmarks, np.stack([q, 1 - q], 1)[:, None] / 2, FIVE_H, name)
        for q, name in ((p, "blend"), (1 - p, "dose"))
    ]
    everything = pd.concat([both, *hours])
    tables = [make(everything, asked_twice, FIVE_H, FEW) for make in (score_forecasts, compare_forecasts)]
    found = json.loads(json.dumps(summarise_scores(*tables, FEW, ReferenceSettings()), allow_nan=False))
    assert set(found["questions"]) == {"which_fate", "within_5_h"}
    which, within = (found["questions"][name] for name in ("which_fate", "within_5_h"))
    assert set(which["scores"]) == {"classifier", "dose"}
    assert len(which["scores"]["classifier"]["recall_apoptosis"]) == 3
    assert which["n_landmarks"] == which["n_cells"] == 400
    assert which["over_best"].keys() == which["over_best_trivial"].keys()
    assert which["over_best_trivial"]["classifier"]["auroc_apoptosis"]["reference"] == "dose"
    assert within["over_best_trivial"]["blend"]["brier_mitosis"]["difference"] is not None
    assert found["settings"]["scores"]["n_resamples"] == 300


def test_the_primary_result_keeps_its_p_and_all_others_are_corrected_across_outcomes():
    landmarks, truth = simulate_hazards(n=200)
    both = pd.concat([forecast(landmarks, truth, predictor="blend"), forecast(landmarks, truth[::-1])])
    table = _compare(both, landmarks)
    primary = table[table["primary"]]
    assert primary[["within_h", "metric", "outcome"]].to_numpy().tolist() == [[5.0, "auroc", "apoptosis"]]
    assert (primary["p_corrected"] == primary["p_value"]).all()
    aurocs = table[(table["metric"] == "auroc") & ~table["primary"]]
    assert len(aurocs) == 5
    expected = multipletests(aurocs["p_value"], method="holm")[1]
    np.testing.assert_allclose(aurocs["p_corrected"], expected)
    assert ((table["p_value"] < 0.05) == ((table["low"] > 0) | (table["high"] < 0))).mean() > 0.9
    named = ScoreSettings(n_resamples=100, primary={"event": "mitosis", "within_h": 2.0, "metric": "brier"})
    other = _compare(both, landmarks, scores=named)
    chosen = other.loc[other["primary"], ["within_h", "metric", "outcome"]]
    assert chosen.to_numpy().tolist() == [[2.0, "brier", "mitosis"]]


def test_a_primary_result_that_is_not_scored_is_refused():
    landmarks, truth = simulate_hazards(n=40)
    named = ScoreSettings(n_resamples=100, primary={"within_h": 7.0})
    with pytest.raises(InputError, match=r"within 7 h, expected one of apoptosis and mitosis within one of \[2.0, 5.0"):
        _compare(forecast(landmarks, truth), landmarks, scores=named)
