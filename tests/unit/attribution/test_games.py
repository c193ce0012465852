"""Coalitions composed from cached embeddings are the model on masked pixels."""

import numpy as np
import pytest

from cellfate.attribution.games import all_subsets, build_game, log_odds, occlusion_subsets
from cellfate.core.errors import InputError
from tests.unit.attribution.tiny import CROOKED, frames


def test_composition_is_masking_the_pixels_and_encoding_again() -> None:
    pixels, positions = frames(6, 3), np.array([0, 1, 2, 4, 5, 6])
    game = build_game(CROOKED, pixels, positions, 0, list(all_subsets(3)))
    present = np.random.default_rng(1).random((20, 6, 3)) < 0.5
    masked = [CROOKED.encode(pixels * chosen[:, :, None, None]) for chosen in present]
    np.testing.assert_allclose(game.values(present), CROOKED.logits(masked, [positions] * 20)[:, 0], atol=1e-6)


def test_the_same_for_the_real_network() -> None:
    torch = pytest.importorskip("torch")
    from cellfate.models.fate_classifier import FateClassifier
    from cellfate.models.settings import ModelSettings

    torch.manual_seed(0)
    settings = ModelSettings(encoder_channels=(4, 8), embedding_size=16, feed_forward_size=16, encoder_grid=2)
    network = FateClassifier(settings, n_channels=2, n_outcomes=2).eval()

    class Real:
        def encode(self, frames_tchw: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return network.encode(torch.from_numpy(np.ascontiguousarray(frames_tchw))).numpy()

        def logits(self, embeddings: list[np.ndarray], positions: list[np.ndarray]) -> np.ndarray:
            lengths = torch.tensor([len(e) for e in embeddings])
            packed = torch.from_numpy(np.concatenate(embeddings)), torch.from_numpy(np.concatenate(positions))
            with torch.inference_mode():
                return network.classify(*packed, lengths).numpy()

    pixels = np.random.default_rng(0).normal(size=(5, 2, 16, 16)).astype(np.float32)
    game = build_game(Real(), pixels, np.arange(5), 0, list(all_subsets(2)))
    present = np.random.default_rng(1).random((8, 5, 2)) < 0.5
    for chosen, value in zip(present, game.values(present), strict=True):
        masked = torch.from_numpy(pixels * chosen[:, :, None, None].astype(np.float32))
        with torch.inference_mode():
            direct = network(masked, torch.arange(5), torch.tensor([5]))
        assert value == pytest.approx(float(direct[0, 0]), abs=1e-4)


def test_subsets_that_were_not_embedded_are_refused() -> None:
    game = build_game(CROOKED, frames(3, 2), np.arange(3), 0, [0, 3])
    with pytest.raises(AssertionError, match="not embedded"):
        game.values(np.array([[[True, False]] * 3]))


def test_too_many_channels_are_refused() -> None:
    assert len(all_subsets(6)) == 64
    with pytest.raises(InputError, match=r"has 7 channels.*of 6 at most"):
        all_subsets(7)


def test_subsets_for_occlusion() -> None:
    assert sorted(occlusion_subsets(3)) == [0b000, 0b011, 0b101, 0b110, 0b111]
    assert set(occlusion_subsets(1)) == {0, 1}


def test_log_odds_of_two_and_of_three_outcomes() -> None:
    assert log_odds(np.array([[1.5]]), 0).tolist() == [1.5]
    logits = np.array([[0.2, 1.0, -3.0]])
    p = np.exp(logits) / np.exp(logits).sum()
    assert log_odds(logits, 1)[0] == pytest.approx(np.log(p[0, 1] / (1 - p[0, 1])))
