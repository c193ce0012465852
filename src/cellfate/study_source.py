"""Where a study is and how it is read, from the configuration of an environment: what `cellfate review` opens."""

from pathlib import Path
from typing import Final

from cellfate.review.study import StudySource

READ: Final = (
    "raw_recordings", "recordings", "frame_files", "detections", "cells", "crops", "frame_features", "questions",
    "forecasts", "unscored_forecasts", "set_thresholds", "splits", "preflight_findings", "labels",
    "applied_labels",
    *(f"{reading}_{name}" for reading in ("classifier", "clock")
      for name in ("attention", "attributions", "explained_landmarks")),
)  # fmt: skip
"""Catalog entries that the page reads, where they are; and `labels`, which it writes."""


def find_study(env: str | None, conf_source: str | None = None, params: str = "") -> StudySource:
    """Find the study of an environment of the project in the working folder.

    Parameters
    ----------
    env : str or None
        The environment, as of `kedro run`.
    conf_source : str, optional
        Folder of the configuration.
    params : str
        Parameters that stand above those of the environment, such as data_root=/path.

    Raises
    ------
    InputError
        If the configuration is not usable.
    """
    import click
    from kedro.framework.cli.utils import _split_params  # what `kedro run` reads its --params with
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from cellfate.datasets.base import find_path

    project = Path.cwd()
    bootstrap_project(project)
    given = _split_params(
        click.get_current_context(silent=True) or click.Context(click.Command("review")), None, params
    )
    with KedroSession.create(project, env=env, conf_source=conf_source, runtime_params=given or None) as session:
        assert isinstance(session, KedroSession)
        context = session.load_context()
        parameters, catalog = context.params, context.catalog
        found = {name: find_path(catalog.get(name)) for name in READ}
    paths = {name: path for name, path in found.items() if path is not None}
    settings = {name: parameters[name] for name in ("recordings", "tracks", "crops")}
    run = "cellfate run" + (f" --env {env}" if env else "") + (f" --params {params}" if params else "")
    return StudySource(name=env or paths["labels"].parent.name, run=run, paths=paths, **settings)
