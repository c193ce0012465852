"""The table of cells as the page gets it: a list a column, for thousands of rows are sent at once."""

from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.spreadsheets import read_csv
from cellfate.core.tables import CELL
from cellfate.review.study import Study


def list_rows(study: Study, *, blind: bool) -> dict[str, list[Any]]:
    """List what the page shows of every cell.

    Parameters
    ----------
    study
        The study.
    blind
        Leave out what `HIDDEN_COLUMNS` names.

    Returns
    -------
    dict of list
        recording, cell, first, last, frames and, unless blind, name, condition, dose, group, fate and event_frame (by
        the study's own evidence), forecast, p_call, open (outcomes left open by the prediction set), findings (how many
        of the preflight), found (their sentences), mother, daughters, sisters (keys).
    """
    cells = study.cells
    about = study.recordings.set_index("recording_id").reindex(cells["recording_id"])
    columns: dict[str, list[Any]] = {
        "recording": cells["recording_id"].tolist(),
        "cell": cells["cell_id"].astype(int).tolist(),
        "first": cells["first_frame"].astype(int).tolist(),
        "last": cells["last_frame"].astype(int).tolist(),
        "frames": np.diff(study.detections.starts).tolist(),
    }
    if blind:
        return columns
    return columns | {
        "name": _plain(cells["cell_name"]) if "cell_name" in cells else [None] * len(cells),
        "condition": _plain(about["condition"]),
        "dose": _plain(about["dose"]),
        "group": _plain(cells["group_id"]),
        "fate": _plain(cells["fate"]),
        "event_frame": _plain(cells["event_frame"]),
        **_list_forecasts(study),
        **_list_findings(study),
        **_list_family(study),
    }


def _plain(column: "pd.Series[Any]") -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()


def _list_forecasts(study: Study) -> dict[str, list[Any]]:
    table = study.calls
    places = study.index.find(table["recording_id"], table["cell_id"].to_numpy(np.int64))
    known = table[places >= 0].set_axis(places[places >= 0]).reindex(range(len(study.cells)))
    sets = known["prediction_set"].astype(object)
    n_open = sets.map(lambda text: len(str(text).split(" or ")), na_action="ignore")
    return {
        "forecast": _plain(known["call"]),
        "p_call": _plain(known["p_call"].astype(float).round(3)),
        "open": _plain(n_open),
    }


def _list_findings(study: Study) -> dict[str, list[Any]]:
    path = study.source.find("preflight_findings")
    nothing: dict[str, list[Any]] = {"findings": [0] * len(study.cells), "found": [None] * len(study.cells)}
    if path is None:
        return nothing
    table = read_csv(path)[[*CELL, "finding"]].dropna(subset=CELL)
    places = study.index.find(table["recording_id"], table["cell_id"].to_numpy(np.int64))
    for place, sentence in zip(places.tolist(), table["finding"], strict=True):
        if place >= 0:
            nothing["findings"][place] += 1
            nothing["found"][place] = f"{nothing['found'][place] or ''}\n{sentence}".strip()
    return nothing


def _list_family(study: Study) -> dict[str, list[Any]]:
    """List keys of the mother, the daughters and the sisters of every cell."""
    cells = study.cells
    known = cells["parent_id"].notna().to_numpy()
    mothers = np.full(len(cells), -1)
    mothers[known] = study.index.find(cells["recording_id"][known], cells["parent_id"][known].to_numpy(np.int64))
    daughters: list[list[int]] = [[] for _ in range(len(cells))]
    for place in np.flatnonzero(mothers >= 0).tolist():
        daughters[mothers[place]].append(place)
    sisters = [[s for s in daughters[m] if s != p] if m >= 0 else [] for p, m in enumerate(mothers.tolist())]
    return {"mother": [None if m < 0 else m for m in mothers.tolist()], "daughters": daughters, "sisters": sisters}
