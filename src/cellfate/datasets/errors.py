"""The error of the project's own datasets."""

from kedro.io import DatasetError

from cellfate.core.errors import InputError


class DatasetInputError(InputError, DatasetError):
    """A user's mistake that a dataset meets: Kedro hands a `DatasetError` on as it is and wraps every other error."""
