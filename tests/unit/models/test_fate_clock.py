from itertools import accumulate, pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.models.fate_clock import AGE_INPUTS, FateClock, hazards_of, log_incidence_of
from cellfate.models.settings import (
    BlendSettings,
    CausalSettings,
    ClockNetworkSettings,
    ModelSettings,
    reach_frames,
)
from cellfate.statistics.incidence import cumulative_incidence

N_BINS, N_EVENTS = 3, 2
TOLERANCE = 1e-5  # float32 sums in another order, on values near 1


def architecture(n_layers=1, **causal):
    return ClockNetworkSettings(
        encoder_channels=(4,),
        encoder_grid=2,
        embedding_size=8,
        n_layers=n_layers,
        n_heads=2,
        feed_forward_size=8,
        causal=CausalSettings(**({"history_frames": 3, "statistics_frames": (4,), "hidden_size": 8} | causal)),
    )


READINGS = {
    "attention and statistics": architecture(2, statistics_frames=(2, 4)),
    "attention alone": architecture(2, statistics_frames=()),
    "statistics alone": architecture(0),
    "without age": architecture(1, age=False),
}


def make_clock(settings, n_features=0):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = FateClock(settings, 2, N_BINS, N_EVENTS, n_features)
        torch.nn.init.normal_(network.head[-1].weight)  # far from the first odds, so that a change is seen
    return network.eval()


def make_cells(lengths, seed=0):
    """For each cell embeddings, positions with gaps, and ages."""
    rng = np.random.default_rng(seed)
    return [
        (
            torch.from_numpy(rng.normal(size=(n, 8)).astype(np.float32)),
            torch.from_numpy(np.cumsum(rng.integers(1, 4, n)) - 1),
            torch.from_numpy(rng.normal(size=(n, AGE_INPUTS)).astype(np.float32)),
        )
        for n in lengths
    ]


def read(network, cells):
    """Log odds of each cell, (T, K, E), read in one batch."""
    lengths = torch.tensor([len(cell[0]) for cell in cells])
    embeddings, positions, ages = (torch.cat(parts) for parts in zip(*cells, strict=True))
    with torch.inference_mode():
        logits = network.read(embeddings, positions, lengths, ages)
    return [logits[start:stop] for start, stop in pairwise([0, *accumulate(lengths.tolist())])]


def change_frames(cell, first, stop, seed=1):
    """The same cell with other embeddings and ages in some frames, and another position of these."""
    embeddings, positions, ages = (part.clone() for part in cell)
    rng = np.random.default_rng(seed)
    embeddings[first:stop] = torch.from_numpy(rng.normal(size=(stop - first, 8)).astype(np.float32)) * 5
    ages[first:stop] += 1
    positions[first:stop] += 2
    return embeddings, positions, ages


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=15, deadline=None)
@given(length=st.integers(2, 12), seed=st.integers(0, 100), data=st.data())
def test_nothing_at_a_frame_depends_on_a_later_one(reading, length, seed, data):
    network = make_clock(READINGS[reading])
    at = data.draw(st.integers(1, length - 1))
    (cell,) = make_cells([length], seed)
    before, after = read(network, [cell])[0], read(network, [change_frames(cell, at, length)])[0]
    torch.testing.assert_close(before[:at], after[:at], atol=TOLERANCE, rtol=0)
    assert (before[at:] - after[at:]).abs().amax(dim=(1, 2)).min() > 1e-3  # what is changed is seen
    cut = read(network, [tuple(part[:at] for part in cell)])[0]
    torch.testing.assert_close(before[:at], cut, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 100))
def test_a_cell_alone_and_among_longer_ones_is_the_same(reading, lengths, seed):
    network, cells = make_clock(READINGS[reading]), make_cells(lengths, seed)
    for cell, together in zip(cells, read(network, cells), strict=True):
        torch.testing.assert_close(read(network, [cell])[0], together, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 100))
def test_read_at_the_last_frame_is_what_is_read_there_among_all(reading, lengths, seed):
    """Sequences both shorter and longer than the windows of the statistics."""
    network, cells = make_clock(READINGS[reading]), make_cells(lengths, seed)
    embeddings, positions, ages = (torch.cat(parts) for parts in zip(*cells, strict=True))
    with torch.inference_mode():
        last = network.read_last(embeddings, positions, torch.tensor(lengths), ages)
    expected = torch.stack([logits[-1] for logits in read(network, cells)])
    torch.testing.assert_close(last, expected, atol=TOLERANCE, rtol=0)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(4)))
