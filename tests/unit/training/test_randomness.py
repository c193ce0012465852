from itertools import product
from typing import get_args

import pytest

from cellfate.training.randomness import Purpose, random_stream, torch_seed

PLACES = [(), (0,), (0, 0), (0, 0, 0), (1,), (1, 0), (0, 1), (2, 1, 0), (2, 1)]


@pytest.mark.parametrize("draw", [torch_seed, lambda *where: random_stream(*where).random(3).tobytes()])
def test_every_seed_purpose_and_place_has_numbers_of_its_own(draw):
    everywhere = [(seed, purpose, *place) for seed, purpose, place in product((0, 1), get_args(Purpose), PLACES)]
    assert len({draw(*where) for where in everywhere}) == len(everywhere)
    assert [draw(*where) for where in everywhere] == [draw(*where) for where in everywhere]
