"""How many CPU threads torch computes on."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most_threads(n_threads: int | None) -> Iterator[None]:
    """Let torch compute meanwhile on no more than so many CPU threads; None leaves it as it is.

    On batches as small as one cell, threads that wait for each other cost more than they give.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(before if n_threads is None else min(n_threads, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
