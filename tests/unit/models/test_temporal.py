"""Packed layers against torch's padded ones, and that company in a batch changes nothing: float64, so that it shows."""

from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import AGE_INPUTS, FateClock
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.models.settings import CausalSettings, ClockNetworkSettings, ModelSettings
from cellfate.models.temporal import AttentionPooling, TransformerLayer, equal_lengths, put_first

SIZES = {"encoder_channels": (4, 8), "encoder_grid": 2, "embedding_size": 16, "n_heads": 2, "feed_forward_size": 24}
LAYER = ModelSettings(**SIZES, dropout=0.0)
CAUSAL = CausalSettings(history_frames=3, statistics_frames=(2, 5), hidden_size=8)
CLOCK = ClockNetworkSettings(**SIZES, n_layers=2, dropout=0.0, causal=CAUSAL)
TOLERANCE = {"atol": 1e-12, "rtol": 1e-12}  # float64 sums of some hundred values near 1 in another order
LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=6)
SEEDS = st.integers(0, 1000)


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng():
        yield


def draw(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A module in float64 whose biases are not 0."""
    torch.manual_seed(seed)
    module = make().double()
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, std=0.3)
    return module


def pad(tokens_md: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Padded tokens, and where they are real."""
    padded_bsd = nn.utils.rnn.pad_sequence(list(tokens_md.split(list(lengths))), batch_first=True)
    return padded_bsd, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def gradients(values: Tensor, *sources: Tensor) -> tuple[Tensor, ...]:
    """Of a sum in which every value has its own weight."""
    weights = torch.linspace(-1, 2, values.numel(), dtype=values.dtype).view_as(values)
    return torch.autograd.grad((values * weights).sum(), sources, retain_graph=True)


@settings(max_examples=25, deadline=None)
@given(LENGTHS, SEEDS, st.one_of(st.none(), st.integers(1, 4)))
def test_a_layer_is_the_padded_one_of_torch(lengths, seed, history):
    ours = draw(lambda: TransformerLayer(LAYER), seed)
    theirs = nn.TransformerEncoderLayer(16, 2, 24, dropout=0.0, batch_first=True, norm_first=True, dtype=torch.float64)
    theirs.load_state_dict(ours.state_dict())  # and weights have the same names
    steps = torch.arange(max(lengths))
    back = steps[:, None] - steps
    seen = None if history is None else (back >= 0) & (back < history)
    tokens = torch.randn(sum(lengths), 16, dtype=torch.float64, requires_grad=True)
    padded, real = pad(tokens, lengths)
    hidden = None if seen is None else ~seen
    expected = theirs(padded, src_mask=hidden, src_key_padding_mask=~real)[real]
    found = ours(tokens, lengths, seen)
    torch.testing.assert_close(found, expected, **TOLERANCE)
    by_theirs = gradients(expected, tokens, *theirs.parameters())
    torch.testing.assert_close(gradients(found, tokens, *ours.parameters()), by_theirs, **TOLERANCE)


@settings(max_examples=25, deadline=None)
@given(LENGTHS, SEEDS)
def test_pooling_is_the_padded_attention_of_torch(lengths, seed):
    pooling = draw(lambda: AttentionPooling(16), seed)
    tokens = torch.randn(sum(lengths), 16, dtype=torch.float64, requires_grad=True)
    padded, real = pad(pooling.norm(tokens), lengths)
    asked = padded[:, :1], padded, padded
    expected, weights = pooling.attention(*asked, key_padding_mask=~real, need_weights=True)
    found = pooling(tokens, lengths)
    torch.testing.assert_close(found, expected[:, 0], **TOLERANCE)
    torch.testing.assert_close(pooling.weigh(tokens, lengths), weights[:, 0][real], **TOLERANCE)
    by_theirs = gradients(expected[:, 0], tokens, *pooling.parameters())
    torch.testing.assert_close(gradients(found, tokens, *pooling.parameters()), by_theirs, **TOLERANCE)


@given(LENGTHS)
def test_what_is_parted_by_length_keeps_its_order(lengths):
    packed = torch.arange(sum(lengths) * 2).view(-1, 2)
    parts = list(equal_lengths(packed, lengths))
    assert torch.equal(torch.cat([part.flatten(0, 1) for part in parts]), packed)
    assert [part.shape[1] for part in parts for _ in part] == lengths
    first = torch.tensor([-1, -2])
    expected = torch.cat([torch.cat((first[None], one)) for one in packed.split(lengths)])
    assert torch.equal(put_first(first, packed, lengths), expected)


def read_classifier(network: FrameNetwork, frames: Tensor, positions: Tensor, ages: Tensor, lengths: Tensor) -> Tensor:
    return network(frames, positions, lengths)


def read_clock(network: FrameNetwork, frames: Tensor, positions: Tensor, ages: Tensor, lengths: Tensor) -> Tensor:
    return network(frames, positions, lengths, ages).flatten(1)


NETWORKS = {
    "classifier": (lambda: FateClassifier(LAYER, 2, 3), read_classifier, False),
    "fate clock": (lambda: FateClock(CLOCK, 2, 3, 2, 0), read_clock, True),
}


def drawn_cells(lengths: Sequence[int]) -> list[list[Tensor]]:
    """Frames, positions with gaps and ages of each cell."""
    return [
        [
            torch.randn(n, 2, 8, 8, dtype=torch.float64),
            torch.randint(1, 3, (n,)).cumsum(dim=0) - 1,
            torch.randn(n, AGE_INPUTS, dtype=torch.float64),
        ]
        for n in lengths
    ]


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(2, 9), min_size=2, max_size=5), seed=SEEDS, data=st.data())
def test_the_order_of_a_batch_of_training_changes_no_output_gradient_or_statistic(name, lengths, seed, data):
    make, read, per_frame = NETWORKS[name]
    order = data.draw(st.permutations(range(len(lengths))))
    networks = [draw(make, seed).train() for _ in range(2)]
    cells = drawn_cells(lengths)
    found, moved = [], []
    for network, places, rows in zip(networks, (range(len(lengths)), order), (found, moved), strict=True):
        shown = [torch.cat(parts) for parts in zip(*(cells[place] for place in places), strict=True)]
        sizes = [lengths[place] if per_frame else 1 for place in places]
        of_cell = read(network, *shown, torch.tensor([lengths[place] for place in places])).split(sizes)
        rows += [of_cell[list(places).index(place)] for place in range(len(lengths))]
    torch.testing.assert_close(moved, found, **TOLERANCE)
    torch.testing.assert_close(dict(networks[1].named_buffers()), dict(networks[0].named_buffers()), **TOLERANCE)
    each = [gradients(torch.cat(rows), *n.parameters()) for rows, n in ((found, networks[0]), (moved, networks[1]))]
    torch.testing.assert_close(each[1], each[0], atol=1e-9, rtol=1e-9)  # batch statistics divide by small variances


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=2, max_size=5), seed=SEEDS)
def test_company_changes_no_output_and_no_gradient(name, lengths, seed):
    """With batch statistics frozen: those of a batch are of all its frames, on purpose."""
    make, read, per_frame = NETWORKS[name]
    network, cells = draw(make, seed).eval(), drawn_cells(lengths)
    frames, positions, ages = (torch.cat(parts) for parts in zip(*cells, strict=True))
    sizes = [n if per_frame else 1 for n in lengths]
    together = read(network, frames, positions, ages, torch.tensor(lengths)).split(sizes)
    for (frames_t, *rest), among in zip(cells, together, strict=True):
        alone = read(network, frames_t, *rest, torch.tensor([len(frames_t)]))
        torch.testing.assert_close(among, alone, **TOLERANCE)
        by_company = gradients(among, *network.parameters())
        torch.testing.assert_close(by_company, gradients(alone, *network.parameters()), atol=1e-11, rtol=1e-11)
