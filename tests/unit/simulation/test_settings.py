"""Settings of the simulation: what is refused, and what the committed configuration says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from cellfate.core.fates import EVENTS
from cellfate.simulation import CauseSettings, HazardSettings, SimulationSettings, score_oracle, simulate_study

CONF = Path(__file__).resolve().parents[3] / "conf"


def read_settings(environment: str) -> SimulationSettings:
    path = "parameters/simulation.yml" if environment == "base" else "parameters.yml"
    text = (CONF / environment / path).read_text(encoding="utf-8")
    return SimulationSettings(**yaml.safe_load(text)["simulation"])


def test_the_configuration_spells_out_the_defaults() -> None:
    assert read_settings("base") == SimulationSettings()


def test_in_the_test_environment_every_recording_has_both_fates() -> None:
    study = simulate_study(read_settings("test"))
    for plan in study.plans:
        assert set(EVENTS) <= {cell.fate for cell in plan.cells}, plan.recording_id
    assert 0.85 <= score_oracle(study)["balanced_accuracy"] <= 1


ANCHORED = {
    "channel": "p53",
    "window_h": (0.0, 4.0),
    "anchor": "drug",
    "probability": 0.5,
    "log_odds": 8.0,
    "neutral_strength": 0.6,
    "reporter_change": 1.0,
}
HIDDEN = {"kind": "hidden", "log_odds": 8.0, "neutral_strength": 0.6}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shortest_life_h": 10.0}, "shortest_life_h is 10.0 .* begins 11.0 h"),
        ({"founder_horizon_h": 13.0}, "founder_horizon_h is 13.0 and shortest_life_h 14.0"),
        ({"founders": (4, 3)}, r"founders is \[4, 3\]"),
        ({"doses": ()}, "0 doses are given"),
        ({"n_frame": 3}, "n_frame"),
        ({"lost_probability": 1.2}, "lost_probability"),
        ({"causes": (ANCHORED,)}, "cause p53 is anchored at the drug, but drug_h is null"),
        ({"causes": (), "hazards": {}, "confounder": HIDDEN}, "hazards and a confounder are given"),
        ({"causes": SimulationSettings().causes, "hazards": {}}, "hazards and 2 causes are given"),
        ({"hazards": {"p53_on_per_h": {"Low": 0.1}}}, r"lists \['Low'\] but not the dose Control"),
        ({"hazards": {"mitosis_phase": (1.0, 0.8)}}, r"mitosis_phase is \[1.0, 0.8\]"),
        ({"hazards": {"p53_levels": (0.0, 0.8)}}, r"p53_levels is \[0.0, 0.8\]"),
        ({"hazards": {"apoptosis_per_h": 0.5}}, r"apoptosis_on_per_h is \[0.03, 1.2\] and apoptosis_per_h 0.5"),
    ],
)
def test_settings_that_disagree_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SimulationSettings(**change)


def test_a_window_that_runs_backwards_is_named() -> None:
    with pytest.raises(ValidationError, match=r"window_h of cause p53 is \[2.0, 5.0\]"):
        CauseSettings(
            channel="p53", window_h=(2.0, 5.0), probability=0.1, log_odds=1, neutral_strength=0, reporter_change=1
        )


def test_hazards_take_the_place_of_causes() -> None:
    assert SimulationSettings(hazards=HazardSettings()).causes == ()
    assert SimulationSettings(hazards=HazardSettings(), causes=()) == SimulationSettings(hazards=HazardSettings())
    assert len(SimulationSettings(hazards=None).causes) == 2


def test_lives_must_be_longer_than_the_earliest_window_of_a_spread():
    cause = {
        "channel": "p53",
        "window_h": [6, 2],
        "spread_h": 8,
        "probability": 0.5,
        "log_odds": 8,
        "neutral_strength": 0.6,
    }
    with pytest.raises(ValidationError, match=r"\(with spread_h\) begins 14.0 h before the event"):
        SimulationSettings(causes=[{**cause, "reporter_change": 1.0}])
