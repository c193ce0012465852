"""References see what they are said to see, learn it from the training part only, and count as one does by hand."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Incidence, Landmarks
from cellfate.metrics.incidence_references import fit_dose_hazards, fit_logistic_hazards, forecast_references
from cellfate.metrics.settings import ReferenceSettings
from cellfate.statistics.incidence import UNOBSERVED, cumulative_incidence, label_bins

ALL = ("track_age", "dose", "age_and_time", "handcrafted_and_age")
CLOCK = FollowUpSettings(guard_h=0.0, bin_h=1.0, horizon_h=3.0, report_h=(1.0, 3.0), headline_h=3.0, min_frames=4)
QUICK = ReferenceSettings(boosting={"n_trees": 20})


@pytest.fixture(scope="module")
def study():
    """Old and bright cells and those of a high dose die soon; divisions fall at any time; a third is censored."""
    rng = np.random.default_rng(5)
    n = 500
    first, age, dose = rng.integers(0, 3, n), rng.integers(4, 40, n), np.where(rng.random(n) < 0.5, "High", "Low")
    bright = rng.normal(size=n)
    dies_h = rng.exponential(40 / (age * np.exp(1.2 * bright) * np.where(dose == "High", 3, 1)))
    divides_h, lost_h = rng.exponential(8, n), rng.exponential(8, n)
    time_h = np.min([dies_h, divides_h, lost_h], axis=0)
    fate = np.array(["apoptosis", "mitosis", "censored"])[np.argmin([dies_h, divides_h, lost_h], axis=0)]
    landmarks = pd.DataFrame(
        {
            "sample_id": [f"g{i % 10}:{i}:{f + a}" for i, (f, a) in enumerate(zip(first, age, strict=True))],
            "recording_id": [f"g{i % 10}" for i in range(n)],
            "cell_id": range(n),
            "group_id": [f"g{i % 10}" for i in range(n)],
            "dose": dose,
            "first_frame": first,
            "last_frame": first + age,
            "age_frames": age,
            "frame_interval_min": 30.0,
            "fate": fate,
            "time_h": time_h,
            "watchable_h": 40.0,
        }
    )
    follow_ups = landmarks.assign(sample_id=landmarks["recording_id"] + ":" + landmarks["cell_id"].astype(str))
    frames = landmarks.loc[landmarks.index.repeat(4), ["recording_id", "cell_id", "last_frame"]]
    frames = frames.assign(frame=frames.pop("last_frame") - frames.groupby("cell_id").cumcount(), segmented=True)
    features = frames.assign(intensity_p53=bright[frames["cell_id"]] + rng.normal(0, 0.3, len(frames)))
    parts = np.array(["train"] * 6 + ["validation"] + ["test"] * 3)[np.arange(n) % 10]
    splits = pd.DataFrame({"scheme": "grouped_folds", "sample_id": follow_ups["sample_id"], "fold": 0, "part": parts})
    return follow_ups, Landmarks.validate(landmarks), splits, features


def _forecast(study, follow_up=CLOCK, references=QUICK):
    return forecast_references(*study, follow_up, references)


def test_every_reference_forecasts_validation_and_test_and_finds_what_is_planted(study):
    table = Incidence.validate(_forecast(study))
    assert (table.groupby("predictor", sort=False).size() == 200 * 2).all()
    assert table["predictor"].unique().tolist() == list(ALL)
    assert set(table["part"]) == {"validation", "test"}
    assert set(table["within_h"]) == {1.0, 3.0}
    np.testing.assert_allclose(table[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1)
    assert table["expected_h"].between(0, 3).all()
    keys = {"left_on": ["cell_id", "frame"], "right_on": ["cell_id", "last_frame"], "validate": "many_to_one"}
    told = table[table["within_h"] == 3].merge(study[1], **keys)
    told = told[(told["fate"] != "censored") | (told["time_h"] >= 3)]
    found = {
        name: roc_auc_score((rows["fate"] == "apoptosis") & (rows["time_h"] <= 3), rows["p_apoptosis"])
        for name, rows in told.groupby("predictor")
    }
    assert found["dose"] > 0.55
    assert found["track_age"] > 0.6
    assert found["age_and_time"] > 0.6
    assert found["handcrafted_and_age"] > max(found["track_age"], found["dose"]) + 0.05


def test_expected_hours_belong_to_the_incidence_of_their_row(study):
    table = _forecast(study, follow_up=CLOCK.model_copy(update={"report_h": (1.0, 2.0, 3.0)}))
    free = table["p_none"].to_numpy().reshape(-1, 3)
    expected = (1 + free[:, 0]) / 2 + (free[:, 0] + free[:, 1]) / 2 + (free[:, 1] + free[:, 2]) / 2
    np.testing.assert_allclose(table["expected_h"].to_numpy().reshape(-1, 3), np.repeat(expected[:, None], 3, axis=1))
    assert table.columns[-4:].tolist() == ["p_apoptosis", "p_mitosis", "p_none", "expected_h"]


def test_what_followed_validation_and_test_landmarks_is_not_looked_at(study):
    follow_ups, landmarks, splits, features = study
    told = splits["part"].to_numpy() == "train"
    hidden = landmarks.assign(
        fate=landmarks["fate"].where(told, "censored"), time_h=landmarks["time_h"].where(told, 0.5)
    )
    pd.testing.assert_frame_equal(_forecast(study), _forecast((follow_ups, hidden, splits, features)))


def test_each_reference_sees_only_its_own(study):
    follow_ups, landmarks, splits, features = study
    told = splits["part"].to_numpy() == "train"
    changes = {
        "dose": (landmarks.assign(dose=landmarks["dose"].where(told, "Low")), features),
        "track_age": (landmarks.assign(age_frames=landmarks["age_frames"].where(told, 5)), features),
        "handcrafted_and_age": (landmarks, features.assign(intensity_p53=0.0)),
    }
    before = _forecast(study)
    for name, (other_landmarks, other_features) in changes.items():
        after = _forecast((follow_ups, other_landmarks, splits, other_features))
        same = (before["p_apoptosis"] == after["p_apoptosis"]).groupby(before["predictor"]).all()
        assert not same[name], name
        assert same[[other for other in ALL if other not in (name, "age_and_time")]].all(), name


def test_the_order_of_landmarks_does_not_matter(study):
    follow_ups, landmarks, splits, features = study
    turned = landmarks.sample(frac=1, random_state=3)
    keys = ["predictor", "cell_id", "within_h"]
    before, after = (
        table[table["predictor"] != "handcrafted_and_age"].sort_values(keys, ignore_index=True)
        for table in (_forecast(study), _forecast((follow_ups, turned, splits, features)))
    )
    pd.testing.assert_frame_equal(before, after, rtol=1e-4)  # the logistic regressions stop where they are close enough


def test_every_fold_is_forecast_from_its_own_training_part(study):
    follow_ups, landmarks, splits, features = study
    other = splits.assign(fold=1, part=splits["part"].map({"train": "test", "test": "train", "validation": "train"}))
    both = _forecast((follow_ups, landmarks, pd.concat([splits, other]), features))
    alone = _forecast((follow_ups, landmarks, other, features))
    pd.testing.assert_frame_equal(both[both["fold"] == 1].reset_index(drop=True), alone)
    assert both[both["part"] == "test"].groupby("predictor")["cell_id"].nunique().tolist() == [450] * 4


# ten landmarks: 4 die in hour 1, one is lost at its end; of 5 watched on, 1 divides in hour 2; of 4, 2 die in hour 3
TIMES_H = [0.5, 0.5, 1.0, 1.0, 1.0, 1.5, 2.5, 3.0, 3.0, 9.0]
FATES = ["apoptosis"] * 4 + ["censored", "mitosis", "apoptosis", "apoptosis", "censored", "mitosis"]


def _worked_by_hand(doses):
    """The ten landmarks at dose High in training, then landmarks at the given doses to be forecast."""
    n = 10 + len(doses)
    landmarks = pd.DataFrame(
        {
            "sample_id": [f"r:{i}:9" for i in range(n)],
            "recording_id": "r",
            "cell_id": range(n),
            "group_id": "r",
            "dose": ["High"] * 10 + list(doses),
            "first_frame": 0,
            "last_frame": 9,
            "age_frames": 9,
            "frame_interval_min": 30.0,
            "fate": FATES + ["censored"] * len(doses),
            "time_h": TIMES_H + [1.0] * len(doses),
            "watchable_h": 20.0,
        }
    )
    follow_ups = landmarks.assign(sample_id=[f"r:{i}" for i in range(n)])
    parts = ["train"] * 10 + ["test"] * len(doses)
    splits = pd.DataFrame({"scheme": "s", "fold": 0, "sample_id": follow_ups["sample_id"], "part": parts})
    return follow_ups, landmarks, splits, pd.DataFrame()


def test_the_dose_is_an_aalen_johansen_curve():
    table = _forecast(_worked_by_hand(["High"]), references=ReferenceSettings(names=["dose"]))
    assert table["within_h"].tolist() == [1, 3]
    # hazards: 4/10 die; 1/5 divides; 2/4 die
    np.testing.assert_allclose(table["p_apoptosis"], [0.4, 0.4 + 0.6 * 0.8 * 0.5])
    np.testing.assert_allclose(table["p_mitosis"], [0, 0.6 * 0.2])
    np.testing.assert_allclose(table["p_none"], [0.6, 0.6 * 0.8 * 0.5])
    np.testing.assert_allclose(table["expected_h"], (1 + 0.6) / 2 + (0.6 + 0.48) / 2 + (0.48 + 0.24) / 2)


def test_with_one_event_the_dose_is_a_kaplan_meier_curve():
    deaths = CLOCK.model_copy(update={"events": ("apoptosis",)})
    table = _forecast(_worked_by_hand(["High"]), follow_up=deaths, references=ReferenceSettings(names=["dose"]))
    # the cell that divides at 1.5 h was watched to the end of hour 1 but not of hour 2
    np.testing.assert_allclose(table["p_none"], [0.6, 0.6 * (4 / 4) * (2 / 4)])
    assert "p_mitosis" not in table.columns


def test_a_dose_that_was_not_in_training_gets_the_hazards_of_all_together(study):
    table = _forecast(_worked_by_hand(["High", "Medium"]), references=ReferenceSettings(names=["dose"]))
    assert table.loc[table["cell_id"] == 11, "p_apoptosis"].tolist() == pytest.approx([0.4, 0.64])
    labels = np.array([[1, UNOBSERVED], [0, 0], [0, 1], [0, UNOBSERVED]])
    hazards = fit_dose_hazards(pd.Series(["High", "High", "Low", "None"]), labels, 1)
    asked = pd.DataFrame({"dose": ["High", "Low", "None", "Medium"]})
    assert hazards(asked)[:, :, 0].tolist() == [[0.5, 0], [0, 1], [0, 0.5], [0.25, 0.5]]


def test_a_logistic_regression_on_an_input_that_tells_nothing_counts():
    numbers = {"censored": 0, "apoptosis": 1, "mitosis": 2}
    labels = label_bins(TIMES_H * 200, [numbers[fate] for fate in FATES] * 200, CLOCK.edges_h)
    hazards = fit_logistic_hazards(pd.DataFrame({"age_h": np.full(2000, 4.5)}), labels, 2)
    found = cumulative_incidence(hazards(pd.DataFrame({"age_h": [4.5]})))[0, 2]
    np.testing.assert_allclose(found, [0.64, 0.12], atol=0.005)  # a weak penalty pulls at it


def test_a_logistic_regression_finds_known_hazards():
    rng = np.random.default_rng(0)
    hours = rng.uniform(0, 20, 20_000)
    odds = np.exp(np.stack([np.zeros_like(hours), -3 + 0.1 * hours, np.full_like(hours, -2)], axis=1))
    shares = odds / odds.sum(axis=1, keepdims=True)
    labels = (rng.random(20_000)[:, None] > shares.cumsum(axis=1)).sum(axis=1)[:, None]
    hazards = fit_logistic_hazards(pd.DataFrame({"age_h": hours}), labels, 2)(pd.DataFrame({"age_h": hours}))
    np.testing.assert_allclose(hazards[:, 0], shares[:, 1:], atol=0.02)  # three standard errors of the shares


def test_an_event_that_never_occurs_in_training_is_not_forecast(study):
    follow_ups, landmarks, splits, features = study
    quiet = landmarks.assign(fate=landmarks["fate"].replace("mitosis", "censored"))
    table = _forecast((follow_ups, quiet, splits, features))
    assert (table["p_mitosis"] == 0).all()
    assert (table["p_apoptosis"] > 0).all()
    still = _forecast((follow_ups, landmarks.assign(fate="censored"), splits, features))
    assert (still["p_none"] == 1).all()
    assert (still["expected_h"] == 3).all()


def test_a_training_part_that_was_not_watched_for_the_horizon_is_refused(study):
    long = FollowUpSettings(guard_h=0.0, bin_h=50.0, horizon_h=100.0, report_h=(50.0,), headline_h=50.0)
    with pytest.raises(InputError, match=r"in the training part of fold 0 was watched for \d+ h.*horizon_h 100;"):
        _forecast(study, follow_up=long)
    follow_ups, landmarks, splits, features = study
    with pytest.raises(InputError, match="None of 0 landmarks"):
        _forecast((follow_ups, landmarks, splits[splits["part"] != "train"], features))


def test_settings_are_refused():
    with pytest.raises(ValidationError, match="names repeats dose; list every reference once"):
        ReferenceSettings(names=("dose", "dose"))
    with pytest.raises(ValidationError, match="names"):
        ReferenceSettings(names=("horoscope",))
