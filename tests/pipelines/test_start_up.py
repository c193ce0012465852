"""Listing the pipelines stays light: nothing heavy is imported, and every pipeline is named and documented."""

import subprocess
import sys

from cellfate.pipeline_registry import register_pipelines

HEAVY = {"torch", "lightning", "shap", "sklearn", "monai", "skimage", "zarr", "numba"}


def test_start_up_imports_nothing_heavy():
    code = "import sys, cellfate.pipeline_registry as r; r.register_pipelines(); print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(finished.stdout.split())


def test_the_registry_names_every_stage():
    pipelines = register_pipelines()
    assert set(pipelines) >= {
        "__default__",
        "demo",
        "simulation",
        "data_processing",
        "model_training",
        "evaluation",
        "explainability",
        "reporting",
        "inference",
        "fate_clock",
        "fate_clock_inference",
        "known_hazards",
    }
    assert set(pipelines["__default__"].nodes) < set(pipelines["demo"].nodes)
    assert set(pipelines["fate_clock"].nodes) < set(pipelines["known_hazards"].nodes)


def test_every_node_has_a_verb_object_name():
    nodes = {node for pipeline in register_pipelines().values() for node in pipeline.nodes}
    names = [node.name for node in nodes]
    assert all("_" in name and name == name.lower() and "(" not in name for name in names)
    assert len(names) == len(set(names))
