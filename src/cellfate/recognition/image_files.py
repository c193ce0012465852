"""Layouts that are files of images alone: TIFF stacks, one file a frame, OME-Zarr, vendors' files."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path, PurePosixPath

from cellfate.core.errors import InputError
from cellfate.core.words import show_count
from cellfate.imaging.file_patterns import FOLDER, NAMELESS, PRESETS, recording_of
from cellfate.imaging.file_search import name_root, recording_name
from cellfate.imaging.folder_contents import TIFF_ENDINGS, VENDOR_ENDINGS
from cellfate.imaging.ome_zarr import stated_axes
from cellfate.imaging.settings import Layout
from cellfate.imaging.tiff_series import open_series
from cellfate.recognition.candidates import Candidate
from cellfate.recognition.label_stacks import find_label_stacks
from cellfate.recognition.naming import common_start
from cellfate.recognition.own_names import guess_patterns
from cellfate.recognition.proposals import OPEN, Proposal, ask, found
from cellfate.recognition.survey import Survey, folder_of, shown
from cellfate.recognition.track_files import is_geff
from cellfate.tracks.zarr_arrays import read_attributes

_PLANES = (".tif", ".tiff", ".png")
_MADE = re.compile(r"(?<![a-z])(masks?|seg|segm\w*|labels?|labelled)(?![a-z])")
"""Words in names of images, and of folders, that are made from recordings."""
_BESIDE = re.compile(r"(?<![a-z])(max|mip|avg|proj\w*|flat\w*|background|dark|shading|thumbs?)(?![a-z])")
"""Words in names of images that are projections, or go with recordings; a folder called so may be a condition."""
_MOST_FOLDERS = 20
"""Folders of which a file is opened to see what kind it is."""


def find_vendor(survey: Survey) -> list[Candidate]:
    """Files of microscopes' makers."""
    files = survey.with_endings(*VENDOR_ENDINGS)
    return [_candidate("vendor", survey, files, "file")] if files else []


def find_zarr(survey: Survey) -> list[Candidate]:
    """Zarr folders that hold images."""
    stores = tuple(name for name in survey.stores if name.endswith(".zarr") or name == ".")
    stores = tuple(name for name in stores if _is_image(survey.root / name))
    if not stores:
        return []
    if stores == (".",):
        values = (found("recordings.layout", "ome_zarr", "the folder itself, which is OME-Zarr"),)
        return [Candidate(layout="ome_zarr", words="the folder itself", settings={"layout": "ome_zarr"}, values=values)]
    return [_candidate("ome_zarr", survey, stores, "OME-Zarr group")]


def find_tiff(survey: Survey) -> list[Candidate]:
    """TIFF files of several pages, and files of one image each; which they are, some of each folder tell."""
    images = survey.with_endings(*TIFF_ENDINGS, ".png")
    labels = find_label_stacks(survey.root, [name for name in images if not name.lower().endswith(".png")])
    images = tuple(name for name in images if name not in labels) or images
    wanted = [name for name in images if not _MADE.search(_words(name)) and not _BESIDE.search(_words(Path(name).name))]
    files = [name for name in wanted if not _BESIDE.search(_words(name))] or wanted or list(images)
    folders: dict[str, list[str]] = {}
    for name in files:
        folders.setdefault(folder_of(name), []).append(name)
    kinds = {folder: _are_stacks(survey.root, names) for folder, names in list(folders.items())[:_MOST_FOLDERS]}
    usual = Counter(kinds.values()).most_common(1)[0][0] if kinds else False
    stacks = [name for name in files if kinds.get(folder_of(name), usual)]
    planes = [name for name in files if not kinds.get(folder_of(name), usual) and name.lower().endswith(_PLANES)]
    left_out = sorted(set(images) - set(files))
    in_doubt = sorted(set(wanted) - set(files))
    of_stacks = [_stacks(survey, stacks, left_out, in_doubt, labels - set(stacks))] if stacks else []
    return [*of_stacks, *_plane_files(planes, left_out, labels, bool(stacks))]


