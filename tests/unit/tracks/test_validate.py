"""Checks of tables of any format; those that the importers cannot reach are tested here."""

import pandas as pd
import pytest

from cellfate.tracks.validate import find_problems

RECORDINGS = pd.DataFrame({"recording_id": ["a", "b"], "n_frames": [5, 5], "height_px": [10, 10], "width_px": [20, 20]})


def make_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    detections = pd.DataFrame(
        {"recording_id": "a", "cell_id": [1, 1, 2, 3], "frame": [0, 1, 2, 3], "y_px": 5.0, "x_px": 5.0}
    )
    cells = pd.DataFrame(
        {
            "recording_id": "a",
            "cell_id": [1, 2, 3],
            "parent_id": pd.array([pd.NA, 1, 1], dtype="Int64"),
            "lineage_id": "a:1",
            "first_frame": pd.array([0, 2, 3], dtype="Int64"),
            "last_frame": pd.array([1, 2, 3], dtype="Int64"),
            "fate": ["mitosis", "censored", "censored"],
            "event_frame": pd.array([2, pd.NA, pd.NA], dtype="Int64"),
        }
    )
    return detections, cells


def test_good_tables_have_no_problem() -> None:
    assert find_problems(*make_tables(), RECORDINGS).empty


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("fate", "death", "cell 2 has the fate 'death', but apoptosis, mitosis, censored, unscored were expected"),
        ("fate", "mitosis", "cell 2 has the fate 'mitosis' but no event frame"),
        ("event_frame", 4, "cell 2 is censored but has an event in frame 4"),
        ("cell_id", 1, "cell 1 is listed twice"),
        ("lineage_id", None, r"cell 2 is its own ancestor"),
        ("first_frame", 1, "cell 2 begins in frame 1, but its parent 1 is still seen in frame 1"),
    ],
)
def test_bad_cells_are_found(column: str, value: object, words: str) -> None:
    detections, cells = make_tables()
    cells.loc[1, column] = value
    reasons = find_problems(detections, cells, RECORDINGS)["reason"]
    assert reasons.str.contains(words).sum() == 1


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("frame", 5, "cell 1 is marked in frame 5, but the movie has 5 frames"),
        ("frame", 0, "cell 1 is marked twice in frame 0"),
        ("cell_id", 8, "cell 8 is marked in frame 1 but has no track"),
        ("y_px", 9.6, "outside the image of 20 x 10 px"),
    ],
)
def test_bad_detections_are_found(column: str, value: object, words: str) -> None:
    detections, cells = make_tables()
    detections.loc[1, column] = value
    reasons = find_problems(detections, cells, RECORDINGS)["reason"]
    assert reasons.str.contains(words).sum() == 1


def test_a_sentence_counts_the_cases_of_its_recording() -> None:
    detections, cells = make_tables()
    problems = find_problems(detections.assign(x_px=99.0), cells, RECORDINGS)
    assert problems["recording_id"].tolist() == ["a"]
    assert problems["reason"].iloc[0].endswith("(4 such cases in this recording).")
