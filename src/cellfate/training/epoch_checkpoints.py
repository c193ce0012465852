"""When the state of a training is kept, and how Lightning writes and reads it."""

from pathlib import Path
from typing import Any, cast

import lightning
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from cellfate.core.errors import InputError
from cellfate.training.checkpoints import BEST, LAST, CheckpointClock, read_checkpoint, write_checkpoint
from cellfate.training.member_module import MemberModule
from cellfate.training.processes import gather_all


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside the one that it replaces, and checks what it reads.

    Lightning's own makes it in memory, then in the folder of temporary files, from where a move to another disk is a
    copy that can be interrupted.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint; see `write_checkpoint`."""
        write_checkpoint(checkpoint, Path(path))

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Read a checkpoint; see `read_checkpoint`."""
        return read_checkpoint(Path(path))


class EpochCheckpoints(Checkpoint):
    """Keeps the best epoch, then the last, so that a training that goes on finds both or repeats the epoch.

    Within an epoch the last checkpoint is replaced every few minutes; the training goes on after the batch it was
    written after.

    Parameters
    ----------
    folder
        Where.
    minutes
        From one checkpoint to the next, within an epoch.
    """

    def __init__(self, folder: Path, minutes: float) -> None:
        super().__init__()
        self._folder = folder
        self._clock = CheckpointClock(minutes)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Check that all processes go on from the same place of the same training.

        Raises
        ------
        InputError
            If they do not.
        """
        module = cast(MemberModule, pl_module)
        place = f"{self._folder.parent.name}/{self._folder.name}, epoch {module.epoch}, batch {module.n_batches_done}"
        places = dict.fromkeys(gather_all(place))
        if len(places) > 1:
            raise InputError(
                f"The machines of one training are at different places ({'; '.join(places)}); give all of them the "
                "same parameters and the same data_root, on a disk that they share."
            )

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        """Write a checkpoint if one is due; the last batch of an epoch is followed by those of the epoch."""
        is_last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if not is_last and trainer.strategy.reduce_boolean_decision(self._clock.is_due, all=False):
            self._save(trainer, pl_module, LAST)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the checkpoints of an epoch; Lightning calls this after the module's own `on_train_epoch_end`."""
        if pl_module.is_best:
            self._save(trainer, pl_module, BEST)
        self._save(trainer, pl_module, LAST)

    def _save(self, trainer: lightning.Trainer, module: lightning.LightningModule, name: str) -> None:
        cast(MemberModule, module).check_weights()
        trainer.save_checkpoint(self._folder / name)
        self._clock.restart()
