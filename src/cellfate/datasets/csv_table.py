"""A CSV table for a person as a Kedro dataset."""

import pandas as pd

from cellfate.core.spreadsheets import read_csv, write_csv
from cellfate.core.whole_files import replace_when_whole
from cellfate.datasets.base import DatasetInputError, PathDataset, TablePreview


class CsvTableDataset(PathDataset[pd.DataFrame, pd.DataFrame]):
    """Saves a table that a person opens in a spreadsheet, where no name of it is run as a formula; and loads it again.

    Examples
    --------
    .. code-block:: yaml

        fate_table:
          type: cellfate.datasets.csv_table.CsvTableDataset
          filepath: data/07_model_output/fate_table.csv
    """

    def load(self) -> pd.DataFrame:
        """Read the table; see `core.spreadsheets.read_csv`.

        Raises
        ------
        DatasetInputError
            If there is no such file.
        """
        return self._read()

    def save(self, data: pd.DataFrame) -> None:
        """Write the table, in place of an older one; see `core.spreadsheets.write_csv`."""
        with replace_when_whole(self._filepath) as path:
            write_csv(data, path)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first rows in kedro-viz."""
        return TablePreview(self._read(nrows).to_dict(orient="split"))

    def _read(self, n_rows: int | None = None) -> pd.DataFrame:
        if not self._filepath.is_file():
            raise DatasetInputError(f"There is no table {self._filepath}; run the pipeline that writes it.")
        return read_csv(self._filepath, n_rows)
