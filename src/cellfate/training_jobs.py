"""Runs that only train along: a further machine of a training, or a job that trains some folds; they save no tables."""

from collections.abc import Mapping
from typing import Any, Final

from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from cellfate.core.errors import InputError
from cellfate.made_from import check_presence
from cellfate.training.launching import machine_rank

_GROUPS: Final = ("training", "clock_training")
_TRAINS: Final = "trains"
"""Tag of the nodes that train the networks of a study."""


def groups_trained_along(parameters: Mapping[str, Any]) -> list[str]:
    """Name the groups of parameters by which this run only trains along; none: it is a usual run.

    Parameters
    ----------
    parameters : mapping
        As conf and the command line give them.
    """
    further = machine_rank() > 0
    return [name for name in _GROUPS if _trains_along(parameters.get(name), further)]


def _trains_along(group: Any, further: bool) -> bool:
    if not isinstance(group, Mapping):
        return False  # the run says so
    return group.get("only_folds") is not None or (further and group.get("num_nodes", 1) != 1)


def train_along(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], groups: list[str]) -> None:
    """Train the networks of a pipeline, and nothing else; what comes of it is in the folders of checkpoints.

    Raises
    ------
    InputError
        If the pipeline trains nothing by these parameters, makes the data that it trains on, or these are not there.
    """
    nodes = [
        node
        for node in pipeline.nodes
        if _TRAINS in node.tags and any(f"params:{name}" in node.inputs for name in groups)
    ]
    if not nodes:
        raise InputError(
            f"This run only trains along ({', '.join(groups)}: only_folds, or num_nodes on a further machine), but its "
            "pipelines train nothing; run model_training."
        )
    part = Pipeline(nodes)
    if made := sorted(part.inputs() & pipeline.all_outputs()):
        raise InputError(
            f"This run only trains along, but its pipelines make {made[0]} too; run data_processing before, on one "
            "machine, and then model_training."
        )
    check_presence(part, catalog)
    for name in part.all_outputs():
        catalog[name] = MemoryDataset()
    SequentialRunner().run(part, catalog)
