"""The base of every room's settings, and what is wrong with values that do not fit them."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

WITHOUT_EFFECT: Final = frozenset(
    {"threads", "n_threads", "workers", "scheduler_address", "memory_limit_mb", "scratch_folder", "cache_limit_mb"}
    | {"checkpoint_folder", "checkpoint_minutes", "only_folds", "loading_threads", "chunk_frames", "compression"}
    | {"compression_level", "checkpoint_activations", "compile"}
)
"""Names of settings that say where and how is computed, and change no result but for rounding, in whatever group."""


class Settings(BaseModel):
    """Frozen parameters that forbid unknown keys, so that a misspelt parameter is an error and not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def describe_faults(group: str, error: ValidationError) -> list[str]:
    """Say of every parameter of a group that is wrong what was found and what was expected."""
    return [_describe_fault(group, fault) for fault in error.errors()]


def _describe_fault(group: str, fault: Mapping[str, Any]) -> str:
    place, value = ".".join(map(str, (group, *fault["loc"]))), f"{fault['input']!r:.60}"
    if fault["type"] == "extra_forbidden":
        return f"Parameter {place} does not exist (its value here: {value})"
    if fault["type"] == "missing":
        return f"Parameter {place} is missing"
    if fault["type"] == "value_error":
        return f"Parameter {place}: {str(fault['ctx']['error']).rstrip('.')}"
    if fault["type"] == "model_type":
        return f"Parameter {place} is {value}, but a group of parameters was expected"
    if fault["type"] == "tuple_type":
        return f"Parameter {place} is {value}, but a list was expected, such as [{fault['input']}]"
    return f"Parameter {place} is {value}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
