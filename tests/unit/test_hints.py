"""Hints of errors name parameters that exist, and those of what is being run."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cellfate
from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.pipelines.inference.nodes import import_new_tracks, open_new_recordings
from cellfate.tracks.settings import TrackColumns, TrackSettings
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.trained_models import model_without_members

SOURCE = Path(str(cellfate.__file__)).parent
GROUPS = {
    "recordings": RecordingSettings.model_fields.keys(),
    "tracks": TrackSettings.model_fields.keys(),
    "tracks.columns": TrackColumns.model_fields.keys(),
}
KEYS = re.compile(r"(?<![\w./'{])(recordings|tracks|tracks\.columns)\.([a-z]\w*)")
COCO = RecordingSettings(layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0)


def sentences() -> Iterator[tuple[Path, str]]:
    """Every string of the source that has words, docstrings left out."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in docstrings else None
            if isinstance(text, str) and " " in text:
                yield path, text


def test_the_parameters_that_hints_name_exist():
    named = [(path, *match.groups()) for path, text in sentences() for match in KEYS.finditer(text)]
    assert len(named) > 30
    unknown = [(path.name, f"{group}.{key}") for path, group, key in named if key not in GROUPS[group]]
    assert unknown == []


def test_no_hint_speaks_of_a_parameter_without_its_group():
    bare = re.compile(r"\b(?:set|correct|give|in) (?:the parameter )?(on_bad_recording|\w+_file|file_axes|group_by)\b")
    rooms = ("imaging", "preflight")
    found = [(path.name, text) for path, text in sentences() if path.parent.name in rooms and bare.search(text)]
    assert found == []


def test_errors_of_new_recordings_point_at_inference(tmp_path):
    with pytest.raises(InputError, match=r"name the annotation file in inference\.recordings\.annotation_file\.$"):
        open_new_recordings(RecordingFolder(tmp_path), COCO)
    (tmp_path / "movies").mkdir()
    (tmp_path / "movies" / "annotations.json").touch()
    with pytest.raises(InputError, match=r"set new_recordings_root to .*movies\.$"):
        open_new_recordings(RecordingFolder(tmp_path), COCO)


def test_errors_of_new_tracks_point_at_inference(tmp_path):
    folder = RecordingFolder(write_coco_folder(tmp_path))
    recordings, frame_files, _ = open_new_recordings(folder, COCO)
    words = r"name another in inference\.tracks\.files\.$"
    with pytest.raises(InputError, match=words):
        import_new_tracks(
            folder, recordings, frame_files, COCO, TrackSettings(format="csv"), model_without_members("clock")
        )
