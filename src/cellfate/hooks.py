"""Kedro hook: where the results of a run are."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from cellfate.datasets.base import find_path

logger = logging.getLogger("cellfate")

RESULTS = (
    "report",
    *(f"{new}{name}" for new in ("", "new_") for name in ("fate_table", "forecast_table", "track_forecasts")),
)
"""Datasets that a person opens after a run."""


class ResultPathsHook:
    """After a finished run, say where the files are that a person opens."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the path of each result that this run made."""
        for name in RESULTS:
            if name in pipeline.all_outputs():
                said = name.replace("_", " ") + (" are" if name.endswith("s") else " is")
                logger.info("The %s %s", said, find_path(catalog.get(name)) or "in memory")
