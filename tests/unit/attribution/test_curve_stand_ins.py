"""Deletion and insertion are traced beside other training cells than those beside which the values were found."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.explaining import compute_shapley_values
from cellfate.attribution.faithfulness import GAINS, NO_STAND_INS, trace_faithfulness
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.methods import SHAPLEY, no_attributions
from cellfate.attribution.scoring import score_attributions
from cellfate.attribution.tree_shapley import no_trees
from cellfate.core.tables import Attention, AttributionCells

VALUES, CURVES = ["stand_ins", "stand_in_weights"], ["curve_stand_ins", "curve_stand_in_weights"]


@pytest.fixture
def attributions(explained):
    shapley = compute_shapley_values(*explained.asked)
    others = Attention.empty(), Attention.empty(), no_attributions(), shapley, no_attributions(), no_trees()
    return gather_attributions(*others, explained.landmarks, explained.settings)


def trace(explained, attributions, landmarks):
    return trace_faithfulness(explained.study.crops, landmarks, attributions, explained.model, explained.settings)


def exchange(landmarks, taken, given):
    return landmarks.assign(**{name: landmarks[other] for name, other in zip(taken, given, strict=True)})


def test_curves_do_not_see_who_stood_in_for_the_values(explained, attributions):
    as_drawn, _ = trace(explained, attributions, explained.landmarks)
    values_alike, _ = trace(explained, attributions, exchange(explained.landmarks, VALUES, CURVES))
    pd.testing.assert_frame_equal(as_drawn, values_alike)
    curves_alike, _ = trace(explained, attributions, exchange(explained.landmarks, CURVES, VALUES))
    keys = ["landmark_id", "score"]
    own, same = (table.dropna(subset=["value"]).set_index(keys)["value"] for table in (as_drawn, curves_alike))
    assert (own - same).abs().xs("over_reverse", level="score").min() > 1e-6


def test_where_nobody_is_left_for_the_curves_scores_are_empty_with_the_reason_and_counted(explained, attributions):
    marked = explained.landmarks[explained.landmarks["shapley"] & explained.landmarks["curve_stand_ins"].map(len).gt(0)]
    first, rest = marked["landmark_id"].iloc[0], set(marked["landmark_id"].iloc[1:])
    assert rest
    left = explained.landmarks.copy()
    for name in CURVES:
        left[name] = left[name].where(left["landmark_id"] != first, pd.Series([[]] * len(left), left.index))
    cells, curves = trace(explained, attributions, left)
    untraced = cells[cells["landmark_id"] == first]
    assert set(untraced["score"]) == set(GAINS)
    assert untraced["value"].isna().all()
    assert set(untraced["reason"]) == {NO_STAND_INS}
    assert set(cells.dropna(subset=["value"])["landmark_id"]) == rest
    assert set(curves["n_cells"]) == {len(rest)}
    scores = score_attributions(cells, AttributionCells.empty(), AttributionCells.empty(), explained.settings)
    row = scores.set_index(["method", "score"]).loc[(SHAPLEY, "deletion_gain")]
    assert (row["n_cells"], row["n_failed"]) == (len(rest), 3 - len(rest))


def test_where_nobody_is_left_anywhere_the_scores_say_so(explained, attributions):
    nobody = pd.Series([[]] * len(explained.landmarks), index=explained.landmarks.index, dtype=object)
    cells, curves = trace(explained, attributions, explained.landmarks.assign(**dict.fromkeys(CURVES, nobody)))
    assert curves.empty
    scores = score_attributions(cells, AttributionCells.empty(), AttributionCells.empty(), explained.settings)
    row = scores.set_index(["method", "score"]).loc[(SHAPLEY, "insertion_over_mean")]
    assert np.isnan(row["value"])
    assert (row["reason"], row["n_failed"]) == (NO_STAND_INS, 3)
