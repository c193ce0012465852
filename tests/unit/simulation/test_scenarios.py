"""Scenarios by name: what is planted can be found where it was planted, and nowhere else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from cellfate.core.tables import CELL
from cellfate.simulation import SimulationSettings, list_truth, score_oracle, simulate_study, trace_reporters
from cellfate.simulation.settings import CHANNELS

FOLDER = Path(__file__).parents[3] / "conf" / "base" / "parameters" / "scenarios"
SCENARIOS = {path.stem: path for path in sorted(FOLDER.glob("*.yml")) if not path.stem.startswith("real_")}
GUARD_H = 1.0
PLANTED = {"p53_early": "p53", "cell_cycle_mid": "cell_cycle"}


def read_scenario(name: str, **change: object) -> SimulationSettings:
    ((_, groups),) = yaml.safe_load(SCENARIOS[name].read_text()).items()
    return SimulationSettings(**(groups["simulation"] | change))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_a_file_of_its_name_whose_settings_are_allowed(name):
    assert list(yaml.safe_load(SCENARIOS[name].read_text())) == [name]
    settings = read_scenario(name)
    assert settings.event_shape_h <= GUARD_H + settings.frame_h  # no frame that is seen looks like the event


@pytest.mark.parametrize("name", SCENARIOS)
def test_fates_are_balanced_and_who_knows_the_answer_tells_them_apart(name):
    scores = score_oracle(simulate_study(read_scenario(name)))
    assert scores["n_cells"] >= 290
    assert 0.3 < scores["n_apoptosis"] / scores["n_cells"] < 0.6
    assert scores["balanced_accuracy"] == 0.5 if name == "null" else scores["balanced_accuracy"] > 0.9


def hourly_signals(name: str, reporters: list[str], *, inside: bool) -> pd.DataFrame:
    """True reporters of fated cells as means over two hours, counted from the event or from the drug; in or out."""
    study = simulate_study(read_scenario(name, n_recordings=60))
    truth = list_truth(study)
    traces = trace_reporters(study).merge(truth.drop(columns="fate"), on=["recording_id", "cell_id"])
    traces = traces[(traces["fate"] != "censored") & (traces["hours_before_event"] > GUARD_H)]
    planted = traces["frame"].between(traces["window_first_frame"], traces["window_last_frame"])
    kept = traces[planted == inside]
    clock = kept["frame"] * 0.5 if name == "cell_cycle_mid" else kept["hours_before_event"]
    wide = kept.assign(bin=(clock // 2).astype(int)).pivot_table(
        index=["recording_id", "cell_id", "fate"], columns="bin", values=reporters
    )
    return wide.loc[:, wide.notna().mean() > 0.3]


def auroc_of(signals: pd.DataFrame) -> float:
    dies = signals.index.get_level_values("fate") == "apoptosis"
    groups = signals.index.get_level_values("recording_id")
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, random_state=0)
    values = signals.to_numpy()
    chance = cross_val_predict(model, values, dies, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    return float(roc_auc_score(dies, chance))


@pytest.mark.parametrize("name", PLANTED)
def test_the_planted_window_tells_and_the_rest_is_chance(name):
    assert auroc_of(hourly_signals(name, [PLANTED[name]], inside=True)) > 0.9
    outside = hourly_signals(name, list(CHANNELS), inside=False)
    standard_error = 0.5 / np.sqrt(3 * len(outside) / 4)  # Hanley and McNeil 1982, at AUROC .5 and equal classes
    assert abs(auroc_of(outside) - 0.5) < 2.5 * standard_error


def test_reporters_are_chance_where_only_the_shape_decides():
    signals = hourly_signals("morphology_late", list(CHANNELS), inside=True)
    assert abs(auroc_of(signals) - 0.5) < 0.1


def test_in_two_windows_one_of_both_decides_each_cell():
    truth = list_truth(simulate_study(read_scenario("two_windows")))
    fated = truth[truth["fate"] != "censored"]
    shares = fated["deciding_channel"].value_counts(normalize=True)
    assert 0.4 < shares["p53"] < 0.6
    silent = np.minimum(fated["log_odds_p53"].abs(), fated["log_odds_cell_cycle"].abs())
    assert (silent == 0).all()


def test_the_window_of_the_drug_is_at_the_drug():
    truth = list_truth(simulate_study(read_scenario("cell_cycle_mid", n_recordings=3)))
    fated = truth[truth["fate"] != "censored"]
    assert set(fated["window_first_frame"]) == {18}  # 9 h at 30 min
    assert set(fated["window_last_frame"]) == {26}
    assert (fated["first_frame"] == 0).all()


def test_every_cell_has_hours_of_its_own_and_the_truth_names_them():
    truth = list_truth(simulate_study(read_scenario("own_hours", n_recordings=20)))
    fated = truth[truth["fate"] != "censored"]
    first_h, last_h = ((fated["event_frame"] - fated[f"window_{end}_frame"]) * 0.5 for end in ("first", "last"))
    assert set(first_h - last_h) == {3.5}  # hours that begin between two frames hold 8 frames
    assert (first_h.between(5.0, 13.5) & last_h.between(1.5, 9.5)).all()
    assert first_h.max() > 12.5
    assert first_h.min() < 6.5
    assert first_h.astype(float).std() == pytest.approx(8 / np.sqrt(12), rel=0.15)  # evenly over 8 h
    traces = trace_reporters(simulate_study(read_scenario("own_hours", n_recordings=20, reporter_noise=0.0)))
    inside = traces.merge(fated[[*CELL, "window_first_frame", "window_last_frame", "strength"]], on=CELL)
    inside = inside[(inside["frame"] > inside["window_first_frame"]) & (inside["frame"] < inside["window_last_frame"])]
    means = inside.groupby(CELL)["cell_cycle"].mean()
    strong = fated.set_index(CELL)["fate"].loc[means.index] == "apoptosis"
    assert roc_auc_score(strong, -means) > 0.95  # high strength, low reporter, in just these frames


@pytest.mark.parametrize(
    ("name", "confounder"),
    [("length_shortcut", "length"), ("background_shortcut", "surroundings"), ("sister_coupled", "hidden")],
)
def test_a_confounder_is_named_and_no_channel_decides(name, confounder):
    truth = list_truth(simulate_study(read_scenario(name, n_recordings=3)))
    assert set(truth["confounder"]) == {confounder}
    assert truth["deciding_channel"].isna().all()
    np.testing.assert_allclose(truth["log_odds_confounder"], truth["oracle_logit"])


def test_longer_lives_end_in_apoptosis_where_length_is_the_shortcut():
    truth = list_truth(simulate_study(read_scenario("length_shortcut")))
    fated = truth[truth["fate"] != "censored"]
    frames = (fated["last_frame"] - fated["first_frame"]).astype(float)
    assert roc_auc_score(fated["fate"] == "apoptosis", frames) > 0.9


def test_sisters_share_what_is_hidden_and_their_look():
    study = simulate_study(read_scenario("sister_coupled", n_recordings=4))
    lives = [cell.life for plan in study.plans[:1] for cell in plan.cells if cell.life.parent_id is not None]
    by_mother: dict[int, list] = {}
    for life in lives:
        by_mother.setdefault(life.parent_id, []).append(life)
    pairs = [pair for pair in by_mother.values() if len(pair) == 2]
    assert pairs
    for one, other in pairs:
        np.testing.assert_array_equal(one.levels, other.levels)
        assert (one.confounder > 0.6) == (other.confounder > 0.6)


def test_debris_is_beside_the_cell_in_the_first_channel_only():
    always = {"kind": "surroundings", "probability": 1.0, "log_odds": 8.0, "neutral_strength": 0.6}
    settings = read_scenario("background_shortcut", n_recordings=1, founders=(1, 1), confounder=always)
    clean = settings.model_copy(update={"confounder": None})
    study = simulate_study(settings)
    plan = study.plans[0]
    cell = plan.cells[0]
    with_debris, without = (study.render(plan, each).frames_tyxc.astype(float) for each in (settings, clean))
    frame = int(cell.frames[3])
    rows, columns = np.ogrid[:160, :160]
    distance = np.hypot(rows - cell.y_px[3], columns - cell.x_px[3])
    added = with_debris[frame] - without[frame]
    ring = (distance > 10) & (distance < 18)
    assert added[ring, 0].sum() > 2000
    assert abs(added[ring, 1].mean()) < 3
