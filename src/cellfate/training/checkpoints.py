"""Where an unfinished training keeps its state, so that it can go on from there."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from cellfate.core.settings import Settings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ModelSettings
from cellfate.training.settings import FittingSettings

logger = logging.getLogger(__name__)

LAST = "last.ckpt"
BEST = "best.ckpt"
_WEIGHTS = "weights.safetensors"
_MEMBER = "member.json"
_HOW_ONLY = {"checkpoint_folder", "cache_limit_mb", "threads"}
"""Training settings that do not change the result, but for rounding."""


def run_folder(
    data_digest: str, data: Sequence[Settings], model: ModelSettings, training: FittingSettings, n_folds: int
) -> Path:
    """Folder of the checkpoints of trainings with this very data and these settings."""
    settings = [*(part.model_dump_json() for part in (*data, model)), training.model_dump_json(exclude=_HOW_ONLY)]
    digest = hashlib.sha256("\n".join((data_digest, *settings, str(n_folds))).encode())
    return Path(training.checkpoint_folder) / digest.hexdigest()[:16]


def save_member(member: FittedMember, folder: Path) -> None:
    """Keep a finished member until the others are finished too; `member.json`, written last, says that it is whole."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(value) for name, value in member.weights.items()}, folder / _WEIGHTS)
    description = {field.name: getattr(member, field.name) for field in fields(member) if field.name != "weights"}
    partial = folder / f"{_MEMBER}.partial"
    partial.write_text(json.dumps(description), encoding="utf-8")
    partial.replace(folder / _MEMBER)


def load_member(folder: Path) -> FittedMember | None:
    """Take back a finished member; None where there is none."""
    from safetensors.numpy import load_file

    if not (folder / _MEMBER).is_file():
        return None
    description = json.loads((folder / _MEMBER).read_text(encoding="utf-8"))
    return FittedMember(weights=load_file(folder / _WEIGHTS), **description)


def fit_or_take_back(fold: int, folder: Path, fit: Callable[[Path], FittedMember]) -> FittedMember:
    """Fit the member of a fold and keep it, or take it back from its folder if it was finished there.

    Parameters
    ----------
    fold
        Number of the fold.
    folder
        Its checkpoints.
    fit
        From that folder to the fitted member.
    """
    finished = load_member(folder)
    if finished is not None:
        logger.info("Fold %d was finished before; its member is taken back from %s", fold, folder)
        return finished
    member = fit(folder)
    save_member(member, folder)
    return member


def clear_run(folder: Path) -> None:
    """Remove the checkpoints of a finished training, and say so when those of other, unfinished ones are left."""
    shutil.rmtree(folder, ignore_errors=True)
    others = [path for path in folder.parent.glob("*") if path.is_dir()]
    if others:
        logger.info("%d unfinished trainings with other data or settings are left in %s", len(others), folder.parent)
