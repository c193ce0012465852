"""Occlusion against masking by hand."""

import numpy as np
import pytest

from cellfate.attribution.games import build_game, occlusion_subsets
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.windows import cut_time_windows
from tests.unit.attribution.tiny import CROOKED, frames

PIXELS, POSITIONS, NUMBERS = frames(7, 2), np.arange(7), np.arange(10, 17)


def direct(absent_tc: np.ndarray) -> float:
    """f(x) - f(x without the absent pixels), with the encoder run again."""
    masked = PIXELS * ~absent_tc[:, :, None, None]
    full, occluded = (CROOKED.logits([CROOKED.encode(x)], [POSITIONS])[0, 0] for x in (PIXELS, masked))
    return float(full - occluded)


def test_every_occlusion_is_masking_pixels() -> None:
    game = build_game(CROOKED, PIXELS, POSITIONS, 0, occlusion_subsets(2))
    table = occlude(game, cut_time_windows(NUMBERS, 3, 5), ("a", "b"))
    assert table["method"].value_counts().to_dict() == {
        "occlusion_window": 3,
        "occlusion_channel": 2,
        "occlusion_window_channel": 6,
    }
    for row in table.itertuples():
        in_window = (row.window_first_frame <= NUMBERS) & (row.window_last_frame >= NUMBERS)
        of_channel = np.array([row.channel in ("all", name) for name in ("a", "b")])
        assert row.value == pytest.approx(direct(in_window[:, None] & of_channel), abs=1e-5), row


def test_a_channel_row_spans_all_that_is_shown() -> None:
    game = build_game(CROOKED, PIXELS, POSITIONS, 0, occlusion_subsets(2))
    table = occlude(game, cut_time_windows(NUMBERS, 3, 5), ("a", "b")).query("method == 'occlusion_channel'")
    assert (table["window_first_frame"] == 10).all()
    assert (table["window_last_frame"] == 16).all()
