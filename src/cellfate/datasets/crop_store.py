"""The crop store as a Kedro dataset."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview

from cellfate.core.errors import InputError
from cellfate.crops.cutting import CropPlan
from cellfate.crops.store import MANIFEST, CropStore, write_crops
from cellfate.datasets.errors import DatasetInputError


class CropStoreDataset(AbstractDataset[CropPlan, CropStore]):
    """Saves a `CropPlan` by carrying it out, one recording at a time, and loads the `CropStore` it became.

    Recordings whose crops are there already are left as they are. Nothing is taken for a store before it is whole: its
    manifest is written last.

    Parameters
    ----------
    filepath : str
        Folder of the store; to load only, also the URL of a copy of it, of a kind that fsspec knows.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        crops:
          type: cellfate.datasets.crop_store.CropStoreDataset
          filepath: data/03_primary/crops.zarr
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath: Path | str = filepath if "://" in filepath else Path(filepath)
        self.metadata = metadata

    @property
    def sealed_by(self) -> Path | None:
        """File that changes when the store does; None behind a URL."""
        return None if isinstance(self._filepath, str) else self._filepath / MANIFEST

    def load(self) -> CropStore:
        """Open the store; pixels stay on disk until a cell is read.

        Raises
        ------
        DatasetInputError
            If there is no finished store.
        """
        try:
            return CropStore(self._filepath)
        except InputError as error:
            raise DatasetInputError(str(error)) from error

    def save(self, data: CropPlan) -> None:
        """Crop every recording of the plan that is new or changed, and list those of the plan only.

        Raises
        ------
        DatasetInputError
            If a recording cannot be cropped and is not to be skipped, or the filepath is a URL.
        """
        if isinstance(self._filepath, str):
            raise DatasetInputError(
                f"Crops are written to a folder, but filepath is {self._filepath}; write them here and copy them."
            )
        try:
            write_crops(self._filepath, data, data.settings)
        except InputError as error:
            raise DatasetInputError(str(error)) from error

    def preview(self, nrows: int = 20) -> TablePreview:
        """List the first recordings for kedro-viz: how many cells and crops each has."""
        columns = ["recording_id", "n_cells", "n_frames", "height_px", "width_px"]
        rows = [[entry[column] for column in columns] for entry in self.load().manifest["recordings"][:nrows]]
        return TablePreview({"index": list(range(len(rows))), "columns": columns, "data": rows})

    def _exists(self) -> bool:
        try:
            CropStore(self._filepath)
        except InputError:
            return False
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
