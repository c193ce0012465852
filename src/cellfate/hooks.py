"""Kedro hooks: what a run says when something is wrong."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node

logger = logging.getLogger("cellfate")


class PlainErrors:
    """After a failed run, say in one line which node failed and why; the traceback stands above it."""

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Log the error as one sentence with the node's name."""
        logger.error("%s stopped: %s", node.name, error)

    @hook_impl
    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any]) -> None:
        """Log how to go on after the error."""
        logger.error(
            "The run stopped; nothing half-written is used by the next run. Mend the input above, then run again. (%s)",
            type(error).__name__,
        )
