"""Single features against what followed: hours by hand, areas against scikit-learn, what is not defined."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import FeatureAssociation
from cellfate.metrics.feature_association import associate_features, average_hours
from cellfate.metrics.settings import FeatureAssociationSettings
from tests.unit.metrics.tables import make_samples

FEW = FeatureAssociationSettings(n_resamples=100)


def measure(samples, n_frames=30, seed=0, **features):
    """Frame features of every sample's cell; a feature is a function of (generator, died, hours before the end)."""
    rng = np.random.default_rng(seed)
    tables = []
    for row in samples.itertuples():
        back_h = (n_frames + 1 - np.arange(n_frames)) * 0.5  # the event is two frames after the last
        values = {name: make(rng, row.outcome == "apoptosis", back_h) for name, make in features.items()}
        facts = {"recording_id": row.recording_id, "cell_id": row.cell_id, "frame": np.arange(n_frames)}
        tables.append(pd.DataFrame({**facts, "segmented": True, "consistent": True, **values}))
    return pd.concat(tables, ignore_index=True)


def noise(rng, died, back_h):
    return rng.normal(size=len(back_h))


def late(rng, died, back_h):
    return rng.normal(size=len(back_h)) + 3 * died * (back_h < 4)


def study(n=60, **changes):
    return make_samples(["apoptosis", "mitosis"] * (n // 2), groups=np.arange(n) // 3, **changes)


def test_hours_count_back_from_the_event_or_from_the_last_frame():
    samples = make_samples(["apoptosis", "none"], n_frames=4)  # frames 0..3, the event is at frame 6
    samples["event_frame"] = [6, 40]
    table = measure(samples, n_frames=9, area=lambda rng, died, back_h: np.arange(len(back_h), dtype=float))
    table.loc[(table["cell_id"] == 1) & (table["frame"] == 1), "area"] = np.nan
    hours = average_hours(table, samples, ("area",), bin_h=1.0)
    # 3.0 and 2.5, 2.0 and 1.5 h before the event; 1.5 and 1 h, .5 and 0 h before the last frame
    assert hours.query("sample_n == 0").set_index("hour_n")["area"].to_dict() == {1: 3.0, 2: 1.5, 3: 0.0}
    assert hours.query("sample_n == 1").set_index("hour_n")["area"].to_dict() == {0: 2.5, 1: 0.0}


def test_the_area_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    samples = study()
    table = measure(samples, area=late, perimeter=noise)
    found = associate_features(table, samples, FEW)
    FeatureAssociation.validate(found)
    hours = average_hours(table, samples, ("area", "perimeter"), 1.0)
    died = (samples["outcome"] == "apoptosis").to_numpy()
    for row in found.itertuples():
        here = hours[hours["hour_n"] == row.hours_before_end]
        expected = roc_auc_score(died[here["sample_n"]], here[row.feature])
        assert row.auroc == pytest.approx(expected, abs=1e-12)
    assert set(found["feature"]) == {"area", "perimeter"}
    assert set(found["outcome"]) == {"apoptosis"}


def test_the_planted_hours_stand_out_and_no_others():
    samples = study(120)
    found = associate_features(measure(samples, area=late), samples, FEW).set_index("hours_before_end")
    assert (found.loc[1:3, "low"] > 0.8).all()
    assert ((found.loc[5:, "low"] < 0.5) & (found.loc[5:, "high"] > 0.5)).mean() >= 0.8


def test_doses_and_three_outcomes_have_rows_of_their_own():
    samples = make_samples(["apoptosis", "mitosis", "none"] * 20, groups=np.arange(60) // 2, doses=["High", "Low"] * 30)
    found = associate_features(measure(samples, area=noise), samples, FEW)
    assert set(zip(found["dose"], found["outcome"], strict=True)) == {
        (dose, outcome) for dose in ("all", "High", "Low") for outcome in ("apoptosis", "mitosis", "none")
    }
    # the event comes a frame pair after the last frame, so the last hour of the one is not that of the other
    whole = found.query("dose == 'all' and outcome == 'none'").set_index("hours_before_end")
    assert whole.loc[0, ["n_outcome", "n_other"]].tolist() == [20, 0]


def test_what_is_not_defined_is_nan_with_its_reason():
    samples = study(12)
    table = measure(samples, area=noise, solidity=lambda rng, died, back_h: np.ones(len(back_h)))
    table.loc[table["cell_id"] >= 8, "area"] = np.nan
    found = associate_features(table, samples, FEW)
    assert found[["auroc", "low", "high"]].isna().all(axis=None)
    assert set(found.query("feature == 'area'")["reason"]) == {"fewer than 5 samples on a side"}
    assert (found.query("feature == 'area'")[["n_outcome", "n_other"]] == 4).all(axis=None)
    assert set(found.query("feature == 'solidity'")["reason"]) == {"the feature is constant"}


def test_one_group_has_no_band_and_one_outcome_no_area():
    samples = study().assign(group_id="g")
    found = associate_features(measure(samples, area=noise), samples, FEW)
    assert found["auroc"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
    dead = make_samples(["apoptosis"] * 20)
    assert associate_features(measure(dead, area=noise), dead, FEW)["reason"].notna().all()


def test_samples_without_an_outcome_are_left_out():
    samples = study()
    table = measure(samples, area=late)
    unknown = samples.assign(outcome=samples["outcome"].where(samples.index >= 20))
    pd.testing.assert_frame_equal(
        associate_features(table, unknown, FEW), associate_features(table, samples[samples.index >= 20], FEW)
    )


def test_an_unknown_feature_is_named():
    samples = study()
    with pytest.raises(InputError, match="names 'roundness'"):
        associate_features(measure(samples, area=noise), samples, FEW.model_copy(update={"features": ("roundness",)}))


def test_features_can_be_chosen():
    samples = study()
    chosen = FEW.model_copy(update={"features": ("perimeter",)})
    assert set(associate_features(measure(samples, area=noise, perimeter=noise), samples, chosen)["feature"]) == {
        "perimeter"
    }
