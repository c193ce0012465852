"""A trained member whose layers are randomised one after the other, from the head down.

The cascade of Adebayo et al. 2018: an explanation that stays the same when the weights are noise does not explain them.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeVar

from cellfate.prediction.member import Member

AnyMember = TypeVar("AnyMember", bound=Member)


def randomise_layers(member: AnyMember, seed: int) -> Iterator[tuple[str, AnyMember]]:
    """Yield the member after each step of the cascade, with the name of the layer that was randomised last.

    Parameters
    ----------
    member
        A trained member of the classifier or of the fate clock; it is not changed.
    seed
        Seed of the new weights, which are drawn as before a training.

    Yields
    ------
    layer, member
        As the network names them: `head`, `attention pooling` (the classifier), `Transformer layer n` from the last to
        the first, `frame encoder`. Layers that were randomised before stay so.
    """
    import torch

    network = deepcopy(member.network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, modules in network.layers_from_head():
            for module in modules:
                _redraw(module)
            yield name, member.with_network(deepcopy(network))


def _redraw(module: Any) -> None:
    """Draw the weights of a module and of all in it anew, as when they are made."""
    for part in module.modules():
        redraw = getattr(part, "reset_parameters", None) or getattr(part, "_reset_parameters", None)
        if redraw is not None:
            redraw()
