"""Attributions that know nothing of a cell hardly ever get the verdict about this cell; true ones do where they can."""

import pytest
from benchmarks.null_attributions import SAME_DRAWS, STOOD_IN, count_verdicts

N_STUDIES = 4
"""A few of the 200 studies of `python -m benchmarks null_attributions`."""
NULLS = ("chance", "one order", "another cell", "mean of the others", STOOD_IN)


@pytest.mark.parametrize("own_share", [0.5, 1.0])
def test_true_values_get_the_verdict_about_a_cell_and_nulls_do_not(own_share):
    counts = count_verdicts(own_share, N_STUDIES)
    assert counts["true"] == (1.0, 1.0)
    assert [counts[null][1] for null in NULLS] == [0.0] * 5  # each at most in one study of 20


def test_where_all_cells_share_their_hours_nothing_gets_it():
    counts = count_verdicts(0.0, N_STUDIES)
    assert counts["true"] == (1.0, 0.0)
    assert counts["another cell"][0] == 1.0  # of the model it says as much


def test_who_knows_only_the_stand_ins_would_get_it_if_the_curves_had_the_same():
    counts = count_verdicts(0.0, N_STUDIES)
    assert counts[SAME_DRAWS] == (1.0, 1.0)
    assert counts[STOOD_IN] == (1.0, 0.0)
