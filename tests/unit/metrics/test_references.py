"""References see what they are said to see, learn it from the training part only, and count as one does by hand."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cellfate.cohort.questions import list_questions
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import TRIVIAL_REFERENCES
from cellfate.core.tables import Forecasts, Landmarks
from cellfate.metrics import ReferenceSettings, forecast_references
from cellfate.metrics.references import fit_dose_hazards, fit_logistic_hazards, make_inputs
from cellfate.statistics.incidence import UNOBSERVED, cumulative_incidence, label_bins
from tests.unit.metrics.tables import fated, half_die, make_landmarks

THREE_H = FollowUpSettings(guard_h=0.0, bin_h=1.0, horizon_h=3.0, report_h=(1.0, 3.0), headline_h=3.0, min_frames=4)
ALL = ReferenceSettings(
    names_which_fate=(*TRIVIAL_REFERENCES, "measurements"),
    names_within_hours=TRIVIAL_REFERENCES,
    boosting={"n_trees": 20},
)


@dataclass(frozen=True)
class Study:
    """What references are fitted to."""

    landmarks: pd.DataFrame
    splits: pd.DataFrame
    detections: pd.DataFrame
    features: pd.DataFrame
    follow_up: FollowUpSettings = THREE_H

    def forecast(self, references=ALL):
        """Forecasts of all references; the cells are those of the landmarks."""
        cells = self.landmarks.drop_duplicates(["recording_id", "cell_id"])
        questions = list_questions(cells, self.landmarks, self.follow_up)
        tables = cells, self.landmarks, self.splits, self.detections, self.features, questions
        return forecast_references(*tables, self.follow_up, references)


def _split(landmarks, parts, fold=0):
    return landmarks[["recording_id", "cell_id"]].assign(scheme="grouped_folds", fold=fold, part=parts)


def _frames(landmarks, n_frames):
    """The last frames of each landmark, latest first."""
    frames = landmarks.loc[landmarks.index.repeat(n_frames), ["recording_id", "cell_id", "last_frame"]]
    return frames.assign(frame=frames.pop("last_frame") - frames.groupby("cell_id").cumcount())


@pytest.fixture(scope="module")
def within():
    """Old and bright cells and those of a high dose die soon; divisions fall at any time; a third is lost."""
    rng = np.random.default_rng(5)
    n = 500
    first, age, dose = rng.integers(0, 3, n), rng.integers(4, 40, n), np.where(rng.random(n) < 0.5, "High", "Low")
    bright = rng.normal(size=n)
    dies_h = rng.exponential(40 / (age * np.exp(1.2 * bright) * np.where(dose == "High", 3, 1)))
    ends_h = np.stack([dies_h, rng.exponential(8, n), rng.exponential(8, n)])
    landmarks = make_landmarks(
        n, groups=np.arange(n) % 10, dose=dose, first_frame=first, last_frame=first + age, age_frames=age,
        fate=np.array(["apoptosis", "mitosis", "censored"])[ends_h.argmin(axis=0)], time_h=ends_h.min(axis=0),
        watchable_h=40.0, regular=True,
    )  # fmt: skip
    frames = _frames(landmarks, 4)
    measured = bright[frames["cell_id"]] + rng.normal(0, 0.3, len(frames))
    parts = np.array(["train"] * 6 + ["validation"] + ["test"] * 3)[np.arange(n) % 10]
    places = frames.assign(y_px=rng.random(len(frames)) * 100, x_px=rng.random(len(frames)) * 100)
    features = frames.assign(segmented=True, intensity_p53=measured)
    return Study(Landmarks.validate(landmarks), _split(landmarks, parts), places, features)


@pytest.fixture(scope="module")
def which():
    """Long tracks, high doses and one side of the image mean apoptosis, and so does a bright and growing cell."""
    rng = np.random.default_rng(2)
    n = 360
    death = rng.random(n) < 0.4
    landmarks = fated(
        np.where(death, "apoptosis", "mitosis"),
        groups=[f"g{i % 12:02d}" for i in range(n)],
        doses=np.where(rng.random(n) < np.where(death, 0.8, 0.3), "High", "Low"),
        n_frames=np.clip(rng.normal(np.where(death, 45, 30), 12, n), 12, None).astype(int),
    )
    frames = _frames(landmarks, landmarks["n_frames"])
    died = death[frames["cell_id"]]
    features = frames.assign(
        segmented=True,
        area=rng.normal(100, 5, len(frames)) + 0.15 * frames["frame"] * died,
        intensity_p53=rng.normal(np.where(died, 12, 10), 3),
    )
    features.loc[features.index[::17], "area"] = np.nan
    places = frames.assign(y_px=rng.random(len(frames)) * 100, x_px=np.where(died, 70, 40) + rng.random(len(frames)))
    parts = np.array(["train"] * 8 + ["validation"] + ["test"] * 3)[np.arange(n) % 12]
    return Study(Landmarks.validate(landmarks), _split(landmarks, parts), places, features)


def _told(table, landmarks):
    keys = {"left_on": ["cell_id", "frame"], "right_on": ["cell_id", "last_frame"], "validate": "many_to_one"}
    return table.merge(landmarks.drop(columns="recording_id"), **keys)


# ---- which fate comes


def test_references_say_which_fate_comes_and_find_what_is_planted(which):
    table = Forecasts.validate(which.forecast())
    assert table["within_h"].isna().all()
    assert table["predictor"].unique().tolist() == [*ALL.names_which_fate]
    assert (table.groupby("predictor").size() == 120).all()
    assert set(table["part"]) == {"validation", "test"}
    np.testing.assert_allclose(table["p_apoptosis"] + table["p_mitosis"], 1)
    assert (table["p_none"] == 0).all()
    found = {
        name: roc_auc_score(rows["fate"] == "apoptosis", rows["p_apoptosis"])
        for name, rows in _told(table, which.landmarks).groupby("predictor")
    }
    assert found["position"] > 0.99
    assert found["measurements"] > 0.9
    assert found["track_length"] > 0.7
    assert found["dose"] > 0.65
    assert found["length_and_dose"] > max(found["track_length"], found["dose"])


def test_fates_are_balanced(which):
    """As scikit-learn balances classes; the dose counts each fate as often as the other."""
    table = which.forecast(ReferenceSettings(names_which_fate=("track_length", "dose")))
    told = (which.splits["part"] == "train").to_numpy()
    inputs = make_inputs("track_length", which.landmarks, which.detections, which.features, 5.0)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced"))
    theirs.fit(inputs[told], which.landmarks["fate"][told])
    asked = table[table["predictor"] == "track_length"]
    expected = theirs.predict_proba(inputs.loc[asked["cell_id"]])[:, 0]
    np.testing.assert_allclose(asked["p_apoptosis"], expected, atol=1e-4)
    shares = pd.crosstab(which.landmarks["dose"][told], which.landmarks["fate"][told], normalize="columns")
    odds = shares["apoptosis"] / shares.sum(axis=1)
    dose = _told(table[table["predictor"] == "dose"], which.landmarks)
    np.testing.assert_allclose(dose["p_apoptosis"], dose["dose"].map(odds))


def test_cells_that_met_no_fate_neither_teach_nor_are_asked(which):
    lost = which.landmarks["cell_id"] % 5 == 0
    hidden = which.landmarks.assign(fate=which.landmarks["fate"].mask(lost, "censored"))
    names = ReferenceSettings(names_which_fate=("track_age", "dose"))
    found = replace(which, landmarks=hidden).forecast(names)
    pd.testing.assert_frame_equal(found, replace(which, landmarks=which.landmarks[~lost]).forecast(names))


def test_a_training_part_without_a_fate_is_refused(which):
    died = (which.landmarks["fate"] == "apoptosis").to_numpy()
    splits = which.splits.assign(part=np.where(died, "test", which.splits["part"]))
    with pytest.raises(InputError, match=r"training part of fold 0 holds cells that end in \['mitosis'\]"):
        replace(which, splits=splits).forecast()


def test_inputs_by_hand(which):
    tables = which.landmarks, which.detections, which.features, 2.0
    length = make_inputs("length_and_dose", *tables)
    hours = which.landmarks["n_frames"] / 2
    np.testing.assert_allclose(length["length_h"], hours)
    np.testing.assert_allclose(length["log_length"], np.log(1 + hours))
    assert (length["dose_High"] == (which.landmarks["dose"] == "High")).all()
    np.testing.assert_allclose(make_inputs("track_age", *tables)["age_h_squared"], (hours - 0.5) ** 2)
    places = which.detections.set_index(["cell_id", "frame"])
    there = places.loc[(7, which.landmarks.loc[7, "last_frame"])]
    assert make_inputs("position", *tables).loc[7, ["y_px", "x_px"]].tolist() == there[["y_px", "x_px"]].tolist()
    mixed = which.landmarks.assign(frame_interval_min=np.where(which.landmarks.index % 2, 15.0, 30.0))
    measured = make_inputs("measurements", mixed, *tables[1:])
    for cell, n_frames in ((4, 4), (5, 8)):
        last = which.features[which.features["cell_id"] == cell].head(n_frames)
        assert measured.loc[cell, "intensity_p53_mean"] == pytest.approx(last["intensity_p53"].mean())


# ---- what comes within hours


def test_references_say_what_comes_within_hours_and_find_what_is_planted(within):
    table = Forecasts.validate(within.forecast())
    assert table["predictor"].unique().tolist() == [*TRIVIAL_REFERENCES]
    assert (table.groupby("predictor").size() == 200 * 2).all()
    assert set(table["within_h"]) == {1.0, 3.0}
    np.testing.assert_allclose(table[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1)
    assert table["expected_h"].between(0, 3).all()
    told = _told(table[table["within_h"] == 3], within.landmarks)
    told = told[(told["fate"] != "censored") | (told["time_h"] >= 3)]
    found = {
        name: roc_auc_score((rows["fate"] == "apoptosis") & (rows["time_h"] <= 3), rows["p_apoptosis"])
        for name, rows in told.groupby("predictor")
    }
    assert found["dose"] > 0.55
    assert min(found["track_age"], found["age_and_time"]) > 0.6
    assert found["position"] < 0.6


def test_expected_hours_belong_to_the_incidence_of_their_row(within):
    every_hour = THREE_H.model_copy(update={"report_h": (1.0, 2.0, 3.0)})
    table = replace(within, follow_up=every_hour).forecast(ReferenceSettings())
    free = table["p_none"].to_numpy().reshape(-1, 3)
    expected = (1 + free[:, 0]) / 2 + (free[:, 0] + free[:, 1]) / 2 + (free[:, 1] + free[:, 2]) / 2
    np.testing.assert_allclose(table["expected_h"].to_numpy().reshape(-1, 3), np.repeat(expected[:, None], 3, axis=1))


# ten landmarks: 4 die in hour 1, one is lost at its end; of 5 watched on, 1 divides in hour 2; of 4, 2 die in hour 3
TIMES_H = [0.5, 0.5, 1.0, 1.0, 1.0, 1.5, 2.5, 3.0, 3.0, 9.0]
FATES = ["apoptosis"] * 4 + ["censored", "mitosis", "apoptosis", "apoptosis", "censored", "mitosis"]
ONLY_DOSE = ReferenceSettings(names_within_hours=["dose"])


def _worked_by_hand(doses, follow_up=THREE_H):
    """The ten landmarks at dose High in training, then landmarks at the given doses to be forecast."""
    n = 10 + len(doses)
    landmarks = make_landmarks(
        n, groups=["r"] * n, dose=["High"] * 10 + list(doses), fate=FATES + ["censored"] * len(doses),
        time_h=TIMES_H + [1.0] * len(doses), watchable_h=20.0, regular=True,
    )  # fmt: skip
    parts = ["train"] * 10 + ["test"] * len(doses)
    return Study(landmarks, _split(landmarks, parts), pd.DataFrame(), pd.DataFrame(), follow_up)


@pytest.mark.parametrize("events", [("apoptosis", "mitosis"), ("apoptosis",)])
def test_the_dose_is_an_aalen_johansen_curve_in_which_all_events_compete(events):
    shown = THREE_H.model_copy(update={"events": events})
    table = _worked_by_hand(["High"], shown).forecast(ONLY_DOSE)
    assert table["within_h"].tolist() == [1, 3]
    # hazards: 4/10 die; 1/5 divides; 2/4 die
    np.testing.assert_allclose(table["p_apoptosis"], [0.4, 0.4 + 0.6 * 0.8 * 0.5])
    np.testing.assert_allclose(table["p_mitosis"], [0, 0.6 * 0.2])
    np.testing.assert_allclose(table["p_none"], [0.6, 0.6 * 0.8 * 0.5])
    np.testing.assert_allclose(table["expected_h"], (1 + 0.6) / 2 + (0.6 + 0.48) / 2 + (0.48 + 0.24) / 2)


def test_with_half_of_the_cells_dying_and_only_divisions_shown_447_of_1000_are_forecast_to_divide():
    only = FollowUpSettings(events=("mitosis",), guard_h=0.0, horizon_h=5.0, report_h=(5.0,), headline_h=5.0)
    landmarks = half_die()
    again = landmarks.assign(cell_id=landmarks["cell_id"] + 1000)
    both = pd.concat([landmarks, again], ignore_index=True)
    study = Study(both, _split(both, ["train"] * 1000 + ["test"] * 1000), pd.DataFrame(), pd.DataFrame(), only)
    table = study.forecast(ReferenceSettings(names_within_hours=["dose", "track_age"]))
    found = table.groupby("predictor")["p_mitosis"].agg(["min", "max"])
    np.testing.assert_allclose(found.loc["dose"], 0.447)  # .684 if the dying cells were lost where they die
    np.testing.assert_allclose(found.loc["track_age"], 0.447, atol=0.01)  # the penalty pulls at it


def test_a_dose_that_was_not_in_training_gets_the_hazards_of_all_together():
    table = _worked_by_hand(["High", "Medium"]).forecast(ONLY_DOSE)
    assert table.loc[table["cell_id"] == 11, "p_apoptosis"].tolist() == pytest.approx([0.4, 0.64])
    labels = np.array([[1, UNOBSERVED], [0, 0], [0, 1], [0, UNOBSERVED]])
    hazards = fit_dose_hazards(pd.Series(["High", "High", "Low", "None"]), labels, 1, np.ones(4))
    asked = pd.DataFrame({"dose": ["High", "Low", "None", "Medium"]})
    assert hazards(asked)[:, :, 0].tolist() == [[0.5, 0], [0, 1], [0, 0.5], [0.25, 0.5]]


def test_a_logistic_regression_on_an_input_that_tells_nothing_counts():
    numbers = {"censored": 0, "apoptosis": 1, "mitosis": 2}
    labels = label_bins(TIMES_H * 200, [numbers[fate] for fate in FATES] * 200, [20.0] * 2000, THREE_H.edges_h)
    hazards = fit_logistic_hazards(pd.DataFrame({"age_h": np.full(2000, 4.5)}), labels, 2, np.ones(2000))
    found = cumulative_incidence(hazards(pd.DataFrame({"age_h": [4.5]})))[0, 2]
    np.testing.assert_allclose(found, [0.64, 0.12], atol=0.005)  # a weak penalty pulls at it


def test_a_logistic_regression_finds_known_hazards():
    rng = np.random.default_rng(0)
    hours = rng.uniform(0, 20, 20_000)
    odds = np.exp(np.stack([np.zeros_like(hours), -3 + 0.1 * hours, np.full_like(hours, -2)], axis=1))
    shares = odds / odds.sum(axis=1, keepdims=True)
    labels = (rng.random(20_000)[:, None] > shares.cumsum(axis=1)).sum(axis=1)[:, None]
    inputs = pd.DataFrame({"age_h": hours})
    hazards = fit_logistic_hazards(inputs, labels, 2, np.ones(len(hours)))(inputs)
    np.testing.assert_allclose(hazards[:, 0], shares[:, 1:], atol=0.02)  # three standard errors of the shares


def test_an_event_that_never_occurs_in_training_is_not_forecast(within):
    told = (within.splits["part"] == "train").to_numpy()
    quiet = within.landmarks["fate"].where(~told, within.landmarks["fate"].replace("mitosis", "censored"))
    table = replace(within, landmarks=within.landmarks.assign(fate=quiet)).forecast()
    assert (table["p_mitosis"] == 0).all()
    assert (table["p_apoptosis"] > 0).all()


def test_a_training_part_that_was_not_watched_for_the_horizon_is_refused(within):
    long = FollowUpSettings(guard_h=0.0, bin_h=50.0, horizon_h=100.0, report_h=(50.0,), headline_h=50.0)
    with pytest.raises(InputError, match=r"None of 500 landmarks was watched for longer than 0 h after it"):
        replace(within, follow_up=long).forecast()
    untaught = within.splits.assign(part=within.splits["part"].replace("train", "test"))
    with pytest.raises(InputError, match="None of 0 landmarks"):
        replace(within, splits=untaught).forecast()


def test_every_frame_is_forecast_by_what_the_regular_landmarks_teach(within):
    extra = within.landmarks.assign(last_frame=within.landmarks["last_frame"] + 1, regular=False)
    frames = pd.concat([extra, within.landmarks], ignore_index=True)
    few = ReferenceSettings(names_which_fate=(), names_within_hours=("track_age", "dose"))
    cells = within.landmarks.drop_duplicates(["recording_id", "cell_id"])
    questions = list_questions(cells, within.landmarks, within.follow_up)
    tables = (cells, within.landmarks, within.splits, within.detections, within.features, questions, within.follow_up)
    usual, everywhere = forecast_references(*tables, few), forecast_references(*tables, few, frames)
    assert len(everywhere) == 2 * len(usual)
    at_landmarks = everywhere.merge(usual[[*usual.columns[:8]]])
    pd.testing.assert_frame_equal(at_landmarks, usual)


# ---- both


@pytest.fixture(scope="module")
def both(within, which):
    """Each question of its own cells."""
    tables = {}
    for name in ("landmarks", "splits", "detections", "features"):
        mine, other = getattr(within, name), getattr(which, name)
        moved = other.assign(cell_id=other["cell_id"] + 1000)
        tables[name] = pd.concat([mine, moved], ignore_index=True)
    tables["landmarks"]["landmark_id"] = [f"l{i}" for i in range(len(tables["landmarks"]))]
    return Study(**tables)


FEW = ReferenceSettings(
    names_which_fate=("track_age", "dose", "measurements"),
    names_within_hours=("track_age", "dose"),
    boosting={"n_trees": 5},
)


def test_both_questions_stand_in_one_table(both):
    table = Forecasts.validate(both.forecast(FEW))
    asked = table.groupby([table["within_h"].isna(), "predictor"])["cell_id"].agg(["min", "max"])
    assert (asked.loc[True, "min"] >= 1000).all()
    assert (asked.loc[False, "max"] < 1000).all()
    assert set(asked.index) == {(True, n) for n in FEW.names_which_fate} | {(False, n) for n in FEW.names_within_hours}


def test_a_question_that_is_not_asked_is_not_answered(both):
    only = both.follow_up.model_copy(update={"questions": ("within_hours",)})
    assert replace(both, follow_up=only).forecast(FEW)["within_h"].notna().all()
    neither = replace(both, landmarks=both.landmarks.assign(fate="censored")).forecast(FEW)
    assert Forecasts.validate(neither).empty


def test_what_came_in_validation_and_test_is_not_looked_at(both):
    told = both.landmarks.merge(both.splits, on=["recording_id", "cell_id"])["part"].to_numpy() == "train"
    turned = both.landmarks["fate"].replace({"apoptosis": "mitosis", "mitosis": "apoptosis"})
    hidden = both.landmarks.assign(
        fate=both.landmarks["fate"].where(told, turned), time_h=both.landmarks["time_h"].where(told, 0.5)
    )
    pd.testing.assert_frame_equal(both.forecast(FEW), replace(both, landmarks=hidden).forecast(FEW))


def test_each_reference_sees_only_its_own(both):
    told = both.landmarks.merge(both.splits, on=["recording_id", "cell_id"])["part"].to_numpy() == "train"
    changes = {
        "dose": {"landmarks": both.landmarks.assign(dose=both.landmarks["dose"].where(told, "Low"))},
        "track_age": {"landmarks": both.landmarks.assign(age_frames=both.landmarks["age_frames"].where(told, 5))},
        "measurements": {"features": both.features.assign(intensity_p53=0.0, area=1.0)},
    }
    before = both.forecast(FEW)
    for name, changed in changes.items():
        after = replace(both, **changed).forecast(FEW)
        same = (before["p_apoptosis"] == after["p_apoptosis"]).groupby(before["predictor"]).all()
        assert same.to_dict() == {other: other != name for other in FEW.names_which_fate}


def test_the_order_of_landmarks_does_not_matter(both):
    turned = replace(both, landmarks=both.landmarks.sample(frac=1, random_state=3))
    keys = ["predictor", "cell_id", "within_h"]
    linear = FEW.model_copy(update={"names_which_fate": ("track_age", "dose")})
    before, after = (study.forecast(linear).sort_values(keys, ignore_index=True) for study in (both, turned))
    pd.testing.assert_frame_equal(before, after, rtol=1e-4)  # the logistic regressions stop where they are close enough


def test_every_fold_is_forecast_from_its_own_training_part(both):
    other = both.splits["part"].map({"train": "test", "test": "train", "validation": "train"})
    other = both.splits.assign(fold=1, part=other)
    together = replace(both, splits=pd.concat([both.splits, other])).forecast(FEW)
    alone = replace(both, splits=other).forecast(FEW)
    pd.testing.assert_frame_equal(together[together["fold"] == 1].reset_index(drop=True), alone)


def test_settings_are_refused():
    with pytest.raises(ValidationError, match="names_within_hours repeats dose; list every reference once"):
        ReferenceSettings(names_within_hours=("dose", "dose"))
    with pytest.raises(ValidationError, match="names_which_fate"):
        ReferenceSettings(names_which_fate=("horoscope",))
    with pytest.raises(ValidationError, match="names_within_hours"):
        ReferenceSettings(names_within_hours=("measurements",))  # `boosting` of the fate clock stands there


def test_boosting_on_measurements_age_and_time_sees_all_three_and_tells_them(within):
    inputs = make_inputs("handcrafted_age_and_time", within.landmarks, within.detections, within.features, 2.0)
    parts = ("measurements", "track_age", "recording_time")
    each = [make_inputs(name, within.landmarks, within.detections, within.features, 2.0) for name in parts]
    pd.testing.assert_frame_equal(inputs, pd.concat(each, axis=1))
    both = ReferenceSettings(
        names_within_hours=("age_and_time", "handcrafted_age_and_time"), history_h=2.0,
        boosting_within_hours={"n_trees": 40, "min_samples_leaf": 10},
    )  # fmt: skip
    table = _told(within.forecast(both), within.landmarks)
    tested = table[(table["part"] == "test") & (table["within_h"] == 3.0)]
    died = tested.assign(died=(tested["fate"] == "apoptosis") & (tested["time_h"] <= 3.0))
    scores = {name: roc_auc_score(rows["died"], rows["p_apoptosis"]) for name, rows in died.groupby("predictor")}
    assert scores["handcrafted_age_and_time"] > scores["age_and_time"] + 0.05
