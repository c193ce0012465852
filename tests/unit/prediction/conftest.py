"""One trained model of either kind for all tests of the room: they never change it."""

from dataclasses import dataclass

import pandas as pd
import pytest

from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.records import TrainedModel
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.crop_stores import TinyStudy
from tests.cases.trained_models import tiny_classifier, tiny_clock

RECORDINGS = RecordingSettings(
    layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0, on_bad_recording="stop", group_by="recording"
)


@dataclass(frozen=True, eq=False)
class Trained:
    """A model and what it was trained on."""

    study: TinyStudy
    model: TrainedModel
    frame_features: pd.DataFrame

    def read(self, row=0):
        """Read the whole track of one cell."""
        cell = self.study.follow_ups.iloc[row]
        return self.study.crops.read(cell["recording_id"], int(cell["cell_id"]))

    @property
    def new(self):
        """What `forecast_new` is given after the model."""
        return self.study.crops, self.study.detections, self.study.follow_ups


@pytest.fixture(scope="session")
def classifier(tmp_path_factory) -> Trained:
    return Trained(*tiny_classifier(tmp_path_factory.mktemp("classifier")), pd.DataFrame())


@pytest.fixture(scope="session")
def clock(tmp_path_factory) -> Trained:
    study, model = tiny_clock(tmp_path_factory.mktemp("clock"))
    return Trained(study, model, measure_cells(study.crops, study.detections, FeatureSettings()))


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return write_coco_folder(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="session", params=["classifier", "clock"])
def of_three_channels(request, tmp_path_factory):
    train = {"classifier": tiny_classifier, "clock": tiny_clock}[request.param]
    return train(tmp_path_factory.mktemp("model"), channels=3)[1]
