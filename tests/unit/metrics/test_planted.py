"""What flatters is exposed where it is planted: tracks that end late, and relatives on both sides of a split."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cellfate.cohort.leakage import report_leakage
from cellfate.cohort.questions import list_questions
from cellfate.cohort.settings import FollowUpSettings
from cellfate.metrics import ReferenceSettings, forecast_references
from tests.unit.metrics.tables import fated

FOLLOW_UP = FollowUpSettings(min_frames=4)
N_LINEAGES, N_RELATIVES = 48, 10
BOOSTING = {"n_trees": 150, "min_samples_leaf": 2}


def forecast(landmarks: pd.DataFrame, brightness: np.ndarray, parts: np.ndarray) -> pd.DataFrame:
    """Forecasts of which fate comes from the track's length, and from how bright the cell is."""
    splits = landmarks[["recording_id", "cell_id"]].assign(scheme="planted", fold=0, part=parts)
    frames = landmarks[["recording_id", "cell_id"]].assign(frame=landmarks["last_frame"], segmented=True)
    settings = ReferenceSettings(
        names_which_fate=("track_length", "measurements"), names_within_hours=(), boosting=BOOSTING
    )
    table = forecast_references(
        landmarks,
        landmarks,
        splits,
        frames.assign(y_px=0.0, x_px=0.0),
        frames.assign(intensity_p53=brightness),
        list_questions(landmarks, landmarks, FOLLOW_UP),
        FOLLOW_UP,
        settings,
    )
    return table[table["part"] == "test"].merge(landmarks[["cell_id", "fate"]], on="cell_id")


def auroc_of(table: pd.DataFrame, predictor: str) -> float:
    rows = table[table["predictor"] == predictor]
    return float(roc_auc_score(rows["fate"] == "apoptosis", rows["p_apoptosis"]))


def test_tracks_that_end_late_are_exposed_by_the_reference_that_sees_their_length_alone():
    rng = np.random.default_rng(0)
    died = rng.random(240) < 0.5
    lengths = np.where(died, 60, 30) + rng.integers(-15, 16, 240)
    landmarks = fated(np.where(died, "apoptosis", "mitosis"), groups=np.arange(240) % 12, n_frames=lengths)
    parts = np.array(["train"] * 8 + ["validation"] + ["test"] * 3)[np.arange(240) % 12]
    table = forecast(landmarks, rng.normal(size=240), parts)
    assert auroc_of(table, "track_length") > 0.9
    assert 0.3 < auroc_of(table, "measurements") < 0.7


@pytest.mark.parametrize("by_lineage", [False, True])
def test_relatives_on_both_sides_are_counted_and_raise_a_score_that_a_split_by_lineage_takes_back(by_lineage):
    # Relatives share a fate by chance, and a brightness that no other lineage has and that tells no fate.
    rng = np.random.default_rng(1)
    lineage = np.arange(N_LINEAGES * N_RELATIVES) % N_LINEAGES
    died = rng.permutation(np.arange(N_LINEAGES) % 2 == 0)[lineage]
    brightness = rng.permutation(N_LINEAGES)[lineage] + rng.normal(0, 0.05, len(lineage))
    landmarks = fated(np.where(died, "apoptosis", "mitosis"), groups=[f"l{number:02d}" for number in lineage])
    parts = np.array(["train", "train", "train", "validation", "test"])[np.arange(len(lineage)) % 5]
    parts = np.array(["train", "train", "train", "validation", "test"])[lineage % 5] if by_lineage else parts
    cell = landmarks[["recording_id", "cell_id"]]
    cells = cell.assign(parent_id=pd.array([None] * len(cell), dtype="Int64"), lineage_id=landmarks["group_id"])
    splits = cell.assign(scheme="planted", fold=0, part=parts)
    found = report_leakage(cell.assign(group_id=landmarks["group_id"]), cells, splits)
    shared = found[(found["part"] == "test") & (found["shared"] == "lineage")]["share"].iloc[0]
    score = auroc_of(forecast(landmarks, brightness, parts), "measurements")
    if by_lineage:
        assert shared == 0
        assert score < 0.65
    else:
        assert shared == 1
        assert score > 0.8
