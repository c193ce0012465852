import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.training.augmentation import augment_frames, choose_frames
from cellfate.training.settings import AugmentationSettings, TrackAugmentationSettings


def only(**changes):
    return TrackAugmentationSettings(**({"flip_and_rotate": False, "drop_end_share": 0} | changes))


def test_an_input_is_never_changed():
    frames = np.random.default_rng(0).normal(size=(3, 2, 8, 8)).astype(np.float32)
    before = frames.copy()
    for seed in range(8):
        changed = augment_frames(frames, AugmentationSettings(blur_share=1), np.random.default_rng(seed))
        assert changed.shape == frames.shape
    np.testing.assert_array_equal(frames, before)


def test_parts_are_absent_by_channel_in_stretches_and_never_changed_otherwise():
    frames = np.ones((9, 2, 3, 3), dtype=np.float32)
    shares = []
    for seed in range(200):
        shown = augment_frames(frames, only(absent_share=1.0), np.random.default_rng(seed))
        present = shown[:, :, 0, 0]
        assert set(np.unique(shown)) <= {0.0, 1.0}
        assert (shown == present[:, :, None, None]).all()
        assert (present.reshape(3, 3, 2) == present.reshape(3, 3, 2)[:, :1]).all()  # stretches of three frames
        shares.append(present.mean())
    assert 0.4 < np.mean(shares) < 0.6
    assert (min(shares), max(shares)) == (0.0, 1.0)
    half = [augment_frames(frames, only(absent_share=0.5), np.random.default_rng(s)).all() for s in range(200)]
    assert 0.5 < np.mean(half) < 0.7  # and a few of the others are whole by chance


def test_turning_keeps_pixels_and_treats_frames_alike():
    frames = np.arange(2 * 1 * 4 * 4, dtype=np.float32).reshape(2, 1, 4, 4)
    seen = set()
    for seed in range(60):
        turned = augment_frames(frames, only(flip_and_rotate=True), np.random.default_rng(seed))
        np.testing.assert_array_equal(turned[1] - turned[0], np.full((1, 4, 4), 16))
        np.testing.assert_array_equal(np.sort(turned[0], axis=None), np.sort(frames[0], axis=None))
        seen.add(turned[0].tobytes())
    assert len(seen) == 8  # the symmetries of a square


def test_crops_that_are_not_square_keep_their_shape():
    frames = np.zeros((1, 1, 4, 6), dtype=np.float32)
    turned = [augment_frames(frames, only(flip_and_rotate=True), np.random.default_rng(s)).shape for s in range(9)]
    assert set(turned) == {(1, 1, 4, 6)}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 10_000))
def test_dropped_ends_leave_the_start_and_at_least_half(n_frames, seed):
    kept = choose_frames(n_frames, only(drop_end_share=1.0), np.random.default_rng(seed))
    np.testing.assert_array_equal(kept, np.arange(len(kept)))
    assert max(1, np.floor(0.5 * n_frames)) <= len(kept) <= max(1, np.ceil(0.9 * n_frames))


def test_shown_frames_are_drawn_in_order():
    shown = choose_frames(30, only(shown_frames=10), np.random.default_rng(0))
    assert len(shown) == 10
    assert (np.diff(shown) > 0).all()


def test_a_network_that_reads_every_frame_is_shown_every_frame():
    np.testing.assert_array_equal(choose_frames(30, AugmentationSettings(), np.random.default_rng(0)), np.arange(30))
    with pytest.raises(ValidationError, match="drop_end_share\n  Extra inputs are not permitted"):
        AugmentationSettings(drop_end_share=0.5)


def test_settings_that_contradict_are_named():
    with pytest.raises(ValidationError, match=r"drop_end_least 0.8 is more than drop_end_most 0.5"):
        TrackAugmentationSettings(drop_end_least=0.8)
