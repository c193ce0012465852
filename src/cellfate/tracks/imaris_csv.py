"""Importer of Imaris' statistics of positions (`..._Position.csv`): a row a spot, with the track that it belongs to.

Times count from 1. Positions are measured from the corner of the image: the centre of the first pixel is half a pixel.
The table does not say which spot came from which: a track is one cell, and where one has several spots in a frame,
spots are linked by nearness, and it is told.
"""

import pandas as pd

from cellfate.core.text_tables import real_numbers, whole_numbers
from cellfate.tracks.graphs import SpotGraph, cut_graph
from cellfate.tracks.marks import drop_untracked, read_columns
from cellfate.tracks.nearest_links import link_nearest, tell_nearest
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_features import add_text_features

_NEEDED = ("Position X", "Position Y", "Unit", "Time", "TrackID", "ID")
_HALF_PIXEL = 0.5


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the table of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    table = drop_untracked(read_columns(path, _NEEDED, features=tracks.spot_features), "TrackID", tracks, path)
    unit = tracks.position_unit or (table["Unit"].iloc[0] if len(table) else "px")
    spots = pd.DataFrame(
        {
            "track": whole_numbers(table["TrackID"], path),
            "spot_id": whole_numbers(table["ID"], path),
            "frame": whole_numbers(table["Time"], path) - 1,
            "y_px": source.to_pixels(real_numbers(table["Position Y"], path), unit, path) - _HALF_PIXEL,
            "x_px": source.to_pixels(real_numbers(table["Position X"], path), unit, path) - _HALF_PIXEL,
        }
    )
    spots = add_text_features(spots, table, tracks, path)
    if not spots.duplicated(["track", "frame"]).any():
        return make_tracked(spots.rename(columns={"track": "cell_id"}), None)
    graph = SpotGraph(path, spots["spot_id"].to_numpy(), spots["frame"].to_numpy(), link_nearest(spots), directed=True)
    cut = cut_graph(graph, tracks.on_merge)
    told = tell_nearest(path.name, spots, "look at some of these divisions in Imaris")
    return make_tracked(spots.assign(cell_id=cut.cell_ids), cut.parents, remarks=(told,))
