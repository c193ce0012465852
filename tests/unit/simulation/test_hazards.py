"""Known hazards: probabilities a frame against another library, and lives drawn from them."""

import numpy as np
import pytest
from scipy.linalg import expm

from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.simulation import HazardSettings
from cellfate.simulation.hazards import draw_lives, event_probabilities, switch_probabilities

HAZARDS = HazardSettings()


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("phase", [0.5, 0.9, 1.4])
def test_events_of_a_frame_follow_from_constant_rates(phase: float, on: bool) -> None:
    rise = {0.5: 0.0, 0.9: 0.5, 1.4: 1.0}[phase]  # half way from .8 to 1 the smooth step is at a half
    while_on = {0.5: np.sqrt(0.03 * 1.2), 0.9: 0.03 * 40**0.9, 1.4: 1.2}[phase]
    dies, divides = while_on if on else HAZARDS.apoptosis_per_h, HAZARDS.mitosis_per_h * rise
    rates = np.array([[-dies - divides, dies, divides], [0, 0, 0], [0, 0, 0]])
    expected = dict(zip((APOPTOSIS, MITOSIS), expm(rates * 0.5)[0, 1:], strict=True))
    found = event_probabilities([phase], [on], HAZARDS, 0.5)[0]
    np.testing.assert_allclose(found, [expected[event] for event in EVENTS], rtol=1e-12)


def test_switches_of_a_frame_follow_from_constant_rates() -> None:
    off_to_on, on_to_off = switch_probabilities(0.3, 0.8, 0.5)
    chain = expm(np.array([[-0.3, 0.3], [0.8, -0.8]]) * 0.5)
    assert off_to_on == pytest.approx(chain[0, 1], rel=1e-12)
    assert on_to_off == pytest.approx(chain[1, 0], rel=1e-12)
    assert [float(p) for p in switch_probabilities(0.0, 0.0, 0.5)] == [0.0, 0.0]


def test_no_rate_no_event() -> None:
    still = HazardSettings(apoptosis_per_h=0)
    assert event_probabilities([0.2], [False], still, 0.5).tolist() == [[0.0, 0.0]]


def test_without_switches_times_of_deaths_are_geometric() -> None:
    still = HazardSettings(p53_off_per_h=0, apoptosis_on_per_h=(0.45, 0.45), mitosis_phase=(90, 99))
    n = 20_000
    drawn = draw_lives(np.zeros(n), np.full(n, 40.0), np.ones(n), 0.0, still, 0.5, np.random.default_rng(0))
    share = 1 - np.exp(-0.45 * 0.5)
    assert (drawn.event == EVENTS.index(APOPTOSIS)).all()
    # standard deviation of a geometric number: sqrt(1 - p) / p
    assert drawn.n_frames.mean() == pytest.approx(1 / share, abs=4 * np.sqrt(1 - share) / share / np.sqrt(n))
    assert drawn.n_frames.min() == 1
    assert drawn.p53_on.all()


def test_p53_spends_its_share_of_time_on() -> None:
    calm = HazardSettings(apoptosis_per_h=0, apoptosis_on_per_h=(1e-9, 1e-9), p53_off_per_h=0.3)
    drawn = draw_lives(np.zeros(4000), np.full(4000, 60.0), np.zeros(4000), 0.1, calm, 0.5, np.random.default_rng(1))
    at_20_h = drawn.p53_on[:, 40]
    expected = 0.1 / 0.4 * (1 - np.exp(-0.4 * 20))
    assert at_20_h.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 4000))
    assert (drawn.event == EVENTS.index(MITOSIS)).all()
    assert (drawn.n_frames > 0.8 * 60).all()  # frame in which the rate of mitosis begins to rise
