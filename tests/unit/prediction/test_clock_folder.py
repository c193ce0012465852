import json
import pickle

import numpy as np
import pytest
from kedro.io import DatasetError

from cellfate.core.errors import InputError
from cellfate.datasets.model_folder import ModelFolderDataset
from cellfate.prediction import TrainedClock, load_clock_folder, load_model_folder, save_model_folder
from cellfate.prediction.clock_member import load_clock_member
from tests.cases.trained_models import tiny_clock, untrained_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return tiny_clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def folder(trained, tmp_path):
    save_model_folder(trained[1], tmp_path / "clock")
    return tmp_path / "clock"


def test_a_round_trip_is_identity(trained, folder):
    study, model = trained
    loaded = load_clock_folder(folder)
    assert loaded.config.model_copy(update={"weights_digest": "", "boosters_digest": ""}) == model.config
    assert loaded.weights.keys() == model.weights.keys()
    for name, value in model.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value)
        assert loaded.weights[name].dtype == value.dtype
    assert loaded.boosters == model.boosters
    assert {name.split(".")[0] for name in loaded.boosters} == {"fold_0", "fold_1"}
    one, other = (load_clock_member(each, 1).read_cell(study.read_cell()) for each in (model, loaded))
    np.testing.assert_array_equal(one.hazards_tke, other.hazards_tke)


def test_the_folder_holds_four_files_and_no_pickle(folder):
    names = ["README.md", "boosters.json", "config.json", "weights.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    config = json.loads((folder / "config.json").read_text())
    assert config["kind"] == "fate_clock"
    assert "checkpoint_folder" not in config["training"]
    assert all(isinstance(text, str) for text in json.loads((folder / "boosters.json").read_text()).values())


def test_the_card_says_what_is_forecast_and_where_it_ends(folder):
    card = (folder / "README.md").read_text()
    config = json.loads((folder / "config.json").read_text())
    for words in (
        "# Fate clock",
        "apoptosis and mitosis over the coming 3 h, in bins of 1 h, given that nothing happens within 1 h",
        "network, boosting on features, boosting on embeddings",
        "Intended use",
        "circadian, p53",
        config["data_digest"],
        "| log_loss |",
        "with and without a fate",
    ):
        assert words in card


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "boosters.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"has no {name}"):
        load_clock_folder(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"{ cut", pickle.dumps({"fold_0.boosting_on_features": "x"})])
def test_damaged_or_other_boosters_are_refused(folder, content):
    (folder / "boosters.json").write_bytes(content)
    with pytest.raises(InputError, match=r"boosters\.json is not the file that config\.json beside it describes"):
        load_clock_folder(folder)


def test_boosters_swapped_between_folds_are_refused(folder):
    """The file is whole and every text in it is; only what belongs to which fold was changed."""
    boosters = json.loads((folder / "boosters.json").read_text())
    swapped = {
        name.replace("fold_0", "x").replace("fold_1", "fold_0").replace("x", "fold_1"): text
        for name, text in boosters.items()
    }
    (folder / "boosters.json").write_text(json.dumps(swapped, indent=1))
    with pytest.raises(InputError, match="their digests differ"):
        load_clock_folder(folder)


def test_a_damaged_text_of_a_booster_is_refused(trained):
    model = trained[1]
    name = "fold_0.boosting_on_features"
    damaged = TrainedClock(model.config, model.weights, {**model.boosters, name: model.boosters[name][:-40]})
    with pytest.raises(InputError, match="not that of boosted hazards"):
        load_clock_member(damaged, 0)


def test_a_clock_is_not_taken_for_a_classifier_nor_a_classifier_for_a_clock(folder, tmp_path):
    with pytest.raises(
        InputError, match=r"config\.json does not describe a classifier \(kind: .*give the folder of one"
    ):
        load_model_folder(folder)
    save_model_folder(untrained_model(), tmp_path / "classifier")
    with pytest.raises(
        InputError, match=r"config\.json does not describe a fate clock \(kind: .*give the folder of one"
    ):
        load_clock_folder(tmp_path / "classifier")


def test_a_classifier_that_was_saved_without_a_kind_still_loads(tmp_path):
    save_model_folder(untrained_model(), tmp_path / "classifier")
    file = tmp_path / "classifier" / "config.json"
    config = json.loads(file.read_text())
    del config["kind"]
    file.write_text(json.dumps(config))
    assert load_model_folder(tmp_path / "classifier").config.kind == "classifier"


def test_the_dataset_loads_what_it_is_told_to_hold(trained, folder):
    loaded = ModelFolderDataset(filepath=str(folder), kind="fate_clock").load()
    assert isinstance(loaded, TrainedClock)
    with pytest.raises(DatasetError, match="does not describe a classifier"):
        ModelFolderDataset(filepath=str(folder)).load()
