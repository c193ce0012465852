"""Scores against what was planted, by hand."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.known_answer import score_planted, top_precision
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.scoring import FAITHFUL, PLANTED, add_planted_scores, score_attributions
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import AttributionScores

LANDMARKS = pd.DataFrame(
    {
        "landmark_id": ["s1", "s2", "s3"], "recording_id": "r", "cell_id": [1, 2, 3],
        "outcome": ["apoptosis", "mitosis", "apoptosis"], "shown_from": 0, "last_frame": 7,
    }
)  # fmt: skip
TRUTH = pd.DataFrame(
    {
        "recording_id": "r", "cell_id": [1, 2, 3], "deciding_channel": ["p53", "p53", "p53"],
        "window_first_frame": [0, 4, 0], "window_last_frame": [3, 7, 3],
    }
).astype({"window_first_frame": "Int64", "window_last_frame": "Int64"})  # fmt: skip


def attributions(method: str, values: dict[str, tuple[float, ...]], towards: dict[str, float]) -> pd.DataFrame:
    """Values of two windows of four frames, by channel where there are four values."""
    rows = []
    for landmark_id, given in values.items():
        names = ["circadian", "p53"] if len(given) == 4 else ["all"]
        keys = [(back, first, name) for back, first in ((1, 0), (0, 4)) for name in names]
        rows += [
            {"landmark_id": landmark_id, "method": method, "windows_back": back, "window_first_frame": first,
             "window_last_frame": first + 3, "channel": name, "value": value, "towards": towards[landmark_id]}
            for (back, first, name), value in zip(keys, given, strict=True)
        ]  # fmt: skip
    return pd.DataFrame(rows).assign(unit="logit", group_id="g", explained_outcome="apoptosis")


def test_of_the_clock_the_event_is_what_counts_not_the_hours():
    table = attributions("shapley", {"s1": (0.0, 2.0, 0.5, 0.1), "s2": (0.0, 2.0, 0.5, 0.1)}, {"s1": 1.0, "s2": 1.0})
    scores = scores_of(table.assign(explained_outcome="apoptosis within 5 h"))
    assert set(scores.index.get_level_values("landmark_id")) == {"s1"}  # s2 divides: its forecast is wrong


def scores_of(table: pd.DataFrame, truth: pd.DataFrame = TRUTH) -> pd.DataFrame:
    return score_planted(table, LANDMARKS, truth).set_index(["landmark_id", "score"])


def test_planted_window_and_channel_are_found_or_not():
    values = {"s1": (0.0, 2.0, 0.5, 0.1), "s2": (-3.0, 0.0, 0.0, -1.0)}
    scores = scores_of(attributions("shapley", values, {"s1": 1.0, "s2": -1.0}))["value"]
    assert scores["s1", "window_auroc"] == 1.0
    assert scores["s1", "window_precision"] == 1.0
    assert scores["s1", "channel_hit"] == 1.0
    assert scores["s2", "window_auroc"] == 0.0  # it points at the earlier window, the later one was planted
    assert scores["s2", "window_precision"] == 0.0
    assert scores["s2", "channel_hit"] == 0.0


def test_cells_whose_forecast_is_wrong_are_left_out():
    values = {"s1": (0.0, 2.0, 0.5, 0.1), "s3": (0.0, 2.0, 0.5, 0.1)}
    scores = scores_of(attributions("shapley", values, {"s1": 1.0, "s3": -1.0}))
    assert set(scores.index.get_level_values("landmark_id")) == {"s1"}


def test_where_a_score_is_not_defined_the_reason_is_given():
    no_channels = scores_of(attributions("attention", {"s1": (0.7, 0.3)}, {"s1": 1.0}))
    assert np.isnan(no_channels.loc[("s1", "channel_hit"), "value"])
    assert no_channels.loc[("s1", "channel_hit"), "reason"] == "the method does not tell channels apart"
    nothing = scores_of(attributions("shapley", {"s1": (0, 2, 1, 1)}, {"s1": 1.0}), TRUTH.assign(deciding_channel=None))
    assert nothing["value"].isna().all()
    assert set(nothing["reason"]) == {"no hours and no channel decide"}
    shape = scores_of(
        attributions("shapley", {"s1": (0, 2, 1, 1)}, {"s1": 1.0}), TRUTH.assign(deciding_channel="shape")
    )
    assert shape.loc[("s1", "channel_hit"), "reason"] == "what decides is not a channel of the image"


def test_size_has_no_hours_and_is_named_by_the_outline_or_by_a_measurement():
    truth = TRUTH.assign(deciding_channel="area", window_first_frame=pd.NA, window_last_frame=pd.NA)
    values = {"s1": (0.0, 2.0, 0.5, 0.1)}
    table = attributions("shapley", values, {"s1": 1.0})
    scores = scores_of(table.replace({"channel": {"p53": "mask"}}), truth)
    assert set(scores["reason"].dropna()) == {"what decides is there at all hours"}
    assert scores["value"].dropna().to_dict() == {("s1", "channel_hit"): 1.0}
    blind = scores_of(table, truth)
    assert blind.loc[("s1", "channel_hit"), "reason"] == "what decides is not a channel of the image"
    trees = attributions("tree_shapley", values, {"s1": -1.0}).replace({"channel": {"p53": "shape"}})
    features = trees.assign(feature=["area", "circularity", "area", "circularity"]).drop(columns="towards")
    right = truth.assign(cell_id=[1, 2, 3])
    for towards, outcome, hit in ((1.0, "apoptosis", 0.0), (-1.0, "mitosis", 1.0)):
        landmarks = LANDMARKS.assign(outcome=outcome)
        found = score_planted(trees.assign(towards=towards), landmarks, right, features)
        assert found.set_index("score").loc["channel_hit", "value"] == hit  # -0 is the highest against apoptosis


def test_one_channel_alone_is_no_finding():
    table = attributions("shapley", {"s1": (0.0, 2.0, 0.5, 0.1)}, {"s1": 1.0})
    scores = scores_of(table[table["channel"] == "p53"])
    assert scores.loc[("s1", "channel_hit"), "reason"] == "the model sees one channel only"
    assert scores.loc[("s1", "window_auroc"), "value"] == 1.0


@pytest.mark.parametrize(
    ("score", "expected"), [((3, 2, 1, 0), 1.0), ((0, 1, 2, 3), 0.0), ((1, 1, 1, 1), 0.5), ((2, 1, 1, 0), 0.75)]
)
def test_precision_shares_ties(score, expected):
    assert top_precision(np.array(score, float), np.array([True, True, False, False])) == expected


def test_every_method_and_score_has_a_row_with_a_value_or_a_reason():
    settings = ExplanationSettings(n_bootstrap=100)
    cells = pd.DataFrame(
        {
            "landmark_id": ["a", "b"],
            "group_id": ["a", "b"],
            "method": "shapley",
            "score": "deletion_gain",
            "value": [1.0, 2.0],
        }
    )
    faithful = score_attributions(cells, cells.head(0), cells.head(0), settings)
    assert len(faithful) == len(COMPARED) * len(FAITHFUL)
    row = faithful[(faithful["method"] == "shapley") & (faithful["score"] == "deletion_gain")].iloc[0]
    assert (row["value"], row["unit"], row["better"], row["n_cells"]) == (1.5, "logit", "higher", 2)
    others = faithful[faithful["value"].isna()]
    assert others["reason"].notna().all()
    planted = score_planted(attributions("attention", {"s1": (0.7, 0.3)}, {"s1": 1.0}), LANDMARKS, TRUTH)
    whole = AttributionScores.validate(add_planted_scores(faithful, planted, settings))
    assert len(whole) == len(COMPARED) * (len(FAITHFUL) + len(PLANTED))
    hit = whole[(whole["method"] == "attention") & (whole["score"] == "channel_hit")].iloc[0]
    assert hit["reason"] == "the method does not tell channels apart"
