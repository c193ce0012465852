"""Baselines see what they are said to see, learn it from the training part only, and find what is planted."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from cellfate.core.errors import InputError
from cellfate.core.tables import Predictions
from cellfate.metrics import BaselineSettings, predict_baselines
from cellfate.metrics.baselines import make_inputs
from tests.unit.metrics.tables import make_samples

ALL = (
    "track_length",
    "track_age",
    "recording_time",
    "age_and_time",
    "dose",
    "length_and_dose",
    "position",
    "handcrafted",
    "handcrafted_and_age",
)


@pytest.fixture(scope="module")
def study():
    """Long tracks and high doses mean apoptosis, and so does a bright and growing cell."""
    rng = np.random.default_rng(2)
    n = 360
    death = rng.random(n) < 0.4
    samples = make_samples(
        np.where(death, "apoptosis", "mitosis"),
        groups=[f"g{i % 12:02d}" for i in range(n)],
        doses=np.where(rng.random(n) < np.where(death, 0.8, 0.3), "High", "Low"),
        n_frames=np.clip(rng.normal(np.where(death, 45, 30), 12, n), 12, None).astype(int),
    )
    frames = samples.loc[samples.index.repeat(samples["n_frames"]), ["recording_id", "cell_id"]]
    frames = frames.assign(frame=frames.groupby("cell_id").cumcount())
    died = death[frames["cell_id"]]
    features = frames.assign(
        segmented=True,
        area=rng.normal(100, 5, len(frames)) + 0.15 * frames["frame"] * died,
        intensity_p53=rng.normal(np.where(died, 12, 10), 3),
    )
    features.loc[features.index[::17], "area"] = np.nan
    detections = frames.assign(
        y_px=rng.random(len(frames)) * 100, x_px=np.where(died, 70.0, 40.0) + rng.random(len(frames))
    )
    parts = np.array(["train"] * 8 + ["validation"] + ["test"] * 3)[np.arange(n) % 12]
    splits = pd.DataFrame({"scheme": "grouped_holdout", "fold": 0, "sample_id": samples["sample_id"], "part": parts})
    return samples, splits, detections, features


def _predict(study, **settings):
    samples, splits, detections, features = study
    return predict_baselines(samples, splits, detections, features, BaselineSettings(**settings))


def test_every_baseline_forecasts_validation_and_test_and_finds_what_is_planted(study):
    table = Predictions.validate(_predict(study, names=ALL))
    assert (table.groupby("predictor", sort=False).size() == 120).all()
    assert table["predictor"].unique().tolist() == list(ALL)
    assert set(table["part"]) == {"validation", "test"}
    np.testing.assert_allclose(table["p_apoptosis"] + table["p_mitosis"], 1)
    truth = table.merge(study[0], on="sample_id")
    for name, rows in truth[truth["part"] == "test"].groupby("predictor"):
        assert roc_auc_score(rows["outcome"] == "apoptosis", rows["p_apoptosis"]) > 0.65, name


def test_outcomes_of_validation_and_test_are_not_looked_at(study):
    samples, splits, detections, features = study
    told = splits["part"].to_numpy() == "train"
    turned = samples["outcome"].map({"apoptosis": "mitosis", "mitosis": "apoptosis"})
    hidden = samples.assign(outcome=np.where(told, samples["outcome"], turned))
    pd.testing.assert_frame_equal(_predict(study), _predict((hidden, splits, detections, features)))


def test_each_baseline_sees_only_its_own(study):
    samples, _, detections, features = study
    changed = samples.assign(dose="Low", age_frames=9)
    for name, same in (("track_length", True), ("position", True), ("dose", False), ("track_age", False)):
        before = make_inputs(name, samples, detections, features, BaselineSettings())
        assert before.equals(make_inputs(name, changed, detections, features, BaselineSettings())) == same, name
    moved = make_inputs("position", samples, detections.assign(y_px=1.0), features, BaselineSettings())
    assert (moved["y_px"] == 1).all()


def test_inputs_by_hand(study):
    samples, _, detections, features = study
    inputs = make_inputs("length_and_dose", samples.iloc[:3], detections, features, BaselineSettings())
    hours = samples["n_frames"].iloc[:3] / 2
    np.testing.assert_allclose(inputs["length_h"], hours)
    np.testing.assert_allclose(inputs["log_length"], np.log(1 + hours))
    place = make_inputs("position", samples, detections, features, BaselineSettings())
    row = samples.iloc[7]
    there = detections[(detections["cell_id"] == 7) & (detections["frame"] == row["last_frame"])].iloc[0]
    assert place.loc[7, ["y_px", "x_px"]].tolist() == there[["y_px", "x_px"]].tolist()


def test_history_is_given_in_hours_whatever_the_frame_interval(study):
    samples, _, detections, features = study
    mixed = samples.assign(frame_interval_min=np.where(samples.index % 2, 15.0, 30.0))
    inputs = make_inputs("handcrafted", mixed, detections, features, BaselineSettings(handcrafted_history_h=2.0))
    for cell, n_frames in ((4, 4), (5, 8)):
        last = features[features["cell_id"] == cell].tail(n_frames)
        assert inputs.loc[cell, "intensity_p53_mean"] == pytest.approx(last["intensity_p53"].mean())


def test_three_outcomes_and_folds(study):
    samples, splits, detections, features = study
    samples = samples.assign(outcome=np.where(samples.index % 3 == 0, "none", samples["outcome"]))
    other = splits.assign(fold=1, part=splits["part"].map({"train": "test", "test": "train", "validation": "train"}))
    table = Predictions.validate(_predict((samples, pd.concat([splits, other]), detections, features), names=ALL[:2]))
    columns = ["p_apoptosis", "p_mitosis", "p_none"]
    assert table.columns[-3:].tolist() == columns
    np.testing.assert_allclose(table[columns].sum(axis=1), 1)
    assert table[table["part"] == "test"].groupby("predictor")["sample_id"].nunique().tolist() == [330, 330]


def test_a_training_part_without_an_outcome_is_refused(study):
    samples, splits, detections, features = study
    died = (samples["outcome"] == "apoptosis").to_numpy()
    splits = splits.assign(part=np.where(died, "test", splits["part"]))
    with pytest.raises(
        InputError, match=r"training part of fold 0 holds \['mitosis'\], expected at least two outcomes"
    ):
        _predict((samples, splits, detections, features), names=("dose",))


def test_settings_are_refused():
    with pytest.raises(ValidationError, match="names repeats dose"):
        BaselineSettings(names=("dose", "dose"))
    with pytest.raises(ValidationError, match="names"):
        BaselineSettings(names=("horoscope",))
