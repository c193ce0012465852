"""Stages computed again give outputs, gradients and running statistics of stages that are kept, to the last digit."""

import copy

import pytest
import torch

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import AGE_INPUTS, FateClock
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.models.recomputing import Staged, recompute_stages
from cellfate.models.settings import CausalSettings, ClockNetworkSettings, ModelSettings

SMALL = {"encoder_channels": (4, 8), "encoder_grid": 2, "embedding_size": 16, "n_heads": 2, "feed_forward_size": 24}
PUBLISHED = {"encoder": "resnet50", "embedding_size": 2048, "n_layers": 1, "n_heads": 4, "feed_forward_size": 16}
CAUSAL = CausalSettings(history_frames=3, statistics_frames=(4,), hidden_size=8)
LENGTHS = torch.tensor([3, 5])
POSITIONS = torch.tensor([0, 1, 2, 0, 1, 2, 4, 5])


def of_classifier(network: FrameNetwork, frames: torch.Tensor) -> torch.Tensor:
    return network(frames, POSITIONS, LENGTHS)


def of_clock(network: FrameNetwork, frames: torch.Tensor) -> torch.Tensor:
    return network(frames, POSITIONS, LENGTHS, torch.linspace(-1, 1, 8 * AGE_INPUTS).view(8, -1))


NETWORKS = {
    "classifier": (lambda: FateClassifier(ModelSettings(**SMALL, dropout=0.3), 2, 3), of_classifier),
    "published": (lambda: FateClassifier(ModelSettings(**PUBLISHED), 2, 2), of_classifier),
    "fate clock": (
        lambda: FateClock(ClockNetworkSettings(**SMALL, dropout=0.3, n_layers=2, causal=CAUSAL), 2, 3, 2, 0),
        of_clock,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_gradients_and_running_statistics_are_equal(name):
    make, read = NETWORKS[name]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        kept = make().train()
        frames = torch.randn(8, 2, 32, 32)
        again = copy.deepcopy(kept)
        recompute_stages(again)
        for _ in range(2):
            found = []
            for network in (kept, again):
                torch.manual_seed(2)  # dropout
                logits = read(network, frames)
                network.zero_grad()
                logits.square().sum().backward()
                found.append(logits.detach())
            assert torch.equal(*found)
    theirs = dict(again.named_parameters())
    assert all(torch.equal(parameter.grad, theirs[name].grad) for name, parameter in kept.named_parameters())
    held = again.state_dict()
    assert list(held) == list(kept.state_dict())
    assert all(torch.equal(value, held[name]) for name, value in kept.state_dict().items())
    assert any(name.endswith("num_batches_tracked") and value == 2 for name, value in held.items())


def test_less_is_kept_for_the_backward_pass():
    network = NETWORKS["published"][0]().train()
    frames = torch.randn(4, 2, 32, 32)

    def kept_numbers() -> int:
        sizes: dict[int, int] = {}

        def pack(values: torch.Tensor) -> torch.Tensor:
            sizes[values.data_ptr()] = values.numel()
            return values

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda values: values):
            network.encode(frames).sum()
        return sum(sizes.values())

    all_kept = kept_numbers()
    recompute_stages(network)
    assert kept_numbers() < 0.3 * all_kept


def test_nothing_is_computed_again_without_gradients_or_in_evaluation():
    class Counting(Staged):
        calls = 0

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return self.run_stage(self.stage, values)

        def stage(self, values: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return values.exp()

    network = Counting()
    recompute_stages(network)
    values = torch.ones(2, requires_grad=True)
    network(values).sum().backward()
    assert network.calls == 2
    network.eval()(values).sum().backward()
    with torch.inference_mode():
        network.train()(torch.ones(2))
    assert network.calls == 4
