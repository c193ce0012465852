"""The parameters of every environment are allowed, and fit together."""

from pathlib import Path
from typing import get_args

import pytest
from kedro.config import OmegaConfigLoader

from cellfate.attribution.settings import ClockExplanationSettings
from cellfate.cohort.settings import FollowUpSettings
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.models.settings import EnsembleSettings, ModelSettings
from cellfate.report import ReportSettings
from cellfate.settings import CONFIG_LOADER_ARGS
from cellfate.simulation import SimulationSettings
from cellfate.tracks.settings import TrackSettings
from cellfate.training.settings import ClockTrainingSettings

CONF = Path(__file__).parents[2] / "conf"
ENVIRONMENTS = sorted(path.name for path in CONF.iterdir() if (path / "parameters").is_dir() and path.name != "base")
GROUPS = {
    "follow_up": FollowUpSettings,
    "clock_network": ModelSettings,
    "clock_training": ClockTrainingSettings,
    "ensemble": EnsembleSettings,
    "references": ReferenceSettings,
    "clock_explanation": ClockExplanationSettings,
    "clock_report": ReportSettings,
    "scores": ScoreSettings,
    "tracks": TrackSettings,
    "new_tracks": TrackSettings,
}


def read_parameters(environment):
    return OmegaConfigLoader(conf_source=str(CONF), env=environment, **CONFIG_LOADER_ARGS)["parameters"]


@pytest.mark.parametrize("environment", ["base", *ENVIRONMENTS])
def test_parameters_of_the_fate_clock_are_allowed(environment):
    parameters = read_parameters(environment)
    made = {name: settings(**parameters[name]) for name, settings in GROUPS.items()}
    assert made["clock_network"].causal is not None


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_base_spells_out_every_key_of_the_fate_clock(name):
    """What can be decided stands in conf/base, so that a person sees it there."""
    assert missing_keys(GROUPS[name], read_parameters("base")[name]) == []


def missing_keys(settings, given, place=""):
    missing = []
    for key, field in settings.model_fields.items():
        if key not in given:
            missing.append(place + key)
        for kind in (field.annotation, *get_args(field.annotation)):
            if key in given and hasattr(kind, "model_fields"):
                missing += missing_keys(kind, given[key], f"{place}{key}.")
    return missing


def test_known_hazards_are_simulated_as_the_truth_needs_it():
    parameters = read_parameters("known_hazards")
    simulation = SimulationSettings(**parameters["simulation"])
    assert simulation.hazards is not None
    assert simulation.event_shape_h <= FollowUpSettings(**parameters["follow_up"]).guard_h
    assert set(simulation.hazards.p53_on_per_h) == {dose.dose for dose in simulation.doses}
