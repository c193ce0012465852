"""The template for a user's own recordings is complete, commented, and accepted by the settings it is read into."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cellfate.cohort.settings import SampleSettings, SplitSettings
from cellfate.crops.settings import CropSettings
from cellfate.imaging.settings import RecordingSettings
from cellfate.metrics.settings import BaselineSettings, MaskingSettings
from cellfate.tracks.settings import TrackSettings

TEMPLATE = Path(__file__).parents[3] / "conf" / "mydata"
SETTINGS = {
    "recordings": RecordingSettings,
    "crops": CropSettings,
    "samples": SampleSettings,
    "splits": SplitSettings,
    "new_recordings": RecordingSettings,
    "tracks": TrackSettings,
    "new_tracks": TrackSettings,
}


def read_parameters() -> dict:
    parts = [OmegaConf.to_container(OmegaConf.load(path)) for path in sorted(TEMPLATE.glob("parameters/*.yml"))]
    return {key: value for part in parts for key, value in part.items()}


@pytest.mark.parametrize(("key", "settings"), [("baselines", BaselineSettings), ("masking", MaskingSettings)])
def test_template_of_the_evaluation_is_valid(key, settings):
    values = read_parameters()[key]
    assert settings(**values).model_fields_set == set(values)


@pytest.mark.parametrize("key", SETTINGS)
def test_template_sets_every_field_and_is_valid(key):
    values = read_parameters()[key]
    assert sorted(values) == sorted(SETTINGS[key].model_fields)
    SETTINGS[key](**values)


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
    assert sorted(mine) == sorted(base)
    assert mine.data_root != base.data_root
