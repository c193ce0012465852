import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from cellfate.labels.agreement import compare_scorers
from cellfate.labels.table import labels_table
from tests.unit.labels.cases import make_label

RECORDINGS = pd.DataFrame({"recording_id": [f"r{n}" for n in range(8)], "frame_interval_min": 30.0})
CELLS = pd.DataFrame({"recording_id": np.repeat(RECORDINGS["recording_id"], 10), "cell_id": list(range(10)) * 8})
CELLS = CELLS.assign(group_id=CELLS["recording_id"])
FATES = np.array(["mitosis", "apoptosis", "neither"])


def score(said: np.ndarray, scorer: str, frame: int = 10) -> list:
    keys = zip(CELLS["recording_id"], CELLS["cell_id"], said, strict=True)
    return [
        make_label(cell, fate, None if fate == "neither" else frame, recording_id=name, scorer=scorer)
        for name, cell, fate in keys
    ]


def compare(*labels) -> pd.DataFrame:
    return compare_scorers(labels_table([label for each in labels for label in each]), CELLS, RECORDINGS)


def test_kappa_is_that_of_another_library_and_hours_are_counted():
    rng = np.random.default_rng(0)
    one = FATES[rng.integers(0, 3, len(CELLS))]
    other = np.where(rng.random(len(CELLS)) < 0.3, FATES[rng.integers(0, 3, len(CELLS))], one)
    (row,) = compare(score(one, "ann"), score(other, "ben", frame=13)).to_dict("records")
    assert row["kappa"] == pytest.approx(cohen_kappa_score(one, other))
    assert row["low"] < row["kappa"] < row["high"]
    assert (row["n_cells"], row["n_groups"]) == (80, 8)
    assert row["share_same"] == (one == other).mean()
    assert (row["median_apart_h"], row["largest_apart_h"]) == (1.5, 1.5)
    assert row["n_events"] == ((one == other) & (one != "neither")).sum()
    assert row["reason"] is None or pd.isna(row["reason"])


def test_what_is_not_defined_says_why():
    same = np.full(len(CELLS), "mitosis")
    (row,) = compare(score(same, "ann"), score(same, "ben")).to_dict("records")
    assert np.isnan(row["kappa"])
    assert row["reason"] == "both said the same of every cell, and nothing else"
    few = np.array(["mitosis", "apoptosis"] * 40)
    one_group = [label for label in score(few, "ann") + score(few, "ben") if label.recording_id == "r0"]
    (row,) = compare(one_group).to_dict("records")
    assert row["kappa"] == 1
    assert np.isnan(row["low"])
    assert row["reason"] == "the cells are of one group"


def test_pairs_without_a_cell_in_common_have_no_row():
    said = np.full(len(CELLS), "mitosis")
    halves = score(said, "ann")[:40], score(said, "ben")[40:]
    assert compare(*halves).empty
    assert compare().empty
    taken_back = [make_label(0, None, None, recording_id="r0", scorer="ben")]
    assert compare(halves[0], taken_back).empty
