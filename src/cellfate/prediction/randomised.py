"""A trained member whose layers are randomised one after the other, from the head down.

The cascade of Adebayo et al. 2018: an explanation that stays the same when the weights are noise does not explain them.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from cellfate.prediction.fold_model import FoldModel


def randomise_layers(member: FoldModel, seed: int) -> Iterator[tuple[str, FoldModel]]:
    """Yield the member after each step of the cascade, with the name of the layer that was randomised last.

    Parameters
    ----------
    member
        A trained member; it is not changed.
    seed
        Seed of the new weights, which are drawn as before a training.

    Yields
    ------
    layer, member
        `head`, `attention pooling`, `Transformer layer n` from the last to the first, `frame encoder`. Layers that were
        randomised before stay so.
    """
    import torch

    network = deepcopy(member.network)
    groups: list[tuple[str, list[Any]]] = [
        ("head", [network.head, network.norm]),
        ("attention pooling", [network.pooling]),
    ]
    layers = list(network.layers)
    groups += [(f"Transformer layer {n}", [layers[n - 1]]) for n in range(len(layers), 0, -1)]
    groups.append(("frame encoder", [network.encoder]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, modules in groups:
            for module in modules:
                _redraw(module)
            yield name, FoldModel(member.config, member.member, deepcopy(network))


def _redraw(module: Any) -> None:
    """Draw the weights of a module and of all in it anew, as when they are made."""
    for part in module.modules():
        redraw = getattr(part, "reset_parameters", None) or getattr(part, "_reset_parameters", None)
        if redraw is not None:
            redraw()
