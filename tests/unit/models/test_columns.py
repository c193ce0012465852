"""Networks that read columns of measurements, or these beside pixels."""

import pytest
import torch
from torch.testing import assert_close

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import AGE_INPUTS, FateClock
from cellfate.models.settings import CausalSettings, ClockNetworkSettings, ModelSettings

N_COLUMNS, N_CHANNELS = 3, 2
SMALL = {"encoder_channels": (4,), "encoder_grid": 2, "embedding_size": 8, "n_heads": 2, "columns_size": 6}
CAUSAL = CausalSettings(history_frames=3, statistics_frames=(2,), hidden_size=8)
ENCODERS = ["features", "pixels_and_features"]
LENGTHS = [4, 2, 5]
TOLERANCE = 1e-5  # float32 sums in another order


def make_frames(encoder, n_frames, seed=0):
    """Prepared frames: values standardised, nothing missing."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(n_frames, N_COLUMNS, 1, 4, generator=generator)
    numbers[..., [1, 3]] = 0
    if encoder == "features":
        return numbers
    pixels = torch.randn(n_frames, N_CHANNELS, 8, 8, generator=generator)
    held = torch.cat((numbers.flatten(1), torch.zeros(n_frames, 64 - 4 * N_COLUMNS)), dim=1)
    return torch.cat((pixels, held.view(n_frames, 1, 8, 8)), dim=1)


def mark_missing(frames, frame, column):
    """Give the frames twice, with the mean for a value of one frame, and with that value said to be missing."""
    unmarked = frames.clone()
    numbers = unmarked[frame].view(-1) if frames.shape[2] == 1 else unmarked[frame, -1].view(-1)
    numbers[4 * column] = 0
    marked = unmarked.clone()
    numbers = marked[frame].view(-1) if frames.shape[2] == 1 else marked[frame, -1].view(-1)
    numbers[4 * column + 1] = 1
    return unmarked, marked


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return request.param


@pytest.fixture(params=["classifier", "clock"])
def network(request, encoder):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        if request.param == "classifier":
            made = FateClassifier(ModelSettings(**SMALL, encoder=encoder), N_CHANNELS, 2, n_columns=N_COLUMNS)
        else:
            settings = ClockNetworkSettings(**SMALL, encoder=encoder, causal=CAUSAL)
            made = FateClock(settings, N_CHANNELS, 3, 2, 0, N_COLUMNS)
            torch.nn.init.normal_(made.head[-1].weight)
        torch.nn.init.normal_(made.columns[0].bias)
    return made.eval()


def answer(network, frames, lengths=LENGTHS):
    positions = torch.cat([torch.arange(length) for length in lengths])
    told = (frames, positions, torch.tensor(lengths))
    if isinstance(network, FateClassifier):
        return network(*told)
    ages = torch.zeros(len(positions), AGE_INPUTS)
    return network(*told, ages)


def test_shapes(network, encoder):
    frames = make_frames(encoder, sum(LENGTHS))
    encoded = network.encode(frames)
    assert encoded.shape == (11, network.encoded_size)
    assert network.encoded_size == (12 if encoder == "features" else 8 + 12)
    assert network.join(encoded).shape == (11, 8)
    assert answer(network, frames).shape == ((3, 1) if isinstance(network, FateClassifier) else (11, 3, 2))


def test_the_company_of_a_cell_and_padding_change_nothing(network, encoder):
    frames = make_frames(encoder, sum(LENGTHS))
    together = answer(network, frames)
    rows = [0] if isinstance(network, FateClassifier) else range(LENGTHS[0])
    alone = answer(network, frames[: LENGTHS[0]], LENGTHS[:1])
    assert_close(together[rows], alone, atol=TOLERANCE, rtol=TOLERANCE)


def test_that_a_value_is_missing_is_another_answer_than_the_mean(network, encoder):
    frames = make_frames(encoder, sum(LENGTHS))
    unmarked, marked = mark_missing(frames, frame=1, column=2)
    assert (unmarked != marked).sum() == 1
    before, after = answer(network, unmarked), answer(network, marked)
    assert (before - after).abs().max() > 1e-3
    if isinstance(network, FateClock):  # and nothing before it, nor of other cells, depends on it
        assert_close(before[0], after[0])
        assert_close(before[4:], after[4:], atol=TOLERANCE, rtol=TOLERANCE)


def test_columns_alone_have_no_encoder_to_be_pretrained(encoder):
    network = FateClassifier(ModelSettings(**SMALL, encoder=encoder), N_CHANNELS, 2, n_columns=N_COLUMNS)
    assert bool(list(network.encoder.parameters())) == (encoder == "pixels_and_features")
    assert dict(network.layers_from_head())["frame encoder"] == [network.encoder, network.columns]


def test_pixels_are_seen_beside_columns():
    network = FateClassifier(ModelSettings(**SMALL, encoder="pixels_and_features"), N_CHANNELS, 2, n_columns=N_COLUMNS)
    frames = make_frames("pixels_and_features", 4)
    dark = frames.clone()
    dark[:, :N_CHANNELS] = 0
    network.eval()
    assert (answer(network, frames, [4]) - answer(network, dark, [4])).abs().max() > 1e-4
