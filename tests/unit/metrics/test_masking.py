"""Shortened inputs: which frames are left, which cohort is scored."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.core.tables import MaskedPredictions, MaskingCurves
from cellfate.metrics import MaskingSettings, ScoreSettings, score_masking
from cellfate.metrics.masking import forecast_shortened, shorten, shorten_positions
from tests.unit.metrics.tables import make_samples

FEW = ScoreSettings(n_resamples=100)
MASKING = MaskingSettings(remove_last_frames=(0, 2, 4), keep_last_frames=(1, 3, 6))


@given(n=st.integers(1, 80), k=st.integers(0, 90))
def test_frames_left(n, k):
    frames = np.arange(n)
    removed, kept = frames[shorten(n, "remove_last", k)], frames[shorten(n, "keep_last", k)]
    assert removed.tolist() == list(range(max(0, n - k)))
    assert kept.tolist() == list(range(max(0, n - k), n))
    assert sorted([*removed, *kept]) == frames.tolist()


def test_positions_stay_where_the_end_goes_and_restart_where_the_start_goes():
    positions = np.array([0, 1, 4, 5, 7])  # frames 2, 3 and 6 are missing from the track
    assert shorten_positions(positions, slice(0, 3), "remove_last").tolist() == [0, 1, 4]
    assert shorten_positions(positions, slice(2, 5), "keep_last").tolist() == [0, 1, 3]


def _forecast(lengths):
    """A model that recalls only what it was shown: p = 1 / (1 + number of frames), checked for its positions."""
    seen = []

    def classify(embeddings, positions):
        seen.extend(
            zip([e[:, 0].astype(int).tolist() for e in embeddings], [p.tolist() for p in positions], strict=True)
        )
        p = np.array([1 / (1 + len(e)) for e in embeddings])
        return np.stack([p, 1 - p], axis=1)

    embeddings = [np.arange(n, dtype=float)[:, None] for n in lengths]
    ids = [f"s{i:05d}" for i in range(len(lengths))]
    positions = [np.arange(n) for n in lengths]
    return forecast_shortened(ids, embeddings, positions, classify, ("apoptosis", "mitosis"), MASKING), seen


def test_each_sample_is_forecast_from_what_is_left_of_it():
    table, seen = _forecast([5, 3])
    table = MaskedPredictions.validate(table.assign(fold=0))
    left = {(r.experiment, r.k_frames, r.sample_id): round(1 / r.p_apoptosis) - 1 for r in table.itertuples()}
    assert left == {
        ("remove_last", 0, "s00000"): 5, ("remove_last", 0, "s00001"): 3,
        ("remove_last", 2, "s00000"): 3, ("remove_last", 2, "s00001"): 1,
        ("remove_last", 4, "s00000"): 1,
        ("keep_last", 1, "s00000"): 1, ("keep_last", 1, "s00001"): 1,
        ("keep_last", 3, "s00000"): 3, ("keep_last", 3, "s00001"): 3,
        ("keep_last", 6, "s00000"): 5, ("keep_last", 6, "s00001"): 3,
    }  # fmt: skip
    assert ([0, 1, 2], [0, 1, 2]) in seen
    assert ([2, 3, 4], [0, 1, 2]) in seen  # kept at the end: the last frames, positions from 0


def _curves(samples, masked, masking=MASKING):
    return MaskingCurves.validate(score_masking(masked, samples, masking, FEW))


def test_cohorts_and_counts_by_hand():
    lengths = np.array([4, 5, 7, 9] * 3)
    samples = make_samples(
        ["apoptosis", "mitosis", "mitosis", "apoptosis"] * 3, groups=list("aabbccddeeff"), n_frames=lengths
    )
    table, _ = _forecast(lengths)
    curves = _curves(samples, table.assign(fold=0))
    n = curves[curves["metric"] == "balanced_accuracy"].set_index(["experiment", "cohort", "k_frames"])["n_samples"]
    assert n.to_dict() == {
        # longer than 4 frames: 5, 7, 9 -> 9 samples
        ("remove_last", "fixed", 0): 9, ("remove_last", "fixed", 2): 9, ("remove_last", "fixed", 4): 9,
        # longer than 6: 7, 9
        ("keep_last", "fixed", 1): 6, ("keep_last", "fixed", 3): 6, ("keep_last", "fixed", 6): 6,
        ("remove_last", "shrinking", 0): 12, ("remove_last", "shrinking", 2): 12, ("remove_last", "shrinking", 4): 9,
        ("keep_last", "shrinking", 1): 12, ("keep_last", "shrinking", 3): 12, ("keep_last", "shrinking", 6): 12,
    }  # fmt: skip
    recall = curves[(curves["metric"] == "recall") & (curves["outcome"] == "apoptosis")]
    at = recall.set_index(["experiment", "cohort", "k_frames"])
    assert at.loc[("remove_last", "fixed", 0), "n_samples"] == 3
    # p of apoptosis is 1/2 with one frame left and lower with more: all are called at k = 1, none before.
    assert at.loc[("keep_last", "shrinking", 1), "estimate"] == 1
    assert at.loc[("keep_last", "shrinking", 3), "estimate"] == 0


def test_a_cohort_that_loses_an_outcome_is_nan_from_there_on():
    lengths = np.array([3, 9] * 6)
    samples = make_samples(["apoptosis", "mitosis"] * 6, groups=list("aabbccddeeff"), n_frames=lengths)
    table, _ = _forecast(lengths)
    with pytest.warns(UserWarning, match="remove_last, shrinking cohort, from k = 4 on"):
        curves = _curves(samples, table.assign(fold=0))
    rows = curves[(curves["cohort"] == "shrinking") & (curves["metric"] == "balanced_accuracy")]
    undefined = rows[rows["estimate"].isna()]
    assert undefined[["experiment", "k_frames"]].to_numpy().tolist() == [["remove_last", 4]]


def test_an_empty_fixed_cohort_is_nan_and_named():
    samples = make_samples(["apoptosis", "mitosis"] * 4, groups=list("abcdabcd"), n_frames=3)
    table, _ = _forecast([3] * 8)
    with pytest.warns(UserWarning, match="remove_last, fixed cohort, from k = 0 on"):
        curves = _curves(samples, table.assign(fold=0))
    fixed = curves[curves["cohort"] == "fixed"]
    assert fixed["estimate"].isna().all()
    assert (fixed["n_samples"] == 0).all()


@pytest.mark.parametrize("frames", [(), (5, 5), (5, 0), (-1, 2)])
def test_settings_are_refused(frames):
    with pytest.raises(ValidationError, match="ascending different numbers of at least 0"):
        MaskingSettings(remove_last_frames=frames)


def test_a_table_of_no_samples_keeps_its_columns():
    empty = pd.DataFrame(
        {"experiment": [], "k_frames": [], "fold": [], "sample_id": [], "p_apoptosis": [], "p_mitosis": []}
    )
    empty = empty.astype({"experiment": str, "sample_id": str, "k_frames": int})
    samples = make_samples(["apoptosis", "mitosis"])
    with pytest.warns(UserWarning, match="undefined"):
        assert (_curves(samples, empty)["n_samples"] == 0).all()
