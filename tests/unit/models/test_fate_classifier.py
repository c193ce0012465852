import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.models.fate_classifier import FateClassifier, n_logits
from cellfate.models.frame_encoders import SmallCnn, build_encoder
from cellfate.models.settings import ModelSettings
from cellfate.models.temporal import sinusoidal_positions

TINY = ModelSettings(
    encoder_channels=(4, 8), encoder_grid=2, embedding_size=16, n_layers=2, n_heads=2, feed_forward_size=16
)
PAPER = ModelSettings(encoder="resnet50", embedding_size=2048, n_layers=8, n_heads=4, feed_forward_size=1024)
TOLERANCE = 1e-5  # float32 sums in another order, on values near 1


def make_network(n_outcomes=2, architecture=TINY):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return FateClassifier(architecture, 2, n_outcomes)


def make_cells(lengths, seed=0):
    """Frames of each cell, and positions with gaps."""
    rng = np.random.default_rng(seed)
    frames = [torch.from_numpy(rng.normal(size=(n, 2, 8, 8)).astype(np.float32)) for n in lengths]
    positions = [torch.from_numpy(np.cumsum(rng.integers(1, 3, n)) - 1) for n in lengths]
    return frames, positions


def run(network, frames, positions):
    lengths = torch.tensor([len(cell) for cell in frames])
    with torch.inference_mode():
        embeddings = network.encode(torch.cat(frames))
        packed = embeddings, torch.cat(positions), lengths
        return network.classify(*packed), network.pooling_attention(*packed).split((1 + lengths).tolist())


def test_the_published_model_has_exactly_its_published_size():
    with torch.device("meta"):
        network = FateClassifier(PAPER, n_channels=3, n_outcomes=2)
    assert sum(parameter.numel() for parameter in network.parameters()) == 208_233_537
    assert sum(parameter.numel() for parameter in network.encoder.parameters()) == 23_508_032


def test_the_published_encoder_gives_its_features():
    encoder = build_encoder(PAPER, n_channels=3).eval()
    with torch.inference_mode():
        assert encoder(torch.zeros(2, 3, 32, 32)).shape == (2, 2048)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 100))
def test_a_cell_alone_and_among_longer_ones_is_the_same(lengths, seed):
    network = make_network().eval()
    frames, positions = make_cells(lengths, seed)
    logits, attention = run(network, frames, positions)
    for cell, n in enumerate(lengths):
        alone, alone_attention = run(network, frames[cell : cell + 1], positions[cell : cell + 1])
        torch.testing.assert_close(logits[cell : cell + 1], alone, atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(attention[cell], alone_attention[0], atol=TOLERANCE, rtol=0)
        assert len(attention[cell]) == 1 + n


@settings(max_examples=10, deadline=None)
@given(st.permutations([3, 7, 1, 5]))
def test_permuting_a_batch_permutes_the_result(order):
    network = make_network(n_outcomes=3).eval()
    frames, positions = make_cells([3, 7, 1, 5])
    places = [[3, 7, 1, 5].index(n) for n in order]
    logits, attention = run(network, frames, positions)
    moved, moved_attention = run(network, [frames[i] for i in places], [positions[i] for i in places])
    torch.testing.assert_close(moved, logits[places], atol=TOLERANCE, rtol=0)
    for place, moved_s in zip(places, moved_attention, strict=True):
        torch.testing.assert_close(moved_s, attention[place], atol=TOLERANCE, rtol=0)


def test_attention_sums_to_one_with_the_class_token():
    _, attention = run(make_network().eval(), *make_cells([4, 9]))
    assert [len(weights_s) for weights_s in attention] == [5, 10]
    for weights_s in attention:
        torch.testing.assert_close(weights_s.sum(), torch.tensor(1.0))
        assert weights_s[0] > 0


def test_batch_statistics_see_real_frames_only():
    frames, positions = make_cells([1, 9])
    together = make_network().train()
    together(torch.cat(frames), torch.cat(positions), torch.tensor([1, 9]))
    expected = make_network().train()
    expected.encode(torch.cat(frames))
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(together.state_dict()[name], value)


def test_gradients_reach_every_parameter():
    network = make_network().train()
    frames, positions = make_cells([2, 5])
    network(torch.cat(frames), torch.cat(positions), torch.tensor([2, 5])).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_order_and_gaps_matter_through_positions():
    network = make_network().eval()
    frames, _ = make_cells([6])
    without_gap, _ = run(network, frames, [torch.arange(6)])
    with_gap, _ = run(network, frames, [torch.tensor([0, 1, 2, 9, 10, 11])])
    assert (without_gap - with_gap).abs() > 1e-4


def test_the_small_encoder_keeps_position_and_absolute_intensity():
    encoder = SmallCnn(TINY, n_channels=2).eval()
    frame = torch.zeros(1, 2, 16, 16)
    frame[..., 2:6, 2:6] = 1.0
    with torch.inference_mode():
        here = encoder(frame)
        assert (here - encoder(frame.roll((8, 8), dims=(-2, -1)))).abs().max() > 1e-3
        assert (here - encoder(frame * 2)).abs().max() > 1e-3
        assert (here - encoder(frame + 1)).abs().max() > 1e-3


def test_positions_are_sines_and_cosines():
    codes = sinusoidal_positions(torch.tensor([0, 3]), 4)
    expected = [[0, 1, 0, 1], [np.sin(3), np.cos(3), np.sin(3 / 100), np.cos(3 / 100)]]
    torch.testing.assert_close(codes, torch.tensor(expected, dtype=torch.float32))


def test_without_a_transformer_the_class_token_asks_the_embeddings_themselves():
    """What it gives each frame then depends on that frame alone, but for the sum that shares add up to."""
    network = FateClassifier(TINY.model_copy(update={"n_layers": 0}), 2, 2).eval()
    assert not [name for name in network.state_dict() if name.startswith("layers.")]
    frames, positions = make_cells([5])
    changed = [torch.cat((frames[0][:-1], frames[0][-1:] + 1))]
    (_, before), (_, after) = (run(network, shown, positions) for shown in (frames, changed))
    torch.testing.assert_close(before[0][:-1] / before[0][0], after[0][:-1] / after[0][0])
    assert abs(before[0][-1] - after[0][-1]) > 1e-5


def test_two_outcomes_have_one_logit():
    assert (n_logits(2), n_logits(3)) == (1, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"embedding_size": 20, "n_heads": 4}, "embedding_size 20 is not a multiple of twice n_heads 4"),
        ({"encoder": "resnet50"}, "gives 2048 features but embedding_size is 64"),
    ],
)
def test_sizes_that_disagree_are_named(changes, words):
    with pytest.raises(ValidationError, match=words):
        ModelSettings(**changes)
