"""Kedro's session: a run keeps a log, and one that fails ends with a sentence; the traceback is in the log."""

import os
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.pipeline import Pipeline

from cellfate.failures import TRACEBACK_VARIABLE, Failure
from cellfate.run_log import LOG_FILE, RunLog


class PlainSession(KedroSession):
    """Keeps `run.log` below data_root, and ends a failed command with one sentence."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run pipelines, as `KedroSession.run`.

        Raises
        ------
        click.ClickException
            At the command line, which shows it as one line; elsewhere the error is raised as it is.
        """
        along = self._find_groups_along()
        with RunLog(None if along else self._find_log()) as log:
            try:
                if self._find_layout() == "traces":
                    kwargs["pipeline_names"] = _name_pipelines(kwargs.get("pipeline_names") or ())
                if along:
                    return self._train_along(kwargs.get("pipeline_names") or ["__default__"], along)
                return super().run(*args, **kwargs)
            except Exception as error:
                log.keep(error)
                if click.get_current_context(silent=True) is None:
                    raise
                failure = Failure(error, kwargs.get("pipeline_names") or ())
                if os.environ.get(TRACEBACK_VARIABLE) or failure.is_ours:
                    click.echo("".join(traceback.format_exception(error)), err=True)
                raise click.ClickException(failure.tell(log.name, log.resume)) from error

    def _train_along(self, names: Sequence[str], groups: list[str]) -> dict[str, Any]:
        """Only train, for another run that saves what comes of it."""
        from cellfate.training_jobs import train_along

        context = self.load_context()
        asked = sum((pipelines[name] for name in names), Pipeline([]))
        train_along(asked, context.catalog, groups)
        return {}

    def _find_groups_along(self) -> list[str]:
        """Name the groups of parameters by which this run only trains along; see `cellfate.training_jobs`."""
        from cellfate.training_jobs import groups_trained_along

        return groups_trained_along(self._find_parameters())

    def _find_layout(self) -> str | None:
        """Layout of the recordings; None where the configuration does not say it."""
        recordings = self._find_parameters().get("recordings")
        return recordings.get("layout") if isinstance(recordings, Mapping) else None

    def _find_parameters(self) -> Mapping[str, Any]:
        try:
            return dict(self._get_config_loader()["parameters"])
        except Exception:  # whatever it is, the run meets it too, and tells it
            return {}

    def _find_log(self) -> Path | None:
        """Where the log of this run is; None if the configuration or the disk does not allow one."""
        try:
            # a run's configuration has no public name before its context, which is made too late for the log
            globals_ = self._get_config_loader().get("globals", {})
            root = {**globals_, **(self.store.get("runtime_params") or {})}["data_root"]
            path = Path(self.store["project_path"], root, LOG_FILE)
            path.parent.mkdir(parents=True, exist_ok=True)
        except Exception:  # whatever it is, the run meets it too, and tells it
            return None
        return path


def _name_pipelines(asked: Sequence[str]) -> list[str]:
    from cellfate.pipeline_registry import name_pipelines  # all of it, which a session does without at its start

    return name_pipelines(asked)
