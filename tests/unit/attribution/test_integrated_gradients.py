"""Integrated gradients against integrals worked by hand, against their axioms, and against captum."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cellfate.attribution.explained_models import view_model
from cellfate.attribution.games import all_subsets
from cellfate.attribution.integrated_gradients import (
    integrate_gradients,
    keep_segments,
    temporal_integrated_gradients,
)
from cellfate.attribution.opening import open_landmarks


def plain(n_steps: int, shape_tc: tuple[int, int]) -> np.ndarray:
    return np.zeros((n_steps, *shape_tc), dtype=bool)


def product_of(x: np.ndarray) -> np.ndarray:
    """Gradient of the product of two frames of one pixel."""
    return x[::-1].copy()


def pixels(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1, 1)


def test_the_path_integral_of_a_square_is_the_square() -> None:
    found = integrate_gradients(lambda x: 2 * x, pixels(3.0, -2.0), pixels(0.0, 0.0), plain(4, (2, 1)))
    np.testing.assert_allclose(found.ravel(), [9.0, 4.0])


def test_the_path_begins_at_what_stands_in() -> None:
    found = integrate_gradients(lambda x: 2 * x, pixels(3.0, -2.0), pixels(1.0, -2.0), plain(4, (2, 1)))
    np.testing.assert_allclose(found.ravel(), [8.0, 0.0])  # 3 squared less 1 squared; nothing changes


def test_a_linear_model_gives_weight_times_input_whatever_is_kept() -> None:
    frames, weights = pixels(1.0, 2.0, -3.0), pixels(0.5, -1.0, 2.0)
    kept = keep_segments((3, 1), 8, 2, 1, np.random.default_rng(0))
    assert kept.any()
    for kept_stc in (kept, plain(8, (3, 1))):
        np.testing.assert_allclose(
            integrate_gradients(lambda _: weights, frames, 0 * frames, kept_stc).ravel(), [0.5, -2.0, -6.0]
        )


def test_of_a_product_each_gets_half_when_both_fade_and_all_when_the_other_is_kept() -> None:
    frames = pixels(2.0, 3.0)  # f(x) - f(nothing) = 6
    np.testing.assert_allclose(
        integrate_gradients(product_of, frames, 0 * frames, plain(4, (2, 1))).ravel(), [3.0, 3.0]
    )
    one_kept = np.array([[True, False], [False, True]] * 2)[:, :, None]
    np.testing.assert_allclose(integrate_gradients(product_of, frames, 0 * frames, one_kept).ravel(), [6.0, 6.0])


def test_a_part_that_is_always_kept_has_no_value() -> None:
    kept_stc = np.array([[True, False]] * 4)[:, :, None]
    np.testing.assert_allclose(
        integrate_gradients(product_of, pixels(2.0, 3.0), pixels(0.0, 0.0), kept_stc).ravel(), [np.nan, 6.0]
    )


@given(
    weights=st.lists(st.floats(-3, 3), min_size=8, max_size=8),
    values=st.lists(st.floats(-2, 2), min_size=8, max_size=8),
    per_channel=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_additive_models_add_up_whatever_is_kept(weights, values, per_channel, seed) -> None:
    """f(x) = sum of w x^2 over four frames and two channels: parts do not interact, so nothing is lost by keeping."""
    frames = np.array(values, dtype=np.float32).reshape(4, 2, 1, 1)
    of_weights = np.array(weights, dtype=np.float32).reshape(4, 2, 1, 1)
    kept = keep_segments((4, 2), 5, per_channel, 1, np.random.default_rng(seed))
    found = integrate_gradients(lambda x: of_weights * 2 * x, frames, 0 * frames, kept)
    fading_s2 = np.array([[(step + 0.5) / 5, 1.0] for step in range(5)])
    share_tc = (fading_s2[:, 0, None, None] * ~kept).sum(axis=0) / (~kept).sum(axis=0)
    # of a square every step gives twice its share of the path; without kept segments these average to one half
    np.testing.assert_allclose(found, of_weights * frames**2 * 2 * share_tc[:, :, None, None], atol=1e-4)
    if not per_channel:
        assert found.sum() == pytest.approx(float((of_weights * frames**2).sum()), abs=1e-4)


@given(st.integers(1, 12), st.integers(1, 3), st.integers(2, 9), st.integers(0, 4), st.integers(1, 20))
def test_every_pixel_fades_at_some_step_and_segments_are_no_shorter_than_asked(
    n_frames, n_channels, n_steps, per_channel, shortest
) -> None:
    kept = keep_segments((n_frames, n_channels), n_steps, per_channel, shortest, np.random.default_rng(1))
    assert kept.shape == (n_steps, n_frames, n_channels)
    assert not kept.all(axis=0).any()
    for kept_t in np.moveaxis(kept, 1, 2).reshape(-1, n_frames):
        lengths = np.diff(np.flatnonzero(np.diff(np.r_[False, kept_t, False].astype(int))))[::2]
        assert (lengths >= min(shortest, n_frames)).all()


def gradient_of(opened):
    return lambda frames: opened.member.input_gradients(frames, opened.game.positions_t, opened.game.outcome_number)


def open_one(explained):
    """Open a landmark whose absent parts are the mean pixel: with several draws log odds are of a mean probability."""
    view = view_model(explained.model, explained.settings.model_copy(update={"absent": "mean_pixel"}))
    crops = explained.study.crops
    (opened,) = open_landmarks(crops, explained.landmarks.head(1), view, all_subsets, "Opening")
    return opened


def test_without_kept_segments_values_add_up_to_forecast_minus_nothing(explained) -> None:
    opened = open_one(explained)
    settings = explained.settings.model_copy(update={"n_path_steps": 128, "kept_segments": 0})
    present = np.ones((1, *opened.frames_tchw.shape[:2]), dtype=bool)
    prediction, nothing = opened.game.values(np.concatenate([present, ~present]))
    values = temporal_integrated_gradients(opened, settings)["value"]
    assert values.abs().sum() > 0.01
    # the kinks of ReLU between two steps are all that is missing
    assert values.sum() == pytest.approx(prediction - nothing, abs=0.02 * values.abs().sum())


def test_where_all_else_is_kept_a_part_gets_what_occlusion_gives(explained) -> None:
    opened = open_one(explained)
    present_btc = np.ones((2, *opened.frames_tchw.shape[:2]), dtype=bool)
    present_btc[1, -1] = False
    prediction, without = opened.game.values(present_btc)
    kept_stc = np.repeat(present_btc[1:], 64, axis=0)
    found = integrate_gradients(gradient_of(opened), opened.frames_tchw, 0 * opened.frames_tchw, kept_stc)[-1].sum()
    assert abs(prediction - without) > 1e-4
    assert found == pytest.approx(prediction - without, rel=0.05, abs=1e-3)


def test_captum_integrates_the_same_network_to_the_same_pixels() -> None:
    from captum.attr import IntegratedGradients

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(2, 3, 3), torch.nn.GELU(), torch.nn.Flatten(0), torch.nn.Linear(4 * 3 * 4, 1)
        ).requires_grad_(False)
        frames_tchw = torch.randn(4, 2, 4, 4)

    def differentiate(frames: np.ndarray) -> np.ndarray:
        at = torch.from_numpy(frames).requires_grad_()
        return torch.autograd.grad(network(at).sum(), at)[0].numpy()

    def ask(batch_bx: torch.Tensor) -> torch.Tensor:
        return torch.cat([network(frames) for frames in batch_bx])

    found = integrate_gradients(differentiate, frames_tchw.numpy(), 0 * frames_tchw.numpy(), plain(10, (4, 2)))
    other = IntegratedGradients(ask).attribute(frames_tchw[None], n_steps=10, method="riemann_middle")
    np.testing.assert_allclose(found, other[0].numpy(), atol=1e-5)
    assert np.abs(found).max() > 0.01
