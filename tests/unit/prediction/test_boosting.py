"""Boosted hazards as a part and as a reference, and how hazards are blended."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.landmarks import list_forecast_frames
from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.splits import select_part
from cellfate.features.summaries import describe_landmarks
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.settings import BlendSettings
from cellfate.prediction import boosting
from cellfate.prediction.blending import LEAST_HAZARD, blend_hazards, clock_hazards
from cellfate.prediction.boosting import boost_clock, load_boosting
from cellfate.prediction.forecasts import forecast_clock, forecast_new
from cellfate.statistics.incidence import cumulative_incidence
from tests.cases.crop_stores import TINY_FOLLOW_UP
from tests.cases.trained_models import TINY_BLEND

KEYS = ["fold", "part", "recording_id", "cell_id", "frame", "within_h"]
PROBABILITIES = ["p_apoptosis", "p_mitosis", "p_none"]


def with_parts(model, *parts):
    blend = TINY_BLEND.model_copy(update={"parts": parts})
    return replace(model, config=model.config.model_copy(update={"blend": blend, "blend_weights": {}}))


def boost(clock, model, **changes):
    tables = {"landmarks": clock.study.landmarks, "splits": clock.study.splits} | changes
    return boost_clock(tables["landmarks"], tables["splits"], clock.frame_features, model, clock.study.crops)


def refit(clock, landmarks):
    """Fit by hand what boosting on measurements is to be on some landmarks."""
    inputs = describe_landmarks(clock.frame_features, landmarks, TINY_BLEND.history_h)
    labels = label_landmarks(landmarks, ("apoptosis", "mitosis"), TINY_FOLLOW_UP.edges_h)
    return fit_boosted_hazards(inputs, labels, 2, TINY_BLEND.boosting).to_text()


def test_every_fold_is_boosted_on_its_training_cells_and_new_cells_on_all(clock):
    regular = clock.study.landmarks[clock.study.landmarks["regular"]]
    boosters = clock.model.boosters
    assert set(boosters) == {
        "all.boosting",
        *(f"fold_{fold}.{part}" for fold in (0, 1, 2) for part in ("boosting", "boosting_on_embeddings")),
    }
    for fold in (0, 1, 2):
        assert boosters[f"fold_{fold}.boosting"] == refit(
            clock, select_part(regular, clock.study.splits, fold, "train")
        )
    assert boosters["all.boosting"] == refit(clock, regular)


def test_boosters_learn_from_the_training_cells_of_their_fold_alone(clock):
    tested = select_part(clock.study.landmarks, clock.study.splits, 0, "test").index
    changed = clock.study.landmarks.assign(fate=clock.study.landmarks["fate"].where(
        ~clock.study.landmarks.index.isin(tested), "censored"
    ))  # fmt: skip
    again = boost(clock, clock.model, landmarks=changed).boosters
    parts = ("boosting", "boosting_on_embeddings")
    assert all(again[f"fold_0.{part}"] == clock.model.boosters[f"fold_0.{part}"] for part in parts)
    assert any(again[f"fold_1.{part}"] != clock.model.boosters[f"fold_1.{part}"] for part in parts)
    assert again["all.boosting"] != clock.model.boosters["all.boosting"]


def test_new_cells_are_forecast_by_all_cells_of_the_run_those_of_a_holdout_too(clock):
    held_out = clock.study.splits.query("fold == 0")
    only = clock.model.config.model_copy(update={"members": clock.model.config.members[:1]})
    model = boost(clock, replace(clock.model, config=only), splits=held_out)
    regular = clock.study.landmarks[clock.study.landmarks["regular"]]
    assert model.boosters["all.boosting"] == refit(clock, regular)


def test_no_network_is_read_where_no_embeddings_are_asked_for(clock, monkeypatch):
    def read(*_):
        raise AssertionError("a network was read")

    monkeypatch.setattr(boosting, "read_landmarks", read)
    boosted = boost(clock, with_parts(clock.model, "network", "boosting"))
    assert set(boosted.boosters) == {f"{owner}.boosting" for owner in ("all", "fold_0", "fold_1", "fold_2")}
    assert all(text == clock.model.boosters[name] for name, text in boosted.boosters.items())
    with pytest.raises(AssertionError, match="a network was read"):
        boost(clock, clock.model)


def test_boosting_is_the_same_as_a_reference_and_as_a_part(clock):
    """A blend of boosting alone is the reference: equal cells, equal frames, equal forecasts."""
    model = with_parts(clock.model, "boosting")
    table = forecast_clock(*clock.new, clock.study.splits, clock.frame_features, model)
    reference, part = (table[table["predictor"] == name].reset_index(drop=True) for name in ("boosting", "blend"))
    assert len(reference) > 0
    pd.testing.assert_frame_equal(reference.drop(columns="predictor"), part.drop(columns="predictor"))
    whole = forecast_clock(*clock.new, clock.study.splits, clock.frame_features, clock.model)
    blended = whole[whole["predictor"] == "boosting"].reset_index(drop=True)
    pd.testing.assert_frame_equal(reference, blended)


def test_new_cells_are_boosted_by_what_was_fitted_to_all(clock):
    table = forecast_new(clock.model, *clock.new, clock.frame_features)
    frames = list_forecast_frames(clock.study.detections, clock.study.follow_ups, TINY_FOLLOW_UP)
    inputs = describe_landmarks(clock.frame_features, frames, TINY_BLEND.history_h)
    rows = table[(table["predictor"] == "boosting") & (table["within_h"] == 2.0)]
    for owner, same in (("all", True), ("fold_0", False)):
        hazards = load_boosting(clock.model, owner, "boosting").hazards(inputs)
        expected = cumulative_incidence(hazards)[:, TINY_FOLLOW_UP.edges_h[1:].index(2.0)]
        assert np.allclose(rows[["p_apoptosis", "p_mitosis"]], expected, atol=1e-12) == same


def test_hazards_are_blended_by_hand():
    first = np.array([[[0.2, 0.3], [0.1, 0.1]]])  # odds against nothing: .4 and .6; .125 and .125
    second = np.array([[[0.1, 0.7], [0.4, 0.2]]])  # .5 and 3.5; 1 and .5
    odds = np.sqrt(np.array([[0.4 * 0.5, 0.6 * 3.5], [0.125 * 1, 0.125 * 0.5]]))
    expected = odds / (1 + odds.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(blend_hazards([first, second]), expected[None], rtol=1e-12)
    np.testing.assert_allclose(blend_hazards([second, first]), expected[None], rtol=1e-12)
    np.testing.assert_array_equal(blend_hazards([first]), first)


def test_a_part_that_is_too_sure_does_not_rule_the_others():
    blended = blend_hazards([np.array([[[0.0, 1.0]]]), np.array([[[0.2, 0.2]]])])
    assert np.isfinite(blended).all()
    assert LEAST_HAZARD < blended[0, 0, 0] < 0.5
    assert blended.sum() < 1


@pytest.mark.parametrize(
    "parts", [("network",), ("network", "boosting"), ("boosting_on_embeddings", "network", "boosting")]
)
def test_the_blend_is_that_of_its_parts_whichever_they_are(clock, parts):
    model = with_parts(clock.model, *parts)
    frames = list_forecast_frames(clock.study.detections, clock.study.follow_ups.iloc[:3], TINY_FOLLOW_UP)

    def describe(landmarks):
        return describe_landmarks(clock.frame_features, landmarks, TINY_BLEND.history_h)

    hazards = clock_hazards(clock.study.crops, frames, describe, model, (0, 1), "fold_0")
    assert set(hazards) == {"network", "boosting", "blend", *parts}
    np.testing.assert_allclose(hazards["blend"], blend_hazards([hazards[part] for part in parts]), atol=1e-12)
    members = [
        clock_hazards(clock.study.crops, frames, describe, model, (fold,), "fold_0")["network"] for fold in (0, 1)
    ]
    np.testing.assert_allclose(hazards["network"], blend_hazards(members), atol=1e-6)
    assert not np.allclose(*members, atol=1e-4)


def test_the_default_blend_has_the_network_and_boosting():
    assert BlendSettings().parts == ("network", "boosting")
