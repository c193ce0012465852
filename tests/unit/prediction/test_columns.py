"""Models that read columns of measurements forecast, are saved and are asked as any other."""

import numpy as np
import pandas as pd
import pytest

from cellfate import Predictor
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.prediction import save_model_folder
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock
from cellfate.prediction.model_folder import load_model_folder
from tests.cases.crop_stores import tiny_study
from tests.cases.trained_models import train_tiny_classifier, train_tiny_clock
from tests.cases.trainings import TINY_CLOCK, TINY_MODEL
from tests.unit.prediction.conftest import Trained

TOLERANCE = 1e-5  # float32 sums in another order
READ = {"area", "eccentricity", "intensity_circadian", "intensity_p53"}
"""Some of the columns that boosting is given."""


@pytest.fixture(
    scope="module", params=[(k, e) for k in ("classifier", "clock") for e in ("features", "pixels_and_features")]
)
def trained(request, tmp_path_factory):
    kind, encoder = request.param
    folder = tmp_path_factory.mktemp(kind)
    study = tiny_study(folder, channels=2, size=16)
    if kind == "classifier":
        model = train_tiny_classifier(study, folder, TINY_MODEL.model_copy(update={"encoder": encoder}))
    else:
        model = train_tiny_clock(study, folder, TINY_CLOCK.model_copy(update={"encoder": encoder}))
    return Trained(study, model, measure_cells(study.crops, study.detections, FeatureSettings()))


def forecast(trained, frame_features):
    study = trained.study
    if trained.model.config.kind == "classifier":
        return forecast_classifier(study.crops, study.landmarks, study.splits, trained.model, frame_features)
    asked = (study.crops, study.detections, study.follow_ups, study.splits, frame_features)
    return forecast_clock(*asked, trained.model)


def test_every_member_keeps_its_columns_and_how_they_are_standardised(trained):
    by_member = [{scale.name: scale for scale in member.columns} for member in trained.model.config.members]
    assert all(set(scales) >= READ for scales in by_member)
    assert len({scales["area"].mean for scales in by_member}) > 1  # of its own training cells
    told = {"treated_h", "age_h", "mask_overlap", "texture_p53"}  # unknown here, told otherwise, not for predictors
    assert not any(told & set(scales) for scales in by_member)


def test_a_saved_folder_says_the_same(trained, tmp_path):
    save_model_folder(trained.model, tmp_path / "model")
    saved = load_model_folder(tmp_path / "model")
    assert saved.config.members == trained.model.config.members
    table = Predictor(saved).forecast_crops(*trained.new)
    pd.testing.assert_frame_equal(table, Predictor(trained.model).forecast_crops(*trained.new))


def test_arrays_are_forecast_as_crops_are(trained):
    rows = [0, 7]
    study = trained.study
    given = []
    for row in rows:
        sequence, cell = trained.read(row), study.follow_ups.iloc[row]
        shown = sequence.take(np.flatnonzero(sequence.frame_numbers_t <= cell["last_frame"]))
        measured = trained.frame_features.merge(pd.DataFrame([cell[CELL]]).astype({"cell_id": int}))
        given.append((shown, measured["n_neighbors"].to_numpy()[: len(shown.frame_numbers_t)]))
    of_arrays = Predictor(trained.model).forecast_arrays(
        [shown.frames_tchw for shown, _ in given],
        study.crops.channels,
        30.0,
        masks=[shown.masks_thw for shown, _ in given],
        frame_numbers=[shown.frame_numbers_t for shown, _ in given],
        age_at_start_h=[0.0] * len(given),
        n_neighbors=[neighbors for _, neighbors in given],
    )
    of_crops = Predictor(trained.model).forecast_crops(*trained.new)
    keys, numbers = ["predictor", "frame", "within_h"], ["p_apoptosis", "p_mitosis", "p_none"]
    for place, row in enumerate(rows):
        cell = study.follow_ups.iloc[row]
        one = of_arrays[of_arrays["cell_id"] == place].sort_values(keys, ignore_index=True)
        same = (of_crops[CELL] == cell[CELL]).all(axis=1)
        other = of_crops[same].sort_values(keys, ignore_index=True)
        pd.testing.assert_frame_equal(one[[*keys, *numbers]], other[[*keys, *numbers]], atol=TOLERANCE)


def test_what_was_measured_changes_the_forecast_and_what_was_not_is_not_taken_for_the_mean(trained):
    """The digest of a fate clock's data holds the measurements; so new cells are asked."""
    changed = {
        "known": trained.frame_features,
        "missing": trained.frame_features.assign(area=np.nan),
        "mean": trained.frame_features.assign(area=trained.frame_features["area"].mean()),
    }
    own = "classifier" if trained.model.config.kind == "classifier" else "network"
    said = {}
    for name, table in changed.items():
        told = Predictor(trained.model).forecast_crops(*trained.new, table)
        said[name] = told.loc[told["predictor"] == own, "p_apoptosis"].to_numpy(np.float64)
    assert np.abs(said["known"] - said["missing"]).max() > 1e-4
    assert np.abs(said["mean"] - said["missing"]).max() > 1e-4


def test_a_forecast_of_tested_cells_needs_the_table(trained):
    assert len(forecast(trained, trained.frame_features))
    if trained.model.config.kind == "classifier":
        with pytest.raises(InputError, match="comes without measurements"):
            forecast(trained, None)
    lacking = trained.frame_features.drop(columns="area")
    with pytest.raises(InputError, match=r"reads the column area|trained with other crops"):
        forecast(trained, lacking)
    gone = trained.frame_features[trained.frame_features["frame"] > 4]
    with pytest.raises(InputError, match="Table frame_features lacks"):
        Predictor(trained.model).forecast_crops(*trained.new, gone)
