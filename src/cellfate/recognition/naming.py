"""Names of recordings in names of files: which file belongs to which recording, and the template that says so."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from cellfate.tracks.records import name_file
from cellfate.tracks.settings import IMAGE, PLACEHOLDER


def common_start(texts: Iterable[str]) -> str:
    """Give what all texts begin with.

    Examples
    --------
    >>> common_start(["A01_raw", "A02_raw"])
    'A0'
    """
    listed = sorted(texts)
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(listed[0], listed[-1], strict=False))
    return "".join(one for one, _ in alike)


def match_files(
    files: Iterable[str], names: Sequence[str], images: Mapping[str, str] | None = None
) -> dict[str, dict[str, str]]:
    """Sort files, as paths relative to the recordings' folder, by template and recording.

    A name of a recording counts where no letter or digit stands beside it; of two, the longer. A file in which no name
    stands may begin like the image file of a recording, with its folders. The template has `{recording_id}` in the
    place of the name or `{image}` in that of the image file without ending; a file in which neither stands is a
    template of its own, without recordings.

    Examples
    --------
    >>> match_files(["t/A1.xml", "t/A10.xml", "fates.csv"], ["A1", "A10"])
    {'t/{recording_id}.xml': {'A1': 't/A1.xml', 'A10': 't/A10.xml'}, 'fates.csv': {}}
    >>> match_files(["p1/A1_x.csv"], ["p1_A1"], {"p1_A1": "p1/A1.ome.tif"})
    {'{image}_x.csv': {'p1_A1': 'p1/A1_x.csv'}}
    """
    longest = sorted(names, key=len, reverse=True)
    beside = {name_file(IMAGE, name, image): name for name, image in (images or {}).items()}
    matched: dict[str, dict[str, str]] = {}
    for file in files:
        stem, dot, ending = file.rpartition(".")
        for name in longest:
            whole = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
            if name in stem and re.search(whole, stem):
                template = re.sub(whole, PLACEHOLDER.replace("\\", r"\\"), stem) + dot + ending
                matched.setdefault(template, {})[name] = file
                break
        else:
            starts = [one for one in beside if file.startswith(one) and not file[len(one) :][:1].isalnum()]
            if starts:
                start = max(starts, key=len)
                matched.setdefault(IMAGE + file[len(start) :], {})[beside[start]] = file
            else:
                matched.setdefault(file, {})
    return matched


def match_parts(files: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Match files with recordings of which their names say a part, or something more: the file of each that fits one.

    Words and numbers of the one must stand in the other, in this order; words that all files have, and no recording, do
    not count. Where names of files do not tell, those of their folders count, too.

    Examples
    --------
    >>> match_parts(["B03_s1.xml", "B03_s2.xml"], ["day1_B03_s1", "day1_B03_s2"])
    {'day1_B03_s1': 'B03_s1.xml', 'day1_B03_s2': 'B03_s2.xml'}
    >>> match_parts(["HeLa_s1_tracks.csv", "HeLa_s2_tracks.csv"], ["HeLa_1", "HeLa_2"])
    {'HeLa_1': 'HeLa_s1_tracks.csv', 'HeLa_2': 'HeLa_s2_tracks.csv'}
    >>> match_parts(["x/tracks.csv", "y/tracks.csv"], ["x_movie", "y_movie"])
    {'x_movie': 'x/tracks.csv', 'y_movie': 'y/tracks.csv'}
    """
    by_name = _match_words({file: _parts(PurePosixPath(file).name.partition(".")[0]) for file in files}, names)
    return by_name or _match_words({file: _parts(file.rpartition(".")[0]) for file in files}, names)


def _match_words(words: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, str]:
    recordings = {name: _parts(name) for name in names}
    shared = set.intersection(*map(set, words.values())) if words else set()
    shared -= {part for parts in recordings.values() for part in parts}
    found: dict[str, list[str]] = {}
    for file, parts in words.items():
        told = [part for part in parts if part not in shared]
        fits = [name for name, of_name in recordings.items() if told and (_in(told, of_name) or _in(of_name, told))]
        if len(fits) == 1:
            found.setdefault(fits[0], []).append(file)
    return {name: fitting[0] for name, fitting in found.items() if len(fitting) == 1}


def rename(file: str, name: str) -> str:
    """Call a file like its recording, and keep its ending and the word before it.

    Examples
    --------
    >>> rename("tm/B03_s1_spots.csv.gz", "day1_B03_s1"), rename("B03_s1.xml", "day1_B03_s1")
    ('day1_B03_s1_spots.csv.gz', 'day1_B03_s1.xml')
    """
    ending = re.search(r"(?:_(?P<word>[A-Za-z]+))?\.\w+(?:\.gz)?$", file)
    kept = ending[0] if ending else ""
    word = ending["word"] if ending else None
    return name + (kept.removeprefix(f"_{word}") if word and word.lower() in _parts(name) else kept)


def _parts(name: str) -> list[str]:
    return re.findall(r"\d+|[^\W\d_]+", name.lower())


def _in(parts: Sequence[str], others: Sequence[str]) -> bool:
    """Whether parts stand in others, in this order."""
    left = iter(others)
    return all(part in left for part in parts)


def fullest(templates: Iterable[str], matched: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Give the templates of the most recordings; several where they have equally many."""
    listed = list(templates)
    most = max((len(matched[template]) for template in listed), default=0)
    return [template for template in listed if len(matched[template]) == most]
