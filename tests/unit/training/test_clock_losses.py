"""The likelihood of the fate clock: by hand, and against the observed hazards that maximise it."""

import math

import numpy as np
import pytest
import torch

from cellfate.models.fate_clock import hazards_of
from cellfate.statistics.aalen_johansen import aalen_johansen
from cellfate.statistics.incidence import cumulative_incidence, label_bins
from cellfate.training.clock_module import frame_losses
from cellfate.training.pretraining import arrow_loss, feature_loss

EDGES_H = (0.0, 1.0, 2.0, 3.0)


def log_odds(hazards_nke):
    hazards = torch.as_tensor(hazards_nke, dtype=torch.float64)
    return torch.log(hazards / (1 - hazards.sum(dim=-1, keepdim=True)))


def test_the_loss_is_the_log_likelihood_by_hand():
    hazards = [[0.1, 0.2], [0.3, 0.4], [0.25, 0.25]]  # nothing: .7, .3, .5
    labels = torch.tensor(
        [
            [0, 2, -1],  # the second event in the second bin
            [1, -1, -1],  # the first event at once
            [0, 0, 0],  # watched to the end
            [0, -1, -1],  # lost in the second bin
            [-1, -1, -1],  # lost in the first
        ]
    )
    expected = [-np.log(0.7 * 0.4), -np.log(0.1), -np.log(0.7 * 0.3 * 0.5), -np.log(0.7), 0.0]
    losses = frame_losses(log_odds([hazards] * 5), labels)
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-12)


def test_bins_that_were_not_watched_have_no_gradient():
    logits = torch.zeros(1, 3, 2, requires_grad=True)
    frame_losses(logits, torch.tensor([[0, -1, -1]])).sum().backward()
    assert (logits.grad[0, 0] != 0).all()
    assert (logits.grad[0, 1:] == 0).all()


def fit_saturated(labels_nk):
    """Hazards (K, E), one of every bin and event for all cells, at the greatest likelihood."""
    logits = torch.zeros(1, labels_nk.shape[1], 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-15)
    labels = torch.from_numpy(labels_nk)

    def closure():
        optimizer.zero_grad()
        loss = frame_losses(logits.expand(len(labels), -1, -1), labels).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return hazards_of(logits.detach())[0].numpy()


@pytest.fixture(scope="module")
def watched():
    """Times and ends of 60 cells, a third of them censored; times at the edges of bins and between them."""
    rng = np.random.default_rng(0)
    return rng.integers(1, 7, 60) / 2, rng.integers(0, 3, 60)


def test_the_greatest_likelihood_is_at_events_over_cells_at_risk(watched):
    labels = label_bins(*watched, np.full(60, 9.0), EDGES_H)
    at_risk = (labels >= 0).sum(axis=0)
    observed = np.stack([(labels == event).sum(axis=0) / at_risk for event in (1, 2)], axis=1)
    np.testing.assert_allclose(fit_saturated(labels), observed, atol=1e-6)


def test_the_greatest_likelihood_is_the_aalen_johansen_estimate(watched):
    """With losses at the edges of bins only, nothing is known less exactly than the times themselves."""
    time_h, event = np.ceil(watched[0]), watched[1]
    fitted = cumulative_incidence(fit_saturated(label_bins(time_h, event, np.full(60, 9.0), EDGES_H))[None])[0]
    observed = aalen_johansen(time_h, event, 2, EDGES_H[1:])[0]
    np.testing.assert_allclose(fitted, observed, atol=1e-6)


def test_features_that_were_not_measured_are_left_out():
    told = torch.tensor([[1.0, 5.0], [2.0, 3.0]], requires_grad=True)
    loss = feature_loss(told, torch.tensor([[0.0, np.nan], [4.0, 3.0]]))
    assert loss.item() == pytest.approx((1 + 4 + 0) / 3)
    loss.backward()
    np.testing.assert_allclose(told.grad, [[2 / 3, 0], [-4 / 3, 0]], rtol=1e-6)


def test_without_a_single_measured_feature_the_loss_is_zero():
    assert float(feature_loss(torch.ones(2, 3), torch.full((2, 3), np.nan))) == 0


def test_the_arrow_loss_by_hand():
    arrow = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(arrow.weight, 2.0)
    embeddings = torch.tensor([[0.0], [1.0], [0.5]])
    pairs = torch.tensor([[0, 1], [1, 2]])  # differences 1 and -0.5: log odds 2 and -1
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(1))) / 2
    assert float(arrow_loss(arrow, embeddings, pairs).detach()) == pytest.approx(expected)
    assert float(arrow_loss(arrow, embeddings, pairs[:0])) == 0
