"""Kedro hooks: what a run checks before it begins, and where its results are."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cellfate.core.errors import InputError
from cellfate.datasets.csv_table import CsvTableDataset
from cellfate.made_from import name_maker

logger = logging.getLogger("cellfate")

RESULTS = (
    "report",
    *(f"{new}{name}" for new in ("", "new_") for name in ("fate_table", "forecast_table", "track_forecasts")),
)
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
            own = type(dataset).__module__.startswith("cellfate.") and not isinstance(dataset, CsvTableDataset)
            if not (own or name == "parameters" or name.startswith("params:") or catalog.exists(name)):
                raise InputError(_describe_lack(name, getattr(dataset, "_filepath", None)))


class WhereToLook:
    """After a finished run, say where the files are that a person opens."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the path of each result that this run made."""
        for name in RESULTS:
            if name in pipeline.all_outputs():
                said = name.replace("_", " ") + (" are" if name.endswith("s") else " is")
                logger.info("The %s %s", said, getattr(catalog.get(name), "_filepath", "in memory"))


def _describe_lack(name: str, path: object) -> str:
    """Say what a run lacks, and what makes it; without a path it is only ever held in memory."""
    if path is None:
        return (
            f"'{name}' is never saved, but this run needs it and leaves out the node that makes it; run the whole "
            f"{name_maker(name)}, without --from-nodes, --nodes, --namespaces or --tags."
        )
    return f"'{name}' is not in {path}, but this run needs it; first run {name_maker(name)}."
