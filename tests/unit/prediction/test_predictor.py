"""The door to a saved model: recordings, crops and arrays give one table, and say the same."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from cellfate import Predictor
from cellfate.cohort.follow_ups import follow_open_cells
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.prediction import save_model_folder
from cellfate.prediction.arrays import hold_cells
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.forecasts import forecast_new
from cellfate.prediction.new_recordings import cut_new_crops
from cellfate.tracks.importing import import_tracks
from cellfate.tracks.settings import TrackSettings
from tests.cases.crop_stores import tiny_study
from tests.unit.prediction.conftest import RECORDINGS

CELL = ["recording_id", "cell_id"]
TOLERANCE = 1e-5  # float32 sums in another order
COLUMNS = [
    *CELL, "frame", "predictor", "within_h", "p_apoptosis", "p_mitosis", "p_none", "call", "p_call", "sure",
    "expected_h", "seen_in_training",
]  # fmt: skip
KINDS = ["classifier", "clock"]


@pytest.fixture(params=KINDS)
def trained(request):
    return request.getfixturevalue(request.param)


def arrays_of(trained, row):
    """Everything that is known of one cell of the store, as a user would hold it in arrays."""
    sequence, cell = trained.read(row), trained.study.follow_ups.iloc[row]
    shown = sequence.take(np.flatnonzero(sequence.frame_numbers_t <= cell["last_frame"]))
    neighbors = None
    if len(trained.frame_features):
        measured = trained.frame_features.merge(pd.DataFrame([cell[CELL]]).astype({"cell_id": int}))
        neighbors = measured["n_neighbors"].to_numpy()[: len(shown.frame_numbers_t)]
    return {
        "frames": shown.frames_tchw,
        "masks": shown.masks_thw,
        "frame_numbers": shown.frame_numbers_t,
        "age_at_start_h": 0.0,
        "n_neighbors": neighbors if neighbors is not None else 0,
    }


def forecast_rows(trained, rows, **left_out):
    """Forecast cells of the store as arrays; options in `left_out` are replaced."""
    given = [arrays_of(trained, row) | left_out for row in rows]
    options = {name: [each[name] for each in given] for name in given[0]}
    return Predictor(trained.model).forecast_arrays(channels=("circadian", "p53"), frame_interval_min=30, **options)


def test_importing_the_package_is_fast_and_the_predictor_needs_no_torch():
    """In a process of its own: here everything is imported already."""
    code = (
        "import sys, cellfate; assert not {'pandas', 'torch'} & set(sys.modules); "
        "from cellfate import Predictor, RecordingSettings, TrackSettings; "
        "assert not {'torch', 'lightning', 'kedro'} & set(sys.modules); "
        "assert Predictor is cellfate.prediction.Predictor; "
        "assert RecordingSettings is cellfate.imaging.RecordingSettings; "
        "assert TrackSettings is cellfate.tracks.TrackSettings"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_crops_are_forecast_as_by_the_pipeline_with_calls(trained):
    table = Predictor(trained.model).forecast_crops(*trained.new)
    forecasts = forecast_new(trained.model, *trained.new)
    assert list(table.columns) == COLUMNS
    np.testing.assert_array_equal(table["p_apoptosis"], forecasts["p_apoptosis"])
    likeliest = table[["p_apoptosis", "p_mitosis", "p_none"]].idxmax(axis=1).str.removeprefix("p_")
    assert table["call"].tolist() == likeliest.tolist()


def test_a_saved_folder_says_the_same(trained, tmp_path):
    save_model_folder(trained.model, tmp_path / "model")
    saved = Predictor.from_folder(tmp_path / "model").forecast_crops(*trained.new)
    pd.testing.assert_frame_equal(saved, Predictor(trained.model).forecast_crops(*trained.new))


def test_arrays_of_a_store_are_forecast_as_its_crops(trained):
    """The first two cells of a recording, one of which touches the corner of the image, and two others."""
    rows = [0, 1, 7, 12]
    of_arrays = forecast_rows(trained, rows)
    of_crops = Predictor(trained.model).forecast_crops(*trained.new)
    assert list(of_arrays.columns) == [*COLUMNS, "missing"]
    assert set(of_arrays["missing"]) == {""}
    assert of_arrays["seen_in_training"].all()
    for place, row in enumerate(rows):
        cell = trained.study.follow_ups.iloc[row]
        same = (of_crops[CELL] == cell[CELL]).all(axis=1)
        keys, numbers = ["predictor", "frame", "within_h"], ["p_apoptosis", "p_mitosis", "p_none", "expected_h"]
        one = of_arrays[of_arrays["cell_id"] == place].sort_values(keys, ignore_index=True)
        other = of_crops[same].sort_values(keys, ignore_index=True)
        pd.testing.assert_frame_equal(one[[*keys, *numbers]], other[[*keys, *numbers]], atol=TOLERANCE)


def test_only_cells_that_are_asked_for_are_read(trained, monkeypatch):
    crops, detections, follow_ups = trained.new
    read, asked = set(), follow_ups.iloc[[4]]
    reader = CropStore.read
    monkeypatch.setattr(
        CropStore, "read", lambda self, *cell, **which: read.add(cell[:2]) or reader(self, *cell, **which)
    )
    Predictor(trained.model).forecast_crops(crops, detections, asked)
    assert read == set(asked[CELL].itertuples(index=False, name=None))


def test_masks_are_looked_for_once(clock, monkeypatch):
    looked_at, spread = [], np.hypot(*(np.mgrid[:8, :8] - 4)) <= 2.5
    monkeypatch.setattr(
        "cellfate.features.segmentation.threshold_cell",
        lambda frames_tchw, *_: looked_at.append(len(frames_tchw)) or np.tile(spread, (len(frames_tchw), 1, 1)),
    )
    forecast_rows(clock, [2], masks=None)
    assert looked_at == [len(arrays_of(clock, 2)["frames"])]


def test_networks_take_no_more_threads_than_their_training(trained):
    config = trained.model.config.model_copy(update={"training": {"threads": 1}})
    model, found, outside = replace(trained.model, config=config), [], torch.get_num_threads()
    load = load_clock_member if config.kind == "clock" else load_classifier_member
    for fold in config.folds:
        for part in load(model, fold).network.modules():
            part.register_forward_pre_hook(lambda *_: found.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        Predictor(model).forecast_crops(*trained.new)
        assert set(found) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(outside)


def test_one_array_is_a_list_of_one(trained):
    given = arrays_of(trained, 3)
    predictor = Predictor(trained.model)
    about = {"channels": ["circadian", "p53"], "frame_interval_min": 30.0}
    one, listed = predictor.forecast_arrays(**given, **about), forecast_rows(trained, [3])
    pd.testing.assert_frame_equal(one, listed)


def test_what_is_missing_is_named_and_is_nan_for_the_boosting(clock, monkeypatch):
    """Neighbours and age are NaN; a mask is found as in training, where the tracker gave none."""
    nothing = dict.fromkeys(("masks", "frame_numbers", "age_at_start_h", "n_neighbors"))
    seen = {}

    def keep(self, landmarks, measured, config, describe=hold_cells.__globals__["CellsInMemory"].describe):
        seen["inputs"] = describe(self, landmarks, measured, config)
        return seen["inputs"]

    monkeypatch.setattr("cellfate.prediction.arrays.CellsInMemory.describe", keep)
    whole = forecast_rows(clock, [2])
    assert seen["inputs"].filter(regex="neighbors_(mean|last)|age_h|born|area_mean").notna().all(axis=None)
    table = forecast_rows(clock, [2], **nothing)
    assert set(table["missing"]) == {"mask, frame numbers, age, neighbours"}
    assert seen["inputs"].filter(regex="neighbors|age_h|born").isna().all(axis=None)
    assert seen["inputs"]["area_mean"].notna().all()
    assert table["frame"].min() == 2  # the third frame given
    of_boosting = [each.query("predictor == 'boosting' and within_h == 2") for each in (whole, table)]
    assert len(of_boosting[0]) == len(of_boosting[1])
    assert not np.allclose(*(each["p_mitosis"] for each in of_boosting))
    mixed = forecast_rows(clock, [2], masks=None)
    assert set(mixed["missing"]) == {"mask"}


def test_an_older_cell_is_told_to_be_older(clock):
    """Its last frames with their age are forecast as in the whole track, beyond the reach of what was cut off."""
    whole = forecast_rows(clock, [2])
    given = arrays_of(clock, 2)
    n_cut = 3
    later = {name: given[name][n_cut:] for name in ("frames", "masks", "frame_numbers", "n_neighbors")}
    about = {"channels": ("circadian", "p53"), "frame_interval_min": 30}
    table = Predictor(clock.model).forecast_arrays(**later, **about, age_at_start_h=n_cut / 2)
    last = ["predictor", "within_h", "p_mitosis"]
    of_network = [each.query(f"predictor == 'network' and frame == {whole['frame'].max()}") for each in (whole, table)]
    pd.testing.assert_frame_equal(*(each[last].reset_index(drop=True) for each in of_network), atol=TOLERANCE)
    assert table["frame"].min() == given["frame_numbers"][n_cut]  # old enough from the first frame given
    young = Predictor(clock.model).forecast_arrays(**later, **about, age_at_start_h=0)
    assert not np.allclose(
        young.query("predictor == 'network'")["p_mitosis"].iloc[-1], of_network[1]["p_mitosis"].iloc[-1]
    )


def test_borders_that_are_zero_in_all_channels_lie_outside_the_image():
    frames = np.ones((2, 2, 5, 5))
    frames[0, :, :2] = frames[0, :, :, 4:] = 0  # two rows above and one column to the right
    frames[1, 0, 0] = frames[1, :, 2, 2] = 0  # one channel only, and a dark pixel inside
    inside = (
        hold_cells(frames, ("a", "b"), 30, masks=None, frame_numbers=None, age_at_start_h=None, n_neighbors=None)
        .sequences[0]
        .inside_thw
    )
    assert inside[0].tolist() == [[False] * 5] * 2 + [[True] * 4 + [False]] * 3
    assert inside[1].all()


@pytest.mark.parametrize(
    "change", [lambda frames: frames / 65535, lambda frames: frames * 40.0, lambda frames: -1.0 * frames]
)
def test_pixels_on_another_scale_are_told(trained, caplog, change):
    given = arrays_of(trained, 0)
    channels, interval = trained.model.config.channels, trained.model.config.frame_interval_min
    predictor = Predictor(trained.model)
    predictor.forecast_arrays(given["frames"], channels, interval)
    assert "Pixels of channel" not in caplog.text
    caplog.clear()
    predictor.forecast_arrays(change(given["frames"].astype(np.float32)), channels, interval)
    assert f"Pixels of channel {channels[0]} are" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frames": np.zeros((0, 2, 8, 8))}, r"Cell 0 of the arrays has an array of shape \(0, 2, 8, 8\)"),
        ({"frames": np.full((5, 2, 8, 8), np.nan)}, "expected is frames .* of finite numbers"),
        ({"frames": np.zeros((5, 2, 9, 8))}, r"crops of \(channels, rows, columns\) \(2, 9, 8\)"),
        ({"frames": []}, "No cell is given"),
        ({"frame_numbers": [0, 2, 1, 3, 4]}, r"frame numbers \[0, 2, 1, 3, 4\].*5 ascending ones"),
        ({"frame_numbers": [0, 1]}, "5 ascending ones"),
        ({"masks": np.ones((5, 8, 7))}, r"a mask of shape \(5, 8, 7\), but expected is one of \(5, 8, 8\)"),
        ({"age_at_start_h": -1.0}, r"age_at_start_h -1\.0, but expected is 0 or more"),
        ({"n_neighbors": [1, 2]}, r"n_neighbors of shape \(2,\)"),
        ({"frames": np.full((5, 2, 8, 8), 1e30)}, r"640 pixels that are not finite, or beyond 1e\+12"),
        ({"frames": np.ones((5, 2, 8, 8), dtype=complex)}, "frames of type complex128, but expected is numbers"),
        ({"frames": np.ones((5, 2, 8, 8), dtype=object)}, "frames of type object, but expected is numbers"),
        ({"frames": np.ones((2, 8, 8))}, r"an array of shape \(2, 8, 8\), but expected is frames \(T, C, H, W\)"),
        ({"frames": [[[1, 2], [1]]]}, "frames that are no array"),
        ({"frames": None}, "frames is None, but expected is a list with an entry a cell"),
        ({"frame_numbers": [0, 1.5, 3, 4.5, 6]}, "5 ascending ones, whole"),
        ({"frame_numbers": np.array([9, 8, 7, 6, 5], dtype=np.uint8)}, "5 ascending ones"),
        ({"masks": np.full((5, 8, 8), 0.3)}, r"a mask with the values \[0\.3\] in one frame"),
        ({"masks": np.arange(320).reshape(5, 8, 8)}, "but expected is 0 and one whole number, the cell"),
        ({"masks": np.full((5, 8, 8), np.nan)}, "but expected is 0 and one whole number, the cell"),
        ({"age_at_start_h": 1e300}, "0 or more hours, at most 1e\\+06, or None"),
        ({"age_at_start_h": [1.0]}, r"age_at_start_h \[1\.0\], but expected is 0 or more hours"),
        ({"age_at_start_h": "4"}, "age_at_start_h of type"),
        (
            {"frames": [np.ones((5, 2, 8, 8))] * 2, "age_at_start_h": 1.0},
            "age_at_start_h is 1.0, .* a list with an entry a cell",
        ),
        ({"n_neighbors": -1}, r"n_neighbors \[-1\.0\], but expected is counts"),
        ({"channels": "ab"}, "channels is 'ab', but expected is a list of the names"),
        ({"frame_interval_min": "30"}, "frame_interval_min is '30', but expected is a number of minutes"),
        ({"frames": [np.ones((5, 2, 8, 8))] * 2, "masks": [None]}, "masks has 1 entries, but there are 2 cells"),
        ({"channels": ("p53", "gfp")}, r"trained on channels \(circadian, p53\) but recording arrays has \(p53, gfp\)"),
        ({"frame_interval_min": 10.0}, "a frame every 30 min but recording arrays has one every 10 min"),
        ({"frame_interval_min": float("nan")}, "a frame every 30 min but recording arrays has one every nan min"),
        ({"frames": np.ones((2, 2, 8, 8))}, "None of 1 cells was watched for 3 frames"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(clock, changes, words):
    given = {"frames": np.ones((5, 2, 8, 8)), "channels": ("circadian", "p53"), "frame_interval_min": 30.0}
    with pytest.raises(InputError, match=words):
        Predictor(clock.model).forecast_arrays(**(given | changes))


def test_a_cell_that_is_too_young_is_told(trained, caplog):
    frames = [np.ones((5, 2, 8, 8)), np.ones((2, 2, 8, 8))]
    table = Predictor(trained.model).forecast_arrays(frames, ("circadian", "p53"), 30)
    assert set(table["cell_id"]) == {0}
    assert "1 of 2 cells were watched for fewer than 3 frames and are not forecast" in caplog.text


def test_a_network_that_overflows_is_no_forecast(trained):
    """Not a probability is NaN, and no outcome is called, in silence."""
    key = next(key for key, held in trained.model.weights.items() if np.issubdtype(held.dtype, np.floating))
    broken = {key: np.full_like(trained.model.weights[key], np.nan)}
    model = replace(trained.model, weights={**trained.model.weights, **broken})
    with pytest.raises(
        InputError, match=r"gives no probability in .* forecasts, first for cell 0 of recording 'arrays'"
    ):
        Predictor(model).forecast_arrays(np.ones((5, 2, 8, 8)), ("circadian", "p53"), 30)


def test_new_cells_are_not_seen_and_those_of_the_training_are_under_any_name(trained, tmp_path):
    predictor = Predictor(trained.model)
    other = tiny_study(tmp_path, channels=2, size=8, seed=9)
    assert not predictor.forecast_crops(other.crops, other.detections, other.follow_ups)["seen_in_training"].any()
    table = predictor.forecast_crops(*trained.new)
    censored = table.merge(trained.study.follow_ups[[*CELL, "fate"]])["fate"] == CENSORED
    expected = ~censored if trained.model.config.kind == "classifier" else np.ones(len(table), bool)
    assert (table["seen_in_training"] == expected).all()


def test_crops_of_another_size_are_refused(trained, tmp_path):
    config = trained.model.config.model_copy(update={"crops": CropSettings(height_px=16, width_px=16)})
    with pytest.raises(InputError, match="8 x 8 px but the model was trained on 16 x 16 px"):
        Predictor(replace(trained.model, config=config)).forecast_crops(*trained.new)


def test_recordings_are_forecast_as_their_crops_are(of_three_channels, root, tmp_path):
    folder = RecordingFolder(root)
    recordings, frame_files, _ = open_recordings(folder, RECORDINGS)
    detections, cells, _ = import_tracks(folder, recordings, frame_files, RECORDINGS, TrackSettings())
    plan = cut_new_crops(folder, recordings, frame_files, detections, of_three_channels, RECORDINGS)
    write_crops(tmp_path / "crops.zarr", plan, plan.settings)
    follow_ups = follow_open_cells(detections, cells, recordings, of_three_channels.config.follow_up)
    predictor = Predictor(of_three_channels)
    of_crops = predictor.forecast_crops(CropStore(tmp_path / "crops.zarr"), detections, follow_ups)
    (tmp_path / "scratch").mkdir()
    of_recordings = predictor.forecast_recordings(root, RECORDINGS, scratch=tmp_path / "scratch")
    pd.testing.assert_frame_equal(of_recordings, of_crops)
    assert list((tmp_path / "scratch").iterdir()) == []
    last = of_recordings.groupby(CELL)["frame"].max()
    assert last[("002", 1)] == 7  # neither: shown to the last frame
    assert last[("002", 2)] == 4  # dies in frame 6: the last frame before the guard of 1 is 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": ("p53", "circadian", "gfp")}, r"channels \(circadian, p53, cell_cycle\) but recording 001"),
        ({"frame_interval_min": 5.0}, "a frame every 30 min but recording 001 has one every 5 min"),
    ],
)
def test_recordings_unlike_the_models_are_refused(of_three_channels, root, changes, words):
    with pytest.raises(InputError, match=words):
        Predictor(of_three_channels).forecast_recordings(root, RECORDINGS.model_copy(update=changes))


@pytest.mark.parametrize("given", ["/models/clock_model", {"kind": "clock"}, None])
def test_what_is_no_model_is_refused_with_the_way_to_load_one(given):
    with pytest.raises(InputError, match=r"expected is a trained model; load one .* with Predictor\.from_folder\.$"):
        Predictor(given)


def test_settings_that_are_missing_are_asked_for(of_three_channels, root):
    with pytest.raises(InputError, match=r"The settings are None, .*; give RecordingSettings\(layout=\.\.\.\)"):
        Predictor(of_three_channels).forecast_recordings(root, None)


def test_recordings_unlike_the_models_are_refused_before_an_image_is_cut(clock, tmp_path):
    named = pd.DataFrame({"recording_id": ["a"], "channels": ["gfp"], "frame_interval_min": [30.0]})
    with pytest.raises(InputError, match=r"recording a has \(gfp\)"):
        cut_new_crops(RecordingFolder(tmp_path), named, pd.DataFrame(), pd.DataFrame(), clock.model, RECORDINGS)
