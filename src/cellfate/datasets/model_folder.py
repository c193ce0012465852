"""The model folder as a Kedro dataset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from kedro.io import AbstractDataset, DatasetError

from cellfate.core.errors import InputError
from cellfate.prediction.model_folder import CONFIG_FILE, load_clock_folder, load_model_folder, save_model_folder
from cellfate.prediction.records import TrainedClock, TrainedModel

Trained = TrainedModel | TrainedClock


class ModelFolderDataset(AbstractDataset[Trained, Trained]):
    """Saves a trained model as a folder (weights, config, model card) and loads it; nothing is ever unpickled.

    Nothing is taken for a model before it is whole: the folder grows in ``<filepath>.partial`` and is renamed when
    finished.

    Parameters
    ----------
    filepath : str
        The folder.
    kind : str
        What it holds: `classifier` or `fate_clock`.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        fate_model:
          type: cellfate.datasets.model_folder.ModelFolderDataset
          filepath: data/06_models/fate_model
    """

    def __init__(
        self,
        *,
        filepath: str,
        kind: Literal["classifier", "fate_clock"] = "classifier",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = Path(filepath)
        self._read: Callable[[Path], Trained] = load_clock_folder if kind == "fate_clock" else load_model_folder
        self.metadata = metadata

    def load(self) -> Trained:
        """Read the model.

        Raises
        ------
        DatasetError
            If the folder is missing, incomplete or does not fit together.
        """
        try:
            return self._read(self._filepath)
        except InputError as error:
            raise DatasetError(str(error)) from error

    def save(self, data: Trained) -> None:
        """Write the model, in place of an older one."""
        save_model_folder(data, self._filepath)

    def _exists(self) -> bool:
        return (self._filepath / CONFIG_FILE).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
