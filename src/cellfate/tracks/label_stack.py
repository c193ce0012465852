"""Importer of a stack of tracked labels: one TIFF with a label image a frame, in which a cell keeps its number.

Positions are the centroids of the labels. Who came from whom is read from a file beside it (`graph_file`), if there is
one: a table of labels and parents, the `res_track.txt` of the Challenge, or JSON. A cell with two daughters divides; a
label that only ends is censored.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import as_whole
from cellfate.imaging.tiff_axes import label_axes
from cellfate.imaging.tiff_series import TiffSeries, open_series
from cellfate.tracks.label_positions import place_labels
from cellfate.tracks.parent_files import read_parents
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.stated import StatedFacts, compare_facts


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the labels of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    stack = open_labels(path)
    facts = StatedFacts(path.name, stack.size("X"), stack.size("Y"), stack.size("T"))
    marks = place_labels(_read_frames(stack))
    parents, remarks = read_parents(source, tracks, np.unique(marks["cell_id"].to_numpy(np.int64)))
    return make_tracked(marks, parents, remarks=(*remarks, *compare_facts(facts, source)))


def open_labels(path: Path) -> TiffSeries:
    """Open a stack of labels; an InputError says what else the file holds."""
    images = open_series(path)
    axes, kind = str(images[0].axes), np.dtype(images[0].dtype).kind
    if len(images) != 1 or axes[-2:] != "YX" or len(axes) > len("TYX") or kind not in "iu":
        raise InputError(
            f"File {path} has {len(images)} image(s) with axes {axes} of type {images[0].dtype}, but one stack of "
            "labels was expected: whole numbers, a page a frame (T, Y, X); save it so."
        )
    stack = label_axes(path, images[0], "TYX"[-len(axes) :], None)
    stack.check_complete()
    return stack


def _read_frames(stack: TiffSeries) -> Iterator[NDArray[np.integer]]:
    for frame in range(stack.size("T")):
        labels_yx = stack.read_frame(frame, "max")[0]
        yield as_whole(labels_yx, f"File {stack.path} has a label beyond 2^63; number the cells anew, from 1.")
