"""A CSV table for a person as a Kedro dataset."""

from pathlib import Path

import pandas as pd
from kedro_datasets.pandas import CSVDataset

from cellfate.core.spreadsheets import read_csv, write_csv


class CsvTableDataset(CSVDataset):  # type: ignore[misc]
    """Saves a table that a person opens in a spreadsheet, where no name of it is run as a formula; and loads it again.

    Examples
    --------
    .. code-block:: yaml

        fate_table:
          type: cellfate.datasets.csv_table.CsvTableDataset
          filepath: data/07_model_output/fate_table.csv
    """

    def load(self) -> pd.DataFrame:
        """Read the table; see `core.spreadsheets.read_csv`."""
        return read_csv(Path(self._filepath), self._load_args.get("nrows"))  # which preview gives

    def save(self, data: pd.DataFrame) -> None:
        """Write the table, in place of an older one; see `core.spreadsheets.write_csv`."""
        path = Path(self._filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_csv(data, path)
