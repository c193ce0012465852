import numpy as np
import pytest
from kedro.io import DatasetError

from cellfate.datasets.model_folder import ModelFolderDataset
from tests.cases.trained_models import untrained_model


def test_a_saved_model_loads_as_it_was(tmp_path):
    dataset = ModelFolderDataset(filepath=str(tmp_path / "model"))
    assert not dataset.exists()
    dataset.save(untrained_model())
    assert dataset.exists()
    loaded = dataset.load()
    np.testing.assert_array_equal(loaded.weights["fold_0.head.bias"], [0, 1, 2])
    assert loaded.config.channels == ("gfp",)


def test_a_missing_model_says_what_makes_it(tmp_path):
    with pytest.raises(DatasetError, match=r"no model folder .*run model_training"):
        ModelFolderDataset(filepath=str(tmp_path / "model")).load()


def test_a_folder_without_weights_is_not_taken_for_a_model(tmp_path):
    dataset = ModelFolderDataset(filepath=str(tmp_path / "model"))
    dataset.save(untrained_model())
    (tmp_path / "model" / "weights.safetensors").unlink()
    with pytest.raises(DatasetError, match=r"has no weights\.safetensors"):
        dataset.load()
