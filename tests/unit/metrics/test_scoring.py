"""Scores of both questions: by hand, against scikit-learn and scikit-survival with weights, against the truth."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sksurv.metrics import brier_score, cumulative_dynamic_auc
from sksurv.util import Surv

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Metrics
from cellfate.metrics import ScoreSettings, score_forecasts
from cellfate.metrics.forecasts import read_forecasts
from cellfate.statistics import censoring
from cellfate.statistics.thresholds import choose_threshold
from tests.unit.metrics.tables import (
    EVENTS,
    FIVE_H,
    FOLLOW_UP,
    fated,
    forecast,
    say_which,
    simulate_fates,
    simulate_hazards,
    watched,
)

FEW = ScoreSettings(n_resamples=100)
OF_ALL = ["balanced_accuracy", "macro_f1", "matthews", "brier", "log_loss"]
OF_EVENTS = [
    "recall", "precision", "f1", "auroc", "average_precision", "brier", "calibration_slope",
    "calibration_intercept", "brier_skill", "observed_over_expected", "calibration_error",
]  # fmt: skip


def _score(forecasts, landmarks, follow_up=FOLLOW_UP, scores=FEW):
    return Metrics.validate(score_forecasts(forecasts, landmarks, follow_up, scores))


def _pick(table, metric, outcome="all", within_h=np.nan, condition="all", predictor=None):
    keys = {"metric": metric, "outcome": outcome, "condition": condition}
    keys |= {} if predictor is None else {"predictor": predictor}
    hours = table["within_h"].isna() if np.isnan(within_h) else table["within_h"] == within_h
    rows = table[hours & (table[list(keys)] == pd.Series(keys)).all(axis=1)]
    assert len(rows) == 1
    return rows.iloc[0]


# ---- which fate comes


def test_which_fate_agrees_with_scikit_learn_in_every_dose():
    landmarks, p = simulate_fates()
    table = _score(say_which(landmarks, p), landmarks)
    truth = (landmarks["fate"] == "apoptosis").to_numpy()
    conditions = {"all": np.ones(400, bool), **{dose: landmarks["dose"] == dose for dose in ("Low", "High")}}
    for condition, kept in conditions.items():
        for event, happened, p_event in (("apoptosis", truth[kept], p[kept]), ("mitosis", ~truth[kept], 1 - p[kept])):
            expected = {
                "auroc": reference.roc_auc_score(happened, p_event),
                "average_precision": reference.average_precision_score(happened, p_event),
                "brier": reference.brier_score_loss(happened, p_event),
                "recall": reference.recall_score(happened, p_event >= 0.5),
                "precision": reference.precision_score(happened, p_event >= 0.5),
                "f1": reference.f1_score(happened, p_event >= 0.5),
            }
            for metric, value in expected.items():
                assert _pick(table, metric, event, condition=condition)["estimate"] == pytest.approx(value)
        expected = reference.balanced_accuracy_score(truth[kept], p[kept] >= 0.5)
        assert _pick(table, "balanced_accuracy", condition=condition)["estimate"] == pytest.approx(expected)
        expected = reference.log_loss(truth[kept], p[kept])
        assert _pick(table, "log_loss", condition=condition)["estimate"] == pytest.approx(expected)
    intervals = table.dropna(subset=["low"])
    assert (intervals["low"] <= intervals["high"]).all()
    row = _pick(table, "auroc", "apoptosis")
    assert row[["n_landmarks", "n_cells", "n_events"]].tolist() == [400, 400, truth.sum()]
    assert row["n_groups"] == landmarks["group_id"].nunique()
    assert _pick(table, "brier")["n_events"] == 400


def test_a_predictor_that_knows_only_the_dose_scores_half_within_doses():
    landmarks, _ = simulate_fates(seed=4)
    rng = np.random.default_rng(0)
    dies = rng.random(len(landmarks)) < np.where(landmarks["dose"] == "Low", 0.2, 0.8)
    landmarks = landmarks.assign(fate=np.where(dies, "apoptosis", "mitosis"))
    with pytest.warns(UserWarning, match="undefined and stay NaN"):  # mitosis is never called in dose High
        table = _score(say_which(landmarks, np.where(landmarks["dose"] == "Low", 0.1, 0.9)), landmarks)
    assert _pick(table, "auroc", "apoptosis")["estimate"] > 0.7
    assert _pick(table, "auroc", "apoptosis", condition="within_dose")["estimate"] == pytest.approx(0.5)
    assert _pick(table, "balanced_accuracy", condition="within_dose")["estimate"] == pytest.approx(0.5)


def test_scores_within_doses_by_hand():
    # Low: 1 positive over 2 negatives, both below it: 1. High: 2 positives, 2 negatives, 2 of 4 pairs right: .5.
    # Weights are the rarer outcome: 1 and 2 -> (1 + 2 * .5) / 3.
    fates = ["apoptosis", "mitosis", "mitosis", "apoptosis", "apoptosis", "mitosis", "mitosis"]
    landmarks = fated(fates, doses=["Low"] * 3 + ["High"] * 4)
    table = _score(say_which(landmarks, [0.9, 0.2, 0.3, 0.9, 0.1, 0.4, 0.3]), landmarks)
    assert _pick(table, "auroc", "apoptosis", condition="within_dose")["estimate"] == pytest.approx(2 / 3)


def test_scores_within_doses_take_the_weights_of_the_dose_by_hand(monkeypatch):
    monkeypatch.setattr(censoring, "LEAST_LOSSES", 1)
    # Low loses one of three at 2 h, when two have had no event: what is known later weighs 2. High loses nobody.
    # Division within 5 h. Low: .8 (weight 2) beats .1 (weight 1): 1, the rarer side weighs 1. High: .2 loses to .3: 0,
    # the rarer side weighs 1.
    landmarks = watched(
        [1, 2, 3, 4, 9], ["apoptosis", "censored", "mitosis", "mitosis", "censored"],
        groups=[0, 0, 1, 0, 1], doses=["Low"] * 3 + ["High"] * 2,
    )  # fmt: skip
    p = np.array([[0.2, 0.1], [0.1, 0.5], [0.1, 0.8], [0.1, 0.2], [0.1, 0.3]])[:, None]
    with pytest.warns(UserWarning, match="undefined"):
        table = _score(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H)
    assert _pick(table, "auroc", "mitosis", 5.0, "within_dose")["estimate"] == pytest.approx((1 * 1 + 1 * 0) / 2)
    assert _pick(table, "auroc", "mitosis", 5.0, "Low")["estimate"] == 1


def test_the_threshold_is_chosen_on_validation_of_the_same_fold():
    landmarks, p = simulate_fates(n=300)
    halves = [landmarks.iloc[:150], landmarks.iloc[150:]]
    # Probabilities of fold 0 are squeezed below .2, those of fold 1 above .8: .5 calls nothing and everything. The
    # validation rows are the test cells of the fold, so that the best threshold is known.
    squeezed = [p[:150] * 0.2, 0.8 + 0.2 * p[150:]]
    forecasts = pd.concat(
        [
            say_which(halves[fold], squeezed[fold], part=part, fold=fold)
            for fold in (0, 1)
            for part in ("test", "validation")
        ]
    )
    table = _score(forecasts, landmarks)
    truth = (landmarks["fate"] == "apoptosis").to_numpy()
    best = np.concatenate(
        [
            values >= choose_threshold(values, truth[half])
            for values, half in zip(squeezed, (slice(0, 150), slice(150, 300)), strict=True)
        ]
    )
    assert _pick(table, "balanced_accuracy_tuned")["estimate"] == pytest.approx(
        reference.balanced_accuracy_score(truth, best)
    )
    assert _pick(table, "balanced_accuracy")["estimate"] < 0.55


def test_tuned_scores_are_nan_where_validation_holds_one_fate():
    landmarks, p = simulate_fates(n=60)
    validation = fated(["mitosis"] * 5, groups=[f"v{i}" for i in range(5)])
    forecasts = pd.concat([say_which(landmarks, p), say_which(validation, np.linspace(0, 1, 5), part="validation")])
    with pytest.warns(UserWarning, match="balanced_accuracy_tuned"):
        table = _score(forecasts, pd.concat([landmarks, validation]))
    assert np.isnan(_pick(table, "balanced_accuracy_tuned")["estimate"])


def test_an_absent_fate_is_nan_with_a_warning():
    landmarks = fated(["mitosis"] * 12, groups=list("abcd") * 3)
    with pytest.warns(
        UserWarning, match=r"undefined and stay NaN: .*balanced_accuracy of all \(classifier, which fate comes, all\)"
    ):
        table = _score(say_which(landmarks, np.linspace(0.1, 0.9, 12)), landmarks)
    assert np.isnan(_pick(table, "balanced_accuracy")["estimate"])
    assert np.isnan(_pick(table, "auroc", "mitosis")["estimate"])
    assert _pick(table, "recall", "mitosis")["estimate"] == 0.5


# ---- what comes within hours


def test_scores_within_hours_by_hand():
    # Of 5 watchable landmarks one is lost at 2 h, when 4 have had no event: G(2) = 3/4. Known: the death at 1 h weighs
    # 1, the division at 3 h and the two without an event by 5 h (one of them seen at exactly 5 h) weigh 4/3.
    # The sixth is not watchable for 5 h.
    landmarks = watched(
        [1, 2, 3, 5, 8, 1],
        ["apoptosis", "censored", "mitosis", "censored", "apoptosis", "apoptosis"],
        groups=[0, 0, 0, 1, 1, 1],
        watchable_h=[9, 9, 9, 5, 9, 4],
    )
    p = np.array([[0.5, 0.1], [0.9, 0.1], [0.7, 0.2], [0.5, 0.3], [0.2, 0.2], [0.9, 0.0]])[:, None]
    table = _score(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H)

    def estimate(metric, outcome="all"):
        return _pick(table, metric, outcome, 5.0)["estimate"]

    # Apoptosis: .5 against .7 (lost), .5 (tied), .2 (won), each weighing the same.
    assert estimate("auroc", "apoptosis") == pytest.approx(1.5 / 3)
    # The only positive is called with .7 and one of .5: 1 of 1 + 4/3 + 4/3.
    assert estimate("average_precision", "apoptosis") == pytest.approx(1 / (1 + 8 / 3))
    squared = 0.5**2 + 4 / 3 * (0.7**2 + 0.5**2 + 0.2**2)
    assert estimate("brier", "apoptosis") == pytest.approx(squared / 5)
    # Mitosis: .2 against .1 (weight 1), .3 and .2 (weight 4/3 each).
    assert estimate("auroc", "mitosis") == pytest.approx((1 + 4 / 3 / 2) / (1 + 8 / 3))
    # Calls: apoptosis, apoptosis (it divides), apoptosis (none comes), none.
    assert estimate("precision", "apoptosis") == pytest.approx(1 / (1 + 8 / 3))
    assert estimate("recall", "apoptosis") == 1
    assert estimate("recall", "mitosis") == 0
    assert estimate("balanced_accuracy") == pytest.approx((1 + 0 + 1 / 2) / 3)
    of_truth = [0.5, 0.2, 0.2, 0.6]
    assert estimate("log_loss") == pytest.approx(-np.log(of_truth) @ [1, 4 / 3, 4 / 3, 4 / 3] / 5)
    row = _pick(table, "auroc", "apoptosis", 5.0)
    assert (row["n_landmarks"], row["n_events"], row["n_groups"], row["n_cells"]) == (4, 1, 2, 4)
    assert _pick(table, "log_loss", within_h=5.0)["n_events"] == 2


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")  # impossible outcomes are clipped
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_weighted_scores_equal_scikit_learn_with_sample_weights(seed):
    landmarks, truth = simulate_hazards(seed=seed)
    forecasts = forecast(landmarks, np.round(truth, 2))  # ties
    table = _score(forecasts, landmarks)
    for asked in read_forecasts(forecasts, landmarks, FOLLOW_UP):
        known = asked.known()
        weights, p_nk = {"sample_weight": known.weights_n}, known.probabilities_nk
        calls, labels = p_nk.argmax(axis=1), {"labels": range(3), "average": None, "zero_division": np.nan}
        each = {
            "recall": reference.recall_score(known.truth_n, calls, **labels, **weights),
            "precision": reference.precision_score(known.truth_n, calls, **labels, **weights),
            "f1": reference.f1_score(known.truth_n, calls, **labels, **weights),
        }
        for place, event in enumerate(EVENTS):
            happened, p = known.truth_n == place, p_nk[:, place]
            expected = {name: values[place] for name, values in each.items()} | {
                "auroc": reference.roc_auc_score(happened, p, **weights),
                "average_precision": reference.average_precision_score(happened, p, **weights),
                "brier": reference.brier_score_loss(happened, p, **weights),
            }
            for metric, value in expected.items():
                found = _pick(table, metric, event, asked.within_h)["estimate"]
                assert found == pytest.approx(value, abs=1e-12, nan_ok=True)
        overall = {
            "log_loss": reference.log_loss(known.truth_n, p_nk.clip(1e-7), **weights, labels=range(3)),
            "matthews": reference.matthews_corrcoef(known.truth_n, calls, **weights),
            "balanced_accuracy": reference.balanced_accuracy_score(known.truth_n, calls, **weights),
        }
        for metric, value in overall.items():
            assert _pick(table, metric, within_h=asked.within_h)["estimate"] == pytest.approx(value, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_one_event_scores_equal_scikit_survival(seed):
    # Events on whole frames, cells lost a moment after a frame: no cell is lost at the very time of an event.
    landmarks, truth = _one_event(*simulate_hazards(seed=seed, doses=("Low",)))
    lost = landmarks["fate"] != "apoptosis"
    landmarks = landmarks.assign(time_h=landmarks["time_h"] + 1e-3 * lost)
    _assert_equal_to_scikit_survival(landmarks, np.round(truth, 2), landmarks["time_h"])  # ties


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_cells_lost_at_the_frame_of_an_event_were_seen_to_have_none_by_then(seed):
    # The one difference to scikit-survival: it takes the chance of being watched after the losses of the event's own
    # frame. Losses entered a moment later, the two are equal again, also for a cell last seen at the horizon itself.
    landmarks, truth = _one_event(*simulate_hazards(seed=seed, doses=("Low",)))
    lost = (landmarks["fate"] != "apoptosis").to_numpy()
    assert set(landmarks["time_h"][lost]) & set(landmarks["time_h"][~lost])
    _assert_equal_to_scikit_survival(landmarks, truth, landmarks["time_h"] + 1e-3 * lost)


def _one_event(landmarks, truth):
    """Cells that never divide: those that would are lost, and the recording goes on."""
    fates = landmarks["fate"].replace("mitosis", "censored")
    return landmarks.assign(fate=fates, watchable_h=1e6), truth


def _assert_equal_to_scikit_survival(landmarks, truth, their_time):
    only_deaths = truth * [1, 0]
    with patch.object(censoring, "MOST_WEIGHT", np.inf):  # theirs are not cut
        table = _score(forecast(landmarks, only_deaths), landmarks)
    theirs = Surv.from_arrays(landmarks["fate"] == "apoptosis", their_time)
    times = np.array(FOLLOW_UP.report_h)
    # Its tolerance of ties, 1e-8, is below what probabilities differ by here.
    aurocs = [cumulative_dynamic_auc(theirs, theirs, truth[:, h, 0], [t])[0][0] for h, t in enumerate(times)]
    briers = brier_score(theirs, theirs, 1 - truth[:, :, 0], times)[1]
    for within_h, auroc, brier in zip(times, aurocs, briers, strict=True):
        assert _pick(table, "auroc", "apoptosis", within_h)["estimate"] == pytest.approx(auroc, abs=1e-10)
        assert _pick(table, "brier", "apoptosis", within_h)["estimate"] == pytest.approx(brier, abs=1e-10)


def test_without_censoring_scores_are_the_unweighted_ones():
    landmarks, truth = simulate_hazards(censored=False, seed=2)
    table = _score(forecast(landmarks, truth), landmarks)
    conditions = {"all": np.ones(300, bool), **{d: (landmarks["dose"] == d).to_numpy() for d in ("High", "Low")}}
    assert set(table["condition"]) == {*conditions, "within_dose"}
    for condition, kept in conditions.items():
        for h, within_h in enumerate(FOLLOW_UP.report_h):
            for e, event in enumerate(EVENTS):
                happened = ((landmarks["fate"] == event) & (landmarks["time_h"] <= within_h + 1e-6))[kept]
                row = _pick(table, "auroc", event, within_h, condition)
                expected = reference.roc_auc_score(happened, truth[kept, h, e])
                assert row["estimate"] == pytest.approx(expected, abs=1e-12)
                assert (row["n_landmarks"], row["n_events"]) == (kept.sum(), happened.sum())


def test_weights_recover_the_scores_that_full_watching_would_give():
    landmarks, truth = simulate_hazards(n=20_000, seed=3)
    full = landmarks.assign(time_h=landmarks["true_h"], fate=landmarks["true_fate"], watchable_h=1e6)
    tables = [_score(forecast(landmarks, truth), given) for given in (landmarks, full)]
    merged = tables[0].merge(tables[1], on=["predictor", "metric", "outcome", "condition", "within_h"])
    # About 2000 events known by 10 h: standard errors of at most .02, of the slope .05; few events are called at all.
    far = (merged["estimate_x"] - merged["estimate_y"]).abs()
    ranks = merged["metric"].isin(["auroc", "average_precision", "brier", "calibration_error", "log_loss"])
    assert far[ranks].max() < 0.04
    assert far[merged["metric"] == "calibration_slope"].max() < 0.12
    lost = 1 - _pick(tables[0], "auroc", "mitosis", 10.0)["n_landmarks"] / 20_000
    assert lost > 0.4
    slopes = tables[0].query("metric == 'calibration_slope' and condition == 'all'")["estimate"]
    np.testing.assert_allclose(slopes, 1, atol=0.1)


def test_an_event_that_is_not_shown_competes_but_has_no_rows():
    only = FollowUpSettings(events=("mitosis",), report_h=(5.0,), headline_h=5.0)
    landmarks, truth = simulate_hazards()
    forecasts = forecast(landmarks, truth[:, 1:2], only)
    both, shown = (_score(forecasts, landmarks, given) for given in (FIVE_H, only))
    assert set(shown["outcome"]) == {"mitosis", "all"}
    kept = both[both["outcome"].isin(shown["outcome"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(shown, kept)


# ---- both


def test_every_predictor_question_and_dose_has_its_rows_and_an_interval():
    landmarks, truth = simulate_hazards()
    cells, p = simulate_fates()
    both = pd.concat([landmarks, cells.assign(recording_id="w" + cells["recording_id"])])
    both["landmark_id"] = range(len(both))
    forecasts = pd.concat(
        [
            forecast(landmarks, truth, predictor="blend"),
            forecast(landmarks, np.round(truth, 1) * 0.9, predictor="boosting"),
            say_which(both[both["last"]], p, "blend"),
            say_which(both[both["last"]], p),
        ]
    )
    table = _score(forecasts, both)
    questions = table[["predictor", "within_h"]].drop_duplicates()
    assert questions["predictor"].tolist() == ["blend"] * 4 + ["boosting"] * 3 + ["classifier"]
    rows = table.groupby(["predictor", "within_h", "condition"], dropna=False).size()
    assert set(rows.xs("within_dose", level="condition")) == {3}
    assert set(rows.drop("within_dose", level="condition")) == {len(OF_ALL) + 2 * len(OF_EVENTS)}
    assert set(table["metric"]) == {*OF_ALL, *OF_EVENTS}
    known = table.dropna(subset="low")
    assert (known["low"] <= known["high"]).all()
    by_condition = table[table["metric"] == "log_loss"].set_index(["predictor", "within_h", "condition"])["n_landmarks"]
    low, high, everything = (by_condition.xs(c, level="condition") for c in ("Low", "High", "all"))
    assert (low + high == everything).all()


def test_one_dose_is_not_shown_twice():
    landmarks, truth = simulate_hazards(doses=("Control",))
    assert set(_score(forecast(landmarks, truth), landmarks)["condition"]) == {"all"}


def test_several_landmarks_of_a_cell_are_counted_once_as_a_cell():
    landmarks, truth = simulate_hazards(n=24, censored=False)
    landmarks["cell_id"], landmarks["last_frame"] = landmarks["cell_id"] // 24, landmarks["cell_id"]
    row = _pick(_score(forecast(landmarks, truth), landmarks), "log_loss", within_h=5.0)
    assert (row["n_landmarks"], row["n_cells"], row["n_groups"]) == (24, 12, 12)


def test_undefined_scores_are_nan_with_a_warning_that_names_what_surprises_first():
    fates = ["mitosis", "mitosis", "censored", "censored", "apoptosis"]
    landmarks = watched([1, 2, 8, 9, 9], fates, [0, 0, 1, 1, 1])
    p = np.array([[0.1, 0.8], [0.1, 0.3], [0.2, 0.5], [0.3, 0.2], [0.3, 0.2]])[:, None]
    with pytest.warns(
        UserWarning, match=r"stay NaN: balanced_accuracy of all \(network, what happens within 5 h, all\)"
    ):
        table = _score(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H)
    for metric in ("auroc", "average_precision", "calibration_slope", "observed_over_expected", "recall", "brier"):
        row = _pick(table, metric, "apoptosis", 5.0)
        assert np.isnan(row["estimate"])
        assert row["reason"] == "no landmark with apoptosis"
    assert _pick(table, "auroc", "mitosis", 5.0)["estimate"] == pytest.approx(5 / 6)


def test_a_horizon_beyond_every_recording_has_rows_that_say_so():
    landmarks = watched([1, 2, 3, 3], ["mitosis", "apoptosis", "censored", "censored"], [0, 0, 1, 1], 3.0)
    with pytest.warns(UserWarning, match="27 scores are undefined"):
        table = _score(forecast(landmarks, np.full((4, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H)
    assert table["estimate"].isna().all()
    assert (table[["n_landmarks", "n_events", "n_groups", "n_cells"]] == 0).all(axis=None)


def test_no_test_landmark_is_an_empty_table():
    landmarks, truth = simulate_hazards(n=20)
    assert _score(forecast(landmarks, truth, part="validation"), landmarks).empty
    assert _score(forecast(landmarks, truth).iloc[:0], landmarks).empty
