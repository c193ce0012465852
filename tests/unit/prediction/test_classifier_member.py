"""What a member of the classifier reads."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cellfate.core.errors import InputError
from cellfate.features.measurements import find_masks
from cellfate.prediction.classifier_member import load_classifier_member, probabilities_of
from cellfate.prediction.embeddings import embed_landmarks
from cellfate.prediction.predictor import Predictor
from tests.cases.crop_stores import tiny_study
from tests.cases.trained_models import train_tiny_classifier
from tests.cases.trainings import TINY_MODEL

TOLERANCE = 1e-5  # float32 sums in another order


@pytest.fixture(scope="module")
def embedded(classifier):
    return embed_landmarks(classifier.study.crops, classifier.study.landmarks, classifier.model, 0)


def test_landmarks_of_a_cell_are_as_if_encoded_alone(classifier, embedded):
    member, landmarks = load_classifier_member(classifier.model, 0), classifier.study.landmarks
    assert embedded.landmark_ids == tuple(landmarks["landmark_id"])
    for place in (5, 0, 3):
        row = landmarks.iloc[place]
        sequence = classifier.study.crops.read(
            row["recording_id"], row["cell_id"], row["first_frame"], row["last_frame"]
        )
        alone = member.encode(member.prepare(sequence))
        np.testing.assert_allclose(embedded.embeddings[place], alone, atol=TOLERANCE)
        np.testing.assert_array_equal(embedded.positions[place], sequence.frame_numbers_t - row["first_frame"])
        assert len(embedded.positions[place]) == row["n_frames"]
    probabilities = member.probabilities(embedded.embeddings, embedded.positions)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_mask_that_the_network_sees_is_the_trackers_or_is_found_and_counts(classifier, tmp_path):
    seeing = TINY_MODEL.model_copy(update={"mask_channel": True})
    model = train_tiny_classifier(classifier.study, tmp_path, seeing)
    member, sequence = load_classifier_member(model, 0), classifier.read()
    found = find_masks(sequence, model.config.channels, model.config.features)
    others = ~found & sequence.inside_thw
    given = replace(sequence, masks_thw=others)
    prepared = [member.prepare(shown) for shown in (sequence, given)]
    np.testing.assert_array_equal([frames[:, -1] for frames in prepared], [found, others])
    positions = sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    here, elsewhere = (member.logits([member.encode(frames)], [positions]) for frames in prepared)
    assert abs(here - elsewhere) > 1e-4
    rows = classifier.study.landmarks.head(2)
    embedded = embed_landmarks(classifier.study.crops, rows, model, 0)
    alone = member.encode(member.prepare(sequence))[: len(embedded.positions[0])]
    np.testing.assert_allclose(embedded.embeddings[0], alone, atol=TOLERANCE)
    table = Predictor(model).forecast_arrays(sequence.frames_tchw, model.config.channels, 30.0)
    assert table["missing"].tolist() == ["mask, frame numbers"]


def test_the_order_of_sequences_does_not_matter(classifier, embedded):
    member = load_classifier_member(classifier.model, 0)
    turned = member.logits(embedded.embeddings[::-1], embedded.positions[::-1])[::-1]
    np.testing.assert_allclose(member.logits(embedded.embeddings, embedded.positions), turned, atol=TOLERANCE)


def test_attention_and_rollout_are_given_per_frame_and_sum_to_one(classifier, embedded):
    member = load_classifier_member(classifier.model, 0)
    for read in (member.attention, member.rollout):
        weights = read(embedded.embeddings, embedded.positions)
        assert [len(weights_t) for weights_t in weights] == [n + 1 for n in classifier.study.landmarks["n_frames"]]
        np.testing.assert_allclose([weights_t.sum() for weights_t in weights], 1, atol=TOLERANCE)


def test_the_gradient_is_the_slope_of_the_log_odds(classifier):
    """A step against the finite difference along the gradient itself, for either outcome."""
    member = load_classifier_member(classifier.model, 0)
    frames, positions = member.prepare(classifier.read()), np.arange(len(classifier.read().frame_numbers_t))
    for number, sign in ((0, 1), (1, -1)):
        gradient = member.input_gradients(frames, positions, number)
        step = 1e-2 * gradient / np.linalg.norm(gradient)
        ends = [member.logits([member.encode(frames + way * step)], [positions])[0, 0] for way in (1, -1)]
        slope = sign * (float(ends[0]) - float(ends[1])) / 2
        assert slope == pytest.approx(float((gradient * step).sum()), rel=0.05)


def test_small_batches_change_nothing(classifier, embedded, monkeypatch):
    member = load_classifier_member(classifier.model, 0)
    frames = member.prepare(classifier.read())
    whole = member.encode(frames), member.logits(embedded.embeddings, embedded.positions)
    monkeypatch.setattr("cellfate.prediction.member.ENCODER_FRAMES", 2)
    monkeypatch.setattr("cellfate.prediction.member.PACKED_TOKENS", 20)
    np.testing.assert_allclose(member.encode(frames), whole[0], atol=TOLERANCE)
    np.testing.assert_allclose(member.logits(embedded.embeddings, embedded.positions), whole[1], atol=TOLERANCE)


def test_no_frames_encode_to_nothing_and_cannot_be_classified(classifier):
    member = load_classifier_member(classifier.model, 0)
    nothing = member.encode(np.zeros((0, 2, 8, 8), np.float32))
    assert nothing.shape == (0, 16)
    with pytest.raises(ValueError, match="1 of 1 sequences have no frames"):
        member.logits([nothing], [np.zeros(0, np.int64)])


def test_logits_become_probabilities():
    np.testing.assert_allclose(probabilities_of(np.array([[np.log(3)]])), [[0.75, 0.25]])
    expected = torch.tensor([[1.0, 2.0, 800.0]]).double().softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities_of(np.array([[1.0, 2.0, 800.0]])), expected)


def test_landmarks_without_crops_are_named(classifier):
    landmarks = classifier.study.landmarks.iloc[:1].assign(first_frame=500, last_frame=600)
    with pytest.raises(InputError, match="has no crops in frames 500 to 600"):
        embed_landmarks(classifier.study.crops, landmarks, classifier.model, 0)


def test_crops_of_another_size_are_refused(classifier, tmp_path):
    larger = tiny_study(tmp_path, size=12, channels=2)
    with pytest.raises(InputError, match=r"crops of \(channels, rows, columns\) \(2, 12, 12\) .* \(2, 8, 8\)"):
        embed_landmarks(larger.crops, larger.landmarks, classifier.model, 0)
