"""The model folder: `config.json`, the files it describes and a model card. Reading it never unpickles anything."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from cellfate.core.errors import InputError
from cellfate.core.whole_files import replace_when_whole
from cellfate.prediction.model_card import write_model_card
from cellfate.prediction.records import FORMAT_VERSION, ClassifierConfig, ClockConfig, TrainedModel

CONFIG_FILE: Final = "config.json"
CARD_FILE: Final = "README.md"
WEIGHTS_FILE: Final = "weights.safetensors"
BOOSTERS_FILE: Final = "boosters.json"
TRAINED_ON_FILE: Final = "trained_on.json"
_EITHER_CONFIG = Annotated[ClassifierConfig | ClockConfig, Field(discriminator="kind")]


def save_model_folder(model: TrainedModel, path: Path) -> None:
    """Write a model folder; it grows in ``<path>.partial`` and takes its name when it is whole.

    Parameters
    ----------
    model
        What to write. Boosted hazards, where there are any, are plain text (`boosters.json`).
    path
        Folder; an older one of that name is replaced.
    """
    from safetensors.numpy import save_file

    with replace_when_whole(path) as partial:
        partial.mkdir()
        save_file(dict(model.weights), partial / WEIGHTS_FILE)
        (partial / WEIGHTS_FILE).chmod(0o644)  # safetensors writes for the owner only
        beside = {TRAINED_ON_FILE: sorted(model.trained_on), BOOSTERS_FILE: dict(model.boosters)}
        for name, held in beside.items():
            if held or name == TRAINED_ON_FILE:
                (partial / name).write_text(json.dumps(held, indent=1), encoding="utf-8")
        digests = {file.name: _digest(file) for file in sorted(partial.iterdir())}
        config = model.config.model_copy(update={"file_digests": digests})
        digests[CONFIG_FILE] = digest_config(config.model_dump(mode="json"))
        (partial / CONFIG_FILE).write_text(config.model_dump_json(indent=1), encoding="utf-8")
        (partial / CARD_FILE).write_text(write_model_card(config), encoding="utf-8")


def load_model_folder(path: Path) -> TrainedModel:
    """Read a model folder of either kind; no torch is needed.

    Parameters
    ----------
    path
        Folder that `save_model_folder` wrote.

    Raises
    ------
    InputError
        If the folder or one of its files is missing, cannot be read or was written by an older version, or config and
        files do not belong together.
    """
    config = _read(_existing(path, CONFIG_FILE), _EITHER_CONFIG)
    _check_config(path / CONFIG_FILE, config.file_digests.get(CONFIG_FILE))
    files = {WEIGHTS_FILE, TRAINED_ON_FILE, *config.file_digests} - {CONFIG_FILE}
    for name in sorted(files):
        _check_digest(_existing(path, name), config.file_digests.get(name))
    boosters = _read(path / BOOSTERS_FILE, dict[str, str]) if BOOSTERS_FILE in files else {}
    trained_on = _read(path / TRAINED_ON_FILE, frozenset[str])
    return TrainedModel(config, _load_weights(path / WEIGHTS_FILE), boosters, trained_on)


def _read(file: Path, form: Any) -> Any:
    """Read what JSON holds, in the form it is to have."""
    try:
        return TypeAdapter(form).validate_json(file.read_bytes())
    except ValidationError as error:
        if any(_is_of_format_1(found) for found in error.errors()):
            raise InputError(
                f"{file.parent} holds a model of format 1, which an older version of cellfate wrote, but format "
                f"{FORMAT_VERSION} is read here; train it again and load it with cellfate.Predictor.from_folder."
            ) from error
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"{file} does not describe a model ({place}: {first['msg']}); give a model's folder, copy it again or "
            "train again."
        ) from error


def _is_of_format_1(found: Any) -> bool:
    """Whether what pydantic found wrong is the version or, in a fate clock of old, the name of the kind."""
    is_version = found["loc"][-1:] == ("format_version",)
    return bool(is_version and found["input"] == 1) or found.get("ctx", {}).get("tag") == "fate_clock"


def _load_weights(file: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = dict(load_file(file))
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{file} is not readable as safetensors ({error}); copy the folder again or train again."
        ) from error
    bad = [name for name, values in weights.items() if values.dtype.kind == "f" and not np.isfinite(values).all()]
    if bad:
        raise InputError(f"{file} has weights that are not finite, the first are {bad[0]}; train the model again.")
    return weights


def digest_config(content: Mapping[str, Any]) -> str:
    """SHA-256 over what a `config.json` says, but for this digest itself, in hexadecimal; layout does not count."""
    digests = {name: digest for name, digest in content["file_digests"].items() if name != CONFIG_FILE}
    return hashlib.sha256(json.dumps({**content, "file_digests": digests}, sort_keys=True).encode()).hexdigest()


def _check_config(file: Path, expected: str | None) -> None:
    if expected is not None and digest_config(json.loads(file.read_bytes())) != expected:
        raise InputError(
            f"{file} was changed after the model was trained (its digest differs), so it no longer describes the "
            "weights beside it; take the whole folder from one run, or train the model again."
        )


def _check_digest(file: Path, expected: str | None) -> None:
    if _digest(file) != expected:
        raise InputError(
            f"{file} is not the file that {CONFIG_FILE} beside it describes (their digests differ); "
            "take both from one run, or train the model again."
        )


def _existing(path: Path, name: str) -> Path:
    if not path.is_dir():
        raise InputError(
            f"There is no model folder {path}; give the folder of a trained model or run model_training first."
        )
    if not (path / name).is_file():
        raise InputError(f"Model folder {path} has no {name}; copy the whole folder again or train the model again.")
    return path / name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