def _stacks(
    survey: Survey, files: list[str], left_out: list[str], in_doubt: list[str], labels: frozenset[str]
) -> Candidate:
    """Make the candidate of TIFF stacks; images that are no recordings among them, or may be some, are a question."""
    found_here = _candidate("tiff_stacks", survey, files, "TIFF file", " of several pages")
    glob = next(value.value for value in found_here.values if value.key == "recordings.files")
    among = [] if glob == OPEN else [name for name in (*left_out, *sorted(labels)) if _is_taken(name, glob, files)]
    apart = _glob_apart(glob, files, among) if among else None
    if apart and labels.issuperset(among):
        words = f"{files[0]}, not the labels of cells in {among[0]}"
        found_here = _with_glob(found_here, found("recordings.files", apart, words), apart)
        glob, among = apart, []
    if glob == OPEN or not (among or in_doubt):
        return replace(found_here, notes=_left_out(left_out))
    if among:
        advice = f"give a pattern that takes recordings only, such as '{apart}', or " if apart else ""
        words = (
            f"Beside recordings such as {files[0]} lie images that are none by their names, such as {among[0]}; "
            f"{advice}move the others into another folder and run this command again."
        )
        glob = files[0]
    else:
        words = (
            f"{len(in_doubt)} of {len(files) + len(in_doubt)} images lie in folders that by their names may be "
            f"conditions, or hold no recordings ({shown(_folders(in_doubt))}): give "
            f"'{glob or f'*{Path(files[0]).suffix}'}' to leave them out; to take them in, call the folders otherwise "
            "and run this command again."
        )
    notes = _left_out(sorted({*left_out} - {*in_doubt}))
    return replace(_with_glob(found_here, ask("recordings.files", words), glob), notes=notes)


def _with_glob(candidate: Candidate, files: Proposal, opened: str | None) -> Candidate:
    """Propose, or ask, which files are recordings; the first are looked for by a glob of which that is sure."""
    values = tuple(files if value.key == files.key else value for value in candidate.values)
    settings = None if candidate.settings is None else {**candidate.settings, "files": opened}
    return replace(candidate, values=values, settings=settings)


def _is_taken(name: str, glob: str | None, files: Sequence[str]) -> bool:
    """Tell whether a glob, or the folder itself, would take an image for a recording."""
    if glob is None:
        return folder_of(name) == folder_of(files[0])
    return name.count("/") == glob.count("/") and PurePosixPath(name).match(glob)


def _glob_apart(glob: str | None, files: Sequence[str], others: Sequence[str]) -> str | None:
    """Narrow a glob so that it takes some files and not the others; None if no simple one does.

    Examples
    --------
    >>> _glob_apart("raw/*.tif", ["raw/A01.tif", "raw/A02.tif"], ["raw/A01_labels.tif", "raw/A02_labels.tif"])
    'raw/A*[0-9].tif'
    >>> _glob_apart(None, ["a.tif", "b.tif"], ["MAX_a.tif", "MAX_b.tif"])
    '[ab]*.tif'
    """
    stems = [PurePosixPath(name).stem for name in files]
    alike = common_start(stems), common_start([stem[::-1] for stem in stems])
    start, end = (re.split(r"\d", text)[0] for text in alike)
    firsts = "".join(sorted({stem[0] for stem in stems}))
    tried = [f"{escape(start)}*", f"{escape(start)}*[0-9]", f"{escape(start)}*{escape(end[::-1])}"]
    tried += [f"[{firsts}]*", f"[{firsts}]*[0-9]"] if firsts.isalnum() else []
    tried += [escape(start) + "?" * (len(stems[0]) - len(start))] if len({*map(len, stems)}) == 1 else []
    globs = [folder_of(glob or files[0]) + one + PurePosixPath(files[0]).suffix for one in tried]
    return next((one for one in globs if all(_takes(one, files)) and not any(_takes(one, others))), None)


def _takes(glob: str, names: Sequence[str]) -> list[bool]:
    return [PurePosixPath(name).match(glob) for name in names]


def _left_out(names: Sequence[str]) -> tuple[str, ...]:
    said = f"By their names no recordings (masks, projections, flat fields) and left out: {shown(names)} "
    said += f"({show_count(len(names), 'image')})."
    return (said,) if names else ()


def _words(name: str) -> str:
    return re.sub(r"[\d_]", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).lower()


