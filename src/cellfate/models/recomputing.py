"""Activation checkpointing that changes no number: stages of a network are computed a second time, not kept in memory.

A stage keeps its input alone; when gradients pass, it is computed again (Chen et al. 2016,
https://arxiv.org/abs/1604.06174), with the same dropout. Batch normalisation would move its running statistics a second
time, so these stand still meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Staged(nn.Module):
    """A network that runs in stages, each of which may be computed again instead of kept.

    Attributes
    ----------
    recomputes : bool
        Whether training computes stages again.
    """

    recomputes: bool = False

    def run_stage(self, stage: Callable[..., Tensor], *inputs: Any) -> Tensor:
        """Run a stage of this network on its inputs."""
        if not (self.recomputes and self.training and torch.is_grad_enabled()):
            return stage(*inputs)

        def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
            return nullcontext(), _buffers_stand_still(stage if isinstance(stage, nn.Module) else self)

        return cast(Tensor, checkpoint(stage, *inputs, use_reentrant=False, context_fn=contexts))


def recompute_stages(network: nn.Module) -> None:
    """Let every stage of a network be computed again in training."""
    for module in network.modules():
        if isinstance(module, Staged):
            module.recomputes = True


@contextmanager
def _buffers_stand_still(stage: nn.Module) -> Iterator[None]:
    """Let a stage write to copies of its buffers, the running statistics, and take these away again."""
    held = [(module, dict(module.named_buffers(recurse=False))) for module in stage.modules()]
    for module, buffers in held:
        for name, values in buffers.items():
            setattr(module, name, values.clone())
    try:
        yield
    finally:
        for module, buffers in held:
            for name, values in buffers.items():
                setattr(module, name, values)
