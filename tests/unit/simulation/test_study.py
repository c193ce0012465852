"""A whole study: determinism, tracks, truth, the oracle, and where the answer is and is not."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.fates import APOPTOSIS, CENSORED, EVENTS, MITOSIS
from cellfate.core.tables import Truth
from cellfate.simulation import (
    SimulatedStudy,
    SimulationSettings,
    list_truth,
    score_oracle,
    simulate_study,
    trace_reporters,
)
from cellfate.statistics.effect_sizes import separation
from tests.cases.simulated import tiny_settings


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(SimulationSettings())


@pytest.fixture(scope="module")
def traces(study: SimulatedStudy) -> pd.DataFrame:
    traces = trace_reporters(study)
    return traces[traces["fate"] != CENSORED]


def test_the_default_study_has_enough_cells_of_both_fates(study: SimulatedStudy) -> None:
    fates = pd.Series([cell.fate for plan in study.plans for cell in plan.cells]).value_counts()
    assert fates[APOPTOSIS] + fates[MITOSIS] >= 250
    assert 0.3 <= fates[APOPTOSIS] / (fates[APOPTOSIS] + fates[MITOSIS]) <= 0.5
    assert fates[CENSORED] > 50


def test_the_oracle_is_neither_perfect_nor_hopeless(study: SimulatedStudy) -> None:
    scores = score_oracle(study)
    assert 0.90 <= scores["balanced_accuracy"] <= 0.97
    assert scores["n_cells"] == scores["n_apoptosis"] + scores["n_mitosis"]
    assert SimulationSettings(**scores["settings"]) == study.settings


def test_other_seeds_give_an_oracle_as_good() -> None:
    scores = [score_oracle(simulate_study(SimulationSettings(seed=seed)))["balanced_accuracy"] for seed in range(3)]
    assert 0.90 <= np.mean(scores) <= 0.97


def by_fate(traces: pd.DataFrame, channel: str, window_h: tuple[float, float]) -> float:
    """AUROC of the mean level of a channel in a window before the event, for telling apoptosis."""
    inside = traces["hours_before_event"].between(window_h[1], window_h[0])
    means = traces[inside].groupby(["recording_id", "cell_id", "fate"])[channel].mean().reset_index()
    return separation(means[channel].to_numpy(), (means["fate"] == APOPTOSIS).to_numpy())


@pytest.mark.parametrize(
    ("channel", "window_h"),
    [
        ("circadian", (6.5, 2.5)),
        ("circadian", (11.0, 7.0)),
        ("p53", (12.0, 7.5)),
        ("p53", (2.0, 1.5)),
        ("cell_cycle", (6.5, 1.5)),
        ("cell_cycle", (13.5, 11.5)),
    ],
)
def test_outside_the_planted_windows_there_is_nothing_to_find(
    traces: pd.DataFrame, channel: str, window_h: tuple[float, float]
) -> None:
    # about 120 and 170 cells: standard error of the area .034
    assert by_fate(traces, channel, window_h) == pytest.approx(0.5, abs=0.1)


def test_inside_the_planted_windows_there_is(traces: pd.DataFrame) -> None:
    assert by_fate(traces, "p53", (6.5, 2.5)) > 0.75
    assert by_fate(traces, "cell_cycle", (11.0, 7.0)) < 0.4


def test_the_length_of_a_track_does_not_tell_its_fate(study: SimulatedStudy) -> None:
    truth = list_truth(study)
    fated = truth[truth["fate"] != CENSORED]
    length = (fated["last_frame"] - fated["first_frame"]).to_numpy(dtype=float)
    assert separation(length, (fated["fate"] == APOPTOSIS).to_numpy()) == pytest.approx(0.5, abs=0.1)


def test_tracks_end_at_the_event_or_are_censored(study: SimulatedStudy) -> None:
    why = set()
    for plan in study.plans:
        for cell in plan.cells:
            assert 0 <= cell.life.first_frame <= cell.last_frame < study.settings.n_frames
            n = cell.last_frame - cell.life.first_frame + 1
            assert np.isfinite(cell.y_px[:n]).all()
            assert 0 <= cell.y_px[:n].min() <= cell.y_px[:n].max() <= 159
            assert 0 <= cell.x_px[:n].min() <= cell.x_px[:n].max() <= 159
            if cell.fate in EVENTS:
                assert cell.event_frame == cell.last_frame
            else:
                assert cell.last_frame < cell.life.event_frame
                lost = cell.life.lost_frame is not None and cell.last_frame == cell.life.lost_frame - 1
                why.add("lost" if lost else "end" if cell.last_frame == 71 else "left")
    assert why == {"lost", "end", "left"}


def test_daughters_begin_beside_their_mother(study: SimulatedStudy) -> None:
    n_daughters = 0
    for plan in study.plans:
        family = {cell.life.cell_id: cell for cell in plan.cells}
        for cell in plan.cells:
            mother = family.get(cell.life.parent_id or 0)
            if mother is None:
                continue
            n_daughters += 1
            at_event = mother.life.event_frame - mother.life.first_frame
            gap = np.hypot(cell.y_px[0] - mother.y_px[at_event], cell.x_px[0] - mother.x_px[at_event])
            assert gap < study.settings.image.nucleus_radius_px
    assert n_daughters > 50


def test_truth_says_what_decided_when_and_where(study: SimulatedStudy) -> None:
    truth = Truth.validate(list_truth(study))
    censored = truth["fate"] == CENSORED
    assert truth.loc[censored, ["deciding_channel", "window_first_frame", "strength"]].isna().all(axis=None)
    parts = truth["log_odds_p53"] + truth["log_odds_cell_cycle"] + truth["log_odds_dose"]
    np.testing.assert_allclose(parts, truth["oracle_logit"])
    fated = truth[~censored]
    towards = np.where(fated["fate"] == APOPTOSIS, 1, -1)
    both = fated[["log_odds_p53", "log_odds_cell_cycle"]].to_numpy() * towards[:, None]
    np.testing.assert_allclose(both.max(axis=1), fated["strength"] * towards)
    p53 = fated[fated["deciding_channel"] == "p53"]
    assert ((p53["event_frame"] - p53["window_first_frame"]) == 13).all()  # 6.5 h of 30 min frames
    assert ((p53["event_frame"] - p53["window_last_frame"]) == 5).all()  # 2.5 h
    assert set(fated["deciding_channel"]) == {"p53", "cell_cycle"}


def test_true_mothers_are_in_the_truth(study: SimulatedStudy) -> None:
    truth = list_truth(study).set_index(["recording_id", "cell_id"])
    daughters = truth[truth["parent_id"].notna()]
    sisters = daughters.groupby(["recording_id", "parent_id"]).size()
    assert (sisters <= 2).all()
    assert (sisters == 2).sum() > 50


def test_the_same_seed_gives_the_same_images_and_another_seed_others() -> None:
    first, again = (next(iter(simulate_study(tiny_settings()))).frames_tyxc for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = next(iter(simulate_study(tiny_settings(seed=6)))).frames_tyxc
    assert (first != other).mean() > 0.5


def test_iterating_twice_gives_the_same_images_and_leaves_global_randomness_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    study = simulate_study(tiny_settings())
    np.testing.assert_array_equal(next(iter(study)).frames_tyxc, next(iter(study)).frames_tyxc)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_recording_does_not_depend_on_how_many_there_are() -> None:
    few, many = (simulate_study(tiny_settings(n_recordings=n)) for n in (1, 3))
    assert len(few) == 1
    np.testing.assert_array_equal(next(iter(few)).frames_tyxc, next(iter(many)).frames_tyxc)
