"""Kedro's context: parameters that no pipeline knows, and values that are not allowed, end in one sentence."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.validation import ParameterValidationError, TypeExtractor
from omegaconf import OmegaConf
from omegaconf.errors import ConfigTypeError
from pydantic import TypeAdapter, ValidationError

from cellfate.core.errors import InputError
from cellfate.core.settings import describe_faults

OPEN = "???"
"""OmegaConf's mark of a value that is missing: a question that a person has not answered."""
ROOTS = ("data_root", "recordings_root", "new_recordings_root", "pixels_root")
"""Paths of folders that the catalog reads and no node does."""
NEW_RESULTS = "new_results"
"""Name of the folder of what inference makes, read by the catalog."""


class PlainContext(KedroContext):
    """Names a misspelt group of parameters, and says in one sentence what is wrong with a value."""

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the run, each group as its settings class.

        Raises
        ------
        InputError
            If a question is open, a group is unknown, a parameter is unknown or out of range, or a root is no path.
        """
        loader = self.config_loader
        if isinstance(loader, AbstractConfigLoader):
            check_questions(Path(str(loader.conf_source), loader.env or "local"), loader.runtime_params or {})
        try:
            parameters = self.config_loader["parameters"]
        except ConfigTypeError as error:
            raise InputError(
                "A key is given of a parameter that is a list, not a group; give the whole list, in conf or, with one "
                "entry, as --params group.key=[entry]."
            ) from error
        check_roots({**self.config_loader.get("globals", {}), **parameters})
        check_groups(parameters, known_groups())
        check_groups(list_inner_groups(parameters, read_groups()), read_groups())
        try:
            return super().params
        except ParameterValidationError as error:
            groups = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
            raise InputError(explain_parameters(parameters, groups) or str(error)) from None


def check_questions(environment: Path, given: Mapping[str, Any]) -> None:
    """Check that no parameter of an environment is still a question, as `cellfate new` leaves them.

    The files themselves are looked at: once they are merged, a missing value is the one of another environment.

    Parameters
    ----------
    environment : Path
        Folder of the environment.
    given : mapping
        Parameters given at the command line; they answer a question too.

    Raises
    ------
    InputError
        Naming every open question, and the file.
    """
    for path in sorted(environment.rglob("parameters*.yml")) if environment.is_dir() else ():
        written = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        questions = [name for name in _list_open("", written) if not _is_given(name.split("."), given)]
        if questions:
            raise InputError(
                f"{path} leaves {len(questions)} question{'s' * (len(questions) > 1)} open ({', '.join(questions)}); "
                f"put a value in the place of each {OPEN}, as the comment above it says."
            )


def _list_open(name: str, value: Any) -> Iterator[str]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in entries:
        yield from _list_open(f"{name}.{key}".removeprefix("."), one)
    if isinstance(value, str) and value == OPEN:
        yield name


def _is_given(parts: list[str], given: Any) -> bool:
    for part in parts:
        if not isinstance(given, Mapping) or part not in given:
            return False
        given = given[part]
    return True


def known_groups() -> set[str]:
    """Names that may stand at the top of the parameters: what nodes and the catalog read."""
    return {name.split(".")[0] for name in read_groups()} | {*ROOTS, NEW_RESULTS}


def read_groups() -> set[str]:
    """Names of the parameters that nodes read, such as `splits` or `p53_early.simulation`."""
    inputs = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
    return {name.removeprefix("params:") for name in inputs if name.startswith("params:")}


def list_inner_groups(parameters: Mapping[str, Any], read: set[str]) -> list[str]:
    """Names of the groups in those that are never read as a whole: a scenario's `simulation`."""
    outer = {name.split(".")[0] for name in read if "." in name} - read
    return [f"{name}.{key}" for name in sorted(outer & parameters.keys()) for key in parameters[name] or ()]


def check_roots(given: Mapping[str, Any]) -> None:
    """Check that roots, where they are given, are paths, and new_results a name: others would be folders of the study.

    Raises
    ------
    InputError
        If one is not.
    """
    for name in ROOTS:
        path = given.get(name, ".")
        if not (isinstance(path, str) and path.strip()):
            raise InputError(
                f"{name} is {path!r}, but expected is the path of a folder, such as ./results; correct it in "
                "globals.yml or --params."
            )
    name = given.get(NEW_RESULTS, "inference")
    if not re.fullmatch(r"inference[\w-]*", str(name)):
        raise InputError(
            f"{NEW_RESULTS} is {name!r}, but expected is the name of a folder that begins with inference, such as "
            "inference_plate2; correct it in globals.yml or --params."
        )


def check_groups(parameters: Iterable[str], known: set[str]) -> None:
    """Check that every group of parameters is read by something; a misspelt one would be without effect.

    Raises
    ------
    InputError
        If one is not. Names that begin with an underscore are left alone: they are for reuse within a file.
    """
    for name in parameters:
        if name not in known and not name.startswith("_"):
            near = get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}."
            raise InputError(f"Parameter '{name}' is read by no pipeline; correct its name: {hint}")


def explain_parameters(parameters: Mapping[str, Any], groups: Mapping[str, Any]) -> str:
    """Say in one sentence what is wrong with parameters.

    Parameters
    ----------
    parameters : mapping of str
        What the files and the command line say, by group.
    groups : mapping of str to type
        Settings class of each group.

    Returns
    -------
    str
        For every wrong parameter its name, what was found and what was expected; empty if none is wrong.
    """
    found = [fault for name, kind in groups.items() for fault in _find_faults(name, parameters, kind)]
    if not found:
        return ""
    return f"{'; '.join(found)}; correct the parameter{'s' * (len(found) > 1)} in conf or in --params."


def _find_faults(name: str, parameters: Mapping[str, Any], kind: Any) -> Iterator[str]:
    value: Any = parameters
    for key in [name] if name in parameters else name.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return  # Kedro itself says what a node reads and nobody gives
        value = value[key]
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        yield from describe_faults(name, error)