def _are_stacks(root: Path, names: list[str]) -> bool:
    """Tell whether most of a few files of a folder have several pages."""
    sample = {names[0], names[len(names) // 2], names[-1]}
    return 2 * sum(_is_stack(root / name) for name in sample) > len(sample)


def _is_stack(path: Path) -> bool:
    if path.suffix.lower() == ".png":
        return False
    try:
        series = open_series(path)[0]
    except InputError:
        return True  # what is wrong is said when it is opened
    return any(size > 1 for axis, size in zip(series.axes, series.shape, strict=True) if axis not in "YXS")


def _is_image(path: Path) -> bool:
    """Whether a Zarr folder is a group, and so may be an image, a plate, or a series of images; a GEFF is none."""
    try:
        read_attributes(path)
    except InputError:
        return (path / ".zgroup").is_file()
    return not is_geff(path)


def _candidate(layout: Layout, survey: Survey, files: Sequence[str], what: str, kind: str = "") -> Candidate:
    """Make the candidate of recordings that are a file (or folder) each."""
    suffixes = {"vendor": VENDOR_ENDINGS, "ome_zarr": (".zarr",)}.get(layout, TIFF_ENDINGS)
    glob, question = _glob(files, what)
    source = f"{show_count(len(files), what)}{kind}, such as {files[0]}"
    values = [found("recordings.layout", layout, source)]
    values.append(question or found("recordings.files", glob, f"they lie in {shown(_folders(files))}"))
    settings = None if question else {"layout": layout, "files": glob}
    if layout in ("tiff_stacks", "ome_zarr") and settings:
        axes, supposed = _file_axes(survey.root / files[0], files[0])
        values.append(axes)
        settings = None if axes.is_open and supposed is None else settings | {"file_axes": supposed}
    root = name_root(survey.root, glob)
    own = {recording_name(root, survey.root / name, suffixes): name for name in files}
    return Candidate(
        layout=layout, words=source, settings=settings, values=tuple(values), used=frozenset(files), files=own
    )


def _folders(files: Sequence[str]) -> list[str]:
    return sorted({folder_of(name) or "the folder itself" for name in files})


def _glob(files: Sequence[str], what: str) -> tuple[str | None, Proposal | None]:
    """Glob that matches these files, or a question where they lie in folders of different kinds."""
    folders = sorted({folder_of(name) for name in files})
    endings = {Path(name).suffix for name in files}
    start = min(endings, key=len)
    ending = start if len(endings) == 1 else f"{start}*"
    if folders == [""]:
        return None, None
    if len(folders) == 1:
        return f"{folders[0]}*{ending}", None
    depths = {folder.count("/") for folder in folders}
    if len(depths) > 1 or not all(one.startswith(start) for one in endings):
        return None, ask(
            "recordings.files",
            f"{what}s lie in {shown(_folders(files), 6)}; say which are recordings, such as '{folders[-1]}*{ending}'.",
        )
    parts = zip(*(folder.rstrip("/").split("/") for folder in folders), strict=True)
    wild = "/".join(one[0] if len(set(one)) == 1 else "*" for one in parts)
    return f"{wild}/*{ending}", None


def _file_axes(path: Path, name: str) -> tuple[Proposal, str | None]:
    """Tell or ask what the pages of a file are; beside a question stand the axes to open it with, where supposed."""
    key = "recordings.file_axes"
    try:
        axes, shape = stated_axes(str(path)) if path.is_dir() else _axes_of_tiff(path)
    except InputError:
        return found(key, None, "as the files say"), None
    sizes = {axis: size for axis, size in zip(axes, shape, strict=True) if size > 1}
    leading = set(sizes) - set("YXS")
    if leading <= set("TCZ") and (not leading or "T" in leading):
        return found(key, None, f"{axes} of {name}, as the files say"), None
    if leading <= set("TCZ"):
        axis, words = ("Z", "planes") if "Z" in leading else ("C", "channels")
        given = axes.replace("T", "").replace(axis, "T")
        seen = f"{name} says that it holds one frame of {sizes[axis]} {words}"
        advice = f"if these are time points, set {given}; one frame of {words} a file is not read."
        return ask(key, f"{seen}; {advice}"), given
    seen = f"{name} has the shape {' x '.join(map(str, shape))} and does not say what its pages are"
    colours = "TYXC (each page a frame, its colours the channels)."
    choices = (
        "TYX (each page a frame, one channel), TCYX (all channels of a frame, then the next frame) or CTYX (all frames "
        "of a channel, then the next channel)."
    )
    return ask(key, f"{seen}: {colours if axes.endswith('S') else choices}"), None


def _axes_of_tiff(path: Path) -> tuple[str, tuple[int, ...]]:
    series = open_series(path)[0]
    return str(series.axes), tuple(series.shape)


def _plane_files(files: list[str], left_out: list[str], labels: frozenset[str], beside_stacks: bool) -> list[Candidate]:
    """Sort files of one image each by their names."""
    few = len(files) < 2 or (beside_stacks and len(files) <= 2 * len({folder_of(name) for name in files}))
    if not files or few:
        return []
    source, notes = f"{show_count(len(files), 'image')}, such as {files[0]}", _left_out(left_out)
    preset = _in_folder(_preset(files), files)
    guesses = guess_patterns(files) if preset is None else (preset,)
    if any(_match(PRESETS.get(guess, (guess,)), name) for guess in guesses for name in (*left_out, *labels)):
        guesses = ()
    layout = found("recordings.layout", "file_pattern", source)
    unclear = Candidate(
        layout="file_pattern",
        words=source,
        settings=None,
        values=(layout, _ask_pattern(source, guesses)),
        used=frozenset(files),
        notes=notes,
    )
    if len(guesses) != 1:
        return [unclear]
    (guess,) = guesses
    pattern, stored = found("recordings.pattern", guess, f"the names of {source}"), _channels_of(guess, files)
    settings = {"layout": "file_pattern", "pattern": guess}
    return [replace(unclear, settings=settings, values=(layout, pattern), names=tuple(stored), channels=stored)]


def _ask_pattern(source: str, guesses: tuple[str, ...]) -> Proposal:
    sample = "(?P<folder>.+)/img_t(?P<time>\\d+)\\.tif"
    words = (
        "could mean more than one thing; give a regular expression with the group time and, where names say them, "
        f"channel and z, such as '{sample}' (docs/recordings.md)."
    )
    if len(guesses) > 1:
        channels, recordings = guesses
        words = (
            "may tell channels of one recording, or recordings (wells, conditions): give "
            f"'{channels}' for channels, or '{recordings}' for recordings."
        )
    return ask("recordings.pattern", f"The names of {source}, {words}")


def _preset(files: list[str]) -> str | None:
    """Name the program whose names all the files have; MetaMorph's must say a channel or a position, too."""
    for name, patterns in PRESETS.items():
        matches = [_match(patterns, file) for file in files]
        if all(match and (name != "metamorph" or _is_metamorph(match)) for match in matches):
            return name
    return None


def _in_folder(preset: str | None, files: list[str]) -> str | None:
    """Write a preset out where all files lie in one folder, which else would stand in every recording's name."""
    folder = folder_of(files[0])
    if preset is None or not folder or any(folder_of(file) != folder for file in files):
        return preset
    bare = [file.removeprefix(folder) for file in files]
    patterns = [text.removeprefix(FOLDER) for text in PRESETS[preset]]
    chosen = next((text for text in patterns if all(re.fullmatch(text, file) for file in bare)), None)
    if chosen is None or any(
        recording_of(match) == NAMELESS for match in map(re.compile(chosen).fullmatch, bare) if match
    ):
        return preset
    return re.escape(folder).replace(r"\ ", " ").replace(r"\-", "-") + chosen


def _is_metamorph(match: re.Match[str]) -> bool:
    told = bool(match["channel"] or match["position"])
    return told and re.search(r"_w\d", match["experiment"]) is None  # a channel that the preset does not tell


def _match(patterns: Sequence[str], name: str) -> re.Match[str] | None:
    return next(filter(None, (re.fullmatch(pattern, name) for pattern in patterns)), None)


def _channels_of(pattern: str, files: Sequence[str]) -> dict[str, str]:
    """Channels of each recording, as names of files call them."""
    patterns = PRESETS.get(pattern, (pattern,))
    stored: dict[str, set[str]] = {}
    for match in filter(None, (_match(patterns, file) for file in files)):
        stored.setdefault(recording_of(match), set()).add(match.groupdict().get("channel") or "")
    return {name: ", ".join(sorted(stored[name])) for name in sorted(stored)}
