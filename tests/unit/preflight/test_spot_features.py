"""Spot features that tell the whole track are found; those of a frame are not."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.preflight import PreflightSettings
from cellfate.preflight.findings import gather_findings
from cellfate.preflight.spot_features import check_spot_features

LENGTHS = {1: 4, 2: 3, 3: 5, 4: 1}
"""Spots of each cell; all begin in frame 0, so they end in different frames."""


def spots(lengths: dict[int, int] = LENGTHS, **features) -> pd.DataFrame:
    """Detections in which each feature is a function of cell, frame and number of spots."""
    rows = [
        {"recording_id": "a", "cell_id": cell, "frame": frame}
        | {f"tracker_{name}": np.float32(value(cell, frame, n)) for name, value in features.items()}
        for cell, n in lengths.items()
        for frame in range(n)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def find(detections: pd.DataFrame) -> list[str]:
    (found,) = check_spot_features(detections, PreflightSettings())
    tables.PreflightFindings.validate(found)
    return found["finding"].tolist()


def test_the_length_of_the_track_is_found_with_the_advice_to_leave_it_out():
    (told,) = find(spots(TRACK_DURATION=lambda cell, frame, n: n, AREA=lambda cell, frame, n: cell + 0.1 * frame))
    assert told.startswith(
        "In recording 'a' the spot feature TRACK_DURATION has one value on all spots of each of 3 cells, and not the "
        "same on all cells, as where a value is computed from the whole track"
    )
    assert "leave it out of tracks.spot_features" in told


def test_what_counts_down_to_the_end_is_found():
    hours_left = {
        "LEFT_H": lambda cell, frame, n: (n - 1 - frame) / 2,
        "SHARE": lambda cell, frame, n: frame / max(1, n - 1),
    }
    told = find(spots(**hours_left))
    assert [sentence.split(" comes to ")[1].split(" at the end")[0] for sentence in told] == ["0", "1"]
    assert all("of each of 4 tracks" in sentence or "of each of 3 tracks" in sentence for sentence in told)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda cell, frame, n: 1.0, id="one value of all cells, such as a dose"),
        pytest.param(lambda cell, frame, n: frame, id="the frame, or the age"),
        pytest.param(lambda cell, frame, n: n + (frame == 0), id="not constant"),
        pytest.param(lambda cell, frame, n: cell if frame == 0 else np.nan, id="measured once"),
        pytest.param(lambda cell, frame, n: 0.0 if frame == n - 1 else (-1) ** frame, id="not one way to the end"),
        pytest.param(lambda cell, frame, n: np.nan, id="never measured"),
    ],
)
def test_what_can_be_known_in_its_frame_is_not_told(value):
    assert find(spots(F=value)) == []


def test_tracks_that_all_end_with_the_recording_prove_no_count_down():
    assert find(spots({1: 4, 2: 4, 3: 4}, FRAME=lambda cell, frame, n: frame)) == []


def test_two_cells_can_be_so_by_chance_and_missing_values_do_not_hide():
    def duration(cell, frame, n):
        return np.nan if frame == 1 else n

    assert find(spots({1: 4, 2: 3}, N=duration)) == []
    assert len(find(spots({1: 4, 2: 3, 3: 5}, N=duration))) == 1


def test_each_feature_is_a_finding_of_its_own():
    table = spots(A=lambda cell, frame, n: n, B=lambda cell, frame, n: -n)
    (found,) = check_spot_features(table, PreflightSettings())
    gathered = gather_findings(found)
    assert len(gathered) == 2
    assert set(gathered["severity"]) == {"warning"}
    assert gathered["value"].tolist() == [3.0, 3.0]


def test_without_spot_features_nothing_is_told():
    assert find(spots()) == []
