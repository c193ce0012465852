"""The model folder as a Kedro dataset."""

from pathlib import Path

from cellfate.datasets.base import PathDataset, tell_input_errors
from cellfate.prediction.model_folder import CONFIG_FILE, load_model_folder, save_model_folder
from cellfate.prediction.records import TrainedModel


class ModelFolderDataset(PathDataset[TrainedModel, TrainedModel]):
    """Saves a trained model of either kind as a folder and loads it; nothing is ever unpickled.

    Nothing is taken for a model before it is whole: the folder grows in ``<filepath>.partial`` and is renamed when
    finished.

    Parameters
    ----------
    filepath : str
        The folder.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        classifier_model:
          type: cellfate.datasets.model_folder.ModelFolderDataset
          filepath: data/06_models/classifier_model
    """

    @property
    def sealed_by(self) -> Path:
        """File that changes when the model does."""
        return self._filepath / CONFIG_FILE

    def load(self) -> TrainedModel:
        """Read the model.

        Raises
        ------
        DatasetInputError
            If the folder is missing, incomplete or does not fit together.
        """
        with tell_input_errors():
            return load_model_folder(self._filepath)

    def save(self, data: TrainedModel) -> None:
        """Write the model, in place of an older one."""
        save_model_folder(data, self._filepath)
