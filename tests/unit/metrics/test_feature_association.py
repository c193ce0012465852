"""Single features against what followed: hours by hand, areas against scikit-learn, what is not defined."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import FeatureAssociation
from cellfate.metrics.feature_association import associate_features, average_hours
from cellfate.metrics.settings import FeatureAssociationSettings
from tests.unit.metrics.tables import fated

FEW = FeatureAssociationSettings(n_resamples=100)


def measure(landmarks, n_frames=30, seed=0, **features):
    """Frame features of every cell; a feature is a function of (generator, died, hours before the end)."""
    rng = np.random.default_rng(seed)
    tables = []
    for row in landmarks.itertuples():
        back_h = (n_frames + 1 - np.arange(n_frames)) * 0.5  # the event is two frames after the last
        values = {name: make(rng, row.fate == "apoptosis", back_h) for name, make in features.items()}
        facts = {"recording_id": row.recording_id, "cell_id": row.cell_id, "frame": np.arange(n_frames)}
        tables.append(pd.DataFrame({**facts, "segmented": True, "consistent": True, **values}))
    return pd.concat(tables, ignore_index=True)


def noise(rng, died, back_h):
    return rng.normal(size=len(back_h))


def late(rng, died, back_h):
    return rng.normal(size=len(back_h)) + 3 * died * (back_h < 4)


def study(n=60, **changes):
    return fated(["apoptosis", "mitosis"] * (n // 2), groups=np.arange(n) // 3, **changes)


def test_hours_count_back_from_the_event():
    landmarks = fated(["apoptosis", "mitosis"], n_frames=4)  # frames 0..3, the event is at frame 6
    landmarks["event_frame"] = [6, 5]
    table = measure(landmarks, n_frames=9, area=lambda rng, died, back_h: np.arange(len(back_h), dtype=float))
    table.loc[(table["cell_id"] == 1) & (table["frame"] == 1), "area"] = np.nan
    hours = average_hours(table, landmarks, ("area",), bin_h=1.0)
    # 3.0 and 2.5, 2.0 and 1.5 h before the one event; 2.5, 2.0 (not measured), 1.5 and 1.0 before the other
    assert hours.query("cell_n == 0").set_index("hour_n")["area"].to_dict() == {1: 3.0, 2: 1.5, 3: 0.0}
    assert hours.query("cell_n == 1").set_index("hour_n")["area"].to_dict() == {1: 2.5, 2: 0.0}


def test_the_area_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    landmarks = study()
    table = measure(landmarks, area=late, perimeter=noise)
    found = associate_features(table, landmarks, FEW)
    FeatureAssociation.validate(found)
    hours = average_hours(table, landmarks, ("area", "perimeter"), 1.0)
    died = (landmarks["fate"] == "apoptosis").to_numpy()
    for row in found.itertuples():
        here = hours[hours["hour_n"] == row.hours_before_end]
        expected = roc_auc_score(died[here["cell_n"]], here[row.feature])
        assert row.auroc == pytest.approx(expected, abs=1e-12)
    assert set(found["feature"]) == {"area", "perimeter"}
    assert set(found["outcome"]) == {"apoptosis"}


def test_the_planted_hours_stand_out_and_no_others():
    landmarks = study(120)
    found = associate_features(measure(landmarks, area=late), landmarks, FEW).set_index("hours_before_end")
    assert (found.loc[1:3, "low"] > 0.8).all()
    assert ((found.loc[5:, "low"] < 0.5) & (found.loc[5:, "high"] > 0.5)).mean() >= 0.8


def test_every_dose_has_rows_of_its_own():
    landmarks = study(doses=["High", "Low", "Low"] * 20)
    found = associate_features(measure(landmarks, area=noise), landmarks, FEW)
    assert set(zip(found["dose"], found["outcome"], strict=True)) == {
        (dose, "apoptosis") for dose in ("all", "High", "Low")
    }
    assert found.query("dose == 'High'").set_index("hours_before_end").loc[2, ["n_outcome", "n_other"]].sum() == 20


def test_what_is_not_defined_is_nan_with_its_reason():
    landmarks = study(12)
    table = measure(landmarks, area=noise, solidity=lambda rng, died, back_h: np.ones(len(back_h)))
    table.loc[table["cell_id"] >= 8, "area"] = np.nan
    found = associate_features(table, landmarks, FEW)
    assert found[["auroc", "low", "high"]].isna().all(axis=None)
    assert set(found.query("feature == 'area'")["reason"]) == {"fewer than 5 cells on a side"}
    assert (found.query("feature == 'area'")[["n_outcome", "n_other"]] == 4).all(axis=None)
    assert set(found.query("feature == 'solidity'")["reason"]) == {"the feature is constant"}


def test_one_group_has_no_band_and_one_outcome_no_area():
    landmarks = study().assign(group_id="g")
    found = associate_features(measure(landmarks, area=noise), landmarks, FEW)
    assert found["auroc"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
    dead = fated(["apoptosis"] * 20)
    assert associate_features(measure(dead, area=noise), dead, FEW)["reason"].notna().all()


def test_cells_whose_fate_was_not_seen_and_other_landmarks_are_left_out():
    landmarks = study()
    table, few = measure(landmarks, area=late), landmarks[landmarks.index >= 20]
    unknown = landmarks.assign(fate=landmarks["fate"].where(landmarks.index >= 20, "censored"))
    earlier = few.assign(last_frame=9, last=False)
    for given in (unknown, pd.concat([earlier, few])):
        pd.testing.assert_frame_equal(associate_features(table, given, FEW), associate_features(table, few, FEW))


def test_an_unknown_feature_is_named():
    landmarks = study()
    with pytest.raises(InputError, match="names 'roundness'"):
        associate_features(
            measure(landmarks, area=noise), landmarks, FEW.model_copy(update={"features": ("roundness",)})
        )


def test_features_can_be_chosen():
    landmarks = study()
    chosen = FEW.model_copy(update={"features": ("perimeter",)})
    assert set(associate_features(measure(landmarks, area=noise, perimeter=noise), landmarks, chosen)["feature"]) == {
        "perimeter"
    }


def test_where_no_fate_was_seen_there_is_nothing_to_associate():
    landmarks = study()
    table = measure(landmarks, area=noise)
    assert associate_features(table, landmarks.assign(fate="censored"), FEW).empty
