"""Lives, families and the fates drawn from planted causes."""

from itertools import pairwise

import numpy as np
import pytest

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.simulation import SimulationSettings
from cellfate.simulation.lineages import draw_strengths, plan_lives
from cellfate.simulation.records import Life

LONG = SimulationSettings(n_frames=144, founders=(60, 60))


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    many = LONG.model_copy(update={"founders": (400, 400)})
    return plan_lives(many, LONG.doses[2], np.random.default_rng(3))


def plan_control() -> list[Life]:
    return plan_lives(LONG, LONG.doses[0], np.random.default_rng(7))


def test_mothers_divide_one_frame_before_their_two_daughters_are_born() -> None:
    family = {life.cell_id: life for life in plan_control()}
    assert list(family) == list(range(1, len(family) + 1))
    daughters = [life for life in family.values() if life.parent_id is not None]
    assert daughters
    for mother_id in {life.parent_id for life in daughters}:
        births = [life.birth_frame for life in daughters if life.parent_id == mother_id]
        assert births == [family[mother_id or 0].event_frame + 1] * 2
        assert family[mother_id or 0].destiny == MITOSIS


def test_every_life_leaves_room_for_the_windows_that_decide() -> None:
    shortest = LONG.frames_in(LONG.shortest_life_h)
    assert min(life.event_frame - life.first_frame for life in plan_control()) >= shortest


def test_fates_are_drawn_with_the_planted_odds(lives: list[Life]) -> None:
    logits = np.array([life.oracle_logit for life in lives])
    dies = np.array([life.destiny == APOPTOSIS for life in lives])
    expected = 1 / (1 + np.exp(-logits))
    for low, high in ((-9, -1.5), (-1.5, 1.5), (1.5, 9)):
        within = (logits > low) & (logits <= high)
        standard_error = np.sqrt((expected * (1 - expected))[within].sum()) / within.sum()
        assert abs(dies[within].mean() - expected[within].mean()) < 4 * standard_error


def test_higher_doses_kill_more() -> None:
    deaths = []
    for dose in LONG.doses:
        lives = plan_lives(LONG, dose, np.random.default_rng(1))
        deaths.append(np.mean([life.destiny == APOPTOSIS for life in lives]))
    assert deaths == sorted(deaths)
    assert deaths[-1] - deaths[0] > 0.2


def test_sisters_resemble_each_other_more_than_strangers(lives: list[Life]) -> None:
    sisters = [
        (one.oracle_logit, other.oracle_logit)
        for one, other in pairwise(lives)
        if one.parent_id is not None and one.parent_id == other.parent_id
    ]
    first, second = np.array(sisters).T
    assert len(sisters) > 200
    assert np.corrcoef(first, second)[0, 1] > 0.2
    assert abs(np.corrcoef(first, np.roll(second, 3))[0, 1]) < 0.2


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_a_cause_is_strong_in_its_share_of_cells(probability: float) -> None:
    rng = np.random.default_rng(0)
    strengths = draw_strengths(probability, rng.normal(size=4000), rng)
    assert abs((strengths > 0.5).mean() - probability) < 0.03
    assert strengths.min() >= 0
