"""Tracks as a folder with two files a recording, as a Kedro dataset."""

import pandas as pd

from cellfate.core.spreadsheets import read_csv, write_csv
from cellfate.core.whole_files import replace_when_whole
from cellfate.datasets.base import DatasetInputError, PathDataset
from cellfate.tracks.geff_tables import write_geff

_SUFFIXES = (".csv", ".geff")


class TrackFilesDataset(PathDataset[pd.DataFrame, pd.DataFrame]):
    """Saves a table of tracks as ``<filepath>/<recording_id>.csv`` and ``.geff``, one of each a recording.

    The GEFF holds the columns of numbers, the CSV all; it is what is loaded again. Nothing is taken for a folder of
    tracks before it is whole: it is written to ``<filepath>.partial`` and renamed when finished.

    Parameters
    ----------
    filepath : str
        Folder of the files.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        track_forecasts:
          type: cellfate.datasets.track_files.TrackFilesDataset
          filepath: data/07_model_output/track_forecasts
    """

    def load(self) -> pd.DataFrame:
        """Read the tracks of all recordings.

        Raises
        ------
        DatasetInputError
            If there is no such folder.
        """
        paths = sorted(self._filepath.glob("*.csv"))
        if not paths:
            raise DatasetInputError(f"{self._filepath} holds no tracks; run the pipeline that writes them.")
        return pd.concat(map(read_csv, paths), ignore_index=True)

    def save(self, data: pd.DataFrame) -> None:
        """Write the files of each recording, in place of older ones.

        Raises
        ------
        DatasetInputError
            If a recording has a name that is no file name, or the folder holds something else.
        """
        self._refuse_to_overwrite()
        with replace_when_whole(self._filepath) as folder:
            folder.mkdir()
            for recording_id, rows in data.groupby("recording_id", sort=True):
                name = _file_name(str(recording_id))
                write_csv(rows, folder / f"{name}.csv")
                write_geff(folder / f"{name}.geff", rows.select_dtypes("number"))  # napari-geff: no graph with text

    def _refuse_to_overwrite(self) -> None:
        if not self._filepath.exists():
            return
        others = [self._filepath] if not self._filepath.is_dir() else sorted(self._filepath.iterdir())
        names = {path.stem for path in others if path.suffix == ".geff"}
        strange = [path for path in others if path.suffix not in _SUFFIXES or path.stem not in names]
        if strange:
            message = f"{strange[0]} is no file of tracks and would be overwritten; give another filepath."
            raise DatasetInputError(message)

    def _exists(self) -> bool:
        return any(self._filepath.glob("*.csv"))


def _file_name(recording_id: str) -> str:
    if not recording_id.strip(". ") or {"/", "\\"} & set(recording_id):
        raise DatasetInputError(f"Recording '{recording_id}' has a name that is no file name; rename it.")
    return recording_id
