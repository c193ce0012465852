"""Which cells of a study are altered, when, and what fate is invented for them: from tables alone."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.alteration.settings import ALTERING, AlterationSettings
from cellfate.cohort.guard import guard_frames
from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.core.tables import CELL, FRAME


def plan_alterations(
    cells: pd.DataFrame,
    frame_features: pd.DataFrame,
    frame_interval_min: float,
    guard_h: float,
    settings: AlterationSettings,
) -> pd.DataFrame:
    """Choose cells, deal out their fates, and draw the hours in which the altered ones are altered.

    Parameters
    ----------
    cells, frame_features : DataFrame
        Tables `Cells` and `FrameFeatures` of the study.
    frame_interval_min : float
        Minutes between two frames.
    guard_h : float
        Hours before the event that no model is shown: alterations end before.
    settings : AlterationSettings
        What is planted.

    Returns
    -------
    DataFrame
        One row a cell: recording_id, cell_id, group_id; first_frame and last_frame of what is kept, and the invented
        event's `event_frame`, the last of them; last_shown; block, area (px^2) and `dies`; window_first_frame and
        window_last_frame, null where nothing is altered; visitor_recording and visitor_cell of another group, and the
        `angle` at which it lies (radians).

    Raises
    ------
    InputError
        If fewer than two cells are tracked, and found in every frame, for long enough.
    """
    rng = np.random.default_rng(settings.seed)
    chosen = _choose_cells(cells, frame_features, frame_interval_min, guard_h, settings, rng)
    large = (chosen.groupby("block")["area"].rank(method="first", pct=True) > 0.5).to_numpy()
    dies = large if settings.kind == "size" else permute_within_blocks(large, chosen["block"].to_numpy(), rng)
    plan = chosen.assign(dies=dies, angle=rng.uniform(0, 2 * np.pi, len(chosen)))
    window = _frames(settings.window_h, frame_interval_min)
    latest = plan["last_shown"] - window + 1
    first = rng.integers(plan["first_frame"], np.maximum(latest, plan["first_frame"]) + 1)
    altered = pd.Series(dies & (settings.kind in ALTERING), index=plan.index)
    plan["window_first_frame"] = pd.Series(first, index=plan.index).astype("Int64").where(altered)
    plan["window_last_frame"] = plan["window_first_frame"] + window - 1
    visitors = _draw_visitors(plan["group_id"].to_numpy(), rng)
    plan["visitor_recording"] = plan["recording_id"].to_numpy()[visitors]
    plan["visitor_cell"] = plan["cell_id"].to_numpy()[visitors]
    return plan


def permute_within_blocks(outcomes_n: NDArray[Any], blocks_n: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Deal the outcomes of each block out anew among its cells: what a block tells of them stays, and nothing else.

    Parameters
    ----------
    outcomes_n, blocks_n : ndarray, shape (N,)
        Outcome and block of every cell.
    rng : numpy.random.Generator
        Source of the permutations.

    Examples
    --------
    >>> permute_within_blocks(np.array([1, 1, 0]), np.array([0, 0, 1]), np.random.default_rng(0)).tolist()
    [1, 1, 0]
    """
    dealt_n = outcomes_n.copy()
    for block in np.unique(blocks_n):
        places = np.flatnonzero(blocks_n == block)
        dealt_n[places] = rng.permutation(outcomes_n[places])
    return dealt_n


def list_altered_truth(plan: pd.DataFrame, settings: AlterationSettings, channel: str) -> pd.DataFrame:
    """Tell what decided each cell's invented fate, and when.

    Returns
    -------
    DataFrame
        Table `Truth`, one row a cell. What decides is `channel` where it was altered, `surroundings` where another cell
        was laid beside, and `area` where size decides; null in cells that were not altered, since what decides there is
        in no frame. Size has no hours: its window is null. No log odds were planted, so `strength` and `oracle_logit`
        are null. Beside the schema's columns: `dies`, `area` (px^2) and `block`.
    """
    decides = {"neighbour": "surroundings", "size": "area"}.get(settings.kind, channel)
    decided = plan["window_first_frame"].notna() | (settings.kind == "size")
    kept = plan[[*CELL, "window_first_frame", "window_last_frame", "dies", "area", "block"]]
    return kept.assign(
        fate=np.where(plan["dies"], APOPTOSIS, MITOSIS),
        deciding_channel=pd.Series(decides, index=plan.index, dtype=object).where(decided, None),
        strength=np.nan,
        oracle_logit=np.nan,
    ).reset_index(drop=True)


def _choose_cells(
    cells: pd.DataFrame,
    frame_features: pd.DataFrame,
    frame_interval_min: float,
    guard_h: float,
    settings: AlterationSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Cells that are tracked, and found in every frame of what is kept, for long enough."""
    longest, shortest = (_frames(hours, frame_interval_min) for hours in (settings.longest_h, settings.shortest_h))
    guard = int(guard_frames(guard_h, frame_interval_min))
    frames = frame_features[[*FRAME, "segmented", "area"]].sort_values(FRAME)
    kept = frames.groupby(CELL).tail(longest)
    kept = kept.assign(event_frame=kept.groupby(CELL)["frame"].transform("max"))
    shown = kept[kept["frame"] < kept["event_frame"] - guard]
    late = shown[shown["frame"] >= shown["event_frame"] - guard - _frames(settings.window_h, frame_interval_min)]
    facts = kept.groupby(CELL).agg(
        first_frame=("frame", "min"),
        event_frame=("frame", "max"),
        n_frames=("frame", "size"),
        whole=("segmented", "all"),
    )
    facts["last_shown"] = shown.groupby(CELL)["frame"].max()
    facts["area"] = late.groupby(CELL)["area"].mean()
    usable = facts[(facts["n_frames"] >= shortest) & facts["whole"] & facts["area"].notna()].reset_index()
    if len(usable) < 2:
        raise InputError(
            f"{len(usable)} of {len(facts)} cells are tracked for {settings.shortest_h:g} h and found in every frame, "
            "but at least 2 are needed; lower shortest_h of parameter alteration."
        )
    usable["block"] = usable["event_frame"] // _frames(settings.block_h, frame_interval_min)
    drawn = np.sort(rng.permutation(len(usable))[: settings.max_cells])
    return usable.iloc[drawn].merge(cells[[*CELL, "group_id"]], on=CELL, validate="one_to_one")


def _draw_visitors(groups_n: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw for each cell one of another group, by place; one of all where there is but one group."""
    places_n = np.arange(len(groups_n))
    others = [places_n[groups_n != group] for group in groups_n]
    return np.array([rng.choice(other if len(other) else places_n) for other in others], dtype=np.int64)


def _frames(hours: float, frame_interval_min: float) -> int:
    """Whole number of frames nearest to a time, at least 1."""
    return max(1, round(hours * 60 / frame_interval_min))