def test_permuting_a_batch_permutes_the_result(order):
    network, cells = make_clock(READINGS["attention and statistics"]), make_cells([3, 7, 1, 5])
    logits = read(network, cells)
    for place, moved in zip(order, read(network, [cells[i] for i in order]), strict=True):
        torch.testing.assert_close(moved, logits[place], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("settings", "farthest"),
    [
        (architecture(1, history_frames=3, statistics_frames=(), age=False), 3),
        (architecture(2, history_frames=3, statistics_frames=(), age=False), 5),  # each layer looks back by 2 more
        (architecture(0, statistics_frames=(2, 4), age=False), 4),
        (architecture(1, history_frames=3, statistics_frames=(6,), age=False), 6),
    ],
)
def test_a_frame_looks_back_as_far_as_the_settings_say(settings, farthest):
    network = make_clock(settings)
    (cell,) = make_cells([12])
    embeddings, positions, ages = cell
    assert reach_frames(settings) == farthest
    for frame in range(1, 12):  # frame 0 also stands before a young cell's start
        changed = embeddings.clone()
        changed[frame] = torch.linspace(-9, 9, 8)
        before, after = read(network, [cell])[0], read(network, [(changed, positions, ages)])[0]
        seen = (before - after).abs().amax(dim=(1, 2)) > TOLERANCE
        assert not seen[frame + farthest :].any()
        assert seen[frame : frame + farthest].sum() == min(farthest, 12 - frame)


def test_age_is_looked_at_only_where_it_is_given():
    (cell,) = make_cells([5])
    older = (*cell[:2], cell[2] + 1)
    for name, matters in (("without age", False), ("statistics alone", True)):
        network = make_clock(READINGS[name])
        assert torch.equal(read(network, [cell])[0], read(network, [older])[0]) is not matters


def test_gaps_matter_to_attention_through_positions():
    (cell,) = make_cells([6])
    wider = (cell[0], torch.tensor([0, 1, 2, 9, 10, 11]), cell[2])
    for name, matters in (("attention alone", True), ("statistics alone", False)):
        network = make_clock(READINGS[name])
        assert torch.equal(read(network, [cell])[0], read(network, [wider])[0]) is not matters


def test_statistics_of_a_window_by_hand():
    network = make_clock(architecture(0, statistics_frames=(4,)))
    embeddings = torch.arange(1.0, 7.0)[:, None].repeat(1, 8)
    summary = network.summarise(embeddings, torch.tensor([6]))
    windows = [[1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]
    expected = [
        [np.mean(w), np.mean(w[-2:]) - np.mean(w[:2]), np.sqrt(np.var(w) + 1e-5)] for w in np.array(windows, float)
    ]
    np.testing.assert_allclose(summary[:, [0, 8, 16]], expected, rtol=1e-5)


def summarise_by_loop(embeddings_td, n_frames):
    """Mean, change and spread (T, 3 D) of the windows that end at each frame, in float64."""
    rows, ends = [], min(3, n_frames // 2)
    for t in range(len(embeddings_td)):
        window = embeddings_td[np.maximum(np.arange(t - n_frames + 1, t + 1), 0)].astype(np.float64)
        change = window[-ends:].mean(axis=0) - window[:ends].mean(axis=0)
        rows.append(np.concatenate([window.mean(axis=0), change, np.sqrt(window.var(axis=0) + 1e-5)]))
    return np.stack(rows)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 25), min_size=1, max_size=3), st.sampled_from([2, 3, 5, 6, 7, 20]), st.integers(0, 99))
@example([16], 2, 17)  # a small spread far from the first frame
def test_statistics_of_any_window_are_those_of_a_loop(lengths, n_frames, seed):
    rng = np.random.default_rng(seed)
    cells = [(rng.normal(size=(n, 8)).cumsum(axis=0) + rng.normal(size=8) * 5).astype(np.float32) for n in lengths]
    network = make_clock(architecture(0, statistics_frames=(n_frames,)))
    summary = network.summarise(torch.from_numpy(np.concatenate(cells)), torch.tensor(lengths))
    expected = np.concatenate([summarise_by_loop(cell, n_frames) for cell in cells])
    np.testing.assert_allclose(summary, expected, rtol=1e-4, atol=2e-5)  # float32, on values up to 30


def test_without_windows_the_summary_is_the_embeddings_themselves():
    (cell,) = make_cells([5])
    network = make_clock(architecture(1, statistics_frames=()))
    assert network.summarise(cell[0], torch.tensor([5])) is cell[0]


