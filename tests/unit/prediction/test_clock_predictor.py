"""The fate clock without Kedro: what its members say together, of crop stores and of recordings written as files."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.follow_ups import follow_cells, list_landmarks
from cellfate.cohort.settings import FollowUpSettings, SampleSettings, SplitSettings
from cellfate.cohort.splits import split_follow_ups
from cellfate.core.errors import InputError
from cellfate.crops.normalisation import fit_normalisation
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.models.settings import BoostingSettings, CausalSettings, EnsembleSettings
from cellfate.pipelines.fate_clock.nodes import boost_clock, train_clock
from cellfate.prediction import ClockPredictor, FatePredictor, TrainedClock, TrainedModel, save_model_folder
from cellfate.prediction.clock_forecasts import forecast_incidence, list_frames, member_hazards
from cellfate.prediction.new_recordings import cut_new_crops
from cellfate.prediction.records import MemberConfig, ModelConfig
from cellfate.statistics.incidence import cumulative_incidence
from cellfate.training.settings import AugmentationSettings, ClockTrainingSettings
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.crop_stores import tiny_store
from tests.cases.trained_models import TINY_MODEL

FOLLOW_UP = FollowUpSettings(horizon_h=3, report_h=(2, 3), headline_h=2, min_frames=3, stride_frames=2)
NETWORK = TINY_MODEL.model_copy(
    update={"causal": CausalSettings(history_frames=4, statistics_frames=(4,), hidden_size=8)}
)
ENSEMBLE = EnsembleSettings(
    parts=("network", "boosting_on_features", "boosting_on_embeddings"),
    history_h=2,
    boosting=BoostingSettings(n_trees=3, min_samples_leaf=2),
)
RECORDINGS = RecordingSettings(
    layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0, on_bad_recording="stop", group_by="recording"
)
TOLERANCE = 1e-5  # float32 sums in another order
KEYS = ["recording_id", "cell_id", "frame", "within_h"]


@dataclass(frozen=True)
class ClockStudy:
    """A trained clock and what it was trained on."""

    model: TrainedClock
    crops: CropStore
    recordings: pd.DataFrame
    follow_ups: pd.DataFrame
    splits: pd.DataFrame
    frame_features: pd.DataFrame


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> ClockStudy:
    folder = tmp_path_factory.mktemp("clock")
    crops, recordings, detections, cells = tiny_store(folder, n_recordings=6, size=8)
    follow_ups, _ = follow_cells(crops, recordings, cells, FOLLOW_UP)
    splits = split_follow_ups(follow_ups, cells, detections, SplitSettings(scheme="grouped_folds", n_folds=2))
    features = FeatureSettings()
    measured = measure_cells(crops, detections, features)
    training = ClockTrainingSettings(
        max_epochs=1,
        pretraining_epochs=1,
        max_frames_per_batch=60,
        checkpoint_folder=str(folder / "checkpoints"),
        augmentation=AugmentationSettings(drop_end_share=0),
    )
    tables = (follow_ups, splits, fit_normalisation(crops, follow_ups, splits), measured)
    networks, _ = train_clock(crops, *tables, FOLLOW_UP, NETWORK, training, features, ENSEMBLE)
    landmarks = list_landmarks(crops, recordings, follow_ups, FOLLOW_UP)
    model = boost_clock(crops, follow_ups, landmarks, splits, measured, networks)
    return ClockStudy(model, crops, recordings, follow_ups, splits, measured)


@pytest.fixture(scope="module")
def forecast(study) -> pd.DataFrame:
    return ClockPredictor(study.model).forecast(study.crops, study.follow_ups, study.frame_features)


def test_every_shown_frame_of_every_cell_is_forecast_once_a_predictor_and_horizon(study, forecast):
    frames = list_frames(study.crops, study.follow_ups, FOLLOW_UP.min_frames)
    asked = set(zip(frames["recording_id"], frames["cell_id"], frames["last_frame"], strict=True))
    assert set(forecast["predictor"]) == {"clock", "ensemble"}
    for _, rows in forecast.groupby(["predictor", "within_h"]):
        assert len(rows) == len(asked)
        assert set(zip(rows["recording_id"], rows["cell_id"], rows["frame"], strict=True)) == asked
    np.testing.assert_allclose(forecast[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1)


@pytest.mark.parametrize("predictor", ["clock", "ensemble"])
def test_members_are_blended_by_the_geometric_mean_of_their_odds(study, forecast, predictor):
    frames = list_frames(study.crops, study.follow_ups, FOLLOW_UP.min_frames)
    first, second = (
        member_hazards(study.crops, frames, study.frame_features, study.model, fold)[predictor] for fold in (0, 1)
    )
    odds = np.sqrt(first / (1 - first.sum(axis=-1, keepdims=True)) * second / (1 - second.sum(axis=-1, keepdims=True)))
    expected = cumulative_incidence(odds / (1 + odds.sum(axis=-1, keepdims=True)))
    rows = forecast[(forecast["predictor"] == predictor) & (forecast["within_h"] == FOLLOW_UP.headline_h)]
    at_headline = expected[:, FOLLOW_UP.edges_h[1:].index(FOLLOW_UP.headline_h)]
    np.testing.assert_allclose(rows[["p_apoptosis", "p_mitosis"]].to_numpy(), at_headline, atol=TOLERANCE)


def test_a_model_of_one_member_says_what_its_fold_said_of_the_tested_cells(study):
    config = study.model.config.model_copy(update={"members": study.model.config.members[:1]})
    alone = ClockPredictor(replace(study.model, config=config))
    new = alone.forecast(study.crops, study.follow_ups, study.frame_features)
    own = forecast_incidence(study.crops, study.follow_ups, study.splits, study.frame_features, study.model)
    tested = own[(own["fold"] == 0) & (own["part"] == "test")]
    both = tested.merge(new, on=["predictor", *KEYS], suffixes=("", "_new"), validate="one_to_one")
    assert len(both) == len(tested) > 0
    np.testing.assert_allclose(both["p_mitosis"], both["p_mitosis_new"], atol=TOLERANCE)
    np.testing.assert_allclose(both["expected_h"], both["expected_h_new"], atol=TOLERANCE)


def test_what_comes_later_changes_no_forecast(study, forecast):
    shorter = study.follow_ups.assign(last_frame=study.follow_ups["last_frame"] - 2)
    early = ClockPredictor(study.model).forecast(study.crops, shorter, study.frame_features)
    both = early.merge(forecast, on=["predictor", *KEYS], suffixes=("", "_all"), validate="one_to_one")
    assert 0 < len(both) == len(early) < len(forecast)
    np.testing.assert_allclose(both["p_apoptosis"], both["p_apoptosis_all"], atol=TOLERANCE)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_coco_folder(tmp_path_factory.mktemp("recordings"))


def test_a_folder_of_recordings_is_forecast_to_the_last_frame_of_cells_without_a_fate(study, root, tmp_path):
    table = ClockPredictor(study.model).forecast_recordings(root, RECORDINGS, scratch=tmp_path)
    shown = table.groupby(["recording_id", "cell_id"])["frame"].agg(["min", "max"])
    assert shown.loc[("002", 1)].tolist() == [2, 7]  # neither: tracked in frames 0-7, forecast from the third on
    assert shown.loc[("002", 2)].tolist() == [3, 3]  # dies in frame 6: the last frame before the guard of 2 is 3
    assert ("001", 1) not in shown.index  # divides in frame 4: two frames are left before the guard
    assert list(tmp_path.iterdir()) == []


def test_a_saved_folder_says_the_same(study, root, tmp_path):
    save_model_folder(study.model, tmp_path / "clock")
    saved = ClockPredictor.from_folder(tmp_path / "clock").forecast_recordings(root, RECORDINGS)
    unsaved = ClockPredictor(study.model).forecast_recordings(root, RECORDINGS)
    np.testing.assert_allclose(saved["p_mitosis"], unsaved["p_mitosis"], atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": ("p53", "circadian", "gfp")}, r"channels \(circadian, p53, cell_cycle\) but recording 001"),
        ({"frame_interval_min": 5.0}, "a frame every 30 min but recording 001 has one every 5 min"),
    ],
)
def test_recordings_unlike_the_models_are_refused(study, root, changes, words):
    with pytest.raises(InputError, match=words):
        ClockPredictor(study.model).forecast_recordings(root, RECORDINGS.model_copy(update=changes))


def test_recordings_unlike_the_models_are_refused_before_an_image_is_cut(study, tmp_path):
    named = pd.DataFrame({"recording_id": ["a"], "channels": ["gfp"], "frame_interval_min": [30.0]})
    with pytest.raises(InputError, match=r"recording a has \(gfp\)"):
        cut_new_crops(RecordingFolder(tmp_path), named, pd.DataFrame(), pd.DataFrame(), study.model, RECORDINGS)


def test_crops_of_another_size_are_refused(study):
    config = study.model.config.model_copy(update={"crops": CropSettings(height_px=16, width_px=16)})
    predictor = ClockPredictor(replace(study.model, config=config))
    with pytest.raises(InputError, match="8 x 8 px but the model was trained on 16 x 16 px"):
        predictor.forecast(study.crops, study.follow_ups, study.frame_features)


def test_cells_that_are_all_too_young_are_named(study):
    short = study.follow_ups.assign(last_frame=study.follow_ups["first_frame"] + 1)
    with pytest.raises(InputError, match="None of 30 cells was watched for 3 frames of 30 min"):
        ClockPredictor(study.model).forecast(study.crops, short, study.frame_features)


def test_a_clock_whose_boosters_were_never_fitted_is_refused(study):
    with pytest.raises(InputError, match="fold 0 has no such boosted hazards; take the model"):
        ClockPredictor(replace(study.model, boosters={}))


def test_a_classifier_is_not_taken_for_a_clock_nor_a_clock_for_a_classifier(study, tmp_path):
    member = MemberConfig(fold=0, mean=(0.0,), sd=(1.0,), best_epoch=0, n_epochs=1, n_train=1, n_validation=1)
    config = ModelConfig(
        architecture=TINY_MODEL,
        channels=("p53",),
        crops=CropSettings(height_px=8, width_px=8),
        frame_interval_min=30,
        scheme="grouped_holdout",
        members=(member,),
        data_digest="0",
        outcomes=("apoptosis", "mitosis"),
        samples=SampleSettings(kind="whole_track"),
    )
    save_model_folder(TrainedModel(config, {"fold_0.weight": np.zeros(1, np.float32)}), tmp_path / "classifier")
    with pytest.raises(InputError, match="does not describe a fate clock"):
        ClockPredictor.from_folder(tmp_path / "classifier")
    save_model_folder(study.model, tmp_path / "clock")
    with pytest.raises(InputError, match="does not describe a classifier"):
        FatePredictor.from_folder(tmp_path / "clock")
