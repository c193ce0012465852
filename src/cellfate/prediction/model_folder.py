"""The model folder: `weights.safetensors`, `config.json` and a model card. Reading it never unpickles anything."""

import hashlib
import shutil
from pathlib import Path

from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.prediction.model_card import write_model_card
from cellfate.prediction.records import ModelConfig, TrainedModel

WEIGHTS_FILE = "weights.safetensors"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"


def save_model_folder(model: TrainedModel, path: Path) -> None:
    """Write a model folder; it grows in ``<path>.partial`` and takes its name when it is whole.

    Parameters
    ----------
    model
        What to write.
    path
        Folder; an older one of that name is replaced.
    """
    from safetensors.numpy import save_file

    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(dict(model.weights), partial / WEIGHTS_FILE)
    (partial / WEIGHTS_FILE).chmod(0o644)  # safetensors writes for the owner only
    config = model.config.model_copy(update={"weights_digest": _digest(partial / WEIGHTS_FILE)})
    (partial / CONFIG_FILE).write_text(config.model_dump_json(indent=1), encoding="utf-8")
    (partial / CARD_FILE).write_text(write_model_card(config), encoding="utf-8")
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)


def load_model_folder(path: Path) -> TrainedModel:
    """Read a model folder.

    Parameters
    ----------
    path
        Folder that `save_model_folder` wrote.

    Returns
    -------
    TrainedModel
        The model; no torch is needed.

    Raises
    ------
    InputError
        If the folder or one of its files is missing, cannot be read, or config and weights do not belong together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    config = _load_config(path)
    weights_file = _existing(path, WEIGHTS_FILE)
    if _digest(weights_file) != config.weights_digest:
        message = (
            f"{weights_file} is not the file that {CONFIG_FILE} beside it describes (their digests differ); "
            "take both from one run, or train the model again."
        )
        raise InputError(message)
    try:
        weights = load_file(weights_file)
    except (SafetensorError, OSError) as error:
        message = f"{weights_file} is not readable as safetensors ({error}); copy the folder again or train again."
        raise InputError(message) from error
    return TrainedModel(config, weights)


def _load_config(path: Path) -> ModelConfig:
    config_file = _existing(path, CONFIG_FILE)
    try:
        return ModelConfig.model_validate_json(config_file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = (
            f"{config_file} does not describe a model ({place}: {first['msg']}); copy the folder again or train again."
        )
        raise InputError(message) from error


def _existing(path: Path, name: str) -> Path:
    if not path.is_dir():
        message = f"There is no model folder {path}; give the folder of a trained model or run model_training first."
        raise InputError(message)
    if not (path / name).is_file():
        message = f"Model folder {path} has no {name}; copy the whole folder again or train the model again."
        raise InputError(message)
    return path / name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
