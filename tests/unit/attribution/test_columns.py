"""Explanations of networks that read columns of measurements: the same values, of columns in windows."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.explained_landmarks import choose_explained_landmarks
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.explaining import (
    attribute_gradients,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    read_rollout,
)
from cellfate.attribution.faithfulness import NO_STAND_INS, trace_faithfulness
from cellfate.attribution.games import all_subsets, build_game, log_odds
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.inputs import Inputs
from cellfate.attribution.methods import COMPARED, SHAPLEY
from cellfate.attribution.opening import open_landmarks
from cellfate.attribution.sanity import check_sanity
from cellfate.attribution.tree_shapley import no_trees
from cellfate.features.column_scales import fit_column_scales
from cellfate.features.measured_frames import MeasuredFrames
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.metrics.background_swap import swap_backgrounds
from cellfate.metrics.masking import mask_sequences
from cellfate.metrics.settings import BackgroundSwapSettings, MaskingSettings
from cellfate.prediction.shown_frames import show_cells
from tests.unit.attribution.conftest import SETTINGS, Explained
from tests.unit.attribution.tiny import random_model

ASKED = SETTINGS.model_copy(update={"max_shapley_landmarks": 6, "max_occlusion_landmarks": 6})
COLUMNS = ("area", "eccentricity", "circularity", "perimeter", "intensity_p53", "intensity_circadian")
BLIND = "eccentricity"
"""The member of the second fold does not read it."""


@pytest.fixture(scope="module")
def frame_features(study):
    return measure_cells(study.crops, study.detections, FeatureSettings())


@pytest.fixture(
    scope="module",
    params=[(kind, encoder) for kind in ("classifier", "clock") for encoder in ("features", "pixels_and_features")],
    ids="-".join,
)
def reading(request, study, frame_features):
    """A model of random weights, what its networks are shown, and the landmarks to explain."""
    kind, encoder = request.param
    beside = study.crops if encoder == "pixels_and_features" else None
    frames = MeasuredFrames(frame_features, study.follow_ups, COLUMNS, crops=beside)
    scales = fit_column_scales(frames, study.follow_ups)
    model = random_model(study, kind, encoder=encoder, columns=scales, blind={1: BLIND})
    shown = show_cells(model, frame_features, study.follow_ups, study.crops)
    chosen = choose_explained_landmarks(shown, study.landmarks, study.splits, model, ASKED)
    return Explained(study, model, ASKED, chosen), shown


def explain(reading, function):
    explained, shown = reading
    return function(shown, *explained.asked[1:])


def open_all(reading):
    explained, shown = reading
    view = view_model(explained.model, explained.settings)
    return list(open_landmarks(shown, explained.landmarks, view, all_subsets, "Opening"))


def test_all_that_is_shown_is_what_the_member_is_asked_about(reading):
    for opened in open_all(reading):
        encoded = [opened.member.encode(opened.frames_tchw)]
        logits = opened.member.logits(encoded, [opened.game.positions_t])
        whole = np.ones((1, len(opened.frames_tchw), len(opened.channels)), dtype=bool)
        assert opened.game.values(whole) == pytest.approx(log_odds(logits, opened.game.outcome_number), abs=1e-5)


def test_a_column_that_is_absent_is_that_of_the_cells_that_stand_in(reading):
    """Frames put together by hand say what the game does; pixels stay as they are."""
    opened = open_all(reading)[0]
    inputs, place = opened.game.inputs, opened.channels.index("area")
    present_btc = np.ones((1, len(opened.frames_tchw), len(opened.channels)), dtype=bool)
    present_btc[0, -1, place] = False
    parts = []
    for absent_tchw in opened.stand_ins.frames_dtchw:
        is_shown = inputs.spread(present_btc[0], opened.frames_tchw)
        encoded = [opened.member.encode(np.where(is_shown, opened.frames_tchw, absent_tchw))]
        odds = log_odds(opened.member.logits(encoded, [opened.game.positions_t]), opened.game.outcome_number)
        parts.append(1 / (1 + np.exp(-odds[0])))
    expected = float(opened.stand_ins.weights_d @ np.array(parts))
    assert opened.game.values(present_btc)[0] == pytest.approx(np.log(expected / (1 - expected)), abs=1e-5)


def test_values_name_columns_and_add_up(reading):
    explained, _ = reading
    shapley = explain(reading, compute_shapley_values)
    named = {scale.name for member in explained.model.config.members for scale in member.columns}
    if explained.model.config.architecture.sees_pixels:
        named |= set(explained.channels)
    assert set(shapley["channel"]) == named
    by_landmark = shapley.groupby("landmark_id")
    gap = by_landmark["prediction"].first() - by_landmark["baseline"].first() - by_landmark["value"].sum()
    assert gap.abs().max() < 1e-4
    assert shapley["value"].abs().max() > 1e-3


def test_a_member_that_does_not_read_a_column_gives_it_nothing(reading):
    explained, _ = reading
    tables = [explain(reading, function) for function in (compute_shapley_values, attribute_gradients, occlude_inputs)]
    folds = explained.landmarks.set_index("landmark_id")["fold"]
    table = pd.concat(tables)
    of_column = table[table["channel"] == BLIND]
    blind = of_column["landmark_id"].map(folds) == 1
    assert blind.any()
    assert (~blind).any()
    assert of_column.loc[blind, "value"].abs().max() < 1e-5  # single precision
    assert of_column.loc[~blind, "value"].abs().max() > 1e-3


def test_gradients_along_a_path_add_up_where_one_part_stands_in(reading):
    explained, shown = reading
    settings = explained.settings.model_copy(update={"absent": "own_mean", "n_path_steps": 64, "kept_segments": 0})
    asked = Explained(explained.study, explained.model, settings, explained.landmarks)
    integrated, shapley = (explain((asked, shown), one) for one in (attribute_gradients, compute_shapley_values))
    summed = integrated[integrated["method"] == "timing"].groupby("landmark_id")["value"].sum()
    whole = shapley.groupby("landmark_id")[["prediction", "baseline"]].first()
    expected = whole["prediction"] - whole["baseline"]
    assert np.abs(summed - expected).max() < 0.05 * max(1.0, np.abs(expected).max())


def test_the_methods_are_put_to_the_test_as_those_of_pixels_are(reading):
    explained, shown = reading
    methods = (read_attention, read_rollout, occlude_inputs, compute_shapley_values, attribute_gradients)
    values = [explain(reading, function) for function in methods]
    gathered = gather_attributions(*values, no_trees(), explained.landmarks, explained.settings)
    assert set(gathered["method"]) == {name for name, method in COMPARED.items() if method.of_network}
    chosen = explained.landmarks
    cells, curves = trace_faithfulness(shown, chosen, gathered, explained.model, explained.settings)
    traced = cells[(cells["method"] == SHAPLEY) & (cells["score"] == "deletion_gain")]
    assert traced["value"].notna().any()
    assert set(traced.loc[traced["value"].isna(), "reason"]) <= {NO_STAND_INS}
    assert len(curves)
    sane, _ = check_sanity(shown, chosen, explained.model, explained.settings)
    assert sane.loc[sane["score"] == "randomised_weights", "value"].notna().any()


def test_any_number_of_columns_is_explained_but_not_of_channels():
    pixels = np.zeros((2, 9, 1, 4), np.float32)

    class Sum:
        def encode(self, frames):
            return frames.reshape(len(frames), -1)

        def logits(self, embeddings, positions):
            return np.array([[each.sum()] for each in embeddings])

    names = [f"column {number}" for number in range(9)]
    game = build_game(Sum(), pixels + 1, np.arange(2), 0, all_subsets(0), inputs=Inputs.of_columns(0, names, names))
    present = np.zeros((1, 2, 9), dtype=bool)
    present[0, 0, 3] = True
    assert game.values(present).tolist() == pytest.approx([4.0])


def test_questions_about_pixels_are_not_asked_of_columns(reading, caplog):
    """Nor is the digest of the data looked at first, which these models lack."""
    explained, _ = reading
    if explained.is_clock:
        pytest.skip("they are asked of the classifier alone")
    study, model = explained.study, explained.model
    asked = study.crops, study.landmarks, study.splits, model
    assert mask_sequences(*asked, MaskingSettings()).empty
    assert swap_backgrounds(*asked, FeatureSettings(), BackgroundSwapSettings()).empty
    said = [record.getMessage() for record in caplog.records if "reads columns of measurements" in record.getMessage()]
    assert len(said) == 2
    assert all(f"model.encoder is {model.config.architecture.encoder}" in sentence for sentence in said)


def test_the_mean_over_time_of_columns_does_not_hang_on_what_lies_in_the_image(reading):
    explained, shown = reading
    settings = explained.settings.model_copy(update={"absent": "own_mean"})
    view = view_model(explained.model, settings)
    (opened,) = open_landmarks(shown, explained.landmarks.head(1), view, all_subsets, "Opening")
    numbers = opened.game.inputs.numbers
    own = numbers(opened.frames_tchw).mean(axis=0)
    np.testing.assert_allclose(numbers(opened.stand_ins.frames_dtchw[0])[-1], own, atol=1e-6)
