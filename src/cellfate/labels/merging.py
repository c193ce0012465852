"""Labels over the study's own evidence: what becomes of each cell that somebody scored, and what is odd about it."""

import logging
from collections.abc import Hashable
from operator import itemgetter
from typing import Any, NamedTuple

import pandas as pd

from cellfate.core.fates import APOPTOSIS, CENSORED, EVENTS, UNSCORED, UNUSABLE
from cellfate.core.tables import CELL, DISAGREE, USED, LabelFindings, Labels
from cellfate.labels.contradictions import find_contradictions, part_unusable, tell
from cellfate.labels.label import MEANING
from cellfate.tracks.settings import TrackSettings

_log = logging.getLogger(__name__)


class Decision(NamedTuple):
    """What the labels of one cell come to."""

    labelled: str
    """One of `core.tables.LABELLED`."""
    fate: str
    event_frame: int | None
    """Of a censored cell the last frame in which it was watched, where a label says so."""
    training_only: bool


def apply_labels(
    cells: pd.DataFrame, detections: pd.DataFrame, recordings: pd.DataFrame, labels: pd.DataFrame, tracks: TrackSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Let labels decide the fate of the cells that they are of; what was recorded of these is kept beside it.

    Parameters
    ----------
    cells, detections, recordings : DataFrame
        Tables of the same names, by the study's own evidence.
    labels : DataFrame
        Table `Labels`.
    tracks : TrackSettings
        Whether the study states fates, and what becomes of cells of which none is stated.

    Returns
    -------
    cells : DataFrame
        Table `Cells`; the very table that was given where there is no label. Of a cell that was called lost, or
        neither, last_frame is the frame that was named, if one was.
    applied_labels : DataFrame
        Table `Labels`: those that were there, for later comparison.
    label_findings : DataFrame
        Table `LabelFindings`, the gravest first.

    Notes
    -----
    Scorers that agree are taken at their word; where their event frames differ, the earliest counts, so that nothing
    after an event is shown as before it. Where they do not agree, the cell is unscored until a label adjudicates.
    Labels that were given without forecasts decide the frame, and whether the cell may test, where there are any.
    """
    if labels.empty:
        return cells, labels, LabelFindings.empty()
    used, unused = part_unusable(labels, cells, detections, recordings)
    by_cell: dict[tuple[Any, Any], list[dict[Hashable, Any]]] = {}
    for row in used.to_dict("records"):
        by_cell.setdefault((row["recording_id"], row["cell_id"]), []).append(row)
    unwatched = _find_unwatched(cells, used, tracks)
    decided = []
    for cell in cells.assign(unwatched=unwatched).to_dict("records"):
        rows = by_cell.get((cell["recording_id"], cell["cell_id"]))
        decided.append(_decide(rows, cell) if rows else None)
    unlisted = _find_unlisted(cells, used, unwatched)
    merged = _merge(cells, decided, unlisted)
    notes = [unused, find_contradictions(used, merged), _tell_unlisted(unlisted, used, len(cells))]
    findings = LabelFindings.validate(pd.concat([LabelFindings.empty(), *notes], ignore_index=True))
    _report(merged, findings)
    return merged, Labels.validate(labels), findings


def _decide(rows: list[dict[Hashable, Any]], cell: dict[Hashable, Any]) -> Decision:
    """Decide about one cell from the labels of it, newest of each scorer."""
    settled = [row for row in rows if row["adjudicates"]]
    rows = [max(settled, key=itemgetter("at"))] if settled else rows
    meanings = {MEANING[row["fate"]] for row in rows}
    if len(meanings) > 1:
        return Decision(DISAGREE, UNSCORED, None, False)
    (fate,) = meanings
    if fate == UNUSABLE:
        return Decision(UNUSABLE, UNSCORED, None, False)
    independent = [row for row in rows if not row["training_only"]]
    frames = [int(row["event_frame"]) for row in independent or rows if not pd.isna(row["event_frame"])]
    frame = min(frames, default=None)
    recorded = UNSCORED if cell["unwatched"] else cell["fate"]
    recorded_frame = None if pd.isna(cell["event_frame"]) else int(cell["event_frame"])
    if fate in EVENTS and frame is None:
        frame = int(cell["last_frame"]) if recorded_frame is None or cell["fate"] != fate else recorded_frame
    only_confirms = recorded == fate and frame == recorded_frame
    return Decision(USED, fate, frame, not independent and not only_confirms)


def _find_unwatched(cells: pd.DataFrame, used: pd.DataFrame, tracks: TrackSettings) -> "pd.Series[bool]":
    """Tell of which cells nothing is known but by labels, because deaths are known from labels alone.

    Tracks show divisions, not deaths. Where the study states no fates and labels name deaths, a cell that nobody
    scored may have died unseen.
    """
    states_fates = tracks.states_fates or (cells["fate"] == APOPTOSIS).any()
    if states_fates or tracks.unlisted_cells != UNSCORED or not (used["fate"] == APOPTOSIS).any():
        return pd.Series(False, index=cells.index)
    return cells["fate"] == CENSORED


def _find_unlisted(cells: pd.DataFrame, used: pd.DataFrame, unwatched: "pd.Series[bool]") -> "pd.Series[bool]":
    """Tell which cells become unscored: those of which nothing is known, and nobody scored them.

    A cell that divides in its tracks is one of them where others of its recording are, as in
    `tracks.fates.settle_fates`.
    """
    labelled = pd.MultiIndex.from_frame(cells[CELL]).isin(pd.MultiIndex.from_frame(used[CELL]))
    silent = unwatched & ~labelled
    in_part: pd.Series[bool] = silent.groupby(cells["recording_id"]).transform("any").astype(bool)
    return in_part & ~labelled


def _merge(cells: pd.DataFrame, decided: list[Decision | None], unlisted: "pd.Series[bool]") -> pd.DataFrame:
    found = pd.DataFrame([each or (None, None, None, False) for each in decided], columns=list(Decision._fields))
    found.index = cells.index
    frame = found["event_frame"].astype("Int64")
    is_used, is_labelled = found["labelled"].eq(USED), found["labelled"].notna()
    ends = is_used & found["fate"].eq(CENSORED) & (frame >= cells["first_frame"]).fillna(False).astype(bool)
    last = cells["last_frame"].where(~ends, frame.fillna(0).clip(upper=cells["last_frame"]).astype("int64"))
    event = cells["event_frame"].mask(is_labelled | unlisted)
    return cells.assign(
        fate=cells["fate"].mask(unlisted, UNSCORED).mask(is_labelled, found["fate"]).astype("str"),
        event_frame=event.mask(is_used & found["fate"].isin(EVENTS), frame),
        last_frame=last,
        recorded_fate=cells["fate"],
        recorded_event_frame=cells["event_frame"],
        recorded_last_frame=cells["last_frame"],
        labelled=found["labelled"].astype("str"),
        training_only=found["training_only"].astype(bool),
    )


def _tell_unlisted(unlisted: "pd.Series[bool]", used: pd.DataFrame, n_cells: int) -> pd.DataFrame:
    if not unlisted.any():
        return LabelFindings.empty()
    text = (
        f"Deaths are known from {int((used['fate'] == APOPTOSIS).sum())} labels alone, so the {int(unlisted.sum())} of "
        f"{n_cells} cells that nobody scored are taken as unscored; if every death was labelled, set "
        "tracks.unlisted_cells to censored."
    )
    _log.warning(text)
    return tell("unlisted", [{"finding": text}])


def _report(cells: pd.DataFrame, findings: pd.DataFrame) -> None:
    counts = cells["labelled"].value_counts()
    only = int(cells["training_only"].sum())
    text = "Labels decide of %d cells (%d train and never test), set %d aside as unusable and %d that scorers differ on"
    _log.info(text, counts.get(USED, 0), only, counts.get(UNUSABLE, 0), counts.get(DISAGREE, 0))
    if len(findings):
        _log.warning("%d findings about labels, the first: %s", len(findings), findings["finding"].iloc[0])
