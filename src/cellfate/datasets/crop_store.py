"""The crop store as a Kedro dataset."""

import hashlib
import json
from pathlib import Path
from typing import Any

from cellfate.alteration.altering import AlteredCrops
from cellfate.core.errors import InputError
from cellfate.crops.cutting import CropPlan
from cellfate.crops.store import MANIFEST, CropStore, write_crops
from cellfate.datasets.base import DatasetInputError, PathDataset, TablePreview, tell_input_errors


class CropStoreDataset(PathDataset[CropPlan | AlteredCrops, CropStore]):
    """Saves a `CropPlan` by carrying it out, one recording at a time, and loads the `CropStore` it became.

    `AlteredCrops`, crops of another store, are saved likewise.

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
        self._url = filepath if "://" in filepath else None
        super().__init__(filepath="" if self._url else filepath, metadata=metadata)

    @property
    def sealed_by(self) -> Path | None:
        """File that changes when the store does; None behind a URL."""
        return None if self._url else self._filepath / MANIFEST

    @property
    def digest(self) -> str | None:
        """SHA-256 over the manifest, but for the names of groups: these change with the times of the image files."""
        if self.sealed_by is None or not self.sealed_by.is_file():
            return None
        try:
            manifest = json.loads(self.sealed_by.read_bytes())
            manifest["recordings"] = [{**entry, "group": None} for entry in manifest["recordings"]]
        except (ValueError, KeyError, TypeError):
            return super().digest
        return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()

    def load(self) -> CropStore:
        """Open the store; pixels stay on disk until a cell is read.

        Raises
        ------
        DatasetInputError
            If there is no finished store.
        """
        with tell_input_errors():
            return CropStore(self._url or self._filepath)

    def save(self, data: CropPlan | AlteredCrops) -> None:
        """Crop every recording of the plan that is new or changed, and list those of the plan only.

        Raises
        ------
        DatasetInputError
            If a recording cannot be cropped and is not to be skipped, or the filepath is a URL.
        """
        if self._url:
            raise DatasetInputError(
                f"Crops are written to a folder, but filepath is {self._url}; write them here and copy them."
            )
        with tell_input_errors():
            write_crops(self._filepath, data, data.settings)

    def preview(self, nrows: int = 20) -> TablePreview:
        """List the first recordings for kedro-viz: how many cells and crops each has."""
        columns = ["recording_id", "n_cells", "n_frames", "height_px", "width_px"]
        rows = [[entry[column] for column in columns] for entry in self.load().manifest["recordings"][:nrows]]
        return TablePreview({"index": list(range(len(rows))), "columns": columns, "data": rows})

    def _exists(self) -> bool:
        try:
            CropStore(self._url or self._filepath)
        except InputError:
            return False
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._url or str(self._filepath)}
