"""Files that stay open in the process that reads them, and are opened again in every process they are sent to."""

import threading
from dataclasses import fields
from typing import Any


class Reopened:
    """Base of frozen dataclasses that keep an open file beside their fields; only the fields are sent."""

    @property
    def _lock(self) -> threading.Lock:
        lock: threading.Lock = self.__dict__.setdefault("_kept_lock", threading.Lock())  # one, whoever comes first
        return lock

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
