"""Threads of torch: never more than before, and as before afterwards."""

import pytest
import torch

from cellfate.models.threads import at_most_threads


@pytest.mark.parametrize(("asked", "found"), [(1, 1), (2, 2), (7, 3), (None, 3)])
def test_no_more_threads_than_asked_for_or_than_before(asked, found):
    outside = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with at_most_threads(asked):
            assert torch.get_num_threads() == found
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(outside)
