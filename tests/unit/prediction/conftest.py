"""One trained model of either kind for all tests of the room: they never change it."""

from dataclasses import dataclass

import pandas as pd
import pytest

from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.prediction.records import TrainedModel
from tests.cases.crop_stores import TinyStudy
from tests.cases.trained_models import tiny_classifier, tiny_clock


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
