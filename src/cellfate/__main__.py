"""`cellfate` and `python -m cellfate`: `run` is `kedro run` in this project, `new` makes a study, `review` shows it.

The group is not the `cli` of a `cli.py`, which Kedro would add to its own commands: there, `kedro new` makes projects.
"""

import sys
from pathlib import Path
from typing import Any, cast

import click

_RUN = "run"


class _Commands(click.Group):
    """Commands of which `run`, which imports Kedro, is made when it is asked for, and meant where none is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), _RUN])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _find_run() if cmd_name == _RUN else super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] == "--help" or not args[0].startswith("-"))
        return super().parse_args(ctx, args if named else [_RUN, *args])


@click.group(cls=_Commands)
def cellfate() -> None:
    """Forecast the fate of single cells, and explain the forecast.

    Without a command, `cellfate` runs a pipeline: `cellfate --pipelines demo` is `cellfate run --pipelines demo`.
    """


@cellfate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("name", required=False)
@click.option("--layout", help="Layout of the images, where the folder has several, such as tiff_stacks.")
@click.option("--conf-source", default="conf", show_default=True, help="Folder of the configuration.")
def new(folder: Path, name: str | None, layout: str | None, conf_source: str) -> None:
    """Make the parameters of a study from a FOLDER of recordings, tracks and tables.

    Nothing in FOLDER is changed. What is found goes to conf/NAME (default: after FOLDER), with a question where it
    could not be told.
    """
    import logging
    from typing import get_args

    from cellfate.core.errors import InputError
    from cellfate.imaging.settings import Layout
    from cellfate.recognition import check_place, default_name, describe, recognise, write_conf

    logging.getLogger("cellfate").addHandler(logging.NullHandler())  # what readers say of the first few recordings
    conf, study = Path(conf_source), default_name(folder) if name is None else name
    try:
        if layout is not None and layout not in get_args(Layout):
            raise InputError(f"There is no layout '{layout}'; choose one of {', '.join(get_args(Layout))}.")
        check_place(conf, study)
        recognised = recognise(folder, layout)  # type: ignore[arg-type]  # checked above
        written = write_conf(conf, study, recognised)
    except InputError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        what = f"{error.filename or folder} cannot be read ({error.strerror or error})"
        raise click.ClickException(f"{what}; let it be read, or take it out of the folder.") from error
    given = "" if conf_source == "conf" else f" --conf-source {conf_source}"
    for line in describe(recognised, written, study, given):
        click.echo(line)


@cellfate.command()
@click.option("--env", "-e", help="Environment of the study, as of `cellfate run`.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen at: 8060 if not given, 0 for any free.")
@click.option("--params", default="", help="Parameters such as data_root=/path, as of `cellfate run`.")
@click.option("--conf-source", help="Folder of the configuration.")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in the browser.")
def review(env: str | None, port: int | None, params: str, conf_source: str | None, opens: bool) -> None:
    """Look at every cell in the browser, and note its fate.

    The page is on this computer only. It needs the extra `review`. Labels go to the folder labels of data_root; nothing
    else is written, but for a page that opens the browser and is removed at once.
    """
    from cellfate.core.errors import InputError
    from cellfate.core.review_links import REVIEW_PORT
    from cellfate.failures import Failure

    try:
        from cellfate.review.serving import serve
        from cellfate.study_source import find_study
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed, but the page is made with it; install it with pip install '.[review]'."
        ) from error
    try:
        source = find_study(env, conf_source, params)
        serve(source, REVIEW_PORT if port is None else port, click.echo, opens=opens)
    except InputError as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        failure = Failure(error)
        if failure.is_ours:
            raise
        raise click.ClickException(failure.tell(None, None)) from error
    except KeyboardInterrupt:
        click.echo("Stopped; everything that was scored is saved.")


def _find_run() -> click.Command:
    from kedro.framework.cli.utils import find_run_command
    from kedro.framework.project import configure_project

    package_name = Path(__file__).parent.name
    configure_project(package_name)
    return cast(click.Command, find_run_command(package_name))


def main(*args: Any, **kwargs: Any) -> Any:
    """Run a command of cellfate; Kedro calls it for a packaged project too."""
    interactive = hasattr(sys, "ps1")
    kwargs["standalone_mode"] = not interactive
    return cellfate(*args, **kwargs)


if __name__ == "__main__":
    main()
