"""What the parts of the blend count for: from cells that a fold does not test, told where a person looks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.splits import list_unseen, select_part
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.features.summaries import describe_landmarks
from cellfate.prediction import weighing
from cellfate.prediction.blending import blend_hazards, clock_hazards, log_odds_of, part_hazards
from cellfate.prediction.forecasts import forecast_clock
from cellfate.prediction.model_card import write_model_card
from cellfate.prediction.model_folder import load_model_folder, save_model_folder
from cellfate.prediction.records import BlendWeights, describe_weights
from cellfate.prediction.weighing import weigh_blend
from cellfate.statistics.stacking import stack_parts
from tests.cases.crop_stores import TINY_FOLLOW_UP
from tests.cases.trained_models import TINY_BLEND, model_without_members

OWNERS = ("all", "fold_0", "fold_1", "fold_2")
PARTS = ("boosting", "network", "boosting_on_embeddings")
UNEQUAL = BlendWeights(
    parts=dict(zip(PARTS, (0.5, 0.3, 0.2), strict=True)), alone="boosting", gain=0.02, standard_error=0.01,
    n_landmarks=90, n_groups=9, n_recordings=9,
)  # fmt: skip


def weigh(clock, **changes):
    tables = {"landmarks": clock.study.landmarks, "splits": clock.study.splits} | changes
    return weigh_blend(tables["landmarks"], tables["splits"], clock.frame_features, clock.model, clock.study.crops)


def weighed(model, weights):
    return replace(model, config=model.config.model_copy(update={"blend_weights": dict.fromkeys(OWNERS, weights)}))


def hazards_of(clock, rows, fold):
    def describe(landmarks):
        return describe_landmarks(clock.frame_features, landmarks, TINY_BLEND.history_h)

    return part_hazards(clock.study.crops, rows, describe, clock.model, (fold,), f"fold_{fold}")


def test_every_fold_and_new_cells_are_weighed_on_what_the_members_did_not_train_on(clock):
    """The same by hand: log odds of the member that tests a cell, at regular landmarks."""
    regular = clock.study.landmarks[clock.study.landmarks["regular"]]
    for owner, fold in zip(OWNERS, (None, 0, 1, 2), strict=True):
        rows, log_odds = [], []
        for member, cells in list_unseen(clock.study.splits, fold).groupby("fold"):
            asked = regular.merge(cells[CELL], on=CELL)
            hazards = hazards_of(clock, asked, int(member))
            rows.append(asked)
            log_odds.append([log_odds_of(hazards[part]) for part in PARTS])
        table = pd.concat(rows)
        labels = label_landmarks(table, ("apoptosis", "mitosis"), TINY_FOLLOW_UP.edges_h)
        groups = table["group_id"].to_numpy(object)
        parts = np.concatenate(log_odds, axis=1)
        expected = stack_parts(parts, labels, groups, groups, 1.0)
        found = clock.model.config.blend_weights[owner]
        assert found.n_landmarks == len(table)
        assert found.gain == pytest.approx(expected.gain, abs=1e-9)
        assert list(found.parts.values()) == pytest.approx(expected.weights_p, abs=1e-9)
        assert tuple(found.parts) == PARTS


def test_fates_of_the_cells_that_a_fold_tests_do_not_choose_its_weights(clock):
    landmarks = clock.study.landmarks
    tested = landmarks.index.isin(select_part(landmarks, clock.study.splits, 0, "test").index)
    swapped = landmarks["fate"].map({"apoptosis": "mitosis", "mitosis": "apoptosis"}).fillna("apoptosis")
    changed = landmarks.assign(fate=landmarks["fate"].where(~tested, swapped))
    before, after = (model.config.blend_weights for model in (clock.model, weigh(clock, landmarks=changed)))
    assert after["fold_0"] == before["fold_0"]
    assert after["fold_1"].gain != before["fold_1"].gain
    assert after["all"].gain != before["all"].gain


@pytest.mark.parametrize(("n_recordings", "most"), [(2, 0.25), (3, 1.0)])
def test_few_recordings_bound_what_the_network_counts(clock, n_recordings, most):
    few = clock.study.landmarks.assign(
        recording_id=clock.study.landmarks["recording_id"], group_id=clock.study.landmarks["group_id"]
    )
    kept = sorted(few["recording_id"].unique())[:n_recordings]
    found = weigh(clock, landmarks=few[few["recording_id"].isin(kept)]).config.blend_weights["all"]
    assert (found.n_recordings, found.most) == (n_recordings, most)
    assert 1 - found.parts["boosting"] <= most + 1e-9


def test_recordings_that_train_the_network_say_nothing_of_others(clock):
    """Families of three wells, some of which train and others validate: three recordings, and no other one."""
    splits = clock.study.splits
    trained = [
        {"scheme": splits["scheme"].iloc[0], "fold": fold, "recording_id": name, "cell_id": 99, "part": "train"}
        for fold in splits["fold"].unique()
        for name in splits["recording_id"].unique()
    ]
    found = weigh(clock, splits=pd.concat([splits, pd.DataFrame(trained)], ignore_index=True)).config.blend_weights
    own = clock.model.config.blend_weights
    assert {weights.most for weights in own.values()} == {1.0}
    assert {weights.most for weights in found.values()} == {0.25}
    assert found["all"].n_recordings == own["all"].n_recordings


@pytest.mark.parametrize(
    ("recordings", "groups", "expected"),
    [
        (["a", "a", "b", "b", "c", "c"], list("pqrstu"), ["a", "a", "b", "b", "c", "c"]),  # lineages of recordings
        (["a", "b", "c", "d", "e", "f"], list("ppqqrr"), list("ppqqrr")),  # wells of several recordings
        (["a", "a", "a", "b", "b", "b"], list("pqrstu"), list("pqrstu")),  # two recordings
    ],
)
def test_inner_folds_leave_out_recordings_or_what_is_larger(recordings, groups, expected):
    table = pd.DataFrame({"recording_id": recordings, "group_id": groups})
    assert weighing._units(table).tolist() == expected


def test_the_weights_are_those_of_the_owner(clock):
    alone = BlendWeights(parts=dict(zip(PARTS, (1.0, 0.0, 0.0), strict=True)), alone="boosting")
    config = clock.model.config.model_copy(update={"blend_weights": dict.fromkeys(OWNERS, alone) | {"fold_1": UNEQUAL}})
    model = replace(clock.model, config=config)
    frames = clock.study.landmarks.head(6)

    def describe(landmarks):
        return describe_landmarks(clock.frame_features, landmarks, TINY_BLEND.history_h)

    by_fold = [clock_hazards(clock.study.crops, frames, describe, model, (fold,), f"fold_{fold}") for fold in (0, 1)]
    np.testing.assert_array_equal(by_fold[0]["blend"], by_fold[0]["boosting"])
    expected = blend_hazards([by_fold[1][part] for part in PARTS], [0.5, 0.3, 0.2])
    np.testing.assert_allclose(by_fold[1]["blend"], expected, rtol=1e-12)
    assert not np.allclose(by_fold[1]["blend"], by_fold[1]["boosting"])


def test_a_blend_of_boosting_alone_forecasts_as_boosting(clock):
    alone = BlendWeights(parts=dict(zip(PARTS, (1.0, 0.0, 0.0), strict=True)), alone="boosting")
    table = forecast_clock(*clock.new, clock.study.splits, clock.frame_features, weighed(clock.model, alone))
    boosting, blend = (table[table["predictor"] == name].reset_index(drop=True) for name in ("boosting", "blend"))
    pd.testing.assert_frame_equal(boosting.drop(columns="predictor"), blend.drop(columns="predictor"))


def test_weights_are_kept_in_the_folder_and_named_in_the_card(clock, tmp_path):
    model = weighed(clock.model, UNEQUAL)
    save_model_folder(model, tmp_path / "model")
    assert load_model_folder(tmp_path / "model").clock_config.blend_weights == model.config.blend_weights
    assert "boosting 0.50, network 0.30, boosting on embeddings 0.20" in write_model_card(model.config)


def test_a_model_of_an_earlier_version_counts_its_parts_alike(clock):
    old = clock.model.config.model_copy(update={"blend_weights": {}})
    assert old.weights_of("fold_0") == pytest.approx(dict.fromkeys(PARTS, 1 / 3))
    assert "at equal weight" in write_model_card(old)
    with pytest.raises(InputError, match="for all, fold_0, fold_1, fold_2 but not for fold_7"):
        clock.model.config.weights_of("fold_7")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"network": 0.5, "boosting": 0.6}, "do not sum to 1"),
        ({"network": -0.5, "boosting": 1.5}, "negative"),
        ({"network": 1.0}, "'boosting' is not one of the parts"),
    ],
)
def test_weights_that_are_none_are_refused(weights, words):
    with pytest.raises(ValidationError, match=words):
        BlendWeights(parts=weights, alone="boosting")


def test_weights_of_other_parts_than_are_blended_are_refused(clock):
    other = BlendWeights(parts={"network": 0.5, "boosting": 0.5}, alone="boosting")
    described = clock.model.config.model_dump() | {"blend_weights": {"all": other.model_dump()}}
    with pytest.raises(ValidationError, match="weights of all are of"):
        type(clock.model.config).model_validate(described)


def test_a_clock_that_was_not_asked_has_no_weights(clock):
    model = model_without_members("clock")
    study = clock.study
    assert weigh_blend(study.landmarks, study.splits, clock.frame_features, model, study.crops) is model


def test_what_is_said_of_weights():
    assert describe_weights(UNEQUAL) == (
        "boosting 0.50, network 0.30, boosting on embeddings 0.20; the others add +0.0200 (standard error 0.0100) "
        "in log likelihood a landmark to boosting on 9 groups of 9 recordings that neither trains nor tests here"
    )
    alone = UNEQUAL.model_copy(update={"parts": {"boosting": 1.0, "network": 0.0}, "gain": -0.001})
    assert "the others would add -0.0010 (standard error 0.0100)" in describe_weights(alone)
    assert "so boosting stands alone" in describe_weights(alone)
    bounded = UNEQUAL.model_copy(update={"most": 0.25, "parts": {"boosting": 0.75, "network": 0.25}})
    assert "network 0.25, of at most 0.25 in fewer than 3 recordings that did not train it;" in describe_weights(
        bounded
    )
