import numpy as np
import pytest
from kedro.io import DatasetError

from cellfate.datasets.model_folder import ModelFolderDataset
from cellfate.models.settings import ModelSettings
from cellfate.prediction.records import MemberConfig, ModelConfig, TrainedModel
from cellfate.sequences.settings import CropSettings, SampleSettings


def make_model() -> TrainedModel:
    member = MemberConfig(fold=0, mean=(100.0,), sd=(5.0,), best_epoch=0, n_epochs=1, n_train=4, n_validation=2)
    config = ModelConfig(
        architecture=ModelSettings(),
        channels=("gfp",),
        outcomes=("apoptosis", "mitosis"),
        samples=SampleSettings(kind="whole_track"),
        crops=CropSettings(height_px=8, width_px=8),
        frame_interval_min=30.0,
        scheme="grouped_holdout",
        members=(member,),
        data_digest="0" * 64,
    )
    return TrainedModel(config, {"fold_0.head.bias": np.arange(3, dtype=np.float32)})


def test_a_saved_model_loads_as_it_was(tmp_path):
    dataset = ModelFolderDataset(filepath=str(tmp_path / "model"))
    assert not dataset.exists()
    dataset.save(make_model())
    assert dataset.exists()
    loaded = dataset.load()
    np.testing.assert_array_equal(loaded.weights["fold_0.head.bias"], [0, 1, 2])
    assert loaded.config.channels == ("gfp",)


def test_a_missing_model_says_what_makes_it(tmp_path):
    with pytest.raises(DatasetError, match=r"no model folder .*run model_training"):
        ModelFolderDataset(filepath=str(tmp_path / "model")).load()


def test_a_folder_without_weights_is_not_taken_for_a_model(tmp_path):
    dataset = ModelFolderDataset(filepath=str(tmp_path / "model"))
    dataset.save(make_model())
    (tmp_path / "model" / "weights.safetensors").unlink()
    with pytest.raises(DatasetError, match=r"has no weights\.safetensors"):
        dataset.load()
