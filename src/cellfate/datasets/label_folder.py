"""The folder of labels as a Kedro dataset."""

import hashlib

import pandas as pd

from cellfate.datasets.base import DatasetInputError, PathDataset, tell_input_errors
from cellfate.labels.journal import Journal
from cellfate.labels.table import COUNTING, labels_table


class LabelFolderDataset(PathDataset[pd.DataFrame, pd.DataFrame]):
    """Loads the table `Labels` that follows from the journal in a folder; without a folder a table without rows.

    People write there, with `cellfate review`, and pipelines never do.

    Parameters
    ----------
    filepath : str
        The folder.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        labels:
          type: cellfate.datasets.label_folder.LabelFolderDataset
          filepath: data/labels
    """

    by_people = True

    @property
    def digest(self) -> str | None:
        """SHA-256 over what labels say of cells: a note, or a label that says the same again, does not change it."""
        said = self.load().dropna(subset="fate")[COUNTING]
        return hashlib.sha256(said.to_csv(index=False).encode()).hexdigest() if len(said) else None

    def load(self) -> pd.DataFrame:
        """Read the newest label of every cell and scorer.

        Raises
        ------
        DatasetInputError
            If the journal is damaged.
        """
        with tell_input_errors():
            return labels_table(Journal(self._filepath).read())

    def save(self, data: pd.DataFrame) -> None:
        """Refuse: labels are given by people.

        Raises
        ------
        DatasetInputError
            Always.
        """
        raise DatasetInputError(
            f"{self._filepath} holds labels that people gave, and no pipeline writes there; give what this one makes "
            "another name."
        )

    def _exists(self) -> bool:
        return Journal(self._filepath).path.is_file()
