"""A folder of recordings as a Kedro dataset."""

from typing import Any

from cellfate.core.errors import InputError
from cellfate.core.whole_files import replace_when_whole
from cellfate.datasets.base import DatasetInputError, PathDataset
from cellfate.imaging.records import RecordingFolder
from cellfate.simulation import SimulatedStudy, write_study
from cellfate.simulation.writer import SETTINGS_FILE

SIMULATED_ROOT = "recordings_root"
"""Parameter that says where recordings are simulated to."""


class RecordingFolderDataset(PathDataset[SimulatedStudy, RecordingFolder]):
    """Loads the handle of a folder of recordings, and saves a simulated study as one.

    Nothing is taken for a study before it is whole: it is written to ``<filepath>.partial`` and renamed when finished.
    A folder that no simulation made is never overwritten.

    Parameters
    ----------
    filepath : str
        Folder of the recordings.
    root_parameter : str
        Parameter that says where the folder is, for messages.
    metadata : dict, optional
        For kedro-viz.

    Examples
    --------
    .. code-block:: yaml

        raw_recordings:
          type: cellfate.datasets.recording_folder.RecordingFolderDataset
          filepath: data/01_raw/recordings
    """

    def __init__(
        self, *, filepath: str, root_parameter: str = SIMULATED_ROOT, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self._root_parameter = root_parameter

    def load(self) -> RecordingFolder:
        """Check that the folder exists; nothing in it is read.

        Raises
        ------
        DatasetInputError
            If there is no such folder.
        """
        try:
            return RecordingFolder(self._filepath)
        except InputError as error:
            simulate = ", or simulate recordings with the pipeline simulation" * (
                self._root_parameter == SIMULATED_ROOT
            )
            raise DatasetInputError(f"{str(error).rstrip('.')}: set {self._root_parameter}{simulate}.") from error

    def save(self, data: SimulatedStudy) -> None:
        """Make the images of a study and write it, in place of an older simulation.

        Raises
        ------
        DatasetInputError
            If the folder holds something that no simulation made.
        """
        self._refuse_to_overwrite()
        with replace_when_whole(self._filepath) as folder:
            write_study(data, folder)

    def _refuse_to_overwrite(self) -> None:
        if self._filepath.is_dir() and not any(self._filepath.iterdir()):
            return
        if self._filepath.exists() and not (self._filepath / SETTINGS_FILE).is_file():
            raise DatasetInputError(
                f"{self._filepath} holds recordings that no simulation made ({SETTINGS_FILE} is not in it) and is not "
                "overwritten; give another recordings_root, or run the pipelines without simulation."
            )

    def _exists(self) -> bool:
        return self._filepath.is_dir()
