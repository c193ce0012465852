from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from cellfate.core.errors import InputError
from cellfate.core.tables import Predictions
from cellfate.crops.digest import digest_data
from cellfate.pipelines.model_training.nodes import train_model
from cellfate.prediction import (
    FatePredictor,
    embed_samples,
    load_fold,
    predict_samples,
    save_model_folder,
)
from cellfate.prediction.fold_model import probabilities_of
from tests.cases.trained_models import TINY_MODEL, tiny_study, tiny_training

TOLERANCE = 1e-5  # float32 sums in another order


def train(folder, **kind):
    study = tiny_study(folder, **kind)
    tables = (study.samples, study.splits, study.normalisation, study.recordings)
    training = tiny_training(folder, max_epochs=1)
    return study, train_model(study.crops, *tables, study.sample_settings, TINY_MODEL, training)[0]


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    return train(tmp_path_factory.mktemp("folds"), scheme="grouped_folds")


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory):
    return train(tmp_path_factory.mktemp("landmarks"), kind="landmark")


def read_sequences(study, samples):
    return [
        study.crops.read(row.recording_id, row.cell_id, row.first_frame, row.last_frame)
        for row in samples.itertuples(index=False)
    ]


def test_every_fold_is_predicted_by_its_own_member(folds):
    study, model = folds
    predictions = predict_samples(study.crops, study.samples, study.splits, model)
    Predictions.validate(predictions)
    asked = study.splits[study.splits["part"] != "train"]
    keys = ["fold", "part", "sample_id"]
    assert sorted(map(tuple, predictions[keys].to_numpy())) == sorted(map(tuple, asked[keys].to_numpy()))
    np.testing.assert_allclose(predictions["p_apoptosis"] + predictions["p_mitosis"], 1)
    assert (predictions["call"] == "apoptosis").equals(predictions["p_apoptosis"] >= 0.5)
    row = predictions[predictions["fold"] == 1].iloc[0]
    sample = study.samples[study.samples["sample_id"] == row["sample_id"]]
    member = load_fold(model, 1)
    (sequence,) = read_sequences(study, sample)
    positions = sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    own = member.probabilities([member.encode(member.prepare(sequence))], [positions])
    assert own[0, 0] == pytest.approx(row["p_apoptosis"], abs=TOLERANCE)


def test_windows_cut_from_a_track_are_as_if_encoded_alone(landmarks):
    study, model = landmarks
    samples = study.samples.iloc[[5, 0, 3]]
    member = load_fold(model, 0)
    embedded = embed_samples(study.crops, samples, model, 0)
    assert embedded.sample_ids == tuple(samples["sample_id"])
    for place, sequence in enumerate(read_sequences(study, samples)):
        alone = member.encode(member.prepare(sequence))
        np.testing.assert_allclose(embedded.embeddings[place], alone, atol=TOLERANCE)
        np.testing.assert_array_equal(embedded.frame_numbers[place], sequence.frame_numbers_t)
        assert embedded.positions[place][0] == 0
    probabilities = member.probabilities(embedded.embeddings, embedded.positions)
    assert probabilities.shape == (3, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_the_order_of_sequences_does_not_matter(folds):
    study, model = folds
    member = load_fold(model, 0)
    embedded = embed_samples(study.crops, study.samples, model, 0)
    turned = member.logits(embedded.embeddings[::-1], embedded.positions[::-1])[::-1]
    np.testing.assert_allclose(member.logits(embedded.embeddings, embedded.positions), turned, atol=TOLERANCE)


def test_attention_is_given_per_frame_and_sums_to_one(folds):
    study, model = folds
    embedded = embed_samples(study.crops, study.samples, model, 0)
    attention = load_fold(model, 0).attention(embedded.embeddings, embedded.positions)
    assert [len(weights) for weights in attention] == [n + 1 for n in study.samples["n_frames"]]
    np.testing.assert_allclose([weights.sum() for weights in attention], 1, atol=TOLERANCE)


def test_small_batches_change_nothing(folds, monkeypatch):
    study, model = folds
    member = load_fold(model, 0)
    frames = member.prepare(read_sequences(study, study.samples.iloc[:1])[0])
    embedded = embed_samples(study.crops, study.samples, model, 0)
    whole = member.encode(frames), member.logits(embedded.embeddings, embedded.positions)
    monkeypatch.setattr("cellfate.prediction.fold_model.ENCODER_FRAMES", 2)
    monkeypatch.setattr("cellfate.prediction.fold_model.PADDED_TOKENS", 20)
    np.testing.assert_allclose(member.encode(frames), whole[0], atol=TOLERANCE)
    np.testing.assert_allclose(member.logits(embedded.embeddings, embedded.positions), whole[1], atol=TOLERANCE)


def test_no_frames_encode_to_nothing_and_cannot_be_classified(folds):
    _, model = folds
    member = load_fold(model, 0)
    nothing = member.encode(np.zeros((0, 2, 8, 8), np.float32))
    assert nothing.shape == (0, 16)
    with pytest.raises(ValueError, match="1 of 1 sequences have no frames"):
        member.logits([nothing], [np.zeros(0, np.int64)])


def test_logits_become_probabilities():
    np.testing.assert_allclose(probabilities_of(np.array([[np.log(3)]])), [[0.75, 0.25]])
    expected = torch.tensor([[1.0, 2.0, 800.0]]).double().softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities_of(np.array([[1.0, 2.0, 800.0]])), expected)


