import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from cellfate.core.settings import describe_faults
from cellfate.imaging import RecordingSettings

GOOD = {"layout": "coco_vid", "channels": ("a", "b"), "frame_interval_min": 30}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": ("a", "a")}, ["'a', 'a'", "different"]),
        ({"channels": ("a|b",)}, ["'a|b'"]),
        ({"channels": (" ",)}, ["not blank"]),
        ({"channels": ()}, ["at least 1"]),
        ({"frame_interval_min": 0}, ["greater than 0"]),
        ({"layout": "cell_tracking_challenge"}, ["cell_tracking_challenge", "'a', 'b'"]),
        ({"labels": "silver_truth"}, ["silver_truth", "coco_vid"]),
        ({"layout": "folder"}, ["coco_vid"]),
        ({"channels": None}, ["channels is null", "coco_vid"]),
        ({"frame_interval_min": None}, ["frame_interval_min is null", "coco_vid"]),
        ({"layout": "tiff_stacks", "file_axes": "TXY"}, ["file_axes"]),
        ({"layout": "tiff_stacks", "z": "mean"}, ["max"]),
        ({"layout": "ome_zarr", "images_url": "/tmp/images"}, ["images_url"]),
        ({"chanels": ("a",)}, ["chanels"]),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        RecordingSettings.model_validate({**GOOD, **changes})
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("given", ["tyx", " TYX ", "Tyx"])
def test_axes_may_be_written_small(given: str) -> None:
    assert RecordingSettings(layout="tiff_stacks", file_axes=given).file_axes == "TYX"


@pytest.mark.parametrize("given", ["TYXX", "Q", "", "TTYX", "XYT", "TCZ", "CYXC", "time,y,x"])
def test_odd_axes_are_refused_in_a_sentence(given: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RecordingSettings(layout="tiff_stacks", file_axes=given)
    (told,) = describe_faults("recordings", caught.value)
    assert told.startswith(f"Parameter recordings.file_axes: '{given}' names no axes that are read")
    assert "give TYX, TCYX" in told


def test_settings_are_frozen() -> None:
    settings = RecordingSettings.model_validate(GOOD)
    with pytest.raises(ValidationError):
        settings.frame_interval_min = 10


def test_the_examples_of_the_documentation_are_allowed() -> None:
    text = (Path(__file__).parents[3] / "docs" / "recordings.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block)["recordings"] for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    layouts = {RecordingSettings.model_validate(block).layout for block in blocks}
    assert layouts == {"coco_vid", "cell_tracking_challenge", "file_pattern", "tiff_stacks", "ome_zarr", "vendor"}