@pytest.mark.parametrize("reading", READINGS)
def test_frames_become_log_odds_of_every_event_in_every_bin(reading):
    network = make_clock(READINGS[reading])
    ((_, positions, ages),) = make_cells([5])
    frames = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = network(frames, positions, torch.tensor([5]), ages)
        assert logits.shape == (5, N_BINS, N_EVENTS)
        expected = network.read(network.encode(frames), positions, torch.tensor([5]), ages)
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("reading", READINGS)
def test_a_frame_that_is_alone_in_a_batch_of_training_is_scaled_as_those_before(reading):
    """The last batch of an epoch may hold one cell with one frame, which has no spread of its own."""
    network = make_clock(READINGS[reading]).train()
    network.head.eval()  # no dropout
    for layer in network.layers:
        layer.eval()
    [cell] = make_cells([1])
    read(network, make_cells([5, 7], seed=2))
    seen = network.scale.running_mean.clone()
    [alone] = read(network, [cell])
    torch.testing.assert_close(network.scale.running_mean, seen)
    torch.testing.assert_close(alone, read(network.eval(), [cell])[0])


def test_gradients_reach_every_parameter():
    network = make_clock(READINGS["attention and statistics"], n_features=3).train()
    (cell,) = make_cells([6])
    embeddings = network.encode(torch.randn(6, 2, 8, 8))
    logits = network.read(embeddings, cell[1], torch.tensor([6]), cell[2])
    (logits.sum() + network.tell_features(embeddings).sum()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_before_training_events_are_rare():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FateClock(architecture(), 2, N_BINS, N_EVENTS, 0).eval()
    hazards = hazards_of(torch.cat(read(network, make_cells([9]))))
    assert 0.01 < float(hazards.mean()) < 0.06  # exp(-3.5) is .03


def test_hazards_are_a_softmax_against_nothing_happening():
    hazards = hazards_of(torch.log(torch.tensor([[[1.0, 2.0], [0.5, 0.5]]])))
    torch.testing.assert_close(hazards, torch.tensor([[[0.25, 0.5], [0.25, 0.25]]]))


@given(st.lists(st.floats(-9, 9), min_size=6, max_size=6))
def test_log_incidence_is_the_log_of_the_incidence_of_the_hazards(logits):
    logits_nke = torch.tensor(logits, dtype=torch.float64).view(1, 3, 2)
    found = log_incidence_of(logits_nke).exp().numpy()
    expected = cumulative_incidence(hazards_of(logits_nke).numpy())
    np.testing.assert_allclose(found[..., :2], expected, rtol=1e-9)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-9)


def test_looking_back_on_one_layer_by_hand():
    network = make_clock(architecture(1, history_frames=2))
    (cell,) = make_cells([4])
    with torch.inference_mode():
        attention_t, rolled_t = network.look_back(cell[0], cell[1])
    assert (attention_t[:2] == 0).all()  # beyond the history
    assert float(attention_t.sum()) == pytest.approx(1)
    torch.testing.assert_close(rolled_t, (torch.tensor([0.0, 0.0, 0.0, 1.0]) + attention_t) / 2)


@given(st.lists(st.floats(-30, 30), min_size=3, max_size=3))
def test_hazards_sum_to_less_than_one(logits):
    hazards = hazards_of(torch.tensor([[logits]], dtype=torch.float64))
    assert (hazards > 0).all()
    assert float(hazards.sum()) <= 1
    against = torch.exp(torch.tensor(logits, dtype=torch.float64))
    torch.testing.assert_close(hazards[0, 0], against / (1 + against.sum()))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ModelSettings(causal=CausalSettings()), "causal\n  Extra inputs are not permitted"),
        (
            lambda: ClockNetworkSettings(causal=None),
            "causal\n  Input should be a valid dictionary or instance of Causal",
        ),
        (lambda: architecture(0, statistics_frames=()), "so the past would not be seen"),
        (lambda: CausalSettings(statistics_frames=(10, 1)), r"statistics_frames is \[10, 1\]; a window needs at least"),
        (lambda: BlendSettings(parts=("network", "network")), "names a part twice"),
    ],
)
def test_settings_that_contradict_are_named(make, words):
    with pytest.raises(ValidationError, match=words):
        make()


def test_a_mask_channel_where_an_earlier_version_had_it_is_read():
    """Within `causal`, in model folders that were written before the classifier had one too."""
    for shown in (True, False):
        written = ClockNetworkSettings(mask_channel=shown).model_dump()
        del written["mask_channel"]
        written["causal"]["mask_channel"] = shown
        assert ClockNetworkSettings(**written) == ClockNetworkSettings(mask_channel=shown)
    with pytest.raises(ValidationError, match=r"causal\.mask_channel\n  Extra inputs are not permitted"):
        ClockNetworkSettings(**{**written, "mask_channel": True})


def test_the_network_of_the_clock_reads_causally_without_being_told():
    settings = ClockNetworkSettings()
    assert settings.causal == CausalSettings()
    assert reach_frames(settings) == 39  # 2 layers of 20 frames
    assert (settings.mask_channel, ModelSettings().mask_channel) == (True, False)
    FateClock(settings, 2, N_BINS, N_EVENTS, 0)
