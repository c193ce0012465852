"""Tracks as a folder of GEFF graphs, one a recording, as a Kedro dataset."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from cellfate.core.errors import InputError
from cellfate.datasets.errors import DatasetInputError
from cellfate.tracks.geff_tables import read_geff, write_geff

_SUFFIX = ".geff"


class GeffDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """Saves a table of tracks as one GEFF a recording, ``<filepath>/<recording_id>.geff``, and loads it again.

    Nothing is taken for a folder of graphs before it is whole: it is written to ``<filepath>.partial`` and renamed when
    finished. Each graph opens beside the images in viewers that read GEFF.

    Parameters
    ----------
    filepath : str
        Folder of the graphs.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        track_graphs:
          type: cellfate.datasets.geff.GeffDataset
          filepath: data/07_model_output/track_graphs
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the tracks of all recordings.

        Raises
        ------
        DatasetInputError
            If there is no such folder, or a graph is damaged.
        """
        paths = sorted(self._filepath.glob(f"*{_SUFFIX}"))
        if not paths:
            raise DatasetInputError(f"{self._filepath} holds no GEFF; run the pipeline that writes it.")
        try:
            tables = [read_geff(path).assign(recording_id=path.name.removesuffix(_SUFFIX)) for path in paths]
        except InputError as error:
            raise DatasetInputError(str(error)) from error
        joined = pd.concat(tables, ignore_index=True)
        return joined[["recording_id", *(name for name in joined.columns if name != "recording_id")]]

    def save(self, data: pd.DataFrame) -> None:
        """Write one GEFF a recording, in place of older ones.

        Raises
        ------
        DatasetInputError
            If a recording has a name that is no file name, or the folder holds something else.
        """
        self._refuse_to_overwrite()
        partial = self._filepath.with_name(self._filepath.name + ".partial")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        for recording_id, rows in data.groupby("recording_id", sort=True):
            write_geff(partial / _file_name(str(recording_id)), rows)
        if self._filepath.exists():
            shutil.rmtree(self._filepath)
        partial.rename(self._filepath)

    def _refuse_to_overwrite(self) -> None:
        if not self._filepath.exists():
            return
        others = [self._filepath] if not self._filepath.is_dir() else list(self._filepath.iterdir())
        strange = [path for path in others if path.suffix != _SUFFIX]
        if strange:
            raise DatasetInputError(f"{strange[0]} is no GEFF and would be overwritten; give another filepath.")

    def _exists(self) -> bool:
        return any(self._filepath.glob(f"*{_SUFFIX}"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _file_name(recording_id: str) -> str:
    if not recording_id.strip(". ") or {"/", "\\"} & set(recording_id):
        raise DatasetInputError(f"Recording '{recording_id}' has a name that is no file name; rename it.")
    return recording_id + _SUFFIX
