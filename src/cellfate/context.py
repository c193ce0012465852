"""Kedro's context: parameters that no pipeline knows, and values that are not allowed, end in one sentence."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.validation import ParameterValidationError

from cellfate.core.errors import InputError

ROOTS = ("recordings_root", "new_recordings_root")
"""Parameters that the catalog reads and no node does."""

_PARAMETER = re.compile(r"- Parameter '(?P<name>[^']+)'")
_DETAIL = re.compile(r" \[type=(?P<type>\w+), input_value=(?P<value>.*), input_type=\w+\]$")


class PlainContext(KedroContext):
    """Names a misspelt group of parameters, and says in one sentence what is wrong with a value."""

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the run, each group as its settings class.

        Raises
        ------
        InputError
            If a group is unknown, or a parameter is unknown or out of range.
        """
        check_groups(self.config_loader["parameters"], known_groups())
        try:
            return super().params
        except ParameterValidationError as error:
            raise InputError(explain_parameters(str(error))) from None


def known_groups() -> set[str]:
    """Names that may stand at the top of the parameters: what nodes and the catalog read."""
    inputs = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
    groups = {name.removeprefix("params:").split(".")[0] for name in inputs if name.startswith("params:")}
    return groups | set(ROOTS)


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
            message = f"Parameter '{name}' is read by no pipeline; correct its name: {hint}"
            raise InputError(message)


def explain_parameters(report: str) -> str:
    """Turn Kedro's report of invalid parameters, several lines a parameter, into one sentence.

    Parameters
    ----------
    report : str
        Message of a `ParameterValidationError`.

    Returns
    -------
    str
        For every wrong parameter its name, what was found and what was expected.
    """
    found = list(_find_faults(report.splitlines())) or [" ".join(report.split())]
    return f"{'; '.join(found)}; correct the parameter{'s' * (len(found) > 1)} in conf or in --params."


def _find_faults(lines: Iterable[str]) -> Iterator[str]:
    group = place = ""
    for line in lines:
        start = _PARAMETER.match(line)
        detail = _DETAIL.search(line)
        if start:
            group = place = start["name"]
        elif detail:
            yield _describe_fault(place, line[: detail.start()].strip(), detail["type"], detail["value"])
        elif line and not line.startswith(" "):
            place = f"{group}.{line}"
        if start and "validation error" not in line:
            yield line.removeprefix("- ").rstrip(".")


def _describe_fault(place: str, expected: str, kind: str, value: str) -> str:
    if kind == "extra_forbidden":
        return f"Parameter {place} does not exist (its value here: {value})"
    if kind == "value_error":
        return f"Parameter {place}: {expected.removeprefix('Value error, ').rstrip('.')}"
    if kind == "missing":
        return f"Parameter {place} is missing"
    return f"Parameter {place} is {value}: {expected[:1].lower()}{expected[1:]}"
