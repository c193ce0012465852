"""The commands of the README name things that exist; the ones about the demo are run by the other tests here."""

import re
from pathlib import Path

from cellfate.pipeline_registry import register_pipelines

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_pipeline_that_is_named_exists():
    named = re.findall(r"--pipelines (\w+)", README)
    assert named
    assert set(named) <= set(register_pipelines())


def test_every_environment_that_is_named_exists():
    named = set(re.findall(r"--env (\w+)", README))
    made_by_the_reader = set(re.findall(r"cp -r conf/mydata conf/(\w+)", README))
    assert named - made_by_the_reader <= {path.name for path in (ROOT / "conf").iterdir()}


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^    make (\w+)", README, re.MULTILINE)) <= targets


def test_every_linked_file_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_folder_of_the_source_is_on_the_map():
    rooms = {path.name for path in (ROOT / "src/cellfate").iterdir() if (path / "__init__.py").exists()}
    table = README.split("## Map of the rooms")[1].split("##")[0]
    assert rooms <= set(re.findall(r"`(\w+)`", table))
