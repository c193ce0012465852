"""The new folder of parameters: what was recognised and what is asked; all else keeps its value in `conf/base`."""

import re
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.recognition.proposals import found
from cellfate.recognition.recognising import Recognised
from cellfate.recognition.yaml_lines import read_comments, write_values

TEMPLATE = "mydata"
"""Folder in the configuration that explains parameters."""
FILES = ("globals.yml", "parameters.yml")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_HEAD = {
    "globals.yml": "# {name}: written by `cellfate new`. Lines with `found` say what a value was taken from.\n\n",
    "parameters.yml": (
        "# What `cellfate new` found, and what it asks: answer what is marked QUESTION. Every other parameter\n"
        "# keeps its value in conf/base/parameters. To change one, add it to its group here;\n"
        f"# conf/{TEMPLATE}/parameters.yml explains those that a study may need.\n"
    ),
}


def default_name(folder: Path) -> str:
    """Name of a study after its folder."""
    return re.sub(r"[^A-Za-z0-9]+", "_", folder.expanduser().resolve().name).strip("_") or "study"


def check_place(conf: Path, name: str) -> None:
    """Check, before anything is looked at, that a study of this name can be written.

    Raises
    ------
    InputError
        If the template is not there, the name is no name of a folder, or is taken.
    """
    lacking = [file for file in FILES if not (conf / TEMPLATE / file).is_file()]
    if lacking:
        raise InputError(
            f"The template {conf / TEMPLATE / lacking[0]} is not there; run the command in cellfate's project folder, "
            "or give its conf folder (an archive unpacked) with --conf-source."
        )
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' is no name for a study; give one of letters, digits, - and _, such as 2024_p53: cellfate new "
            "FOLDER NAME."
        )
    if (conf / name).exists():
        raise InputError(f"{conf / name} exists and is never overwritten; give another name: cellfate new FOLDER NAME.")


def write_conf(conf: Path, name: str, recognised: Recognised) -> Path:
    """Write `globals.yml` and `parameters.yml` of a study to a new folder in `conf`, which holds the template.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    roots = (
        found("data_root", f"data/{name}", "the name of the study"),
        found("recordings_root", str(recognised.root), "the folder that was looked at"),
        found("new_recordings_root", f"data/{name}/01_raw/new_recordings", "the name of the study"),
    )
    written = {}
    for file, values in zip(FILES, (roots, recognised.values), strict=True):
        comments = read_comments((conf / TEMPLATE / file).read_text(encoding="utf-8"))
        written[file] = _HEAD[file].format(name=name) + write_values(values, comments)
    folder = conf / name
    try:
        folder.mkdir()
        for file, text in written.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be written ({error.strerror}); let it be, or give another folder with "
            "--conf-source."
        ) from error
    return folder
