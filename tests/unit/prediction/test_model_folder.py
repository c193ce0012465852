import json

import numpy as np
import pytest
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.pipelines.model_training.nodes import train_model
from cellfate.prediction import TrainedModel, load_fold, load_model_folder, save_model_folder
from tests.cases.trained_models import TINY_MODEL, tiny_study, tiny_training


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    study = tiny_study(folder)
    tables = (study.samples, study.splits, study.normalisation, study.recordings)
    training = tiny_training(folder, max_epochs=1)
    return train_model(study.crops, *tables, study.sample_settings, TINY_MODEL, training)[0]


@pytest.fixture
def folder(model, tmp_path):
    save_model_folder(model, tmp_path / "model")
    return tmp_path / "model"


def test_a_round_trip_is_identity(model, folder):
    loaded = load_model_folder(folder)
    assert loaded.config.model_copy(update={"weights_digest": ""}) == model.config
    assert loaded.weights.keys() == model.weights.keys()
    for name, value in model.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value)
        assert loaded.weights[name].dtype == value.dtype


def test_the_folder_holds_three_files_and_no_pickle(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "weights.safetensors"]
    config = json.loads((folder / "config.json").read_text())
    assert config["channels"] == ["circadian", "p53"]
    assert "checkpoint_folder" not in config["training"]
    card = (folder / "README.md").read_text()
    for words in ("Intended use", "circadian, p53", config["data_digest"], "balanced_accuracy", "Limits"):
        assert words in card


def test_saving_replaces_an_older_model_and_a_half_written_one(model, folder):
    (folder / "stale.txt").write_text("old")
    partial = folder.with_name("model.partial")
    partial.mkdir()
    (partial / "weights.safetensors").write_text("half")
    save_model_folder(model, folder)
    assert not partial.exists()
    assert not (folder / "stale.txt").exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no model folder .*nowhere; .*run model_training"):
        load_model_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"has no {name}"):
        load_model_folder(folder)


@pytest.mark.parametrize("text", ["{", '{"format_version": 2}', "[]"])
def test_a_config_of_something_else_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json does not describe a classifier"):
        load_model_folder(folder)


def test_truncated_weights_are_refused(folder):
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match="their digests differ"):
        load_model_folder(folder)


def test_weights_that_are_no_safetensors_are_refused(folder):
    import hashlib
    import pickle

    content = pickle.dumps({"fold_0.head.weight": 1})
    (folder / "weights.safetensors").write_bytes(content)
    config = json.loads((folder / "config.json").read_text()) | {"weights_digest": hashlib.sha256(content).hexdigest()}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="not readable as safetensors"):
        load_model_folder(folder)


def test_weights_of_another_architecture_are_refused(model):
    wider = model.config.architecture.model_copy(update={"feed_forward_size": 99})
    other = TrainedModel(model.config.model_copy(update={"architecture": wider}), model.weights)
    with pytest.raises(InputError, match="weights of fold 0 do not fit the architecture"):
        load_fold(other, 0)


def test_a_fold_without_member_is_named(model):
    with pytest.raises(InputError, match=r"members of folds \[0\] but not of fold 4"):
        load_fold(model, 4)


def test_statistics_match_the_channels(model):
    member = model.config.members[0].model_dump() | {"mean": (1.0,)}
    with pytest.raises(ValidationError, match="1 means and 2 deviations but there are 2 channels"):
        type(model.config)(**(model.config.model_dump() | {"members": [member]}))
