"""Batches made ahead, by threads, while the one before is learnt from."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from cellfate.training.batches import Batch

Tensors = dict[str, Tensor]


class BatchLoader:
    """Batches in order, whatever the number of threads: each is made of its number alone.

    Parameters
    ----------
    make
        Makes a batch of its number.
    n_batches
        Batches in all; its length, as Lightning counts.
    n_done
        The first so many are left out: they were done before an interruption.
    n_threads
        Threads that make batches, each one ahead; 0: a batch is made when it is asked for.
    """

    def __init__(self, make: Callable[[int], Batch], n_batches: int, n_done: int = 0, n_threads: int = 0) -> None:
        self._make = make
        self._n_batches = n_batches
        self._n_done = n_done
        self._n_threads = n_threads

    def __len__(self) -> int:
        return self._n_batches

    def __iter__(self) -> Iterator[Tensors]:
        """Make the batches; no thread starts before the first is asked for."""
        numbers = range(self._n_done, self._n_batches)
        if self._n_threads == 0:
            yield from map(self._load, numbers)
            return
        waiting: deque[Future[Tensors]] = deque()
        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="batches") as pool:
            try:
                for number in numbers:
                    waiting.append(pool.submit(self._load, number))
                    if len(waiting) > self._n_threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _load(self, number: int) -> Tensors:
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in self._make(number).items()}
        if torch.cuda.is_available():  # pinned memory goes to the device while it computes
            return {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return tensors
