"""Names of recordings in names of files: which file belongs to which recording, and the template that says so."""

import re
from collections.abc import Iterable, Mapping, Sequence

from cellfate.tracks.settings import PLACEHOLDER


def match_files(files: Iterable[str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Sort files by template and recording.

    Parameters
    ----------
    files : iterable of str
        Paths relative to the recordings' folder.
    names : sequence of str
        Recordings. A name counts where no letter or digit stands beside it; of two, the longer.

    Returns
    -------
    dict of str to dict of str to str
        For each template, with `{recording_id}` in the place of the name, the file of each recording. A file in which
        no name stands is a template of its own, without recordings.

    Examples
    --------
    >>> match_files(["t/A1.xml", "t/A10.xml", "fates.csv"], ["A1", "A10"])
    {'t/{recording_id}.xml': {'A1': 't/A1.xml', 'A10': 't/A10.xml'}, 'fates.csv': {}}
    """
    longest = sorted(names, key=len, reverse=True)
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
            matched.setdefault(file, {})
    return matched


def fullest(templates: Iterable[str], matched: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Give the templates of the most recordings; several where they have equally many."""
    listed = list(templates)
    most = max((len(matched[template]) for template in listed), default=0)
    return [template for template in listed if len(matched[template]) == most]
