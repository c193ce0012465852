"""A tiny study, and models of both readings with the landmarks they are explained at."""

from dataclasses import dataclass

import pandas as pd
import pytest

from cellfate.attribution.explained_landmarks import choose_explained_landmarks
from cellfate.attribution.settings import ExplanationSettings
from cellfate.prediction.records import TrainedModel
from tests.cases.crop_stores import TinyStudy, tiny_study
from tests.unit.attribution.tiny import random_model

SETTINGS = ExplanationSettings(
    max_occlusion_landmarks=5,
    max_shapley_landmarks=3,
    window_h=1.0,
    n_windows=3,
    n_permutations=1,
    n_occlusion_draws=2,
    n_path_steps=4,
    n_random_orders=2,
    max_sanity_landmarks=2,
    n_bootstrap=100,
)


@dataclass(frozen=True, eq=False)
class Explained:
    """A study, a model of random weights with a member a fold, and the landmarks to explain."""

    study: TinyStudy
    model: TrainedModel
    settings: ExplanationSettings
    landmarks: pd.DataFrame

    @property
    def asked(self):
        return self.study.crops, self.landmarks, self.model, self.settings

    @property
    def is_clock(self):
        return self.model.config.kind == "clock"

    @property
    def n_layers(self):
        return self.model.config.architecture.n_layers

    @property
    def channels(self):
        return (*self.model.config.channels, *(["mask"] if self.is_clock else []))


@pytest.fixture(scope="package")
def study(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("study"), channels=2, size=8)


READINGS = {
    "classifier": ("classifier", 1, {}),
    "clock without attention": ("clock", 0, {"outcome": "mitosis", "horizon_h": 2.5}),
    "clock of one layer": ("clock", 1, {}),
    "clock of two layers": ("clock", 2, {"outcome": "mitosis"}),
}


@pytest.fixture(scope="package", params=READINGS.values(), ids=READINGS)
def explained(request, study):
    kind, n_layers, asked = request.param
    model, settings = random_model(study, kind, n_layers), SETTINGS.model_copy(update=asked)
    chosen = choose_explained_landmarks(study.crops, study.landmarks, study.splits, model, settings)
    return Explained(study, model, settings, chosen)
