"""What stands in for absent parts: by hand on a linear model, and for every choice that the values add up."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.attribution.explained_landmarks import choose_explained_landmarks
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.explaining import attribute_gradients, compute_shapley_values, occlude_inputs
from cellfate.attribution.games import all_subsets, build_game
from cellfate.attribution.gradients import attribute_pixels
from cellfate.attribution.opening import open_landmarks
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.stand_ins import draw_stand_ins
from cellfate.attribution.windows import cut_time_windows
from tests.unit.attribution.conftest import SETTINGS, Explained
from tests.unit.attribution.tiny import CROOKED, MeanPixelModel, crooked, frames, random_model

BOUNDED = MeanPixelModel(lambda embeddings, positions: 2 * np.sin(crooked(embeddings, positions)))
ABSENT = ("mean_pixel", "background", "other_cells", "own_mean")


class Linear:
    """A logit that is the sum of channel means by frame, weighted (T, C)."""

    def __init__(self, weights_tc):
        self.weights_tc = np.asarray(weights_tc, float)

    def encode(self, frames_tchw):
        return frames_tchw.mean(axis=(2, 3))

    def logits(self, embeddings, positions):
        return np.array([[(self.weights_tc * e).sum()] for e in embeddings])


def test_of_a_linear_model_the_value_is_weight_times_difference_from_what_stands_in():
    weights, shown, absent = [[1.0, 2.0], [3.0, -1.0]], [[2.0, 5.0], [1.0, 4.0]], [[1.0, 3.0], [1.5, 0.0]]
    pixels, others = (np.array(levels, np.float32)[:, :, None, None].repeat(2, axis=3) for levels in (shown, absent))
    game = build_game(Linear(weights), pixels, np.arange(2), 0, all_subsets(2), others[None])
    table = shapley_values(game, cut_time_windows(np.arange(2), 1, 2), ("a", "b"), n_permutations=1, seed=0)
    np.testing.assert_allclose(table["value"], [1 * (2 - 1), 2 * (5 - 3), 3 * (1 - 1.5), -1 * (4 - 0)], atol=1e-6)
    assert table["baseline"].iloc[0] == pytest.approx(1 * 1 + 2 * 3 + 3 * 1.5 - 1 * 0)


def test_the_probability_is_averaged_over_draws_by_their_weights():
    """Log odds 0 and log 3 are .5 and .75; weighted 3 to 1 that is .5625, odds 9 to 7. Their mean would be .275."""
    others = np.zeros((2, 1, 1, 1, 1), np.float32)
    others[1] = np.log(3)
    own = np.full((1, 1, 1, 1), 2.0, np.float32)
    game = build_game(Linear([[1.0]]), own, np.arange(1), 0, all_subsets(1), others, np.array([0.75, 0.25]))
    nothing, whole = game.values(np.array([[[False]], [[True]]]))
    assert nothing == pytest.approx(np.log(9 / 7), abs=1e-6)
    assert whole == pytest.approx(2.0)


@settings(max_examples=20, deadline=None)
@given(
    n_frames=st.integers(1, 6), window_frames=st.integers(1, 8), n_draws=st.integers(1, 3), seed=st.integers(0, 2**31)
)
def test_values_add_up_whatever_stands_in(n_frames, window_frames, n_draws, seed):
    """Also where a cell is shorter than a window."""
    others = np.stack([frames(n_frames, 2, seed % 1000 + 1 + draw) for draw in range(n_draws)])
    weights = np.random.default_rng(seed).dirichlet(np.ones(n_draws))
    positions = np.arange(n_frames)
    game = build_game(BOUNDED, frames(n_frames, 2, 0), positions, 0, all_subsets(2), others, weights)
    windows = cut_time_windows(positions, window_frames, 9)
    table = shapley_values(game, windows, ("a", "b"), n_permutations=1, seed=seed)
    p = [
        1 / (1 + np.exp(-BOUNDED.logits([BOUNDED.encode(other)], [positions])[0, 0].astype(float))) for other in others
    ]
    nothing = float(np.dot(weights, p))
    assert table["baseline"].iloc[0] == pytest.approx(np.log(nothing / (1 - nothing)), abs=1e-4)
    assert table["value"].sum() == pytest.approx(table["prediction"].iloc[0] - table["baseline"].iloc[0], abs=1e-4)


def chosen_with(study, kind, absent, **changes):
    asked = SETTINGS.model_copy(update={"absent": absent, **changes})
    model = random_model(study, kind)
    landmarks = choose_explained_landmarks(study.crops, study.landmarks, study.splits, model, asked)
    return Explained(study, model, asked, landmarks)


@pytest.mark.parametrize("absent", ABSENT)
@pytest.mark.parametrize("kind", ["classifier", "clock"])
def test_every_choice_gives_every_reading_values_that_add_up(study, kind, absent):
    explained = chosen_with(study, kind, absent)
    table = compute_shapley_values(*explained.asked).groupby("landmark_id")
    gaps = table["prediction"].first() - table["baseline"].first()
    np.testing.assert_allclose(table["value"].sum(), gaps, atol=1e-4)
    assert gaps.abs().max() > 1e-3
    assert np.isfinite(occlude_inputs(*explained.asked)["value"]).all()
    assert np.isfinite(attribute_gradients(*explained.asked)["value"]).all()


def open_first(explained, cell_id=None):
    rows = explained.landmarks if cell_id is None else explained.landmarks.query("cell_id == @cell_id")
    view = view_model(explained.model, explained.settings)
    return rows.iloc[0], next(open_landmarks(explained.study.crops, rows.head(1), view, all_subsets, "Opening"))


def test_the_background_is_the_median_of_each_frame_and_channel_inside_the_image(study):
    row, opened = open_first(chosen_with(study, "classifier", "background"), cell_id=1)  # it lies half outside
    sequence = study.crops.read(row["recording_id"], 1, row["shown_from"], row["last_frame"])
    assert not sequence.inside_thw.all()
    (absent_tchw,) = opened.stand_ins.frames_dtchw
    for place, channel in ((0, 0), (3, 1)):
        inside = sequence.inside_thw[place]
        median = np.median(opened.frames_tchw[place, channel][inside])
        np.testing.assert_allclose(absent_tchw[place, channel], np.where(inside, median, 0), atol=1e-5)


def test_above_background_the_background_is_0_and_so_is_the_mask(study):
    for cell_id in (1, 2):
        _, opened = open_first(chosen_with(study, "clock", "background"), cell_id)
        assert opened.frames_tchw[:, -1].max() == 1  # the mask
        np.testing.assert_allclose(opened.stand_ins.frames_dtchw, 0, atol=1e-5)


def test_the_own_mean_is_over_the_frames_in_which_a_pixel_lies_in_the_image(study):
    row, opened = open_first(chosen_with(study, "classifier", "own_mean"), cell_id=1)
    sequence = study.crops.read(row["recording_id"], 1, row["shown_from"], row["last_frame"])
    inside = sequence.inside_thw
    (absent_tchw,) = opened.stand_ins.frames_dtchw
    y, x = np.argwhere(inside.any(axis=0))[0]
    seen = inside[:, y, x]
    expected = np.where(seen, opened.frames_tchw[seen, 0, y, x].mean(), 0)
    np.testing.assert_allclose(absent_tchw[:, 0, y, x], expected, atol=1e-5)


def test_a_channel_that_never_changes_says_nothing_beside_the_own_mean_but_may_beside_other_cells():
    pixels = frames(4, 2)
    pixels[:, 1] = 0.7
    mean = pixels.mean(axis=0, keepdims=True).repeat(4, axis=0)
    windows = cut_time_windows(np.arange(4), 2, 2)
    values = {
        name: shapley_values(
            build_game(CROOKED, pixels, np.arange(4), 0, all_subsets(2), absent[None]), windows, ("a", "b"), 2, 0
        ).set_index("channel")["value"]
        for name, absent in (("own", mean), ("others", frames(4, 2, 5)))
    }
    np.testing.assert_allclose(values["own"]["b"], 0, atol=1e-5)
    assert values["others"]["b"].abs().min() > 1e-3


def test_other_cells_are_training_cells_of_the_fold_shown_hour_by_hour_before_their_landmark(study):
    explained = chosen_with(study, "classifier", "other_cells")
    train = explained.study.splits.query("part == 'train'")
    for row in explained.landmarks.to_dict("records"):
        cells = [name.rsplit(":", 1)[0] for name in row["stand_ins"]]
        of_fold = train[train["fold"] == row["fold"]]
        assert len(set(cells)) == 2
        assert set(cells) <= set(of_fold["recording_id"] + ":" + of_fold["cell_id"].astype(str))
    row, opened = open_first(explained)
    n_shown = len(opened.frames_tchw)
    for name, absent_tchw in zip(row["stand_ins"], opened.stand_ins.frames_dtchw, strict=True):
        recording_id, cell_id, last = name.rsplit(":", 2)
        other = opened.member.prepare(study.crops.read(recording_id, int(cell_id), last_frame=int(last)))
        n_there = min(n_shown, len(other))
        np.testing.assert_array_equal(absent_tchw[n_shown - n_there :], other[len(other) - n_there :])
        assert (absent_tchw[: n_shown - n_there] == other[0]).all()  # before its first frame


def candidates(n_with: int, n_without: int):
    """Training cells of one landmark each, the first so many with the outcome, shown 5, 6, 7, ... frames."""
    cells = np.arange(n_with + n_without)
    answered = pd.DataFrame(
        {
            "landmark_id": [f"r:{cell}:{cell + 4}" for cell in cells], "recording_id": "r", "cell_id": cells,
            "shown_from": 0, "last_frame": cells + 4,
            "outcome": np.where(cells < n_with, "mitosis", "none"),
        }
    )  # fmt: skip
    splits = answered[["recording_id", "cell_id"]].assign(fold=0, part="train")
    explained = pd.DataFrame({"landmark_id": [f"x:{n}:9" for n in range(40)], "fold": 0, "shown_from": 0})
    return explained.assign(last_frame=6), answered, splits


def draw(study, tables, n_draws):
    asked = ExplanationSettings(outcome="mitosis", n_absent_draws=n_draws)
    return draw_stand_ins(*tables, view_model(random_model(study, "clock"), asked))


def test_half_have_the_outcome_and_all_together_count_as_in_training(study):
    """2 of 10 have it: of four draws each of the two with it counts .1, of the others .4; 7 frames are needed."""
    drawn = draw(study, candidates(2, 8), 4)
    for row in drawn.itertuples():
        numbers = [int(name.split(":")[1]) for name in row.stand_ins]
        assert sorted(numbers[:2]) == [0, 1]
        assert all(number >= 2 for number in numbers[2:])
        np.testing.assert_allclose(row.stand_in_weights, [0.1, 0.1, 0.4, 0.4])
    others = {name for names in drawn["stand_ins"] for name in names[2:]}
    assert len(others) == 8
    again = draw(study, candidates(2, 8), 4)
    assert again["stand_ins"].tolist() == drawn["stand_ins"].tolist()


def test_cells_shown_as_long_come_first(study):
    explained, *others = candidates(2, 8)
    drawn = draw(study, (explained.assign(last_frame=12), *others), 2)  # 13 frames: cells 8 and 9 have 13 and 14
    assert {names[1] for names in drawn["stand_ins"]} == {"r:8:12", "r:9:13"}
    assert {names[0] for names in drawn["stand_ins"]} == {"r:1:5"}  # nobody has so many: the longest


@pytest.mark.parametrize(
    ("n_with", "n_without", "n_draws", "weights"),
    [(1, 3, 4, [0.25, 0.375, 0.375]), (0, 2, 4, [0.5, 0.5]), (3, 0, 1, [1.0]), (0, 0, 2, [])],
)
def test_of_too_few_those_there_are_stand_in_and_they_are_counted(study, caplog, n_with, n_without, n_draws, weights):
    with caplog.at_level(logging.WARNING):
        drawn = draw(study, candidates(n_with, n_without), n_draws)
    np.testing.assert_allclose(drawn["stand_in_weights"].iloc[0], weights)
    assert ("At 40 of 40 landmarks fewer than" in caplog.text) == (len(weights) < n_draws)


@pytest.mark.parametrize(("n_with", "n_draws", "weights"), [(2, 2, [0.2, 0.8]), (0, 2, [0.5, 0.5]), (5, 1, [1.0])])
def test_curves_have_draws_of_other_cells_that_count_alike(study, n_with, n_draws, weights):
    drawn = draw(study, candidates(n_with, 10 - n_with), n_draws)
    for row in drawn.itertuples():
        assert not set(row.stand_ins) & set(row.curve_stand_ins)
        np.testing.assert_allclose(row.curve_stand_in_weights, weights)
        np.testing.assert_allclose(row.stand_in_weights, weights)
        if n_with == 2:
            assert [int(names[0].split(":")[1]) < 2 for names in (row.stand_ins, row.curve_stand_ins)] == [True] * 2


def test_occlusion_has_the_draws_of_the_values_and_more_and_none_of_the_curves(study):
    """Of 4 with the outcome and 6 without, one of each stands in on the curves; 3 and 3 of the others are drawn."""
    asked = ExplanationSettings(outcome="mitosis", n_absent_draws=2, n_occlusion_draws=6)
    drawn = draw_stand_ins(*candidates(4, 6), view_model(random_model(study, "clock"), asked))
    for row in drawn.itertuples():
        assert set(row.stand_ins) < set(row.occlusion_stand_ins)
        assert not set(row.occlusion_stand_ins) & set(row.curve_stand_ins)
        assert [int(name.split(":")[1]) < 4 for name in row.occlusion_stand_ins] == [True] * 3 + [False] * 3
        np.testing.assert_allclose(row.occlusion_stand_in_weights, [0.4 / 3] * 3 + [0.6 / 3] * 3)


def test_a_cell_that_stands_in_at_one_landmark_does_not_on_the_curves_at_another(study):
    """Five cells, each asked once with and once without the outcome."""
    explained, answered, splits = candidates(5, 0)
    before = answered.assign(landmark_id=answered["landmark_id"] + "0", outcome="none")
    drawn = draw(study, (explained, pd.concat([answered, before]), splits), 2)
    for row in drawn.itertuples():
        one, other = ({name.split(":")[1] for name in names} for names in (row.stand_ins, row.curve_stand_ins))
        assert not one & other
        assert len(row.curve_stand_ins) == 2


@pytest.mark.parametrize(("n_with", "n_without"), [(1, 9), (9, 1), (0, 2)])
def test_where_of_a_kind_nobody_is_left_there_are_no_curves_and_they_are_counted(study, caplog, n_with, n_without):
    with caplog.at_level(logging.WARNING):
        drawn = draw(study, candidates(n_with, n_without), 2)
    assert drawn["stand_ins"].map(len).eq(2).all()
    assert drawn["curve_stand_ins"].map(len).eq(0).all()
    assert "At 40 of 40 landmarks no other training cells are left" in caplog.text


def test_where_nobody_can_stand_in_nothing_is_explained(study, caplog):
    splits = study.splits[study.splits["part"] != "train"]
    model = random_model(study, "classifier")
    with caplog.at_level(logging.WARNING):
        chosen = choose_explained_landmarks(study.crops, study.landmarks, splits, model, SETTINGS)
    assert not chosen[["occluded", "shapley"]].any(axis=None)
    assert len(chosen) > 0
    assert "without any nothing is explained" in caplog.text
    assert compute_shapley_values(study.crops, chosen, model, SETTINGS).empty
    assert attribute_pixels(study.crops, chosen.head(2), model, SETTINGS) == {}
