"""Listing the pipelines stays light: nothing heavy is imported, and every pipeline is named and documented."""

import subprocess
import sys
from collections import Counter

from cellfate.pipeline_registry import register_pipelines
from tests.conftest import ROOT, run_command

HEAVY = {"torch", "lightning", "shap", "sklearn", "monai", "skimage", "zarr", "numba", "lightgbm", "dask"}
MOST_BOXES = 12
"""Of the demo, as kedro-viz opens it: namespaces at the top, and nodes that stand in none."""


def test_start_up_imports_nothing_heavy():
    code = "import sys, cellfate.pipeline_registry as r; r.register_pipelines(); print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(finished.stdout.split())


def test_import_of_the_package_imports_nothing_but_itself():
    code = "import sys, cellfate; print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (HEAVY | {"pandas", "numpy", "kedro"}).isdisjoint(finished.stdout.split())


def test_pipelines_are_listed():
    """How fast, `python -m benchmarks start_up` says: seconds are the machine's."""
    finished = run_command(ROOT, "kedro", "registry", "list")
    assert finished.returncode == 0
    assert "demo" in finished.stdout


def test_the_registry_names_every_stage():
    pipelines = register_pipelines()
    assert set(pipelines) == {
        "__default__",
        "demo",
        "simulation",
        "data_processing",
        "model_training",
        "evaluation",
        "explainability",
        "reporting",
        "inference",
        "comparison_trainings",
        "traces",
        "traces_data_processing",
        "traces_model_training",
        "traces_evaluation",
        "traces_explainability",
        "traces_inference",
        "traces_reporting",
        "known_answer",
        "known_hazards",
    }
    assert set(pipelines["__default__"].nodes) < set(pipelines["demo"].nodes) < set(pipelines["known_hazards"].nodes)
    assert not set(pipelines["comparison_trainings"].nodes) & set(pipelines["demo"].nodes)


def test_the_demo_opens_as_about_ten_boxes():
    nodes = register_pipelines()["demo"].nodes
    boxes = Counter(node.namespace.split(".")[0] if node.namespace else node.name for node in nodes)
    assert len(boxes) <= MOST_BOXES
    assert all("_" in box or box in ("forecast", "score", "report") for box in boxes)


def test_every_node_has_a_verb_object_name():
    nodes = {node for pipeline in register_pipelines().values() for node in pipeline.nodes}
    names = [node.name for node in nodes]
    assert all("_" in name and name == name.lower() and "(" not in name for name in names)
    # with and without images, a report is made by the same functions of other inputs
    assert len({(node.name, node.func) for node in nodes}) == len(set(names))