def test_the_predictor_means_over_members_and_needs_no_kedro(folds, tmp_path):
    study, model = folds
    save_model_folder(model, tmp_path / "model")
    predictor = FatePredictor.from_folder(tmp_path / "model")
    samples = study.samples.iloc[:4]
    table = predictor.predict_samples(study.crops, samples)
    members = [
        load_fold(model, fold).probabilities(embedded.embeddings, embedded.positions)[:, 0]
        for fold in (0, 1)
        for embedded in [embed_samples(study.crops, samples, model, fold)]
    ]
    np.testing.assert_allclose(table["p_apoptosis"], np.mean(members, axis=0), atol=TOLERANCE)
    sequences = predictor.predict_sequences(read_sequences(study, samples))
    np.testing.assert_allclose(sequences["p_apoptosis"], table["p_apoptosis"], atol=TOLERANCE)
    assert list(sequences["cell_id"]) == list(samples["cell_id"])
    assert list(sequences["last_frame"]) == list(samples["last_frame"])


def test_no_sequences_give_an_empty_table(folds):
    table = FatePredictor(folds[1]).predict_sequences([])
    assert len(table) == 0
    assert {"recording_id", "cell_id", "last_frame", "call", "p_apoptosis", "p_mitosis"} == set(table.columns)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": ("p53", "gfp")}, r"trained on channels \(circadian, p53\) but recording 00 has \(p53, gfp\)"),
        ({"frame_interval_min": 10.0}, "a frame every 30 min but recording 00 has one every 10 min"),
    ],
)
def test_sequences_unlike_the_models_are_refused(folds, changes, words):
    study, model = folds
    (sequence,) = read_sequences(study, study.samples.iloc[:1])
    with pytest.raises(InputError, match=words):
        FatePredictor(model).predict_sequences([replace(sequence, **changes)])


def test_crops_of_another_size_are_refused(folds, tmp_path):
    _, model = folds
    larger = tiny_study(tmp_path, size=12)
    with pytest.raises(InputError, match="crops of 12 x 12 px but the model was trained on 8 x 8 px"):
        FatePredictor(model).predict_samples(larger.crops, larger.samples)
    with pytest.raises(InputError, match=r"crops of \(channels, rows, columns\) \(2, 12, 12\)"):
        embed_samples(larger.crops, larger.samples, model, 0)


def test_samples_without_crops_are_named(folds):
    study, model = folds
    samples = study.samples.iloc[:1].assign(first_frame=500, last_frame=600)
    with pytest.raises(InputError, match="has no crops in frames 500 to 600"):
        embed_samples(study.crops, samples, model, 0)


def test_a_model_is_not_tested_on_other_splits_than_it_was_trained_with(folds):
    study, model = folds
    moved = study.splits.assign(fold=1 - study.splits["fold"])
    with pytest.raises(InputError, match="run its training"):
        predict_samples(study.crops, study.samples, moved, model)


def test_the_digest_does_not_depend_on_how_a_table_is_held(folds, tmp_path):
    study, _ = folds
    study.samples.to_parquet(tmp_path / "samples.parquet")
    again = pd.read_parquet(tmp_path / "samples.parquet").astype({"sample_id": object})
    digest = digest_data(study.crops, study.samples, study.splits)
    assert digest == digest_data(study.crops, again, study.splits)
    assert digest != digest_data(study.crops, study.samples.iloc[1:], study.splits)
