"""The base of every room's settings."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen parameters that forbid unknown keys, so that a misspelt parameter is an error and not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
