"""Medians over cells with intervals, and the published ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.attention_summary import summarise_effects
from cellfate.attribution.settings import AttentionStatisticsSettings

SETTINGS = AttentionStatisticsSettings(n_bootstrap=200)

PUBLISHED = {
    "p53": (0.549, 0.824),
    "area": (0.221, 0.404),
    "perimeter": (0.241, 0.284),
    "circularity": (-0.081, 0.320),
    "eccentricity": (0.062, -0.396),
    "solidity": (0.061, 0.231),
    "circadian": (0.190, 0.058),
    "cell_cycle": (0.104, 0.062),
    "n_neighbors": (-0.030, -0.058),
}
"""Median Cliff's delta, doses Low, Medium and High: apoptosis, mitosis (methods.md, T5)."""


def cells(deltas: list[float], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"outcome": "mitosis", "dose": "Low", "feature": "area", "cliffs_delta": deltas, **columns})


def test_medians_per_dose_and_over_all() -> None:
    table = pd.concat([cells([0.1, 0.2, 0.6, np.nan]), cells([0.8, 1.0], dose="High")])
    summary = summarise_effects(table, SETTINGS).set_index("dose")
    assert summary["median_delta"].to_dict() == pytest.approx({"High": 0.9, "Low": 0.2, "all": 0.6})
    assert summary["n_cells"].to_dict() == {"High": 2, "Low": 3, "all": 5}
    assert (summary["low"] <= summary["median_delta"]).all()
    assert (summary["high"] >= summary["median_delta"]).all()


def test_share_of_cells_with_the_sign_of_the_median() -> None:
    summary = summarise_effects(cells([-0.4, -0.2, -0.1, 0.0, 0.3, np.nan]), SETTINGS).iloc[0]
    assert (summary["median_delta"], summary["share_same_sign"]) == (-0.1, 3 / 5)
    assert summarise_effects(cells([-0.2, 0.0, 0.3]), SETTINGS)["share_same_sign"].isna().all()


def test_one_dose_is_told_once() -> None:
    assert summarise_effects(cells([0.1, 0.2]), SETTINGS)["dose"].tolist() == ["all"]


def test_groups_are_resampled_whole() -> None:
    # two groups of equal cells: a resample's median is one of three values
    summary = summarise_effects(cells([0.0] * 4 + [1.0] * 4, group_id=["a"] * 4 + ["b"] * 4), SETTINGS).iloc[0]
    assert (summary["low"], summary["high"], summary["n_cells"], summary["n_groups"]) == (0.0, 1.0, 8, 2)
    single = summarise_effects(cells([0.1, 0.2, 0.3], group_id="r"), SETTINGS)
    assert single[["low", "high"]].isna().all(axis=None)


@pytest.mark.real
def test_published_medians(real_data: Path) -> None:
    folder = real_data / "published_tables" / "statistics"
    parts = []
    for feature in PUBLISHED:
        for outcome, word in (("apoptosis", "Death"), ("mitosis", "Division")):
            table = pd.read_csv(folder / f"{word}_{feature}.csv", sep=";")
            table = table.rename(columns={"Dosage": "dose", "Cliff's Delta": "cliffs_delta"})
            parts.append(table.assign(outcome=outcome, feature=feature))
    published = pd.concat(parts)
    drugged = published[published["dose"].isin(["Low", "Medium", "High"])]
    summary = summarise_effects(drugged, SETTINGS).query("dose == 'all'").set_index(["feature", "outcome"])
    for feature, (apoptosis, mitosis) in PUBLISHED.items():
        assert summary.loc[(feature, "apoptosis"), "median_delta"] == pytest.approx(apoptosis, abs=0.005), feature
        assert summary.loc[(feature, "mitosis"), "median_delta"] == pytest.approx(mitosis, abs=0.005), feature
    assert summary.loc[("area", "apoptosis"), "n_cells"] == 1870
    assert summary.loc[("area", "mitosis"), "n_cells"] == 768
