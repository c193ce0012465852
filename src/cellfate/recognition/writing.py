"""The new folder of parameters: the template's text with what was recognised."""

import re
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.recognition.proposals import OPEN, found
from cellfate.recognition.recognising import Recognised
from cellfate.recognition.template import fill_template
from cellfate.tracks.settings import DEFAULT_FILES, LABEL_FORMATS, OWN_FRAMES

TEMPLATE = "mydata"
"""Folder in the configuration that is the template."""
FILES = ("globals.yml", "parameters.yml")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OF_LAYOUTS = {
    "files": {"tiff_stacks", "ome_zarr", "vendor"},
    "file_axes": {"tiff_stacks", "ome_zarr"},
    "pattern": {"file_pattern"},
    "channel_codes": {"file_pattern"},
    "z": {"file_pattern", "tiff_stacks", "ome_zarr", "vendor"},
    "images_url": {"ome_zarr"},
    "missing_chunks": {"ome_zarr"},
    "annotation_file": {"coco_vid"},
    "image_folder": {"coco_vid"},
    "cell_categories": {"coco_vid"},
    "labels": {"cell_tracking_challenge"},
}
"""Keys of `recordings` that belong to some layouts only; the others leave them out."""
_OF_FORMATS = {
    "files": set(DEFAULT_FILES),
    "graph_file": {"napari_csv", "csv", *LABEL_FORMATS},
    "edges_file": {"trackmate_csv"},
    "columns": {"csv", "geff", "cell_acdc", "cellprofiler_csv"},
    "position_unit": set(DEFAULT_FILES) - LABEL_FORMATS,
    "first_frame": set(DEFAULT_FILES) - OWN_FRAMES - {"trackmate_xml"},
    "btrack_axes": {"btrack"},
    "keep_false_positives": {"btrack"},
    "on_merge": {"trackmate_xml", "trackmate_csv", "geff", "napari_csv", "csv", *LABEL_FORMATS},
    "name_cells_by": {"trackmate_xml"},
}
"""Keys of `tracks` that belong to some formats only."""
_OF_TABLES = {
    "recordings.conditions_file": {"recordings.conditions_columns", "recordings.dose_unit"},
    "tracks.fates_file": {
        f"tracks.{key}" for key in ("fates_columns", "fates_time_unit", "fates_cell", "name_cells_by", "missing_fates")
    },
}
"""Keys that belong to a table; without it they are left out."""


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
    """Write `globals.yml` and `parameters.yml` of a study.

    Parameters
    ----------
    conf : Path
        Folder of the configuration, with the template in it.
    name : str
        Name of the study.
    recognised : Recognised
        What its folder holds.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    texts = {file: (conf / TEMPLATE / file).read_text(encoding="utf-8") for file in FILES}
    texts = {file: text.replace("myname", name) for file, text in texts.items()}
    data_root = f"data/{name}"
    roots = (
        found("data_root", data_root, "the name of the study"),
        found("recordings_root", str(recognised.root), "the folder that was looked at"),
        found("new_recordings_root", f"{data_root}/01_raw/new_recordings", "the name of the study"),
    )
    head = f"# {name}: written by `cellfate new`. Lines with `found` say what a value was taken from.\n"
    of_roots = re.sub(r"\A(#.*\n)+", lambda _: head, texts["globals.yml"])
    values = recognised.values
    written = {
        "globals.yml": fill_template(of_roots, roots),
        "parameters.yml": fill_template(texts["parameters.yml"], values, _unused(recognised)),
    }
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


def _unused(recognised: Recognised) -> set[str]:
    """Keys that belong to other layouts and formats than those found, or to tables that are not there."""
    layout, chosen = recognised.images.layout, recognised.value("tracks.format")
    dropped = {f"recordings.{key}" for key, layouts in _OF_LAYOUTS.items() if layout not in layouts}
    if chosen != OPEN:
        dropped |= {f"tracks.{key}" for key, formats in _OF_FORMATS.items() if (chosen or layout) not in formats}
    for table, keys in _OF_TABLES.items():
        dropped |= keys if recognised.value(table) is None else set()
    return dropped - {value.key for value in recognised.values}
