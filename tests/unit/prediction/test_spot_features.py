"""A planted spot feature: boosting learns it, explanations name it, and no forecast is made without it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellfate import Predictor
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.tree_shapley import explain_boosting
from cellfate.core.errors import InputError
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.features.summaries import describe_landmarks
from cellfate.models.settings import BlendSettings, BoostingSettings
from cellfate.prediction import save_model_folder
from cellfate.prediction.boosting import load_boosting
from cellfate.prediction.forecasts import forecast_clock, forecast_new
from cellfate.prediction.images import cut_images
from cellfate.prediction.new_recordings import ask_spot_features
from cellfate.statistics.effect_sizes import separation
from cellfate.tracks.settings import TrackSettings
from tests.cases.crop_stores import IMAGE_PX, tiny_study
from tests.cases.trained_models import train_tiny_clock
from tests.unit.prediction.conftest import Trained

CELL = ["recording_id", "cell_id"]
BLEND = BlendSettings(
    parts=("network", "boosting"), history_h=2.0, boosting=BoostingSettings(n_trees=160, min_samples_leaf=5)
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Trained:
    """The pixels tell nothing; RATIO is 2 higher in cells that will die, QUALITY is noise; one spot in ten has none."""
    folder = tmp_path_factory.mktemp("planted")
    study = tiny_study(folder, n_recordings=24, channels=2, size=8, signal=0.0)
    generator = np.random.default_rng(1)
    fates = study.detections.merge(study.cells[[*CELL, "fate"]], on=CELL)["fate"]
    measured = {
        "tracker_RATIO": generator.normal(0, 0.3, len(fates)) + 2 * (fates == "apoptosis"),
        "tracker_QUALITY": generator.normal(0, 1, len(fates)),
    }
    missing = generator.random(len(fates)) < 0.1
    kept = {name: np.where(missing, np.nan, values).astype(np.float32) for name, values in measured.items()}
    study = replace(study, detections=study.detections.assign(**kept))
    model = train_tiny_clock(study, folder, blend=BLEND)
    return Trained(study, model, measure_cells(study.crops, study.detections, FeatureSettings()))


def test_measurements_hand_on_what_the_tracker_measured(planted):
    table = planted.frame_features
    assert list(table.columns[-2:]) == ["tracker_RATIO", "tracker_QUALITY"]
    assert (table.dtypes.iloc[-2:] == np.float32).all()
    keys = [*CELL, "frame"]
    both = table.merge(planted.study.detections, on=keys, suffixes=("", "_given"), validate="one_to_one")
    assert len(both) == len(table)
    pd.testing.assert_series_equal(both["tracker_RATIO"], both["tracker_RATIO_given"], check_names=False)
    assert both["tracker_RATIO"].isna().any()


def test_a_missing_value_is_left_out_of_a_summary_and_not_filled():
    features = pd.DataFrame(
        {"recording_id": "a", "cell_id": 1, "frame": range(4), "area": 1.0, "tracker_R": np.float32([9, 2, np.nan, 4])}
    )
    landmark = {"recording_id": "a", "cell_id": 1, "first_frame": 0, "frame_interval_min": 60.0}
    landmarks = pd.DataFrame([{**landmark, "last_frame": 3}, {**landmark, "last_frame": 2}])
    described = describe_landmarks(features, landmarks, history_h=3.0)
    # frames 1 to 3: mean of 2 and 4, one up in an hour; then frames 0 to 2: the last known value is that of frame 1
    assert described.loc[0, ["tracker_R_mean", "tracker_R_last", "tracker_R_slope_per_h"]].tolist() == [3, 4, 1]
    assert described.loc[1, ["tracker_R_mean", "tracker_R_last", "tracker_R_slope_per_h"]].tolist() == [5.5, 2, -7]
    none = describe_landmarks(features.assign(tracker_R=np.float32(np.nan)), landmarks, history_h=3.0)
    assert none.filter(like="tracker_R").isna().all(axis=None)


def test_boosting_learns_it_and_every_owner_asks_for_it(planted):
    assert planted.model.clock_config.spot_features == ("RATIO", "QUALITY")
    assert all(
        {"tracker_RATIO_mean", "tracker_QUALITY_last"} <= set(load_boosting(planted.model, owner, "boosting").columns)
        for owner in ("all", "fold_0")
    )
    table = forecast_clock(*planted.new, planted.study.splits, planted.frame_features, planted.model)
    rows = table[(table["predictor"] == "boosting") & table["within_h"].isna() & (table["part"] == "test")]
    fates = rows.merge(planted.study.cells[[*CELL, "fate"]], on=CELL)["fate"]
    assert separation(rows["p_apoptosis"].to_numpy(), (fates == "apoptosis").to_numpy()) > 0.97
    blind = planted.frame_features.drop(columns=["tracker_RATIO", "tracker_QUALITY"])
    with pytest.raises(InputError, match="trained with other crops, cells, splits or features"):
        forecast_clock(*planted.new, planted.study.splits, blind, planted.model)


def test_tree_shap_names_it_first(planted):
    study = planted.study
    fated = study.landmarks[study.landmarks["last"] & study.landmarks["event_frame"].notna()]
    answered = fated.assign(outcome=fated["fate"], shown_from=fated["first_frame"])
    fold_0 = study.splits[study.splits["fold"] == 0]
    tested = answered.merge(fold_0.loc[fold_0["part"] == "test", CELL], on=CELL).assign(fold=0, shapley=True)
    settings = ExplanationSettings(window_h=2.0, n_windows=2)
    table = explain_boosting(planted.frame_features, answered, study.splits, tested, "apoptosis", settings)
    size = table["value"].abs().groupby(table["feature"]).sum().sort_values(ascending=False)
    assert size.index[0] == "tracker_RATIO"
    assert size.iloc[0] > 0.8 * size.sum()
    assert set(table.loc[table["feature"] == "tracker_RATIO", "channel"]) == {"tracker"}


def test_nothing_after_a_landmark_is_seen_nor_after_the_guard(planted):
    """What stands at the event and in the guard before it may be anything."""
    study, ends = planted.study, planted.study.follow_ups[[*CELL, "last_frame"]]
    rows = planted.frame_features.merge(ends, on=CELL, how="left")
    after = (rows["frame"] > rows["last_frame"]).to_numpy()
    events = rows.merge(study.cells[[*CELL, "event_frame"]], on=CELL)
    before_event = (events["event_frame"] - events["frame"]).dropna()
    assert after.sum() > 0
    assert (before_event == 1).any()  # the frame before an event was measured
    changed = planted.frame_features.assign(
        tracker_RATIO=planted.frame_features["tracker_RATIO"].mask(after, np.float32(1e6))
    )
    for table in (study.landmarks, study.landmarks.query("regular")):
        one, other = (describe_landmarks(features, table, 2.0) for features in (planted.frame_features, changed))
        pd.testing.assert_frame_equal(one, other)
    forecasts = [forecast_new(planted.model, *planted.new, features) for features in (planted.frame_features, changed)]
    pd.testing.assert_frame_equal(*forecasts)
    in_view = planted.frame_features.assign(tracker_RATIO=np.float32(1e6))
    assert not forecast_new(planted.model, *planted.new, in_view).equals(forecasts[0])


def test_new_cells_need_it_however_they_are_given(planted):
    predictor = Predictor(planted.model)
    words = "but the model was trained with the spot features RATIO, QUALITY; give recordings whose tracks have them"
    bare = planted.study.detections.drop(columns="tracker_QUALITY")
    with pytest.raises(InputError, match=f"Table detections has no spot feature QUALITY, {words}"):
        predictor.forecast_crops(planted.study.crops, bare, planted.study.follow_ups)
    features = planted.frame_features.drop(columns="tracker_RATIO")
    with pytest.raises(InputError, match=f"Table frame_features has no spot feature RATIO, {words}"):
        predictor.forecast_crops(*planted.new, features)
    with pytest.raises(
        InputError, match=r"with the spot features RATIO, QUALITY, but tracks of format labels hold none"
    ):
        ask_spot_features(planted.model.config, TrackSettings(format="labels"))
    asked = ask_spot_features(planted.model.config, TrackSettings(format="csv", spot_features=("OTHER",)))
    assert asked.spot_features == ("RATIO", "QUALITY")


def arrays_of(planted, row: int) -> dict:
    cell = planted.study.follow_ups.iloc[row]
    sequence = planted.read(row)
    shown = sequence.take(np.flatnonzero(sequence.frame_numbers_t <= cell["last_frame"]))
    of_cell = (planted.frame_features[CELL] == cell[CELL]).all(axis=1)
    rows = planted.frame_features[of_cell].iloc[: len(shown.frame_numbers_t)]
    return {
        "frames": shown.frames_tchw,
        "masks": shown.masks_thw,
        "frame_numbers": shown.frame_numbers_t,
        "age_at_start_h": 0.0,
        "n_neighbors": rows["n_neighbors"].to_numpy(),
        "spot_features": {name: rows[f"tracker_{name}"].to_numpy() for name in ("QUALITY", "RATIO")},
    }


def forecast_arrays(planted, given: list[dict]) -> pd.DataFrame:
    options = {name: [one[name] for one in given] for name in given[0]}
    return Predictor(planted.model).forecast_arrays(channels=("circadian", "p53"), frame_interval_min=30, **options)


def test_arrays_with_it_are_forecast_as_crops(planted):
    rows = [0, 7, 12]
    table = forecast_arrays(planted, [arrays_of(planted, row) for row in rows])
    of_crops = Predictor(planted.model).forecast_crops(*planted.new)
    for place, row in enumerate(rows):
        keys = ["predictor", "frame", "within_h"]
        same = (of_crops[CELL] == planted.study.follow_ups.iloc[row][CELL]).all(axis=1)
        expected = of_crops[same].sort_values(keys, ignore_index=True)
        found = table[table["cell_id"] == place].sort_values(keys, ignore_index=True)
        np.testing.assert_allclose(found["p_apoptosis"], expected["p_apoptosis"], atol=1e-5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, r"Cell 0 of the arrays has spot_features \[\], but expected is the spot feature RATIO"),
        ({"RATIO": np.zeros(3)}, "has the spot feature RATIO of shape"),
        ({"QUALITY": np.zeros(3)}, r"has spot_features \['QUALITY'\], but expected is the spot feature RATIO"),
    ],
)
def test_arrays_without_it_are_refused(planted, given, words):
    with pytest.raises(InputError, match=words):
        forecast_arrays(planted, [arrays_of(planted, 0) | {"spot_features": given}])


def test_images_take_it_from_the_table_of_tracks_by_its_name(planted):
    own = planted.study.detections.query("recording_id == '00'").rename(
        columns=lambda name: name.removeprefix("tracker_")
    )
    images = np.ones((12, 2, IMAGE_PX, IMAGE_PX), np.uint16)
    held = cut_images(images, own.sample(frac=1, random_state=0), planted.model.clock_config)
    ordered = own.sort_values(["cell_id", "frame"])
    np.testing.assert_array_equal(held.spot_features["tracker_RATIO"], ordered["RATIO"])
    assert len(held.detections) == len(ordered)
    np.testing.assert_array_equal(held.detections["frame"], ordered["frame"])
    with pytest.raises(InputError, match="detections has no column QUALITY, but the model was trained with the spot"):
        cut_images(images, own.drop(columns="QUALITY"), planted.model.clock_config)
    with pytest.raises(InputError, match="Column RATIO of detections holds what is no number"):
        cut_images(images, own.assign(RATIO="a"), planted.model.clock_config)


def test_the_folder_and_its_card_list_them(planted, tmp_path):
    save_model_folder(planted.model, tmp_path / "model")
    assert Predictor.from_folder(tmp_path / "model").config.spot_features == ("RATIO", "QUALITY")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "- spot features of the tracker, by its names (boosting): RATIO, QUALITY\n" in card
