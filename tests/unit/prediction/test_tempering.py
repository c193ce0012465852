"""Temperatures of the classifier: chosen on validation cells, kept in the folder, and no rank changes by them."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import logit

from cellfate.cohort.splits import select_part
from cellfate.prediction.forecasts import forecast_classifier, forecast_new
from cellfate.prediction.model_card import write_model_card
from cellfate.prediction.model_folder import load_model_folder, save_model_folder
from cellfate.prediction.records import MemberTemperature
from cellfate.prediction.tempering import temper_classifier
from cellfate.statistics.temperature import choose_temperature
from tests.cases.trained_models import model_without_members

USED = MemberTemperature(
    temperature=2.5, slope_before=0.4, slope_after=0.95, log_loss_before=0.8, log_loss_after=0.6, n_groups=6
)
REFUSED = USED.model_copy(update={"reason": "log loss rises"})
KEYS = ["fold", "part", "recording_id", "cell_id"]


def tempered(model, *temperatures):
    members = [
        member.model_copy(update={"temperature": temperature})
        for member, temperature in zip(model.config.members, temperatures, strict=True)
    ]
    return replace(model, config=model.config.model_copy(update={"members": tuple(members)}))


def forecast(classifier, model):
    study = classifier.study
    return forecast_classifier(study.crops, study.landmarks, study.splits, model)


@pytest.fixture(scope="module")
def plain(classifier):
    return tempered(classifier.model, None, None, None)


@pytest.fixture(scope="module")
def lineages(classifier):
    """Last landmarks as if every cell were a group: validation parts of the study have one recording."""
    landmarks = classifier.study.landmarks
    return landmarks.assign(group_id=landmarks["recording_id"] + ":" + landmarks["cell_id"].astype(str))


def test_log_odds_are_divided_in_every_forecast_and_ranks_stay(classifier, plain):
    before, after = forecast(classifier, plain), forecast(classifier, tempered(plain, USED, REFUSED, None))
    assert before[KEYS].equals(after[KEYS])
    for fold, divisor in ((0, 2.5), (1, 1.0), (2, 1.0)):
        one, other = (logit(table.loc[table["fold"] == fold, "p_apoptosis"].to_numpy()) for table in (before, after))
        np.testing.assert_allclose(other, one / divisor, rtol=1e-5)
        np.testing.assert_array_equal(np.argsort(one, kind="stable"), np.argsort(other, kind="stable"))
    assert len(one) > 5


def test_new_cells_are_forecast_with_the_temperatures_of_the_folder(classifier, plain, tmp_path):
    model = tempered(plain, USED, USED, USED)
    save_model_folder(model, tmp_path / "model")
    loaded = load_model_folder(tmp_path / "model")
    assert [member.temperature for member in loaded.config.members] == [USED] * 3
    found = forecast_new(loaded, *classifier.new)["p_apoptosis"].to_numpy()
    assert np.abs(logit(found)).max() < np.abs(logit(forecast_new(plain, *classifier.new)["p_apoptosis"])).max()
    np.testing.assert_array_equal(found, forecast_new(model, *classifier.new)["p_apoptosis"])


def test_each_member_is_tempered_on_its_own_validation_cells(classifier, plain, lineages):
    study, table = classifier.study, forecast(classifier, plain)
    again = temper_classifier(study.crops, lineages, study.splits, tempered(plain, USED, USED, USED))
    assert again.config == temper_classifier(study.crops, lineages, study.splits, plain).config
    assert sum(member.temperature.temperature is not None for member in again.config.members) > 1
    for fold, member in enumerate(again.config.members):
        own = table[(table["fold"] == fold) & (table["part"] == "validation")]
        own = own.merge(lineages[lineages["last"]], on=["recording_id", "cell_id"])
        happened = (own["fate"] == "apoptosis").to_numpy()
        expected = choose_temperature(logit(own["p_apoptosis"].to_numpy()), happened, own["group_id"].to_numpy(object))
        assert member.temperature.reason == expected.reason
        assert member.temperature.n_groups == len(own) > 3
        for name in ("temperature", "slope_before", "slope_after", "log_loss_before", "log_loss_after"):
            value, found = getattr(expected, name), getattr(member.temperature, name)
            # logits of single precision
            assert (found is None) if np.isnan(value) else found == pytest.approx(value, rel=1e-3, abs=1e-4)


def test_cells_that_are_tested_do_not_choose_temperatures(classifier, lineages):
    study = classifier.study
    other = {"apoptosis": "mitosis", "mitosis": "apoptosis"}
    tested = lineages.index.isin(select_part(lineages, study.splits, 0, "test").index)
    changed = lineages.assign(fate=lineages["fate"].where(~tested, lineages["fate"].replace(other)))
    before, after = (
        temper_classifier(study.crops, landmarks, study.splits, classifier.model).config.members
        for landmarks in (lineages, changed)
    )
    assert after[0] == before[0]
    assert after != before


def test_the_card_says_what_log_odds_are_divided_by(plain):
    card = write_model_card(tempered(plain, USED, REFUSED, MemberTemperature(reason="it takes two groups")).config)
    assert (
        "member of fold 0: temperature 2.50: calibration slope from 0.40 to 0.95, log loss from 0.8000 to 0.6000, "
        "on 6 validation groups left out\n"
    ) in card
    assert "on 6 validation groups left out; not used, because log loss rises" in card
    assert "member of fold 2: no temperature, because it takes two groups" in card
    assert "as in training." in card
    assert "as in training; they are not calibrated." in write_model_card(plain.config)


def test_a_model_without_members_has_no_temperatures(classifier):
    model = model_without_members("classifier")
    assert (
        temper_classifier(classifier.study.crops, classifier.study.landmarks, classifier.study.splits, model) is model
    )


def test_a_temperature_is_there_or_a_reason():
    with pytest.raises(ValidationError, match="no temperature, and no reason"):
        MemberTemperature()
