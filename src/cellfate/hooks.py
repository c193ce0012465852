"""Kedro hooks: what a run checks before it begins, and where its results are."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cellfate.core.errors import InputError

logger = logging.getLogger("cellfate")

SETTINGS = "study_settings"
"""Dataset of the settings that all stages of a study share."""
RESULTS = ("report", "fate_table", "forecast_table")
"""Datasets that a person opens after a run."""


class NothingMissing:
    """Before a run, hold what it reads from earlier pipelines against what is there."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Check that what earlier pipelines make is there, before anything runs.

        Raises
        ------
        InputError
            If a table or figure is missing. The project's own datasets say themselves what they lack.
        """
        for name in sorted(pipeline.inputs()):
            dataset = catalog.get(name)
            own = type(dataset).__module__.startswith("cellfate.")
            if not (own or name == "parameters" or name.startswith("params:") or catalog.exists(name)):
                raise InputError(_describe_lack(name, getattr(dataset, "_filepath", None)))


class OneStudy:
    """Before a run that begins after `data_processing`, hold its parameters against those the tables were made with."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Check that what `data_processing` recorded holds still.

        Raises
        ------
        InputError
            If a parameter has another value than the tables, and so the models, of this study were made with.
        """
        if SETTINGS in pipeline.all_outputs() or not catalog.exists(SETTINGS):
            return
        for group, recorded in catalog.load(SETTINGS).items():
            if f"params:{group}" in pipeline.inputs():
                settings = catalog.load(f"params:{group}").model_dump(mode="json")
                for key in sorted(recorded.keys() & settings.keys()):
                    if settings[key] != recorded[key]:
                        raise InputError(
                            f"Parameter {group}.{key} is {settings[key]}, but the tables of this study were made with "
                            f"{recorded[key]}; run data_processing again with it, or leave it as it was."
                        )


class WhereToLook:
    """After a finished run, say where the files are that a person opens."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the path of each result that this run made."""
        for name in RESULTS:
            if name in pipeline.all_outputs():
                logger.info(
                    "The %s is %s", name.replace("_", " "), getattr(catalog.get(name), "_filepath", "in memory")
                )


def _describe_lack(name: str, path: object) -> str:
    """Say what a run lacks, and what makes it; without a path it is only ever held in memory."""
    if path is None:
        return (
            f"'{name}' is never saved, but this run needs it and leaves out the node that makes it; run the whole "
            f"{_makers(name)}, without --from-nodes, --nodes, --namespaces or --tags."
        )
    return f"'{name}' is not in {path}, but this run needs it; first run the {_makers(name)}."


def _makers(name: str) -> str:
    """Name the smallest pipeline that makes a dataset."""
    sizes = {key: len(pipeline.nodes) for key, pipeline in pipelines.items() if name in pipeline.all_outputs()}
    return f"pipeline {min(sizes, key=lambda key: sizes[key])}" if sizes else "pipeline that makes it"
