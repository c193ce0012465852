"""Networks that read traces: what they are shown, and that they find what decides."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cellfate.cohort.questions import list_questions
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.features.settings import ContextSettings
from cellfate.models.settings import BlendSettings, BoostingSettings, CausalSettings, ClockNetworkSettings
from cellfate.pipelines.model_training.traces import train_trace_networks
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.forecasts import forecast_clock
from cellfate.prediction.model_folder import load_model_folder, save_model_folder
from cellfate.prediction.weighing import weigh_blend
from cellfate.training.settings import ClockTrainingSettings
from tests.cases.trace_tables import PLANTED_FOLLOW_UP, plant_reporter

NETWORK = ClockNetworkSettings(
    encoder="features",
    columns=("tracker_red",),
    columns_size=8,
    embedding_size=8,
    n_layers=1,
    n_heads=2,
    feed_forward_size=8,
    dropout=0.0,
    causal=CausalSettings(history_frames=6, statistics_frames=(4,), hidden_size=8),
)
BLEND = BlendSettings(boosting=BoostingSettings(n_trees=5, min_samples_leaf=10))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return plant_reporter(tmp_path_factory.mktemp("traces"))


def train(study, folder, network=NETWORK, **changes):
    given = {"max_epochs": 25, "patience_epochs": 25, "learning_rate": 0.01, "max_frames_per_batch": 400}
    training = ClockTrainingSettings(**(given | changes), checkpoint_folder=str(folder))
    questions = list_questions(study.follow_ups, study.landmarks, PLANTED_FOLLOW_UP)
    tables = (study.follow_ups, questions, study.splits, study.frame_features)
    return train_trace_networks(*tables, PLANTED_FOLLOW_UP, network, training, BLEND, ContextSettings(names=("age",)))


@pytest.fixture(scope="module")
def model(study, tmp_path_factory):
    networks, _ = train(study, tmp_path_factory.mktemp("checkpoints"))
    asked = (study.landmarks, study.splits, study.frame_features)
    return weigh_blend(*asked, boost_clock(*asked, networks))


def forecast(study, model):
    asked = (study.detections, study.follow_ups, study.splits, study.frame_features)
    return forecast_clock(None, *asked, model)


def test_the_network_finds_the_column_that_decides(study, model):
    """Who divides within 3 h (and not within the guard of 1 h) has been red for an hour or more."""
    table = forecast(study, model)
    own = table[(table["predictor"] == "network") & (table["part"] == "test") & (table["within_h"] == 3)]
    asked = own.merge(study.follow_ups[[*CELL, "fate", "end_frame"]], on=CELL)
    divides = (asked["fate"] == "mitosis") & ((asked["end_frame"] - asked["frame"]) * 0.5 <= 3)
    assert 30 < divides.sum() < len(divides) / 2
    assert roc_auc_score(divides, asked["p_mitosis"]) > 0.9


def test_without_images_there_are_no_channels_and_the_folder_says_which_columns_are_read(study, model, tmp_path):
    save_model_folder(model, tmp_path / "model")
    saved = load_model_folder(tmp_path / "model")
    assert not saved.config.reads_images
    assert saved.config.has_networks
    assert [scale.name for scale in saved.config.members[0].columns] == ["tracker_red"]
    card = (tmp_path / "model" / "README.md").read_text()
    assert "traces, without images" in card
    assert "columns of measurements: tracker_red" in card
    np.testing.assert_array_equal(forecast(study, saved)["p_mitosis"], forecast(study, model)["p_mitosis"])


def test_a_network_that_reads_images_is_refused(study, tmp_path):
    with pytest.raises(InputError, match=r"clock_network\.encoder is small_cnn, which reads images"):
        train(study, tmp_path, NETWORK.model_copy(update={"encoder": "small_cnn"}))


def test_nothing_is_pretrained_whatever_the_settings_say(study, tmp_path):
    """There is no encoder that could stay as it is; the layers of columns learn with the rest."""
    changes = {"max_epochs": 1, "seed": 3}
    plain, _ = train(study, tmp_path, pretraining_epochs=0, encoder_rate=1.0, **changes)
    asked, _ = train(study, tmp_path, pretraining_epochs=4, encoder_rate=0.0, **changes)
    assert plain.weights.keys() == asked.weights.keys()
    for name, values in plain.weights.items():
        np.testing.assert_array_equal(values, asked.weights[name])
    assert any(name.startswith("fold_0.columns.") for name in plain.weights)
