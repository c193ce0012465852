"""Shapley values against all orders counted out, and against their axioms."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from cellfate.attribution import shapley
from cellfate.attribution.games import FrameGame, all_subsets, build_game
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.windows import TimeWindows, cut_time_windows
from tests.unit.attribution.tiny import CROOKED, PAIRWISE, MeanPixelModel, frames

CHANNELS = ("a", "b")


def game_of(model: MeanPixelModel, n_frames: int = 6, window_frames: int = 2) -> tuple[FrameGame, TimeWindows]:
    game = build_game(model, frames(n_frames, 2), np.arange(n_frames), 0, list(all_subsets(2)))
    return game, cut_time_windows(np.arange(n_frames), window_frames, 9)


def exact(game: FrameGame, windows: TimeWindows) -> np.ndarray:
    """Shapley's formula over every coalition, by definition."""
    n = len(windows) * len(CHANNELS)

    def value(players: tuple[int, ...]) -> float:
        present = np.zeros(n, dtype=bool)
        present[list(players)] = True
        return float(game.values(present.reshape(len(windows), -1)[windows.window_of_t][None])[0])

    values = np.zeros(n)
    for player in range(n):
        others = [p for p in range(n) if p != player]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in combinations(others, size):
                values[player] += weight * (value((*coalition, player)) - value(coalition))
    return values


def test_exact_where_players_interact_in_pairs_at_most() -> None:
    game, windows = game_of(PAIRWISE)
    table = shapley_values(game, windows, CHANNELS, n_permutations=1, seed=0)
    np.testing.assert_allclose(table["value"], exact(game, windows), atol=1e-5)


def test_close_to_exact_where_all_interact() -> None:
    game, windows = game_of(CROOKED)
    table = shapley_values(game, windows, CHANNELS, n_permutations=400, seed=0)
    truth = exact(game, windows)
    # 800 walks: the standard error is some 3 % of the largest effect
    np.testing.assert_allclose(table["value"], truth, atol=0.1 * np.abs(truth).max())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_add_up_to_the_prediction(seed: int) -> None:
    game, windows = game_of(CROOKED)
    table = shapley_values(game, windows, CHANNELS, n_permutations=2, seed=seed)
    pixels, positions = frames(6, 2), np.arange(6)
    prediction = CROOKED.logits([CROOKED.encode(pixels)], [positions])[0, 0]
    baseline = CROOKED.logits([CROOKED.encode(0 * pixels)], [positions])[0, 0]
    assert table["prediction"].iloc[0] == pytest.approx(prediction, abs=1e-6)
    assert table["baseline"].iloc[0] == pytest.approx(baseline, abs=1e-6)
    assert table["value"].sum() == pytest.approx(prediction - baseline, abs=1e-4)


def test_a_player_without_influence_gets_nothing() -> None:
    model = MeanPixelModel(lambda e, p: float(e[:, 0].sum() ** 2))
    game, windows = game_of(model)
    table = shapley_values(game, windows, CHANNELS, n_permutations=3, seed=0)
    assert table.loc[table["channel"] == "b", "value"].abs().max() < 1e-6


def test_values_that_do_not_add_up_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    game, windows = game_of(PAIRWISE)
    monkeypatch.setattr(shapley, "_permutation_values", lambda *_: np.ones(6))
    with pytest.raises(ArithmeticError, match=r"miss f\(x\) - f\(nothing\)"):
        shapley_values(game, windows, CHANNELS, n_permutations=1, seed=0)


def test_the_seed_decides_and_the_global_generator_is_left_alone() -> None:
    game, windows = game_of(CROOKED)
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    first = shapley_values(game, windows, CHANNELS, n_permutations=1, seed=3)["value"]
    assert np.random.random() == expected  # noqa: NPY002
    again = shapley_values(game, windows, CHANNELS, n_permutations=1, seed=3)["value"]
    other = shapley_values(game, windows, CHANNELS, n_permutations=1, seed=4)["value"]
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_single_window_and_channel_gets_everything() -> None:
    game = build_game(CROOKED, frames(4, 1), np.arange(4), 0, list(all_subsets(1)))
    table = shapley_values(game, cut_time_windows(np.arange(4), 9, 1), ("a",), n_permutations=1, seed=0)
    assert table["value"].item() == pytest.approx(
        float(table["prediction"].item() - table["baseline"].item()), abs=1e-5
    )
