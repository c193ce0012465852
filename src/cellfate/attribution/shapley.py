"""Shapley values over (time window x channel) players of the actual model.

Engine: the Permutation explainer of the `shap` package (Strumbelj and Kononenko 2014; antithetic orders), on a game
whose absent players are 0 after normalisation. Each order is walked completely, so the values add up to f(x) -
f(nothing).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.games import COALITIONS, FrameGame
from cellfate.attribution.methods import LOGIT, SHAPLEY
from cellfate.attribution.windows import TimeWindows, name_players

TOLERANCE = 1e-4
"""Largest difference in logits between the sum of the values and f(x) - f(nothing)."""


def shapley_values(
    game: FrameGame, windows: TimeWindows, channels: tuple[str, ...], n_permutations: int, seed: int
) -> pd.DataFrame:
    """Shapley values of every channel in every time window at one landmark.

    Parameters
    ----------
    game
        What is shown, embedded under every subset of channels.
    windows, channels
        Its time windows, and the names of the channels.
    n_permutations
        Random orders, each walked forwards and backwards. One order is exact when players interact at most in pairs.
    seed
        Seed of the orders.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `landmark_id`, and `prediction` = f(x) and `baseline` = f(nothing), all in logits.

    Raises
    ------
    ArithmeticError
        When the values do not add up to f(x) - f(nothing) within 1e-4.
    """
    players = name_players(windows, channels)
    everything = np.ones((1, len(players)), dtype=bool)
    prediction, baseline = _coalition_values(game, windows, np.concatenate([everything, ~everything]))
    values = _permutation_values(game, windows, len(players), n_permutations, seed)
    gap = float(values.sum() - (prediction - baseline))
    if not abs(gap) <= TOLERANCE:
        raise ArithmeticError(
            f"Shapley values miss f(x) - f(nothing) by {gap:.2e} logits, more than {TOLERANCE:.0e}; do not use them."
        )
    return players.assign(method=SHAPLEY, value=values, unit=LOGIT, prediction=prediction, baseline=baseline)


def _coalition_values(game: FrameGame, windows: TimeWindows, present_bp: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of coalitions of players, (B,)."""
    present_bwc = present_bp.reshape(len(present_bp), len(windows), -1)
    return game.values(present_bwc[:, windows.window_of_t])


def _permutation_values(
    game: FrameGame, windows: TimeWindows, n_players: int, n_permutations: int, seed: int
) -> NDArray[np.float64]:
    """Ask shap's Permutation explainer; what it masks is the row of players itself, True where present.

    A masker of our own compiles less at the first call than shap's for tables.
    """
    import shap

    def value(present_bp: NDArray[np.bool_]) -> NDArray[np.float64]:
        return _coalition_values(game, windows, present_bp)

    def masker(mask_p: NDArray[np.bool_], _players_p: NDArray[np.bool_]) -> tuple[NDArray[np.bool_]]:
        return (mask_p[None],)

    with _own_global_seed():
        explainer = shap.PermutationExplainer(value, masker, seed=seed)
        walks = {"max_evals": n_permutations * (2 * n_players + 1), "batch_size": COALITIONS, "silent": True}
        explanation = explainer(np.ones((1, n_players), dtype=bool), **walks)
    return np.asarray(explanation.values[0], dtype=np.float64)


@contextmanager
def _own_global_seed() -> Iterator[None]:
    """Give NumPy's global generator back as it was: shap seeds it and draws from it."""
    state = np.random.get_state()  # noqa: NPY002 - shap uses the global generator
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
