"""True reporters: periods, the planted excursions, the fall at division."""

from dataclasses import replace

import numpy as np
import pytest

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.simulation import SimulationSettings
from cellfate.simulation.records import Life
from cellfate.simulation.settings import CHANNELS
from cellfate.simulation.signals import excursion, simulate_reporters

SETTINGS = SimulationSettings()
CIRCADIAN, P53, CELL_CYCLE = range(3)


def make_life(event_frame: int = 60, destiny: str = MITOSIS, strengths: tuple[float, float] = (0.0, 0.0)) -> Life:
    return Life(
        cell_id=1,
        parent_id=None,
        birth_frame=-10,
        event_frame=event_frame,
        destiny=destiny,
        strengths=np.array(strengths),
        log_odds=np.zeros(2),
        dose_log_odds=0.0,
        lost_frame=None,
        levels=np.ones(3),
        circadian_phase_h=5.0,
    )


def best_period_h(trace: np.ndarray, low_h: float, high_h: float) -> float:
    """Lag of the largest autocorrelation between two lags."""
    centred = trace - trace.mean()
    lags = np.arange(SETTINGS.frames_in(low_h), SETTINGS.frames_in(high_h) + 1)
    correlation = [np.corrcoef(centred[:-lag], centred[lag:])[0, 1] for lag in lags]
    assert max(correlation) > 0.3
    return float(lags[int(np.argmax(correlation))] * SETTINGS.frame_h)


@pytest.mark.parametrize(("channel", "period_h", "span_h"), [(P53, 5.5, (3, 9)), (CIRCADIAN, 24.0, (15, 35))])
def test_reporters_have_their_periods(channel: int, period_h: float, span_h: tuple[float, float]) -> None:
    levels = simulate_reporters(make_life(event_frame=5000), 600, SETTINGS, np.random.default_rng(2))
    assert best_period_h(levels[:, channel], *span_h) == pytest.approx(period_h, abs=0.51)  # one frame


def test_the_cell_cycle_reporter_falls_at_division_and_is_low_after_birth() -> None:
    mother = simulate_reporters(make_life(), 61, SETTINGS, np.random.default_rng(0))[:, CELL_CYCLE]
    assert mother[60] < 0.5 * mother[57:60].min()
    daughter = replace(make_life(event_frame=110), birth_frame=61, parent_id=1)
    levels = simulate_reporters(daughter, 20, SETTINGS, np.random.default_rng(0))[:, CELL_CYCLE]
    assert levels[0] < 0.3 * levels[10:].min()


def test_an_excursion_fills_its_window_and_nothing_else() -> None:
    cause = SETTINGS.causes[0]  # p53, 6.5 to 2.5 h before the event at 30 h
    hours = np.arange(0, 30, 0.5)
    course = excursion(hours, make_life(event_frame=60), cause, SETTINGS)
    assert course[hours < 23.5].max() == 0
    assert course[hours > 27.5].max() == 0
    assert course[(hours >= 24) & (hours <= 27)].min() == 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_cause_changes_its_channel_in_its_window_alone(place: int) -> None:
    cause = SETTINGS.causes[place]
    strengths = (1.0, 0.0) if place == 0 else (0.0, 1.0)
    plain, planted = (
        simulate_reporters(make_life(strengths=given), 61, SETTINGS, np.random.default_rng(4))
        for given in ((0.0, 0.0), strengths)
    )
    changed = planted != plain
    before_event_h = (60 - np.arange(61)) * SETTINGS.frame_h
    inside = (before_event_h <= cause.window_h[0]) & (before_event_h >= cause.window_h[1])
    channel = CHANNELS.index(cause.channel)
    assert changed[inside, channel].all()
    assert not changed[~inside].any()
    assert not np.delete(changed, channel, axis=1).any()
    assert np.sign(planted - plain)[inside, channel].mean() == np.sign(cause.reporter_change)


def test_reporters_do_not_know_the_fate_before_the_event() -> None:
    lives, dies = (
        simulate_reporters(make_life(destiny=destiny), 65, SETTINGS, np.random.default_rng(4))
        for destiny in (MITOSIS, APOPTOSIS)
    )
    np.testing.assert_array_equal(lives[:60], dies[:60])
    assert dies[64].max() < 0.5 * dies[59].max()
