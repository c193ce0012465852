"""Cells on the surroundings of others: the picture by hand, and what becomes of two models."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.predictors import CLASSIFIER, ON_OTHER_BACKGROUND
from cellfate.core.tables import Forecasts, Metrics
from cellfate.crops.store import CellSequence
from cellfate.features.settings import FeatureSettings
from cellfate.metrics import background_swap as room
from cellfate.metrics import score_forecasts
from cellfate.metrics.settings import BackgroundSwapSettings, ScoreSettings
from cellfate.models.settings import ModelSettings
from cellfate.prediction.forecasts import forecast_classifier
from tests.cases.trained_models import tiny_classifier
from tests.unit.metrics.tables import FIVE_H, fated

SIZE = 16
CELL = np.hypot(*np.mgrid[-8:8, -8:8]) <= 3


def sequence(levels_t, cell_level, masks=None, inside=None, noise=0.0, seed=0):
    """Crops of one channel: surroundings of a level a frame, and a disc at the centre."""
    levels_t = np.asarray(levels_t, float)
    frames = np.where(CELL, cell_level, levels_t[:, None, None])
    frames = frames + np.random.default_rng(seed).normal(0, noise, frames.shape)
    n = len(levels_t)
    whole = np.ones((n, SIZE, SIZE), bool)
    return CellSequence(
        frames_tchw=frames.round().astype(np.uint16)[:, None],
        masks_thw=whole & CELL if masks is None else masks,
        inside_thw=whole if inside is None else inside,
        frame_numbers_t=np.arange(n),
        y0_px=np.zeros(n, np.int64),
        x0_px=np.zeros(n, np.int64),
        recording_id="r",
        cell_id=1,
        channels=("gfp",),
        frame_interval_min=30.0,
    )


def lay(own, donor, seed=0):
    return room.lay_on(own, own.masks_thw, donor, donor.masks_thw, np.random.default_rng(seed))


def test_the_cell_keeps_its_pixels_and_the_rest_is_the_donors():
    swapped = lay(sequence([10, 11, 12], 500), sequence([70, 80, 90], 900))
    for t, level in enumerate((70, 80, 90)):
        np.testing.assert_array_equal(swapped.frames_tchw[t, 0], np.where(CELL, 500, level))
    assert swapped.frames_tchw.dtype == np.uint16


def test_frames_are_aligned_at_the_end_and_a_short_donors_first_is_used_again():
    swapped = lay(sequence([10] * 4, 500), sequence([70, 80], 900))
    assert swapped.frames_tchw[:, 0, 0, 0].tolist() == [70, 70, 70, 80]
    swapped = lay(sequence([10] * 2, 500), sequence([70, 80, 90], 900))
    assert swapped.frames_tchw[:, 0, 0, 0].tolist() == [80, 90]


def test_nothing_of_the_donor_itself_is_left():
    larger = np.roll(CELL, 5, axis=1)[None].repeat(200, 0)
    donor = sequence([1000] * 200, 9000, masks=larger | CELL, noise=20.0)
    donor.frames_tchw[:, 0, larger[0]] = 9000
    swapped = lay(sequence([10] * 200, 500), donor)
    filled = swapped.frames_tchw[:, 0, larger[0] & ~CELL].astype(float)
    assert filled.mean() == pytest.approx(1000, abs=2)
    assert filled.std() == pytest.approx(20, abs=1.5)


def test_the_edge_of_the_image_comes_with_the_surroundings():
    cut, cut_off = np.ones((2, 1, SIZE, SIZE), bool)
    cut[:, :, :7], cut_off[:, :5] = False, False  # the own image ends within the cell
    swapped = lay(sequence([10], 500, inside=cut), sequence([70], 900, inside=cut_off))
    own = CELL & cut[0]
    np.testing.assert_array_equal(swapped.inside_thw[0], cut_off[0] | own)
    np.testing.assert_array_equal(swapped.frames_tchw[0, 0] == 500, own)


def test_masks_are_widened_and_borrowed_from_the_nearest_frame():
    masks = np.zeros((4, 9, 9), bool)
    masks[1, 4, 4] = True
    masks[3, 2, 2:4] = True
    filled = room.fill_masks(masks, 1)
    assert filled is not None
    assert filled.sum(axis=(1, 2)).tolist() == [9, 9, 9, 12]
    assert room.fill_masks(masks, 0)[0].sum() == 1
    assert room.fill_masks(np.zeros((2, 9, 9), bool), 1) is None


def test_donors_are_of_other_groups():
    groups = ["a", "a", "b", "c"] * 20
    donors = room.draw_donors(groups, np.random.default_rng(0))
    assert all(groups[i] != groups[j] for i, j in enumerate(donors))
    assert {groups[j] for j in donors} == {"a", "b", "c"}


def test_one_group_exchanges_within_it_and_says_so(caplog):
    donors = room.draw_donors(["a"] * 6, np.random.default_rng(0))
    assert (donors != np.arange(6)).all()
    assert "one group" in caplog.text
    with pytest.raises(InputError, match="one test cell"):
        room.draw_donors(["a"], np.random.default_rng(0))


class Member:
    """A model that calls apoptosis where the crop is brighter than 300 on average."""

    def prepare(self, cells):
        return cells.frames_tchw.astype(np.float32)

    def encode(self, frames_tchw):
        return frames_tchw.mean(axis=(2, 3))

    def probabilities(self, embeddings, positions):
        p = np.array([1 / (1 + np.exp(-(e.mean() - 300) / 50)) for e in embeddings])
        return np.stack([p, 1 - p], axis=1)


def swap(monkeypatch, surroundings, cells, masks=None):
    """Forecast 40 cells of 20 groups, given the levels of apoptotic and of dividing ones.

    One seed in twenty draws surroundings whose interval misses chance, as it should; seed 1 is none of these.
    """
    outcomes = ["apoptosis", "mitosis", "mitosis", "apoptosis"] * 10
    landmarks = fated(outcomes, groups=np.arange(40) // 2, n_frames=3)
    dies = dict(zip(landmarks["cell_id"], landmarks["fate"] == "apoptosis", strict=True))

    def read(_, cell_id, *__):
        level, cell = surroundings[0 if dies[cell_id] else 1], cells[0 if dies[cell_id] else 1]
        return sequence([level] * 3, cell, masks=masks, noise=3.0, seed=cell_id)

    splits = landmarks[["recording_id", "cell_id"]].assign(scheme="grouped_holdout", fold=0, part="test")
    monkeypatch.setattr(room, "load_classifier_member", lambda *_: Member())
    monkeypatch.setattr(room, "check_trained_on", lambda *_: None)
    store = SimpleNamespace(channels=("gfp",), read=read)
    both = ("apoptosis", "mitosis")
    told = {"outcomes": both, "events": both, "scheme": "grouped_holdout", "architecture": ModelSettings(n_layers=1)}
    config = SimpleNamespace(members=(0,), folds=(0,), **told)
    model = SimpleNamespace(classifier_config=config)
    features = FeatureSettings(min_contrast=50.0)
    table = room.swap_backgrounds(store, landmarks, splits, model, features, BackgroundSwapSettings(seed=1))
    Forecasts.validate(table)
    scores = Metrics.validate(score_forecasts(table, landmarks, FIVE_H, ScoreSettings(n_resamples=200)))
    return table, scores.query("metric == 'balanced_accuracy' and condition == 'all'").set_index("predictor")


def test_a_model_of_the_surroundings_falls_to_chance(monkeypatch):
    _, scores = swap(monkeypatch, surroundings=(400, 200), cells=(300, 300))
    assert scores.loc[CLASSIFIER, "estimate"] == 1
    assert scores.loc[ON_OTHER_BACKGROUND, "low"] < 0.5 < scores.loc[ON_OTHER_BACKGROUND, "high"]


def test_a_model_of_the_cell_keeps_its_score(monkeypatch):
    table, scores = swap(monkeypatch, surroundings=(100, 100), cells=(5000, 200))
    assert scores.loc[CLASSIFIER, "estimate"] == scores.loc[ON_OTHER_BACKGROUND, "estimate"] == 1
    before, after = (
        table[table["predictor"] == name]["p_apoptosis"].to_numpy() for name in (CLASSIFIER, ON_OTHER_BACKGROUND)
    )
    np.testing.assert_allclose(after, before, atol=0.02)


def test_the_same_seed_gives_the_same_swap(monkeypatch):
    first, _ = swap(monkeypatch, surroundings=(400, 200), cells=(300, 300))
    again, _ = swap(monkeypatch, surroundings=(400, 200), cells=(300, 300))
    pd.testing.assert_frame_equal(first, again)


def test_no_mask_at_all_is_an_error(monkeypatch):
    with pytest.raises(InputError, match="None of 40 test cells"):
        swap(monkeypatch, (100, 100), (100, 100), masks=np.zeros((3, SIZE, SIZE), bool))


def test_a_model_without_members_has_nothing_to_say():
    config = SimpleNamespace(events=("apoptosis",), members=())
    model = SimpleNamespace(classifier_config=config)
    landmarks = fated(["apoptosis"])
    table = room.swap_backgrounds(None, landmarks, landmarks, model, FeatureSettings(), BackgroundSwapSettings())
    assert Forecasts.validate(table).empty


def test_unswapped_cells_are_forecast_as_the_classifier_does(tmp_path):
    study, model = tiny_classifier(tmp_path)
    tables = study.crops, study.landmarks, study.splits, model
    table = room.swap_backgrounds(*tables, FeatureSettings(), BackgroundSwapSettings(margin_px=0))
    keys = ["scheme", "fold", "part", "recording_id", "cell_id", "frame"]
    pairs = table.pivot_table(index=keys, columns="predictor", values="p_apoptosis")
    whole = forecast_classifier(*tables).set_index(keys)["p_apoptosis"].loc[pairs.index]
    np.testing.assert_allclose(pairs[CLASSIFIER], whole, rtol=1e-5)  # single precision
    assert (pairs[ON_OTHER_BACKGROUND] != pairs[CLASSIFIER]).any()
