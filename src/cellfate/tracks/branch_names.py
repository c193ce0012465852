"""Names of the cells of a splitting track, as TrackMate gives them."""

import pandas as pd


def name_branches(spots: pd.DataFrame, parents: dict[int, int]) -> dict[int, str | None]:
    """Name every cell after its track, if that has a name: by the rule of TrackMate's action *Spot auto-naming*.

    The first cell of track `Track_12` is called `Track_12`, its daughters `Track_12.a` and `Track_12.b`, theirs
    `Track_12.aa` and `Track_12.ab`: by a letter a division, in the order of the x of the daughters' first spots.
    `spots` has cell_id, frame, x_px and track, the name of the track (null where the file gives none).

    Examples
    --------
    >>> spots = pd.DataFrame({"cell_id": [7, 8, 9], "frame": [0, 1, 1], "x_px": [5, 9, 3], "track": "Track_0"})
    >>> name_branches(spots, {8: 7, 9: 7})
    {7: 'Track_0', 9: 'Track_0.a', 8: 'Track_0.b'}
    """
    firsts = spots.sort_values(["frame", "cell_id"]).drop_duplicates("cell_id")
    mother = firsts["cell_id"].map(parents)
    place = firsts["x_px"].groupby(mother).rank(method="first")
    ordered = firsts.assign(mother=mother, place=place).sort_values(["frame", "place"])
    names: dict[int, str | None] = {}
    for cell, track, mother_id, number in ordered[["cell_id", "track", "mother", "place"]].itertuples(index=False):
        if pd.isna(mother_id):
            names[int(cell)] = None if pd.isna(track) else str(track)
            continue
        of_mother = names[int(mother_id)]
        stem = "" if of_mother is None else of_mother + ("" if int(mother_id) in parents else ".")
        names[int(cell)] = stem + chr(ord("a") + int(number) - 1) if stem else None
    return names
