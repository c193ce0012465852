"""Several processes that train one network together: what each has of an epoch, and what they tell each other.

Of one process alone every function here gives back what it was given.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed, nn

from cellfate.training.batches import IntArray


class LossTerm(NamedTuple):
    """A part of the loss of a batch, in one process."""

    mean: Tensor
    """Mean over what it counts; 0 where that is nothing."""
    size: int | Tensor
    """Cells, frames or features."""
    weight: float = 1.0
    """Weight in the sum of the parts."""


def count_processes() -> int:
    """Count the processes that train together."""
    return distributed.get_world_size() if _are_together() else 1


def own_rank() -> int:
    """Give the number of this process among them."""
    return distributed.get_rank() if _are_together() else 0


def deal_batches(plan: Sequence[IntArray], n_processes: int) -> list[list[IntArray]]:
    """Deal the batches of an epoch to processes, which make every step together.

    Parameters
    ----------
    plan
        Places of the cells of each batch.
    n_processes
        How many share them.

    Returns
    -------
    list of list of ndarray
        Of each step a batch for every process. Those of the last step are halved until there are enough; where single
        cells are fewer than processes, the step is left out. No batch is larger than those of the plan.

    Examples
    --------
    >>> deal_batches([np.array([3, 1]), np.array([2]), np.array([0, 4])], 2)
    [[array([3, 1]), array([2])], [array([0]), array([4])]]
    """
    steps = [list(plan[start : start + n_processes]) for start in range(0, len(plan), n_processes)]
    last = steps[-1] if steps else []
    while 0 < len(last) < n_processes and max(map(len, last)) > 1:
        largest = max(range(len(last)), key=lambda place: len(last[place]))
        last += np.array_split(last.pop(largest), 2)
    return steps if len(last) in (0, n_processes) else steps[:-1]


def add_terms(terms: Sequence[LossTerm]) -> tuple[Tensor, float, int]:
    """Add the parts of a loss, each as its mean over the batches of all processes.

    Parameters
    ----------
    terms
        Parts of this process's batch.

    Returns
    -------
    loss : Tensor
        What to go back from: the mean of its gradients over the processes, as they are averaged, is the gradient of
        the loss of all batches together.
    value : float
        Loss of all batches together.
    count : int
        Of the first part, over all.
    """
    if not _are_together():
        loss = sum((term.weight * term.mean for term in terms[1:]), start=terms[0].weight * terms[0].mean)
        return loss, float(loss.detach()), int(terms[0].size)
    means_p = torch.stack([term.mean.detach().double() for term in terms])
    counts_p = torch.stack([torch.as_tensor(term.size, device=means_p.device).double() for term in terms])
    told = torch.cat((means_p * counts_p, counts_p))
    distributed.all_reduce(told)
    sums_p, totals_p = told[: len(terms)], told[len(terms) :].clamp(min=1)
    shares_p = counts_p * count_processes() / totals_p
    parts = [term.weight * term.mean * share.to(term.mean) for term, share in zip(terms, shares_p, strict=True)]
    weights_p = torch.tensor([term.weight for term in terms], dtype=torch.float64, device=means_p.device)
    return torch.stack(parts).sum(), float((weights_p * sums_p / totals_p).sum()), int(totals_p[0])


def gather_all(own: Any) -> list[Any]:
    """Give what every process has, in the order of their numbers."""
    if not _are_together():
        return [own]
    everyone: list[Any] = [None] * count_processes()
    distributed.all_gather_object(everyone, own)
    return everyone


def share_buffers(network: nn.Module) -> None:
    """Give all processes the running statistics of the first."""
    if _are_together():
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)


def _are_together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
