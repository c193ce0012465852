"""TreeSHAP on windows of features."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.tree_shapley import channel_of, describe_windows, explain_boosting

SETTINGS = ExplanationSettings(window_h=1.0, n_windows=3)


def traced_cells(n_cells: int = 120) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Cells of 8 frames at 30 min; p53 in the last but one hour tells the outcome."""
    rng = np.random.default_rng(0)
    dies = rng.random(n_cells) < 0.5
    landmarks = pd.DataFrame(
        {
            "landmark_id": [f"r:{n}" for n in range(n_cells)], "recording_id": "r", "cell_id": range(n_cells),
            "shown_from": 0, "last_frame": 7, "frame_interval_min": 30.0,
            "outcome": np.where(dies, "apoptosis", "mitosis"),
        }
    )  # fmt: skip
    features = pd.DataFrame(
        [{"recording_id": "r", "cell_id": n, "frame": t} for n in range(n_cells) for t in range(8)]
    ).assign(segmented=True, area=rng.normal(size=8 * n_cells), intensity_p53=rng.normal(size=8 * n_cells))
    told = features["frame"].isin([4, 5]) & features["cell_id"].map(dict(enumerate(dies)))
    features.loc[told, "intensity_p53"] += 4
    part = np.where(np.arange(n_cells) < 90, "train", "test")
    splits = landmarks[["recording_id", "cell_id"]].assign(fold=0, part=part, scheme="x")
    return features, landmarks, splits


def test_windows_are_means_counted_back_from_the_last_frame():
    features = pd.DataFrame(
        {"recording_id": "r", "cell_id": 1, "frame": range(8), "segmented": True, "area": np.arange(8.0)}
    )
    _, landmarks, _ = traced_cells(2)
    table = describe_windows(features, landmarks.tail(1), SETTINGS)
    assert table["area"].to_numpy().tolist() == [[6.5, 4.5, 1.5]]


def test_the_boosting_finds_the_feature_and_the_hour_and_values_add_up():
    features, landmarks, splits = traced_cells()
    explained = landmarks.tail(30).assign(fold=0, shapley=True)
    table = explain_boosting(features, landmarks, splits, explained, "apoptosis", SETTINGS)
    size = table["value"].abs().groupby([table["feature"], table["windows_back"]]).sum()
    assert size.idxmax() == ("intensity_p53", 1)
    assert size.max() > 0.9 * size.sum()
    assert table["boosting_auroc"].iloc[0] > 0.95
    one = table[(table["windows_back"] == 1) & (table["feature"] == "area")].iloc[0]
    assert (one["window_first_frame"], one["window_last_frame"], one["channel"]) == (4, 5, "shape")
    earliest = table[table["windows_back"] == 2].iloc[0]
    assert (earliest["window_first_frame"], earliest["window_last_frame"]) == (0, 3)


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier with TreeExplainer")
def test_values_are_those_of_the_shap_package():
    shap = pytest.importorskip("shap")
    import lightgbm

    from cellfate.attribution.tree_shapley import _contributions

    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(200, 4))
    labels = (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_leaves": 5, "num_threads": 1},
        lightgbm.Dataset(inputs, labels),
        20,
    )
    expected = shap.TreeExplainer(booster).shap_values(inputs[:10])
    expected = expected[1] if isinstance(expected, list) else expected
    np.testing.assert_allclose(_contributions(booster, inputs[:10]), expected, atol=1e-6)


def test_channels_of_features():
    names = ("intensity_p53", "n_neighbors", "area", "tracker_area", "tracker_intensity_p53")
    assert [channel_of(name) for name in names] == ["p53", "neighbors", "shape", "tracker", "tracker"]
