"""What the project's own datasets have in common: a path on disk, and errors that Kedro hands on."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import unwrap
from pathlib import Path
from typing import Any, TypeVar

from kedro.io import AbstractDataset, DataCatalog, DatasetError

# kedro-viz shows a preview by this name of a type, for which kedro-datasets has no public place
from kedro_datasets._typing import TablePreview

from cellfate.core.errors import InputError

__all__ = ["DatasetInputError", "PathDataset", "TablePreview", "digest_file", "find_path", "tell_input_errors"]

_Saved = TypeVar("_Saved")
_Loaded = TypeVar("_Loaded")


class DatasetInputError(InputError, DatasetError):
    """A user's mistake that a dataset meets: Kedro hands a `DatasetError` on as it is and wraps every other error."""


@contextmanager
def tell_input_errors() -> Iterator[None]:
    """Turn an `InputError` of a lower room into one that Kedro hands on as it is."""
    try:
        yield
    except DatasetError:
        raise
    except InputError as error:
        raise DatasetInputError(str(error)) from error


class PathDataset(AbstractDataset[_Saved, _Loaded]):
    """A file or folder on a disk of this computer.

    Parameters
    ----------
    filepath : str
        Path of the file or folder.
    metadata : dict, optional
        For kedro-viz.

    Raises
    ------
    DatasetInputError
        If the filepath is a URL.
    """

    by_people = False
    """People change what is there, between runs and during them, and pipelines only read it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls.__init__ = unwrap(cls.__init__)  # type: ignore[method-assign]  # Kedro wraps it, to note its arguments, once
        super().__init_subclass__(**kwargs)

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        if "://" in filepath:
            raise DatasetInputError(
                f"filepath is {filepath}, but {type(self).__name__} keeps what it saves on a disk of this computer; "
                "give a path, and copy from there."
            )
        self._filepath = Path(filepath)
        self.metadata = metadata

    @property
    def sealed_by(self) -> Path | None:
        """File that changes when what is saved does; None if it cannot be known."""
        return self._filepath

    @property
    def digest(self) -> str | None:
        """SHA-256 that changes when what is saved does; None if it cannot be known, or nothing is saved."""
        return None if self.sealed_by is None else digest_file(self.sealed_by)

    def _exists(self) -> bool:
        return self.sealed_by is not None and self.sealed_by.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def digest_file(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_path(dataset: Any) -> Path | None:
    """Path on disk that a dataset of any kind was configured with; None in memory, or behind a URL."""
    if dataset is None:  # what Kedro's catalog gives for a name that it does not know
        return None
    entries, *_ = DataCatalog({"it": dataset}).to_config()  # Kedro's public way to what a dataset was made with
    filepath = str(entries.get("it", {}).get("filepath", "://"))
    return None if "://" in filepath else Path(filepath)
