"""The metric tables: every predictor, dose, threshold; and what is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from cellfate.core.errors import InputError
from cellfate.core.tables import Metrics
from cellfate.metrics import (
    ScoreSettings,
    count_confusions,
    measure_calibration,
    score_inference,
    score_predictions,
    trace_curves,
)
from cellfate.metrics.forecasts import read_forecasts
from cellfate.statistics.thresholds import choose_threshold
from tests.unit.metrics.tables import make_predictions, make_samples, simulate

FEW = ScoreSettings(n_resamples=200)


def _none(predictions):
    return predictions.iloc[:0]


def _pick(table, metric, outcome="all", condition="all", predictor="cellfate"):
    rows = table[
        (table["metric"] == metric)
        & (table["outcome"] == outcome)
        & (table["condition"] == condition)
        & (table["predictor"] == predictor)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_table_follows_the_schema_and_agrees_with_scikit_learn_in_every_dose():
    samples, p = simulate()
    predictions = make_predictions(samples, p)
    table = Metrics.validate(score_predictions(predictions, _none(predictions), samples, FEW))
    truth = (samples["outcome"] == "apoptosis").to_numpy()
    conditions = {"all": np.ones(400, bool), **{dose: samples["dose"] == dose for dose in ("Low", "High")}}
    for condition, kept in conditions.items():
        expected = reference.roc_auc_score(truth[kept], p[kept])
        assert _pick(table, "auroc", condition=condition)["estimate"] == pytest.approx(expected)
        expected = reference.average_precision_score(~truth[kept], 1 - p[kept])
        assert _pick(table, "average_precision", "mitosis", condition)["estimate"] == pytest.approx(expected)
        expected = reference.balanced_accuracy_score(truth[kept], p[kept] >= 0.5)
        assert _pick(table, "balanced_accuracy", condition=condition)["estimate"] == pytest.approx(expected)
    intervals = table.dropna(subset=["low"])
    assert (intervals["low"] <= intervals["high"]).all()
    assert _pick(table, "auroc")["n_groups"] == samples["group_id"].nunique()
    assert _pick(table, "recall", "apoptosis")["n_samples"] == truth.sum()


def test_a_predictor_that_knows_only_the_dose_scores_half_within_doses():
    samples, _ = simulate(seed=4)
    rng = np.random.default_rng(0)
    samples = samples.assign(
        outcome=np.where(
            rng.random(len(samples)) < np.where(samples["dose"] == "Low", 0.2, 0.8), "apoptosis", "mitosis"
        )
    )
    predictions = make_predictions(samples, np.where(samples["dose"] == "Low", 0.1, 0.9))
    with pytest.warns(UserWarning, match="precision of mitosis"):  # never called in dose High
        table = score_predictions(predictions, _none(predictions), samples, FEW)
    assert _pick(table, "auroc")["estimate"] > 0.7
    assert _pick(table, "auroc", condition="within_dose")["estimate"] == pytest.approx(0.5)
    assert _pick(table, "balanced_accuracy", condition="within_dose")["estimate"] == pytest.approx(0.5)


def test_scores_within_doses_by_hand():
    # Low: 1 positive over 2 negatives, both below it: 1. High: 2 positives, 2 negatives, 2 of 4 pairs right: .5.
    # Weights are the rarer outcome: 1 and 2 -> (1 + 2 * .5) / 3.
    samples = make_samples(
        ["apoptosis", "mitosis", "mitosis", "apoptosis", "apoptosis", "mitosis", "mitosis"],
        doses=["Low"] * 3 + ["High"] * 4,
    )
    predictions = make_predictions(samples, [0.9, 0.2, 0.3, 0.9, 0.1, 0.4, 0.3])
    predictions = pd.concat([predictions, make_predictions(samples, [0.9] * 7, predictor="constant")])
    with pytest.warns(UserWarning, match="undefined"):  # precision of what the constant never calls
        table = score_predictions(predictions, _none(predictions), samples, FEW)
    assert _pick(table, "auroc", condition="within_dose")["estimate"] == pytest.approx(2 / 3)


def test_the_threshold_is_chosen_on_validation_of_the_same_fold():
    samples, p = simulate(n=300)
    halves = [samples.iloc[:150], samples.iloc[150:]]
    # Probabilities of fold 0 are squeezed below .2, those of fold 1 above .8: .5 calls nothing and everything.
    squeezed = [p[:150] * 0.2, 0.8 + 0.2 * p[150:]]
    tables = []
    for fold in (0, 1):
        for part, half in (("test", fold), ("validation", 1 - fold)):
            values = squeezed[fold] if part == "test" else (p[:150] * 0.2 if fold == 0 else 0.8 + 0.2 * p[150:])
            order = halves[half] if part == "test" else halves[fold]
            tables.append(make_predictions(order, values, part=part, fold=fold))
    # The validation rows above reuse the test cells of the fold, so that the best threshold is known.
    predictions = pd.concat(tables)
    table = score_predictions(predictions, _none(predictions), samples, FEW)
    truth = (samples["outcome"] == "apoptosis").to_numpy()
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


def test_tuned_scores_are_nan_where_validation_holds_one_class():
    samples, p = simulate(n=60)
    validation = make_samples(["mitosis"] * 5).assign(sample_id=[f"v{i}" for i in range(5)])
    predictions = pd.concat(
        [make_predictions(samples, p), make_predictions(validation, np.linspace(0, 1, 5), part="validation")]
    )
    with pytest.warns(UserWarning, match="balanced_accuracy_tuned"):
        table = score_predictions(predictions, _none(predictions), pd.concat([samples, validation]), FEW)
    assert np.isnan(_pick(table, "balanced_accuracy_tuned")["estimate"])


def test_an_absent_class_is_nan_with_a_warning():
    samples = make_samples(["mitosis"] * 12, groups=list("abcd") * 3)
    predictions = make_predictions(samples, np.linspace(0.1, 0.9, 12))
    with pytest.warns(UserWarning, match="undefined and stay NaN: .*balanced_accuracy of all"):
        table = score_predictions(predictions, _none(predictions), samples, FEW)
    assert np.isnan(_pick(table, "balanced_accuracy")["estimate"])
    assert np.isnan(_pick(table, "auroc")["estimate"])
    assert _pick(table, "recall", "mitosis")["estimate"] == 0.5


def test_three_outcomes():
    rng = np.random.default_rng(0)
    outcomes = np.array(["apoptosis", "mitosis", "none"])
    truth = rng.integers(3, size=300)
    samples = make_samples(outcomes[truth], groups=rng.integers(12, size=300))
    p = rng.dirichlet(np.ones(3), 300) * 0.5 + 0.5 * np.eye(3)[truth]
    predictions = make_predictions(samples, p[:, 0]).drop(columns="p_mitosis")
    predictions = predictions.assign(p_mitosis=p[:, 1], p_none=p[:, 2])
    table = score_predictions(predictions, _none(predictions), samples, FEW)
    assert _pick(table, "auroc")["estimate"] == pytest.approx(
        reference.roc_auc_score(truth, p, multi_class="ovr", average="macro")
    )
    assert _pick(table, "log_loss")["estimate"] == pytest.approx(reference.log_loss(truth, p))
    assert not table["metric"].str.endswith("_tuned").any()
    confusion = count_confusions(predictions, _none(predictions), samples)
    np.testing.assert_array_equal(
        confusion["n_samples"].to_numpy().reshape(3, 3), reference.confusion_matrix(truth, p.argmax(axis=1))
    )


def test_several_samples_of_a_cell_are_counted_once_as_a_cell():
    samples = make_samples(["apoptosis", "mitosis"] * 6, groups=list("abcd") * 3)
    samples = samples.assign(cell_id=np.arange(12) // 2 * 0 + np.arange(12) % 3)
    predictions = make_predictions(samples, np.linspace(0.2, 0.8, 12))
    table = score_predictions(predictions, _none(predictions), samples, FEW)
    row = _pick(table, "auroc")
    assert (row["n_samples"], row["n_cells"], row["n_groups"]) == (
        12,
        len(samples.groupby(["recording_id", "cell_id"])),
        4,
    )


def test_unknown_fates_are_left_out_at_inference():
    samples, p = simulate(n=80)
    samples.loc[60:, "outcome"] = None
    predictions = make_predictions(samples, p)[["sample_id", "p_apoptosis", "p_mitosis"]]
    predictions = predictions.merge(samples[["sample_id", "recording_id", "cell_id", "last_frame"]])  # as a fate table
    table = Metrics.validate(score_inference(predictions, samples, FEW))
    assert _pick(table, "auroc")["n_samples"] == 60
    samples["outcome"] = None
    assert Metrics.validate(score_inference(predictions, samples, FEW)).empty


def test_confusion_counts_by_hand():
    samples = make_samples(["apoptosis", "apoptosis", "mitosis", "mitosis", "mitosis"])
    predictions = make_predictions(samples, [0.9, 0.4, 0.1, 0.2, 0.7])
    table = count_confusions(predictions, _none(predictions), samples)
    assert table["n_samples"].tolist() == [1, 1, 1, 2]
    assert table["share"].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 2 / 3])


def test_reliability_of_forecasts_that_are_right_lies_on_the_diagonal():
    rng = np.random.default_rng(5)
    p = rng.random(30_000)
    samples = make_samples(
        np.where(rng.random(30_000) < p, "apoptosis", "mitosis"), groups=rng.integers(50, size=30_000)
    )
    predictions = make_predictions(samples, p)
    table = measure_calibration(predictions, _none(predictions), samples, FEW)
    assert table["n_samples"].tolist() == [2000] * 15
    # 2000 samples a bin: standard error at most .011.
    np.testing.assert_allclose(table["frequency"], table["mean_probability"], atol=0.04)
    assert ((table["low"] < table["frequency"]) & (table["frequency"] < table["high"])).all()


def test_operating_curves_agree_with_scikit_learn():
    samples, p = simulate()
    p = np.round(p, 2)
    table = trace_curves(make_predictions(samples, p), make_predictions(samples, p).iloc[:0], samples)
    curve = table[table["outcome"] == "apoptosis"]
    fpr, recall, thresholds = reference.roc_curve(samples["outcome"] == "apoptosis", p, drop_intermediate=False)
    np.testing.assert_allclose(curve["false_positive_rate"], fpr)
    np.testing.assert_allclose(curve["recall"], recall)
    np.testing.assert_allclose(curve["threshold"], thresholds)
    precision, _, _ = reference.precision_recall_curve(samples["outcome"] == "apoptosis", p)
    np.testing.assert_allclose(curve["precision"].to_numpy()[1:], precision[::-1][1:])
    assert np.isnan(curve["precision"].iloc[0])


def test_what_is_refused():
    samples, p = simulate(n=40)
    predictions = make_predictions(samples, p)
    with pytest.raises(InputError, match="'s00000' in more than one test part"):
        read_forecasts(pd.concat([predictions, predictions.iloc[:1].assign(fold=1)]), samples)
    with pytest.raises(InputError, match=r"add up to 0\.75, expected 1"):
        read_forecasts(predictions.assign(p_apoptosis=0.25, p_mitosis=0.5), samples)
    with pytest.raises(InputError, match="the outcome 'none'"):
        read_forecasts(predictions, samples.assign(outcome=["none", *samples["outcome"].tolist()[1:]]))


def test_inputs_are_not_changed():
    samples, p = simulate(n=60)
    predictions = make_predictions(samples, p)
    before = samples.copy(), predictions.copy()
    score_predictions(predictions, _none(predictions), samples, FEW)
    pd.testing.assert_frame_equal(samples, before[0])
    pd.testing.assert_frame_equal(predictions, before[1])
