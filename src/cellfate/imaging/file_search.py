"""Finding files of a folder of recordings, and keeping to that folder."""

import itertools
import unicodedata
from collections.abc import Iterable
from functools import partial, reduce
from pathlib import Path, PurePosixPath

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_system_file
from cellfate.imaging.folder_contents import nothing_here
from cellfate.imaging.settings import RecordingSettings


def find_files(root: Path, settings: RecordingSettings, suffixes: tuple[str, ...]) -> list[Path]:
    """Files of a folder, ordered by name, at least one.

    Those that match `settings.files`, a glob relative to the folder, or else those of the folder itself with one of the
    suffixes (in lower case, with the dot).

    Raises
    ------
    InputError
        If there is none, or the glob leads out of the folder.
    """
    files = settings.files
    if files is not None and (PurePosixPath(files).is_absolute() or ".." in PurePosixPath(files).parts):
        raise InputError(
            f"recordings.files is '{files}', which leads out of the recordings' folder; give a glob inside it."
        )
    found = root.iterdir() if files is None else root.glob(files)
    paths = sorted(path for path in found if files is not None or path.suffix.lower() in suffixes)
    paths = [path for path in paths if not is_system_file(path.relative_to(root).as_posix())]
    if not paths:
        wanted = f"file that matches recordings.files '{files}'" if files else f"file that ends with {suffixes[0]}"
        advice = "give another folder, or say by recordings.files which files are recordings"
        raise nothing_here(root, settings.layout, wanted, partial(_is_wanted, files, suffixes), advice)
    return paths


def name_root(root: Path, files: str | None) -> Path:
    """Folder from which recordings are named: the folders that a glob spells out are the same for all of them.

    Examples
    --------
    >>> name_root(Path("study"), "images/day*/*.tif").as_posix()
    'study/images'
    """
    folders = PurePosixPath(files or "").parts[:-1]
    spelt_out = itertools.takewhile(lambda part: not set("*?[") & set(part), folders)
    return root.joinpath(*spelt_out)


def _is_wanted(files: str | None, suffixes: tuple[str, ...], name: str) -> bool:
    return PurePosixPath(name).match(files) if files is not None else name.lower().endswith(suffixes)


def recording_name(root: Path, path: Path, suffixes: tuple[str, ...]) -> str:
    """Name of the recording in a file: its path without endings, folders joined by an underscore."""
    *folders, name = path.relative_to(root).parts
    for ending in (*suffixes, ".ome"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return "_".join((*folders, name))


def find_written(root: Path, file_name: str) -> Path:
    """Path of a file as the disk writes its name: macOS parts letters from their accents, other programs do not.

    `file_name` may be in any Unicode form; where nothing is there, the path is as it was given.
    """
    return reduce(_as_written, PurePosixPath(file_name).parts, root)


def _as_written(folder: Path, name: str) -> Path:
    if (folder / name).exists() or not folder.is_dir():
        return folder / name
    form = unicodedata.normalize("NFC", name)
    alike = (path for path in folder.iterdir() if unicodedata.normalize("NFC", path.name) == form)
    return next(alike, folder / name)


def check_inside(root: Path, recording_id: str, file_names: Iterable[str]) -> None:
    """Check that files lie in the folder of recordings: no absolute path, no '..', no link that leads out of it.

    Raises
    ------
    InputError
        Naming the first that does not.
    """
    home = root.resolve()
    folders: dict[PurePosixPath, bool] = {}
    for file_name in dict.fromkeys(file_names):
        path = PurePosixPath(file_name)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(_outside(recording_id, file_name))
        if path.parent not in folders:
            folders[path.parent] = (root / path.parent).resolve().is_relative_to(home)
        inside = folders[path.parent]
        if (root / path).is_symlink():
            inside = (root / path).resolve().is_relative_to(home)
        if not inside:
            raise InputError(_outside(recording_id, file_name))


def _outside(recording_id: str, file_name: str) -> str:
    return (
        f"Recording '{recording_id}' names the file {file_name}, which lies outside the folder of recordings; give "
        "paths relative to the image folder, without '..' and without links that lead out of it."
    )
