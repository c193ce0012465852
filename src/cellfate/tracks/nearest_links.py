"""Links between the spots of a track where a file says which spots a track has, but not which came from which."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.tracks.records import Remark

CHECK = "nearest_links"


def link_nearest(spots: pd.DataFrame) -> NDArray[np.int64]:
    """Link every spot to the nearest end of the branches that its track has before it.

    So a track branches where two spots of a frame continue the same end, a branch may miss frames, and none merge.
    `spots` has spot_id, track, frame, y_px and x_px; numbers of the earlier and the later spot are given back, shape
    (M, 2).
    """
    links: list[tuple[int, int]] = []
    numbers, places = spots["spot_id"].to_numpy(np.int64), spots.assign(place=np.arange(len(spots)))
    for _, track in places.groupby("track"):
        ends = np.zeros((0, 3))
        for _, frame in track.groupby("frame"):
            new = frame[["place", "y_px", "x_px"]].to_numpy(np.float64)
            if len(ends):
                way = new[:, None, 1:] - ends[None, :, 1:]
                nearest = (way**2).sum(axis=2).argmin(axis=1)
                links += zip(ends[nearest, 0].astype(int), new[:, 0].astype(int), strict=True)
                ends = np.delete(ends, nearest, axis=0)
            ends = np.concatenate([ends, new])
    return numbers[np.array(links, np.int64).reshape(-1, 2)]


def tell_nearest(file: str, spots: pd.DataFrame, advice: str) -> Remark:
    """Say in how many tracks it is nearness that tells who came from whom, and what to do about it."""
    branching = spots.loc[spots.duplicated(["track", "frame"]), "track"].unique()
    sentence = (
        f"{len(branching)} track(s) in {file} have several spots in a frame, the first is track {branching.min()}, and "
        "no table says which are linked: each spot was linked to the nearest branch of its track, and cells have the "
        f"numbers of their first spots; {advice}."
    )
    return Remark(CHECK, sentence)
