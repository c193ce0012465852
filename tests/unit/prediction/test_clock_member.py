"""What a member of the fate clock reads, alone and at a landmark."""

from dataclasses import replace

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.prediction.clock_at_landmark import ClockAtLandmark
from cellfate.prediction.clock_member import load_clock_member, read_landmarks
from cellfate.statistics.incidence import cumulative_incidence

TOLERANCE = 1e-5  # float32 sums in another order


def assert_same_reading(one, other, n_frames):
    for read, again in zip(one, other, strict=True):
        np.testing.assert_allclose(read[:n_frames], again[:n_frames], atol=TOLERANCE)


@pytest.mark.parametrize("with_masks", [True, False])
def test_a_reading_is_of_the_frames_so_far(clock, with_masks):
    """From pixels to hazards: neither cutting later frames off nor drawing anything into them changes a frame."""
    sequence, member = clock.read(), load_clock_member(clock.model, 0)
    if not with_masks:  # a threshold finds the cell
        sequence = replace(sequence, masks_thw=None)
    whole = member.read_cell(sequence)
    assert whole[0].shape == (len(sequence.frame_numbers_t), 4, 2)
    for n_frames in (1, 4, len(sequence.frame_numbers_t) - 1):
        assert_same_reading(member.read_cell(sequence.take(np.arange(n_frames))), whole, n_frames)
        frames = sequence.frames_tchw.copy()
        frames[n_frames:] = np.random.default_rng(0).integers(0, 60000, frames[n_frames:].shape)
        noisy = member.read_cell(replace(sequence, frames_tchw=frames))
        assert_same_reading(noisy, whole, n_frames)
        assert (np.abs(noisy[0] - whole[0])[n_frames:].max(axis=(1, 2)) > 1e-4).all()


def test_age_counts_from_the_first_tracked_frame_also_when_that_is_not_shown(clock):
    """Beyond the reach of the network (5 frames here) only the age is left of earlier frames."""
    sequence, member = clock.read(), load_clock_member(clock.model, 0)
    whole, first = member.read_cell(sequence), int(sequence.frame_numbers_t[0])
    later = sequence.take(np.arange(2, len(sequence.frame_numbers_t)))
    shown = member.read_cell(later, first)
    np.testing.assert_allclose(shown[0][4:], whole[0][6:], atol=TOLERANCE)
    assert np.abs(member.read_cell(later)[0][4:] - whole[0][6:]).max() > 1e-4


def test_small_batches_of_the_encoder_change_nothing(clock, monkeypatch):
    sequence, member = clock.read(), load_clock_member(clock.model, 0)
    whole = member.read_cell(sequence)
    monkeypatch.setattr("cellfate.prediction.member.ENCODER_FRAMES", 3)
    assert_same_reading(member.read_cell(sequence), whole, len(sequence.frame_numbers_t))


def test_landmarks_are_read_in_any_order_and_each_at_its_own_frame(clock):
    study, member = clock.study, load_clock_member(clock.model, 1)
    landmarks = study.landmarks.iloc[[7, 0, 3, 1]]
    hazards, inputs = read_landmarks(study.crops, landmarks, member)
    assert list(inputs.index) == list(landmarks.index)
    for place, (_, row) in enumerate(landmarks.iterrows()):
        alone = member.read_cell(study.crops.read(row["recording_id"], row["cell_id"], last_frame=row["last_frame"]))
        np.testing.assert_allclose(hazards[place], alone[0][-1], atol=TOLERANCE)
        np.testing.assert_allclose(inputs.iloc[place], alone[1][-1], atol=TOLERANCE)


def test_a_landmark_without_a_crop_is_named(clock):
    landmarks = clock.study.landmarks.iloc[:1].assign(last_frame=500)
    with pytest.raises(InputError, match="has no crop in frame 500; run data_processing again"):
        read_landmarks(clock.study.crops, landmarks, load_clock_member(clock.model, 0))


def test_crops_unlike_the_models_are_refused(clock):
    sequence = clock.read()
    with pytest.raises(InputError, match=r"crops of \(channels, rows, columns\) \(1, 8, 8\)"):
        load_clock_member(clock.model, 0).read_cell(replace(sequence, frames_tchw=sequence.frames_tchw[:, :1]))


def bind(clock, sequence, bin_number=2):
    member, first = load_clock_member(clock.model, 0), int(sequence.frame_numbers_t[0])
    return ClockAtLandmark(member, first, first, sequence.frame_interval_min, bin_number)


def test_at_a_landmark_the_clock_says_the_same(clock):
    sequence = clock.read()
    bound, positions = bind(clock, sequence), sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    embeddings = bound.encode(bound.prepare(sequence))
    logs = bound.logits([embeddings[:5], embeddings], [positions[:5], positions])
    incidence = cumulative_incidence(bound.member.read_cell(sequence)[0])[[4, -1], 2]
    np.testing.assert_allclose(np.exp(logs[:, :2]), incidence, atol=TOLERANCE)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1)


def test_the_gradient_at_a_landmark_is_the_slope_of_the_log_odds(clock):
    sequence = clock.read()
    bound, positions = bind(clock, sequence), sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    frames = bound.prepare(sequence)
    gradient = bound.input_gradients(frames, positions, 1)
    step = 1e-2 * gradient / np.linalg.norm(gradient)
    logs = [bound.logits([bound.encode(frames + way * step)], [positions])[0] for way in (1, -1)]
    odds = [log[1] - np.logaddexp(log[0], log[2]) for log in logs]
    assert (odds[0] - odds[1]) / 2 == pytest.approx(float((gradient * step).sum()), rel=0.05)
