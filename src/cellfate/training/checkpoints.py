"""Where an unfinished training keeps its state, so that it can go on from there."""

import hashlib
import json
import logging
import os
import pickle
import shutil
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.settings import WITHOUT_EFFECT, Settings
from cellfate.core.whole_files import PARTIAL, replace_when_whole
from cellfate.models.fitted_member import FittedMember
from cellfate.training.settings import FittingSettings

logger = logging.getLogger(__name__)

LAST = "last.ckpt"
BEST = "best.ckpt"
PRETRAINING = "pretraining.ckpt"
_WEIGHTS = "weights.safetensors"
_MEMBER = "member.json"
_RUN = "run"


class CheckpointClock:
    """Tells when the next checkpoint is due.

    Parameters
    ----------
    minutes
        From one to the next.
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60 * minutes
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self._started = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the minutes are over."""
        return time.monotonic() - self._started >= self._seconds


def run_folder(data_digest: str, training: FittingSettings, *settings: Settings) -> Path:
    """Folder of the checkpoints of trainings with this very data and these settings."""
    texts = [part.model_dump_json() for part in settings]
    texts.append(training.model_dump_json(exclude=set(WITHOUT_EFFECT)))
    digest = hashlib.sha256("\n".join((data_digest, *texts)).encode())
    return Path(training.checkpoint_folder) / digest.hexdigest()[:16]


def tell_unfinished(folder: Path) -> None:
    """Say, when a training begins, that those with other data or settings that were not finished do not concern it."""
    others = [] if folder.is_dir() else _list_runs(folder.parent)
    if others:
        logger.info(
            "%d unfinished trainings with other data or settings lie in %s; this one begins anew",
            len(others),
            folder.parent,
        )


def write_checkpoint(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint of tensors and plain values; the one that stands there stays until this one is whole.

    Raises
    ------
    OSError
        If it cannot be written; what was written of it is removed.
    """
    import torch

    try:
        with replace_when_whole(path) as partial, partial.open("wb") as file:
            torch.save({**content, _RUN: _name_run(path)}, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:  # torch may hide the one behind the other
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
        raise OSError(
            cause.errno,
            f"the checkpoint {path} could not be written ({os.strerror(cause.errno or 0)}); make room there and run "
            "the same command again: the training goes on from the last whole checkpoint",
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as tensors and plain values; nothing in it is executed.

    Raises
    ------
    InputError
        If the file is damaged, or was written by another training.
    """
    import torch

    try:
        with ZipFile(path) as archive:  # torch reads over a flipped bit; the archive has a checksum of every tensor
            if archive.testzip() is not None:
                raise BadZipFile
        content = dict(torch.load(path, map_location="cpu", weights_only=True))
    except (BadZipFile, RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise InputError(
            f"The checkpoint {path} is damaged and cannot be read; delete its folder to start the training again."
        ) from error
    if content.get(_RUN) != _name_run(path):
        raise InputError(
            f"The checkpoint {path} was written by a training with other data or settings ({content.get(_RUN)}); "
            "delete it to start the training again."
        )
    return content


def read_weights(path: Path, network: str) -> dict[str, NDArray[Any]]:
    """Weights of one of a module's networks, `network` or `average`, in a checkpoint of the module."""
    state = read_checkpoint(path)["state_dict"]
    prefix = f"{network}."
    return {
        name.removeprefix(prefix): value.numpy(force=True).copy()
        for name, value in state.items()
        if name.startswith(prefix)
    }


def save_member(member: FittedMember, folder: Path) -> None:
    """Keep a finished member until the others are finished too; `member.json`, written last, says that it is whole."""
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: np.ascontiguousarray(value) for name, value in member.weights.items()})
    (folder / _WEIGHTS).write_bytes(weights)
    description = {field.name: getattr(member, field.name) for field in fields(member) if field.name != "weights"}
    text = json.dumps(description)
    with replace_when_whole(folder / _MEMBER) as path:
        path.write_text(f"{_digest(text.encode(), weights)}\n{text}", encoding="utf-8")


def load_member(folder: Path) -> FittedMember | None:
    """Take back a finished member; None where there is none, or it is damaged and has to be fitted again."""
    from safetensors.numpy import load

    if not (folder / _MEMBER).is_file():
        return None
    try:
        digest, text = (folder / _MEMBER).read_text(encoding="utf-8").split("\n", 1)
        weights = (folder / _WEIGHTS).read_bytes()
    except (OSError, ValueError):
        digest, text, weights = "", "", b""
    if digest != _digest(text.encode(), weights):
        logger.warning("The member in %s is damaged; it is fitted again", folder)
        return None
    return FittedMember(weights=load(weights), **json.loads(text))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def clear_run(folder: Path) -> None:
    """Remove the checkpoints of a finished training, and say so when those of other, unfinished ones are left."""
    shutil.rmtree(folder, ignore_errors=True)
    others = _list_runs(folder.parent)
    if others:
        logger.info("%d unfinished trainings with other data or settings are left in %s", len(others), folder.parent)


def _list_runs(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_dir()]


def _name_run(path: Path) -> str:
    """Name the training and the fold that a checkpoint belongs to, by its folders; see `run_folder`."""
    return f"{path.parent.parent.name}/{path.parent.name}"
