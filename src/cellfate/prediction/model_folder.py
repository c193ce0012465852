"""The model folder: `weights.safetensors`, `config.json` and a model card. Reading it never unpickles anything."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Final, TypeVar

from numpy.typing import NDArray
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.prediction.model_card import write_model_card
from cellfate.prediction.records import ClockConfig, FolderConfig, ModelConfig, TrainedClock, TrainedModel

WEIGHTS_FILE = "weights.safetensors"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"
BOOSTERS_FILE = "boosters.json"
_KINDS: Final = {ModelConfig: "classifier", ClockConfig: "fate clock"}
Config = TypeVar("Config", ModelConfig, ClockConfig)


def save_model_folder(model: TrainedModel | TrainedClock, path: Path) -> None:
    """Write a model folder; it grows in ``<path>.partial`` and takes its name when it is whole.

    Parameters
    ----------
    model
        What to write: a classifier, or a fate clock with its boosters (`boosters.json`, plain text).
    path
        Folder; an older one of that name is replaced.
    """
    from safetensors.numpy import save_file

    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(dict(model.weights), partial / WEIGHTS_FILE)
    (partial / WEIGHTS_FILE).chmod(0o644)  # safetensors writes for the owner only
    digests = {"weights_digest": _digest(partial / WEIGHTS_FILE)}
    if isinstance(model, TrainedClock):
        (partial / BOOSTERS_FILE).write_text(json.dumps(dict(model.boosters), indent=1), encoding="utf-8")
        digests["boosters_digest"] = _digest(partial / BOOSTERS_FILE)
    config = model.config.model_copy(update=digests)
    (partial / CONFIG_FILE).write_text(config.model_dump_json(indent=1), encoding="utf-8")
    (partial / CARD_FILE).write_text(write_model_card(config), encoding="utf-8")
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)


def load_model_folder(path: Path) -> TrainedModel:
    """Read the folder of a classifier.

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
        If the folder or one of its files is missing, cannot be read, holds a fate clock, or config and weights do not
        belong together.
    """
    config = _load_config(path, ModelConfig)
    return TrainedModel(config, _load_weights(path, config))


def load_clock_folder(path: Path) -> TrainedClock:
    """Read the folder of a fate clock; as `load_model_folder`, and the boosters with it."""
    config = _load_config(path, ClockConfig)
    weights = _load_weights(path, config)
    file = _existing(path, BOOSTERS_FILE)
    _check_digest(file, config.boosters_digest)
    return TrainedClock(config, weights, json.loads(file.read_text(encoding="utf-8")))


def _load_config(path: Path, kind: type[Config]) -> Config:
    config_file = _existing(path, CONFIG_FILE)
    try:
        return kind.model_validate_json(config_file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = (
            f"{config_file} does not describe a {_KINDS[kind]} ({place}: {first['msg']}); give the folder of one, copy "
            "the folder again or train again."
        )
        raise InputError(message) from error


def _load_weights(path: Path, config: FolderConfig) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    weights_file = _existing(path, WEIGHTS_FILE)
    _check_digest(weights_file, config.weights_digest)
    try:
        return dict(load_file(weights_file))
    except (SafetensorError, OSError) as error:
        message = f"{weights_file} is not readable as safetensors ({error}); copy the folder again or train again."
        raise InputError(message) from error


def _check_digest(file: Path, expected: str) -> None:
    if _digest(file) != expected:
        message = (
            f"{file} is not the file that {CONFIG_FILE} beside it describes (their digests differ); "
            "take both from one run, or train the model again."
        )
        raise InputError(message)


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
