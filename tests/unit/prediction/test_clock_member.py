"""What one member of the fate clock reads, how parts are blended, and forecasts as a table."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import Incidence
from cellfate.pipelines.fate_clock.nodes import boost_clock
from cellfate.prediction import TrainedClock
from cellfate.prediction.clock_ensemble import LEAST_HAZARD, blend_hazards, read_landmarks
from cellfate.prediction.clock_forecasts import forecast_incidence, list_frames, member_hazards
from cellfate.prediction.clock_member import load_clock_member
from cellfate.statistics.incidence import cumulative_incidence, expected_time_h
from tests.cases.trained_models import TINY_CLOCK, TINY_ENSEMBLE, TINY_FOLLOW_UP, TinyClockStudy, tiny_clock

TOLERANCE = 1e-5  # float32 sums in another order


@dataclass(frozen=True)
class Trained:
    study: TinyClockStudy
    model: TrainedClock
    incidence: pd.DataFrame


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    study, model = tiny_clock(tmp_path_factory.mktemp("clock"))
    return Trained(study, model, forecast(study, model))


def forecast(study, model):
    return forecast_incidence(study.crops, study.follow_ups, study.splits, study.frame_features, model)


def assert_same_reading(one, other, n_frames):
    np.testing.assert_allclose(one.hazards_tke[:n_frames], other.hazards_tke[:n_frames], atol=TOLERANCE)
    np.testing.assert_allclose(one.inputs_ti[:n_frames], other.inputs_ti[:n_frames], atol=TOLERANCE)


@pytest.mark.parametrize("with_masks", [True, False])
def test_a_reading_is_of_the_frames_so_far(trained, with_masks):
    """From pixels to hazards: neither cutting later frames off nor drawing anything into them changes a frame."""
    sequence, member = trained.study.read_cell(), load_clock_member(trained.model, 0)
    if not with_masks:  # a threshold finds the cell
        sequence = replace(sequence, masks_thw=None)
    whole = member.read_cell(sequence)
    assert whole.hazards_tke.shape == (len(sequence.frame_numbers_t), 2, 2)
    for n_frames in (1, 4, len(sequence.frame_numbers_t) - 1):
        assert_same_reading(member.read_cell(sequence.take(np.arange(n_frames))), whole, n_frames)
        frames = sequence.frames_tchw.copy()
        frames[n_frames:] = np.random.default_rng(0).integers(0, 60000, frames[n_frames:].shape)
        noisy = member.read_cell(replace(sequence, frames_tchw=frames))
        assert_same_reading(noisy, whole, n_frames)
        assert (np.abs(noisy.hazards_tke - whole.hazards_tke)[n_frames:].max(axis=(1, 2)) > 1e-4).all()


def test_small_batches_of_the_encoder_change_nothing(trained, monkeypatch):
    sequence, member = trained.study.read_cell(), load_clock_member(trained.model, 0)
    whole = member.read_cell(sequence)
    monkeypatch.setattr("cellfate.prediction.clock_member.ENCODER_FRAMES", 3)
    assert_same_reading(member.read_cell(sequence), whole, len(sequence.frame_numbers_t))


def test_landmarks_are_read_in_any_order_and_each_at_its_own_frame(trained):
    study, member = trained.study, load_clock_member(trained.model, 1)
    landmarks = study.landmarks.iloc[[7, 0, 3, 1]]
    hazards, inputs = read_landmarks(study.crops, landmarks, member)
    assert list(inputs.index) == list(landmarks.index)
    for place, (_, row) in enumerate(landmarks.iterrows()):
        alone = member.read_cell(study.crops.read(row["recording_id"], row["cell_id"], last_frame=row["last_frame"]))
        np.testing.assert_allclose(hazards[place], alone.hazards_tke[-1], atol=TOLERANCE)
        np.testing.assert_allclose(inputs.iloc[place], alone.inputs_ti[-1], atol=TOLERANCE)


def test_a_landmark_without_a_crop_is_named(trained):
    landmarks = trained.study.landmarks.iloc[:1].assign(last_frame=500)
    with pytest.raises(InputError, match="has no crop in frame 500; run data_processing again"):
        read_landmarks(trained.study.crops, landmarks, load_clock_member(trained.model, 0))


def test_hazards_are_blended_by_hand():
    first = np.array([[[0.2, 0.3], [0.1, 0.1]]])  # odds against nothing: .4 and .6; .125 and .125
    second = np.array([[[0.1, 0.7], [0.4, 0.2]]])  # .5 and 3.5; 1 and .5
    odds = np.sqrt(np.array([[0.4 * 0.5, 0.6 * 3.5], [0.125 * 1, 0.125 * 0.5]]))
    expected = odds / (1 + odds.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(blend_hazards([first, second]), expected[None], rtol=1e-12)
    np.testing.assert_allclose(blend_hazards([first]), first, rtol=1e-12)
    np.testing.assert_allclose(blend_hazards([second, first]), expected[None], rtol=1e-12)


def test_a_part_that_is_too_sure_does_not_rule_the_others():
    blended = blend_hazards([np.array([[[0.0, 1.0]]]), np.array([[[0.2, 0.2]]])])
    assert np.isfinite(blended).all()
    assert LEAST_HAZARD < blended[0, 0, 0] < 0.5
    assert blended.sum() < 1


def test_the_ensemble_is_the_blend_of_its_parts(trained):
    study, model = trained.study, trained.model
    frames = list_frames(study.crops, study.follow_ups.iloc[:3], 3)
    hazards = member_hazards(study.crops, frames, study.frame_features, model, 0)
    member = load_clock_member(model, 0)
    assert set(member.boosters) == {"boosting_on_features", "boosting_on_embeddings"}
    _, embedded = read_landmarks(study.crops, frames, member)
    on_embeddings = member.boosters["boosting_on_embeddings"].hazards(embedded)
    parts = {}
    for name in ("boosting_on_features", "boosting_on_embeddings"):
        ensemble = TINY_ENSEMBLE.model_copy(update={"parts": (name,)})
        config = model.config.model_copy(update={"ensemble": ensemble})
        alone = replace(model, config=config)
        parts[name] = member_hazards(study.crops, frames, study.frame_features, alone, 0)["ensemble"]
    np.testing.assert_allclose(parts["boosting_on_embeddings"], blend_hazards([on_embeddings]), atol=1e-9)
    np.testing.assert_allclose(hazards["ensemble"], blend_hazards([hazards["clock"], *parts.values()]), atol=1e-9)
    assert not np.allclose(hazards["ensemble"], hazards["clock"], atol=1e-3)


def test_boosters_learn_from_the_training_cells_of_their_fold_alone(trained):
    study, model = trained.study, trained.model
    tested = study.splits.query("fold == 0 and part != 'train'")["sample_id"]
    cells = study.follow_ups.loc[study.follow_ups["sample_id"].isin(tested), ["recording_id", "cell_id"]]
    elsewhere = study.landmarks.merge(cells, on=["recording_id", "cell_id"], how="left", indicator=True)["_merge"]
    changed = study.landmarks.assign(fate=study.landmarks["fate"].mask((elsewhere == "both").to_numpy(), "censored"))
    again = boost_clock(study.crops, study.follow_ups, changed, study.splits, study.frame_features, model)
    assert again.member_boosters(0) == model.member_boosters(0)
    assert again.member_boosters(1) != model.member_boosters(1)


def test_every_shown_frame_of_every_tested_cell_is_forecast_once(trained):
    study, incidence = trained.study, Incidence.validate(trained.incidence)
    expected = []
    for split in study.splits[study.splits["part"] != "train"].itertuples():
        cell = study.follow_ups.set_index("sample_id").loc[split.sample_id]
        frames = study.crops.frame_numbers(cell["recording_id"], int(cell["cell_id"]))
        shown = [t for t in frames if cell["first_frame"] + TINY_FOLLOW_UP.min_frames - 1 <= t <= cell["last_frame"]]
        key = (split.fold, split.part, cell["recording_id"], cell["cell_id"])
        expected += [(predictor, *key, t, h) for predictor in ("clock", "ensemble") for t in shown for h in (2.0, 3.0)]
    columns = ["predictor", "fold", "part", "recording_id", "cell_id", "frame", "within_h"]
    assert sorted(map(tuple, incidence[columns].to_numpy())) == sorted(expected)
    assert set(incidence["scheme"]) == {"grouped_folds"}


def test_probabilities_sum_to_one_and_never_fall_with_the_hours(trained):
    columns = ["p_apoptosis", "p_mitosis", "p_none"]
    np.testing.assert_allclose(trained.incidence[columns].sum(axis=1), 1)
    assert (trained.incidence["p_none"] > 0).all()
    rows = trained.incidence.groupby(["predictor", "fold", "recording_id", "cell_id", "frame"])
    for event in ("p_apoptosis", "p_mitosis"):
        assert (rows[event].diff().dropna() >= 0).all()
    assert trained.incidence["expected_h"].between(1, 3).all()  # between the guard and the horizon


def test_a_forecast_is_the_incidence_of_the_folds_own_hazards(trained):
    study = trained.study
    row = trained.incidence.query("fold == 1 and predictor == 'clock' and within_h == 2").iloc[4]
    sequence = study.crops.read(row["recording_id"], int(row["cell_id"]))
    reading = load_clock_member(trained.model, 1).read_cell(sequence)
    place = sequence.frame_numbers_t.tolist().index(row["frame"])
    incidence = cumulative_incidence(reading.hazards_tke[place : place + 1])
    np.testing.assert_allclose(row[["p_apoptosis", "p_mitosis"]].astype(float), incidence[0, 0], atol=TOLERANCE)
    assert row["expected_h"] == pytest.approx(expected_time_h(incidence, (1.0, 2.0, 3.0))[0], abs=TOLERANCE)


def test_a_forecast_does_not_know_what_comes_after_its_frame(trained):
    """The last two frames of every cell, and what was measured in them, are taken away."""
    study = trained.study
    frames = list_frames(study.crops, study.follow_ups, 3)
    shorter = study.follow_ups.assign(last_frame=study.follow_ups["last_frame"] - 2)
    early = list_frames(study.crops, shorter, 3)
    ends = study.frame_features.merge(shorter[["recording_id", "cell_id", "last_frame"]])
    measured = ends[ends["frame"] <= ends["last_frame"]].drop(columns="last_frame")
    kept = frames["sample_id"].isin(early["sample_id"]).to_numpy()
    assert 0 < kept.sum() == len(early) < len(frames)
    for fold in (0, 1):
        whole = member_hazards(study.crops, frames, study.frame_features, trained.model, fold)
        cut = member_hazards(study.crops, early, measured, trained.model, fold)
        for predictor in ("clock", "ensemble"):
            np.testing.assert_allclose(cut[predictor], whole[predictor][kept], atol=TOLERANCE)


def test_a_clock_is_not_tested_on_other_splits_than_it_was_trained_with(trained):
    study = trained.study
    moved = replace(study, splits=study.splits.assign(fold=1 - study.splits["fold"]))
    with pytest.raises(InputError, match="run its training"):
        forecast(moved, trained.model)
    fewer = replace(study, follow_ups=study.follow_ups.iloc[1:])
    with pytest.raises(InputError, match="run its training"):
        forecast(fewer, trained.model)


def test_crops_unlike_the_models_are_refused(trained):
    sequence = trained.study.read_cell()
    with pytest.raises(InputError, match=r"crops of \(channels, rows, columns\) \(1, 8, 8\)"):
        load_clock_member(trained.model, 0).read_cell(replace(sequence, frames_tchw=sequence.frames_tchw[:, :1]))


def test_a_fold_without_a_member_is_named(trained):
    with pytest.raises(InputError, match=r"members of folds \[0, 1\] but not of fold 4"):
        load_clock_member(trained.model, 4)


def test_weights_of_another_architecture_are_refused(trained):
    wider = TINY_CLOCK.model_copy(update={"feed_forward_size": 99})
    config = trained.model.config.model_copy(update={"architecture": wider})
    with pytest.raises(InputError, match="weights of fold 0 do not fit the architecture"):
        load_clock_member(replace(trained.model, config=config), 0)
