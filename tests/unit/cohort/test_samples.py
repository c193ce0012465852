"""Samples against numbers worked by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.cohort import samples as module
from cellfate.cohort.samples import make_open_samples, make_samples
from cellfate.cohort.settings import SampleSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Samples, SetAside
from tests.unit.crops.cases import WrittenCell, span, store_of

WHOLE = SampleSettings(kind="whole_track", guard_h=1.0, min_frames=3)
LANDMARK = SampleSettings(
    kind="landmark", events=("mitosis",), guard_h=1.0, history_frames=4, stride_frames=3, horizon_h=2.0
)


def test_whole_tracks_end_before_the_guard(tmp_path: Path) -> None:
    dividing = WrittenCell(1, span(2, 9), "mitosis", 10)  # guard of 2 frames: shown are frames before 8
    dying = WrittenCell(2, (0, 1, 3, 4, 5), "apoptosis", 6)  # a gap in frame 2; shown before 4
    store, recordings, cells = store_of(tmp_path, dividing, dying)
    table, excluded = make_samples(store, recordings, cells, WHOLE)
    Samples.validate(table)
    first, second = table.to_dict("records")
    assert (first["sample_id"], first["outcome"], first["first_frame"], first["last_frame"]) == ("r:1", "mitosis", 2, 7)
    assert (first["n_frames"], first["age_frames"], first["lead_time_h"], first["event_frame"]) == (6, 5, 1.5, 10)
    assert (second["outcome"], second["first_frame"], second["last_frame"], second["n_frames"]) == (
        "apoptosis",
        0,
        3,
        3,
    )
    assert (second["dose"], second["group_id"], second["frame_interval_min"]) == ("High", "g", 30.0)
    assert excluded.empty
    assert list(excluded.columns)[:4] == ["recording_id", "cell_id", "stage", "reason"]


def test_whole_tracks_left_out_are_counted(tmp_path: Path) -> None:
    cells = (
        WrittenCell(1, span(0, 9), "mitosis", 10),
        WrittenCell(2, span(0, 9), "apoptosis", 10),
        WrittenCell(3, span(0, 9)),  # neither
        WrittenCell(4, span(6, 9), "mitosis", 10),  # two frames before the guard, three wanted
        WrittenCell(5, span(9, 9), "mitosis", 10),  # no frame before the guard
    )
    store, recordings, table = store_of(tmp_path, *cells)
    samples, excluded = make_samples(store, recordings, table, WHOLE)
    SetAside.validate(excluded)
    assert samples["cell_id"].tolist() == [1, 2]
    assert dict(zip(excluded["cell_id"], excluded["reason"], strict=True)) == {
        3: module.NO_FATE,
        4: module.TOO_FEW_FRAMES,
        5: module.TOO_FEW_FRAMES,
    }


def test_longest_sequence_keeps_the_last_frames(tmp_path: Path) -> None:
    cells = WrittenCell(1, (0, 1, 2, 5, 6), "mitosis", 9), WrittenCell(2, span(0, 6), "apoptosis", 9)
    store, recordings, table = store_of(tmp_path, *cells)
    settings = WHOLE.model_copy(update={"max_frames": 3})
    samples, _ = make_samples(store, recordings, table, settings)
    assert samples[["first_frame", "last_frame", "n_frames"]].to_numpy().tolist() == [[2, 6, 3], [4, 6, 3]]
    assert samples["age_frames"].tolist() == [6, 6]  # age counts from the first tracked frame, not from the first shown


def test_landmarks_of_a_dividing_cell(tmp_path: Path) -> None:
    # first seen in frame 1, four frames of history: landmarks 4, 7, 10, 13, ...; the guard leaves t < 15 - 2 = 13.
    # Horizon 4 frames: 15 - 10 = 5 is none. A cell that divides in frame 14 has landmark 10 within the horizon.
    cells = WrittenCell(1, span(1, 14), "mitosis", 15), WrittenCell(2, span(1, 13), "mitosis", 14)
    store, recordings, table = store_of(tmp_path, *cells)
    samples, excluded = make_samples(store, recordings, table, LANDMARK)
    Samples.validate(samples)
    first = samples[samples["cell_id"] == 1]
    assert first["last_frame"].tolist() == [4, 7, 10]
    assert first["first_frame"].tolist() == [1, 4, 7]
    assert first["outcome"].tolist() == ["none", "none", "none"]
    assert first["lead_time_h"].tolist() == [5.5, 4.0, 2.5]
    assert first["sample_id"].tolist() == ["r:1:4", "r:1:7", "r:1:10"]
    assert samples[samples["cell_id"] == 2]["outcome"].tolist() == ["none", "none", "mitosis"]
    assert excluded.empty


def test_landmarks_of_a_censored_cell_need_the_whole_horizon(tmp_path: Path) -> None:
    cells = WrittenCell(1, span(0, 12)), WrittenCell(2, span(0, 8), "mitosis", 9)
    store, recordings, table = store_of(tmp_path, *cells)
    samples, excluded = make_samples(store, recordings, table, LANDMARK)
    censored = samples[samples["cell_id"] == 1]
    # landmarks 3, 6, 9: 3 + 4 and 6 + 4 are watched,
    # 9 + 4 = 13 is not (9 is before 13 - 2, so the guard spares it)
    assert censored["last_frame"].tolist() == [3, 6]
    assert censored["outcome"].tolist() == ["none", "none"]
    assert censored["lead_time_h"].isna().all()
    assert excluded[["cell_id", "last_frame", "reason"]].to_numpy().tolist() == [[1, 9, module.OUTCOME_UNKNOWN]]


def test_a_competing_event_is_no_outcome_and_does_not_censor(tmp_path: Path) -> None:
    dying = WrittenCell(1, span(0, 7), "apoptosis", 8)
    store, recordings, table = store_of(tmp_path, dying, WrittenCell(2, span(0, 8), "mitosis", 9))
    samples, excluded = make_samples(store, recordings, table, LANDMARK)
    of_dying = samples[samples["cell_id"] == 1]
    assert of_dying["last_frame"].tolist() == [3]  # 6 is not before 8 - 2
    assert of_dying["outcome"].tolist() == ["none"]
    assert excluded.empty
    both = LANDMARK.model_copy(update={"events": ("mitosis", "apoptosis"), "horizon_h": 2.5})
    assert make_samples(store, recordings, table, both)[0]["outcome"].tolist() == ["apoptosis", "none", "mitosis"]


def test_a_landmark_in_a_gap_is_left_out(tmp_path: Path) -> None:
    cells = WrittenCell(1, (0, 1, 2, 4, 5, 6, 7, 8, 9, 10), "mitosis", 12), WrittenCell(2, span(0, 3))
    store, recordings, table = store_of(tmp_path, *cells)
    samples, excluded = make_samples(store, recordings, table, LANDMARK)
    assert samples[["last_frame", "n_frames"]].to_numpy().tolist() == [[6, 3], [9, 4]]
    assert excluded[["cell_id", "last_frame", "reason"]].to_numpy().tolist() == [
        [1, 3, module.NOT_TRACKED],
        [2, 1, module.TOO_FEW_FRAMES],
    ]


def test_a_landmark_may_show_more_than_the_history_it_needs(tmp_path: Path) -> None:
    store, recordings, table = store_of(tmp_path, WrittenCell(1, span(0, 11), "mitosis", 12))
    samples, _ = make_samples(store, recordings, table, LANDMARK.model_copy(update={"max_frames": 6}))
    assert samples[["first_frame", "last_frame"]].to_numpy().tolist() == [[0, 3], [1, 6], [4, 9]]


def test_open_samples_keep_what_is_not_known(tmp_path: Path) -> None:
    cells = WrittenCell(1, span(0, 8)), WrittenCell(2, span(0, 8), "mitosis", 9)
    store, recordings, table = store_of(tmp_path, *cells)
    whole = make_open_samples(store, recordings, table, WHOLE)
    assert whole["last_frame"].tolist() == [8, 6]  # nothing is withheld from a cell without a fate
    assert pd.isna(whole["outcome"].iloc[0])
    assert whole["outcome"].iloc[1] == "mitosis"
    landmarks = make_open_samples(store, recordings, table, LANDMARK)
    Samples.validate(landmarks)
    assert landmarks["last_frame"].tolist() == [3, 6, 3, 6]
    assert landmarks["outcome"].isna().tolist() == [False, True, False, False]


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    store, recordings, table = store_of(tmp_path, WrittenCell(1, span(0, 8), "mitosis", 9))
    with pytest.raises(InputError, match=r"No sample has outcome 'apoptosis' \(found: 1 mitosis\)"):
        make_samples(store, recordings, table, WHOLE)


def test_no_sample_at_all_is_refused(tmp_path: Path) -> None:
    store, recordings, table = store_of(tmp_path, WrittenCell(1, span(0, 2)))
    with pytest.raises(InputError, match="None of 1 whole_track candidates is a sample"):
        make_samples(store, recordings, table, WHOLE)
    with pytest.raises(InputError, match="None of 1 landmark candidates is a sample"):
        make_open_samples(store, recordings, table, LANDMARK)


def test_horizon_within_the_guard_is_refused_in_frames(tmp_path: Path) -> None:
    store, recordings, table = store_of(tmp_path, WrittenCell(1, span(0, 9), "mitosis", 10))
    settings = LANDMARK.model_copy(update={"guard_h": 0.9, "horizon_h": 1.0})  # 2 frames both
    with pytest.raises(InputError, match=r"horizon_h 1.0 is 2 frames and guard_h 0.9 is 2 frames"):
        make_samples(store, recordings, table, settings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events": ("mitosis",)}, "lists only"),
        ({"events": ("mitosis", "mitosis")}, "twice"),
        ({"max_frames": 2, "min_frames": 3}, "max_frames 2 is less than min_frames 3"),
        ({"kind": "landmark", "guard_h": 5.0, "horizon_h": 5.0}, "guard_h 5.0 is not less than horizon_h 5.0"),
        ({"guard": 1}, "Extra inputs"),
    ],
)
def test_settings_that_contradict_each_other(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SampleSettings.model_validate({"kind": "whole_track", **changes})


def test_outcomes_are_ordered() -> None:
    assert SampleSettings(kind="whole_track", events=("mitosis", "apoptosis")).outcomes == ("apoptosis", "mitosis")
    assert LANDMARK.outcomes == ("mitosis", "none")


def test_nothing_given_is_changed(tmp_path: Path) -> None:
    cells = WrittenCell(1, span(0, 8), "apoptosis", 9), WrittenCell(2, span(0, 8), "mitosis", 9)
    store, recordings, table = store_of(tmp_path, *cells)
    before = table.copy()
    make_samples(store, recordings, table, WHOLE)
    pd.testing.assert_frame_equal(table, before)
    assert np.array_equal(store.frame_numbers("r", 1), np.arange(9))
