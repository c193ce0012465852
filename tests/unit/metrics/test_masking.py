"""Shortened inputs: which frames are left, which cohort is scored."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.core.tables import CELL, FRAME, MaskedForecasts, MaskingCurves
from cellfate.metrics.masking import forecast_shortened, mask_sequences, shorten, shorten_positions
from cellfate.metrics.masking_curves import score_masking
from cellfate.metrics.settings import MaskingSettings, ScoreSettings
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.forecasts import forecast_classifier
from cellfate.prediction.member import Member
from tests.cases.trained_models import model_without_members, tiny_classifier
from tests.unit.metrics.tables import fated

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


def _forecast(landmarks):
    """A model that recalls only what it was shown: p = 1 / (1 + number of frames), checked for its positions."""
    seen = []

    def classify(embeddings, positions):
        seen.extend(
            zip([e[:, 0].astype(int).tolist() for e in embeddings], [p.tolist() for p in positions], strict=True)
        )
        p = np.array([1 / (1 + len(e)) for e in embeddings])
        return np.stack([p, 1 - p], axis=1)

    embeddings = [np.arange(n, dtype=float)[:, None] for n in landmarks["n_frames"]]
    positions = [np.arange(n) for n in landmarks["n_frames"]]
    keys = landmarks[["recording_id", "cell_id"]].assign(frame=landmarks["last_frame"], fold=0)
    tables = forecast_shortened(keys, embeddings, positions, classify, ("apoptosis", "mitosis"), MASKING)
    return MaskedForecasts.validate(pd.concat(list(tables), ignore_index=True)), seen


def test_each_cell_is_forecast_from_what_is_left_of_it():
    table, seen = _forecast(fated(["apoptosis", "mitosis"], n_frames=[5, 3]))
    left = {(r.experiment, r.k_frames, r.cell_id): round(1 / r.p_apoptosis) - 1 for r in table.itertuples()}
    assert left == {
        ("remove_last", 0, 0): 5, ("remove_last", 0, 1): 3,
        ("remove_last", 2, 0): 3, ("remove_last", 2, 1): 1,
        ("remove_last", 4, 0): 1,
        ("keep_last", 1, 0): 1, ("keep_last", 1, 1): 1,
        ("keep_last", 3, 0): 3, ("keep_last", 3, 1): 3,
        ("keep_last", 6, 0): 5, ("keep_last", 6, 1): 3,
    }  # fmt: skip
    assert ([0, 1, 2], [0, 1, 2]) in seen
    assert ([2, 3, 4], [0, 1, 2]) in seen  # kept at the end: the last frames, positions from 0


def _curves(landmarks, masked):
    return MaskingCurves.validate(score_masking(masked, landmarks, MASKING, FEW))


def test_cohorts_and_counts_by_hand():
    lengths = np.array([4, 5, 7, 9] * 3)
    landmarks = fated(
        ["apoptosis", "mitosis", "mitosis", "apoptosis"] * 3, groups=list("aabbccddeeff"), n_frames=lengths
    )
    curves = _curves(landmarks, _forecast(landmarks)[0])
    n = curves[curves["metric"] == "balanced_accuracy"].set_index(["experiment", "cohort", "k_frames"])["n_landmarks"]
    assert n.to_dict() == {
        # longer than 4 frames: 5, 7, 9 -> 9 cells
        ("remove_last", "fixed", 0): 9, ("remove_last", "fixed", 2): 9, ("remove_last", "fixed", 4): 9,
        # longer than 6: 7, 9
        ("keep_last", "fixed", 1): 6, ("keep_last", "fixed", 3): 6, ("keep_last", "fixed", 6): 6,
        ("remove_last", "shrinking", 0): 12, ("remove_last", "shrinking", 2): 12, ("remove_last", "shrinking", 4): 9,
        ("keep_last", "shrinking", 1): 12, ("keep_last", "shrinking", 3): 12, ("keep_last", "shrinking", 6): 12,
    }  # fmt: skip
    recall = curves[(curves["metric"] == "recall") & (curves["outcome"] == "apoptosis")]
    at = recall.set_index(["experiment", "cohort", "k_frames"])
    assert at.loc[("remove_last", "fixed", 0), "n_landmarks"] == 3
    # p of apoptosis is 1/2 with one frame left and lower with more: all are called at k = 1, none before.
    assert at.loc[("keep_last", "shrinking", 1), "estimate"] == 1
    assert at.loc[("keep_last", "shrinking", 3), "estimate"] == 0


def test_a_cohort_that_loses_an_outcome_is_nan_from_there_on():
    lengths = np.array([3, 9] * 6)
    landmarks = fated(["apoptosis", "mitosis"] * 6, groups=list("aabbccddeeff"), n_frames=lengths)
    with pytest.warns(UserWarning, match="remove_last, shrinking cohort, from k = 4 on"):
        curves = _curves(landmarks, _forecast(landmarks)[0])
    rows = curves[(curves["cohort"] == "shrinking") & (curves["metric"] == "balanced_accuracy")]
    undefined = rows[rows["estimate"].isna()]
    assert undefined[["experiment", "k_frames"]].to_numpy().tolist() == [["remove_last", 4]]


def test_an_empty_fixed_cohort_is_nan_and_named():
    landmarks = fated(["apoptosis", "mitosis"] * 4, groups=list("abcdabcd"), n_frames=3)
    with pytest.warns(UserWarning, match="remove_last, fixed cohort, from k = 0 on"):
        curves = _curves(landmarks, _forecast(landmarks)[0])
    fixed = curves[curves["cohort"] == "fixed"]
    assert fixed["estimate"].isna().all()
    assert (fixed["n_landmarks"] == 0).all()


@pytest.mark.parametrize("frames", [(), (5, 5), (5, 0), (-1, 2)])
def test_settings_are_refused(frames):
    with pytest.raises(ValidationError, match="ascending different numbers of at least 0"):
        MaskingSettings(remove_last_frames=frames)


def test_where_nothing_was_forecast_there_are_no_curves():
    landmarks = fated(["apoptosis", "mitosis"])
    assert _curves(landmarks, _forecast(landmarks)[0].iloc[:0]).empty


def test_what_is_not_shortened_is_forecast_as_the_classifier_does(tmp_path):
    study, model = tiny_classifier(tmp_path)
    tables = study.crops, study.landmarks, study.splits, model
    whole = forecast_classifier(*tables).query("part == 'test'")
    masked = MaskedForecasts.validate(mask_sequences(*tables, MaskingSettings(remove_last_frames=(0, 3))))
    unshortened = masked.query("experiment == 'remove_last' and k_frames == 0")
    keys = ["fold", "recording_id", "cell_id", "frame"]
    both = unshortened.merge(whole, on=keys, validate="one_to_one")
    assert len(both) == len(unshortened) == len(whole) > 10
    np.testing.assert_allclose(both["p_apoptosis_x"], both["p_apoptosis_y"], rtol=1e-5)  # single precision
    untrained = model_without_members("classifier")
    assert mask_sequences(*tables[:3], untrained, MaskingSettings()).empty


def test_thirty_points_encode_each_frame_once_and_equal_shortened_tracks(tmp_path, monkeypatch):
    """The plain way: the frames left are prepared, encoded and numbered as if the others had never been there."""
    study, model = tiny_classifier(tmp_path, n_frames=20)
    many = MaskingSettings(remove_last_frames=tuple(range(15)), keep_last_frames=tuple(range(1, 16)))
    encoded, encode = [], Member.encode
    monkeypatch.setattr(
        Member, "encode", lambda member, frames: (encoded.append(len(frames)), encode(member, frames))[1]
    )
    masked = mask_sequences(study.crops, study.landmarks, study.splits, model, many)
    whole = masked[(masked["experiment"] == "remove_last") & (masked["k_frames"] == 0)]
    asked = whole.merge(study.landmarks, left_on=FRAME, right_on=[*CELL, "last_frame"], validate="one_to_one")
    assert encoded == asked["n_frames"].tolist()
    assert len(masked.groupby(["experiment", "k_frames"])) > 20  # tracks have at most so many frames

    compared = 0
    for row in masked.iloc[::5].merge(asked, on=["fold", *FRAME], suffixes=("", "_asked")).itertuples():
        member = load_classifier_member(model, row.fold)
        first, last = row.first_frame, row.frame
        frames = study.crops.read(row.recording_id, row.cell_id, first, last).frame_numbers_t
        left = frames[: -row.k_frames or None] if row.experiment == "remove_last" else frames[-row.k_frames :]
        sequence = study.crops.read(row.recording_id, row.cell_id, left[0], left[-1])
        plain = member.probabilities([member.encode(member.prepare(sequence))], [left - left[0]])[0, 0]
        assert row.p_apoptosis == pytest.approx(plain, rel=1e-5)  # single precision
        compared += 1
    assert compared > 30
