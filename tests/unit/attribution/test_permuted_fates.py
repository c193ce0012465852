"""Fates that change hands for a comparison training."""

import numpy as np
import pandas as pd

from cellfate.attribution.explained_landmarks import keep_one_a_cell, order_landmarks
from cellfate.attribution.sanity import permute_fates
from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.splits import select_part
from cellfate.core.fates import EVENTS

SETTINGS = ExplanationSettings()
CELL = ["recording_id", "cell_id"]


def test_fates_change_hands_within_the_parts_of_the_first_fold(study):
    before = study.landmarks.copy()
    permuted, first = permute_fates(study.landmarks, study.splits, SETTINGS)
    pd.testing.assert_frame_equal(study.landmarks, before)
    assert set(first["fold"]) == {0}
    for part in ("train", "validation", "test"):
        own, other = (select_part(table.drop_duplicates(CELL), first, 0, part) for table in (before, permuted))
        assert own["fate"].value_counts().to_dict() == other["fate"].value_counts().to_dict()
        fated = own["fate"].isin(EVENTS)
        assert (other.loc[~fated, "fate"] == own.loc[~fated, "fate"]).all()
        assert (other["fate"] != own["fate"]).any() == (part != "test")
    assert permuted.groupby(CELL)["fate"].nunique().eq(1).all()
    pd.testing.assert_frame_equal(permuted.drop(columns="fate"), before.drop(columns="fate"))


def test_the_seed_decides_and_follow_ups_are_permuted_likewise(study):
    by_landmark, again, other = (
        permute_fates(study.landmarks, study.splits, ExplanationSettings(seed=seed))[0] for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(by_landmark, again)
    assert (by_landmark["fate"] != other["fate"]).any()
    by_cell = permute_fates(study.follow_ups, study.splits, SETTINGS)[0].set_index(CELL)["fate"]
    found = by_landmark.drop_duplicates(CELL).set_index(CELL)["fate"]
    assert (by_cell[found.index] == found).all()


def test_fates_change_hands_by_other_random_numbers_than_landmarks_are_chosen_by(study, monkeypatch):
    opened, default_rng = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: opened.append(tuple(seed)) or default_rng(seed))
    permute_fates(study.landmarks, study.splits, SETTINGS)
    once = study.landmarks.drop_duplicates(CELL).assign(outcome="any")
    order_landmarks(once, study.splits.query("fold == 0"), SETTINGS)
    keep_one_a_cell(study.landmarks, 1.0, SETTINGS.seed)
    assert len(opened) == len(set(opened)) == 3
