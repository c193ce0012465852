"""The template for a user's own recordings is complete, commented, and accepted by the settings it is read into."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.crops.settings import CropSettings
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.imaging.settings import RecordingSettings
from cellfate.metrics.settings import AddedValueSettings, MaskingSettings, ReferenceSettings
from cellfate.prediction.settings import AlarmSettings
from cellfate.tracks.settings import TrackSettings
from cellfate.training.settings import ClockTrainingSettings, TrainingSettings

TEMPLATE = Path(__file__).parents[3] / "conf" / "mydata"
WHOLE = {
    "recordings": RecordingSettings,
    "tracks": TrackSettings,
    "follow_up": FollowUpSettings,
    "context": ContextSettings,
    "splits": SplitSettings,
    "masking": MaskingSettings,
}
IN_PART = {
    "crops": CropSettings,
    "features": FeatureSettings,
    "training": TrainingSettings,
    "clock_training": ClockTrainingSettings,
    "references": ReferenceSettings,
    "added_value": AddedValueSettings,
    "alarm": AlarmSettings,
}


def read_parameters() -> dict:
    return OmegaConf.to_container(OmegaConf.load(TEMPLATE / "parameters.yml"))


@pytest.mark.parametrize("key", WHOLE)
def test_template_sets_every_field_and_is_valid(key):
    values = read_parameters()[key]
    assert sorted(values) == sorted(WHOLE[key].model_fields)
    WHOLE[key](**values)


@pytest.mark.parametrize("key", IN_PART)
def test_template_of_what_a_person_may_have_to_change_names_fields(key):
    """With what conf/base adds they are validated among all environments."""
    assert set(read_parameters()[key]) <= set(IN_PART[key].model_fields)


def test_template_asks_for_nothing_else():
    assert set(read_parameters()) == {*WHOLE, *IN_PART, "inference"}


def test_every_parameter_of_the_template_is_explained():
    for path in TEMPLATE.glob("**/*.yml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for before, line in pairwise(lines):
            if re.match(r"  \w+:", line):
                explained = before.lstrip().startswith("#") or "width_px" in line
                assert explained, f"{path.name}: {line.strip()} has no comment above it"


def test_template_writes_where_the_demo_does_not():
    base = OmegaConf.load(TEMPLATE.parent / "base" / "globals.yml")
    mine = OmegaConf.load(TEMPLATE / "globals.yml")
    assert set(mine) == {*base, "recordings_root", "new_recordings_root"}
    assert mine.data_root != base.data_root
