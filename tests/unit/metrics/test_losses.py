"""Losses that depend on the dose are made up for; what if lost cells had died is worked by hand."""

import numpy as np
import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Losses, LossSensitivity
from cellfate.metrics.forecasts import read_forecasts
from cellfate.metrics.losses import assume_deaths, count_losses, draw_deaths
from cellfate.metrics.observed_incidence import compare_doses
from cellfate.metrics.scoring import compare_scores
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import censoring
from tests.unit.metrics.tables import FIVE_H, forecast, simulate_hazards, watched

FEW = ScoreSettings(n_resamples=100)
TIMES, FATES = [1, 2, 3, 4, 9, 2], ["apoptosis", "censored", "mitosis", "censored", "censored", "apoptosis"]


def small(doses=None):
    landmarks = watched(TIMES, FATES, groups=[0, 0, 1, 1, 2, 2], doses=doses)
    p = np.array([[0.9, 0.0], [0.5, 0.2], [0.2, 0.7], [0.6, 0.1], [0.1, 0.1], [0.8, 0.1]])[:, None]
    return forecast(landmarks, p, FIVE_H), landmarks


def test_lost_cells_are_counted_by_dose_and_it_is_said_whose_losses_make_the_weights(monkeypatch):
    monkeypatch.setattr(censoring, "LEAST_LOSSES", 2)
    table = Losses.validate(count_losses(*small(doses=["High"] * 4 + ["Low"] * 2), FIVE_H)).set_index("dose")
    assert table.index.tolist() == ["all", "High", "Low"]
    assert table["n_lost_cells"].tolist() == table["n_lost_landmarks"].tolist() == [2, 2, 0]
    assert table["weights"].tolist() == ["some own", "own", "pooled"]
    # High, of 4: one dies at 1 h, one of 3 is lost at 2 h: the one that divides at 3 h counts 3 / 2. Low loses nobody.
    assert table["largest_weight"].tolist() == pytest.approx([1.5, 1.5, 1.0])
    assert (table["share_truncated"] == 0).all()


def test_weights_that_are_cut_are_warned_of_with_their_share(caplog):
    # 40 of 42 are lost at 1 h: what is known later would stand for 42 / 2 = 21 landmarks each.
    landmarks = watched([1] * 40 + [2, 9], ["censored"] * 40 + ["mitosis", "censored"], groups=np.arange(42))
    table = count_losses(forecast(landmarks, np.full((42, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H).set_index("dose")
    assert table.loc["all", ["largest_weight", "share_truncated"]].tolist() == [censoring.MOST_WEIGHT, 1.0]
    assert "100 % of the landmarks with a known answer stand for more than 10 each" in caplog.text


def test_if_all_lost_cells_died_they_are_deaths_that_count_once():
    asked = read_forecasts(*small(), FIVE_H)[0]
    dead = draw_deaths(asked, 1.0, np.random.default_rng(0))
    assert (dead.truth_n == dead.position("apoptosis")).tolist() == [True, True, False, True, False, True]
    assert dead.weights_n.tolist() == [1.0] * 6
    table = LossSensitivity.validate(assume_deaths(*small(), FIVE_H, ScoreSettings(died_shares=(1.0,))))
    found = table[table["outcome"] == "apoptosis"].set_index(["metric", "died_share"])["estimate"]
    # As analysed, known are apoptosis at 1 and 2 h (weights 1) above the two others: 1. With deaths at .5 and .6 too,
    # all four stand above .2 and .1.
    assert found["auroc", 0.0] == found["auroc", 1.0] == 1
    assert found["observed_share", 1.0] == pytest.approx(4 / 6)
    assert (table["n_lost_cells"] == 2).all()


def test_where_apoptosis_is_not_an_event_a_dead_cell_has_met_none():
    landmarks = watched([1, 2, 9], ["mitosis", "censored", "censored"], groups=[0, 1, 2])
    forecasts = forecast(landmarks, np.array([[[0, 0.9]], [[0, 0.4]], [[0, 0.2]]]), FIVE_H).drop(columns="p_apoptosis")
    asked = read_forecasts(forecasts, landmarks, FIVE_H)[0]
    assert asked.outcomes == ("mitosis", "none")
    assert draw_deaths(asked, 1.0, np.random.default_rng(0)).truth_n.tolist() == [0, 1, 1]


def test_no_lost_cell_changes_nothing():
    landmarks, truth = simulate_hazards(n=60, censored=False)
    table = assume_deaths(forecast(landmarks, truth), landmarks, FollowUpSettings(report_h=(2.0, 5.0, 10.0)), FEW)
    assert (table.groupby(["metric", "outcome"])["estimate"].agg(np.ptp) < 1e-12).all()
    assert (table["n_lost_cells"] == 0).all()


def _lossy_study(rng, n=1500):
    """Two doses: at the high one cells die three times as fast, and are lost seven times as fast."""
    high = rng.random(n) < 0.5
    risk = np.exp(rng.normal(0, 0.8, n)) * np.where(high, 0.45, 0.15)
    event_h, lost_h = rng.exponential(1 / risk), rng.exponential(np.where(high, 2.5, 18.0))
    seen = event_h <= lost_h
    landmarks = watched(
        np.minimum(event_h, lost_h), np.where(seen, "apoptosis", "censored"), np.arange(n) % 20,
        doses=np.where(high, "High", "Low"),
    )  # fmt: skip
    p = np.stack([1 - np.exp(-5 * risk), np.zeros(n)], axis=1)[:, None]
    return landmarks, p, event_h <= 5


def _errors(n_draws, seed):
    """Mean errors of AUROC and of both observed shares, against the same cells had nobody been lost."""
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(n_draws):
        landmarks, p, died = _lossy_study(rng)
        forecasts = forecast(landmarks, p, FIVE_H)
        known = read_forecasts(forecasts, landmarks, FIVE_H)[0].known()
        auroc = compare_scores(known, np.ones((1, known.n_groups)))["auroc", "apoptosis"][0]
        share = known.weights_n[known.truth_n == 0].sum() / known.weights_n.sum()
        standardised = compare_doses(forecasts, landmarks, FIVE_H, FEW)["observed"].iloc[0]
        risk = p[:, 0, 0]
        wins = (risk[died][:, None] > risk[~died][None]).mean()
        errors.append((auroc - wins, share - died.mean(), standardised - died.mean()))
    return np.mean(errors, axis=0)


def test_loss_that_depends_on_the_dose_biases_neither_auroc_nor_the_observed_share(monkeypatch):
    # 20 draws have standard errors of .003; 200 are drawn by the benchmark `dose_losses`.
    assert np.abs(_errors(20, 1)).max() <= 0.008
    monkeypatch.setattr(censoring, "LEAST_LOSSES", 10_000)  # one chance of being watched for all
    assert np.abs(_errors(8, 1)).min() > 0.01
