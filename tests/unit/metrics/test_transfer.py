"""The verdict of transfer: by hand on both sides of each limit, and on studies whose odds are shifted, or not."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Transfer
from cellfate.metrics import ScoreSettings, score_forecasts
from cellfate.metrics.transfer import SAME_GROUPS, judge_transfer
from tests.cases.report_tables import make_leakage
from tests.unit.metrics.tables import FIVE_H, fated, forecast, say_which, watched

FEW = ScoreSettings(n_resamples=200)
NOTHING = pd.DataFrame({"within_h": [], "predictor": []})


def decide(ratio: tuple[float, float], slope: tuple[float, float], n_groups: int = 20) -> tuple[str, str | None]:
    """Verdict on two intervals."""
    rows = [("observed_over_expected", 1.0, *ratio), ("calibration_slope", 1.0, *slope)]
    metrics = pd.DataFrame(rows, columns=["metric", "estimate", "low", "high"]).assign(
        predictor="blend", within_h=5.0, outcome="mitosis", condition="all", n_landmarks=9, n_groups=n_groups,
        n_event_groups=n_groups, reason=None,
    )  # fmt: skip
    one = pd.DataFrame({"recording_id": ["r"], "group_id": ["r"]})
    found = judge_transfer(metrics, NOTHING, one, make_leakage(), FIVE_H, FEW)
    assert len(found) == 1
    return found["verdict"].iloc[0], found["reason"].iloc[0] if isinstance(found["reason"].iloc[0], str) else None


@pytest.mark.parametrize(("ratio", "slope", "verdict", "because"), [
    ((0.8, 1.25), (0.8, 1.2), "transfers", None),
    ((0.79, 1.1), (0.9, 1.1), "cannot be told", "observed over expected"),
    ((0.9, 1.1), (0.9, 1.21), "cannot be told", "calibration slope"),
    ((0.79, 1.26), (0.7, 1.3), "cannot be told", "observed over expected and calibration slope"),
    ((1.26, 1.4), (0.9, 1.1), "does not", "observed over expected lies outside 0.8 to 1.25"),
    ((0.5, 0.79), (0.5, 1.5), "does not", "observed over expected"),
    ((0.5, 1.5), (0.4, 0.79), "does not", "calibration slope lies outside 0.8 to 1.2"),
    ((0.9, 1.1), (1.21, 1.4), "does not", "calibration slope"),
])  # fmt: skip
def test_the_verdict_is_that_of_whole_intervals(
    ratio: tuple[float, float], slope: tuple[float, float], verdict: str, because: str | None
) -> None:
    found, reason = decide(ratio, slope)
    assert found == verdict
    assert reason is None if because is None else because in str(reason)


def test_few_groups_never_get_a_verdict() -> None:
    assert decide((0.9, 1.1), (0.9, 1.1), n_groups=19)[0] == "cannot be told"
    verdict, reason = decide((2.0, 3.0), (0.9, 1.1), n_groups=19)
    assert verdict == "cannot be told"
    assert reason == "19 groups hold the event or the rest, expected are at least 20"


def simulate(
    rng: np.random.Generator, odds: float, n_groups: int = 44, n: int = 200
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of groups of two doses: deaths come as forecast at Low; at High the odds are times `odds`."""
    groups = np.repeat(np.arange(n_groups), n)
    high = groups % 2 == 1
    logit = rng.normal(-0.7, 1.3, len(groups))
    shifted = logit + np.where(high, np.log(odds), 0.0) + rng.normal(0, 0.15, n_groups)[groups]
    dies = rng.random(len(groups)) < 1 / (1 + np.exp(-shifted))
    landmarks = watched(
        np.where(dies, 2.0, 50.0),
        np.where(dies, "apoptosis", "censored"),
        [f"g{group:02d}" for group in groups],
        doses=np.where(high, "High", "Low"),
    )
    p_n = 1 / (1 + np.exp(-logit))
    return landmarks, forecast(landmarks, np.stack([p_n, 0 * p_n], axis=1)[:, None], FIVE_H)


def judge(
    landmarks: pd.DataFrame, forecasts: pd.DataFrame, follow_up: FollowUpSettings = FIVE_H, **shared: int
) -> pd.DataFrame:
    metrics = score_forecasts(forecasts, landmarks, follow_up, FEW)
    found = judge_transfer(metrics, forecasts, landmarks, make_leakage(**shared), follow_up, FEW)
    return Transfer.validate(found).query("outcome == 'apoptosis'").set_index("condition")


def test_shifted_odds_do_not_transfer_and_the_same_law_is_never_said_not_to() -> None:
    rng = np.random.default_rng(3)
    shifted = judge(*simulate(rng, 3.0))
    assert shifted["verdict"].to_dict() | {"all": ""} == {"all": "", "Low": "transfers", "High": "does not"}
    assert shifted.loc["High", "observed_over_expected"] > 1.25
    draws = pd.concat([judge(*simulate(rng, 1.0)) for _ in range(20)])
    assert (draws["verdict"] == "does not").mean() <= 0.05
    assert (draws["verdict"] == "transfers").mean() >= 0.5


def test_a_random_split_says_nothing_of_transfer() -> None:
    found = judge(*simulate(np.random.default_rng(4), 3.0), group=18)
    assert (found["verdict"] == "cannot be told").all()
    assert (found["reason"] == SAME_GROUPS).all()


def test_recordings_are_judged_where_groups_are_their_parts() -> None:
    landmarks, forecasts = simulate(np.random.default_rng(5), 3.0)
    names = landmarks["dose"].map({"High": "second", "Low": "first"})
    landmarks, forecasts = landmarks.assign(recording_id=names, dose="Control"), forecasts.assign(recording_id=names)
    landmarks["landmark_id"] = names + ":" + landmarks["cell_id"].astype(str) + ":0"
    found = judge(landmarks, forecasts)
    assert found["kind"].to_dict() == {"all": "all", "first": "recording", "second": "recording"}
    assert found.loc[["first", "second"], "verdict"].tolist() == ["transfers", "does not"]
    assert found["n_groups"].to_dict() == {"all": 44, "first": 22, "second": 22}


def test_an_event_that_is_absent_from_a_dose_has_its_reason() -> None:
    landmarks, forecasts = simulate(np.random.default_rng(6), 1.0)
    dead = (landmarks["dose"] == "Low") & (landmarks["fate"] == "apoptosis")
    alive = landmarks.assign(fate=landmarks["fate"].mask(dead, "censored"), time_h=landmarks["time_h"].mask(dead, 50.0))
    found = judge(alive, forecasts)
    assert found.loc["Low", "verdict"] == "cannot be told"
    assert found.loc["Low", "reason"] == "no landmark with apoptosis"
    assert np.isnan(found.loc["Low", ["observed_over_expected", "calibration_slope"]].to_numpy(float)).all()


def test_a_single_group_cannot_be_told() -> None:
    landmarks, forecasts = simulate(np.random.default_rng(7), 1.0, n_groups=1)
    found = judge(landmarks, forecasts)
    assert found.loc["all", "verdict"] == "cannot be told"
    assert "one group" in found.loc["all", "reason"]


def test_which_fate_comes_is_not_judged() -> None:
    landmarks = fated(["apoptosis", "mitosis"] * 30, groups=list(range(30)) * 2)
    forecasts = say_which(landmarks, np.full(60, 0.5))
    metrics = score_forecasts(forecasts, landmarks, FIVE_H, FEW)
    assert judge_transfer(metrics, forecasts, landmarks, make_leakage(), FIVE_H, FEW).empty
