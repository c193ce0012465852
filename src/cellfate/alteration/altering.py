"""A study with altered pixels and invented fates, made of the crops of another: a stretch of each chosen cell.

Shape suffixes: t frames of a cell, n frames of many cells, c channels, h rows, w columns.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.alteration.pixels import change_grain, dim, lay_beside
from cellfate.alteration.planning import list_altered_truth, plan_alterations
from cellfate.alteration.settings import AlterationSettings
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, Cells, Detections, Truth
from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings


@dataclass(frozen=True, eq=False)
class AlteredCrops:
    """Crops of the chosen cells, altered while iterating: one recording at a time.

    Attributes
    ----------
    store : CropStore
        Crops of the study; they stay as they are.
    plan : DataFrame
        Table of `planning.plan_alterations`.
    alteration : AlterationSettings
        How pixels are altered.
    features : FeatureSettings
        How a cell without a mask is found.
    """

    store: CropStore
    plan: pd.DataFrame
    alteration: AlterationSettings
    features: FeatureSettings

    @property
    def settings(self) -> CropSettings:
        """The settings that made the crops."""
        return self.store.settings

    def __len__(self) -> int:
        """Count the recordings."""
        return self.plan["recording_id"].nunique()

    def __iter__(self) -> Iterator[RecordingCrops]:
        """Read and alter one recording after the other."""
        for recording_id, rows in self.plan.groupby("recording_id", sort=True):
            ordered = rows.sort_values("cell_id").to_dict("records")
            yield self._join(str(recording_id), [self.alter(row) for row in ordered])

    def alter(self, row: dict[Hashable, Any]) -> tuple[CellSequence, NDArray[Any]]:
        """Read one cell of the plan; give its sequence as it is, and its frames (T, C, H, W) altered."""
        sequence = self.store.read(row["recording_id"], row["cell_id"], row["first_frame"], row["event_frame"])
        if pd.isna(row["window_first_frame"]):
            return sequence, sequence.frames_tchw
        frames_t = sequence.frame_numbers_t
        at = np.flatnonzero((frames_t >= row["window_first_frame"]) & (frames_t <= row["window_last_frame"]))
        altered_tchw = sequence.frames_tchw.copy()
        altered_tchw[at] = self._alter_frames(sequence.take(at), row)
        return sequence, altered_tchw

    def _alter_frames(self, window: CellSequence, row: dict[Hashable, Any]) -> NDArray[Any]:
        masks_thw, strength = self._masks(window), self.alteration.strength
        assert strength is not None  # the settings see to it
        if self.alteration.kind == "neighbour":
            visitor = self._read_visitor(row, len(window.frame_numbers_t))
            own, other = ((each.frames_tchw, self._masks(each), each.inside_thw) for each in (window, visitor))
            return lay_beside(own, other, row["angle"], strength)
        altered_tchw, c = window.frames_tchw.copy(), find_channel(self.store.channels, self.alteration)
        frames_thw = altered_tchw[:, c]
        altered_tchw[:, c] = (
            dim(frames_thw, masks_thw, window.inside_thw, strength)
            if self.alteration.kind == "brightness_dip"
            else change_grain(frames_thw, masks_thw, strength, self.alteration.grain_px)
        )
        return altered_tchw

    def _masks(self, sequence: CellSequence) -> NDArray[np.bool_]:
        return find_masks(sequence, self.store.channels, self.features)

    def _read_visitor(self, row: dict[Hashable, Any], n_frames: int) -> CellSequence:
        """Read as many frames of the visitor, from its first kept one on; the last is used again where it has fewer."""
        whose = (self.plan["recording_id"] == row["visitor_recording"]) & (self.plan["cell_id"] == row["visitor_cell"])
        kept = self.plan[whose].iloc[0]
        visitor = self.store.read(
            row["visitor_recording"], row["visitor_cell"], kept["first_frame"], kept["last_shown"]
        )
        return visitor.take(np.minimum(np.arange(n_frames), len(visitor.frame_numbers_t) - 1))

    def _join(self, recording_id: str, cells: list[tuple[CellSequence, NDArray[Any]]]) -> RecordingCrops:
        sequences = [sequence for sequence, _ in cells]
        masks = [sequence.masks_thw for sequence in sequences if sequence.masks_thw is not None]
        height_px, width_px = self.store.image_shape(recording_id)
        return RecordingCrops(
            recording_id=recording_id,
            channels=self.store.channels,
            frame_interval_min=sequences[0].frame_interval_min,
            height_px=height_px,
            width_px=width_px,
            frames_nchw=np.concatenate([frames_tchw for _, frames_tchw in cells]),
            masks_nhw=np.concatenate(masks) if masks else None,
            cell_ids=np.array([sequence.cell_id for sequence in sequences], dtype=np.int64),
            offsets=np.cumsum([0, *(len(sequence.frame_numbers_t) for sequence in sequences)]).astype(np.int64),
            frame_numbers=np.concatenate([sequence.frame_numbers_t for sequence in sequences]),
            y0_px=np.concatenate([sequence.y0_px for sequence in sequences]),
            x0_px=np.concatenate([sequence.x0_px for sequence in sequences]),
        )


def alter_study(
    crops: CropStore,
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    recordings: pd.DataFrame,
    frame_features: pd.DataFrame,
    alteration: AlterationSettings,
    follow_up: FollowUpSettings,
    features: FeatureSettings,
) -> tuple[AlteredCrops, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make a study whose answer is known of one whose answer is not: its pixels, altered, with invented fates.

    Parameters
    ----------
    crops : CropStore
        Crops of the study.
    detections, cells, recordings, frame_features : DataFrame
        Its tables `Detections`, `Cells`, `Recordings` and `FrameFeatures`.
    alteration, follow_up, features
        What is planted; hours that no model is shown; how a cell without a mask is found.

    Returns
    -------
    crops : AlteredCrops
        To be written by `write_crops`.
    detections, cells, truth : DataFrame
        Tables `Detections`, of the chosen cells what is kept of them and of all others everything, so that they are
        neighbours; `Cells`, the chosen ones, with invented fates; and `Truth`.

    Raises
    ------
    InputError
        If too few cells are long enough, or the channel that is to be altered is not there.
    """
    channel = crops.channels[find_channel(crops.channels, alteration)]
    interval_min = float(recordings["frame_interval_min"].iloc[0])
    measured = frame_features[frame_features["recording_id"].isin(crops.recording_ids)]
    plan = plan_alterations(cells, measured, interval_min, follow_up.guard_h, alteration)
    truth = list_altered_truth(plan, alteration, channel)
    altered = AlteredCrops(crops, plan, alteration, features)
    kept = _keep_detections(detections, plan)
    return altered, Detections.validate(kept), Cells.validate(_invent_fates(cells, plan, truth)), Truth.validate(truth)


def find_channel(channels: tuple[str, ...], alteration: AlterationSettings) -> int:
    """Find the number of the channel that is altered.

    Raises
    ------
    InputError
        If there is no such channel.
    """
    if alteration.channel is None:
        return 0
    if alteration.channel not in channels:
        raise InputError(
            f"Parameter alteration.channel is '{alteration.channel}', but the crops have the channels "
            f"{', '.join(channels)}; name one of these, or null for the first."
        )
    return channels.index(alteration.channel)


def _keep_detections(detections: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    bounds = detections[CELL].merge(plan[[*CELL, "first_frame", "event_frame"]], on=CELL, how="left")
    frames = detections["frame"].to_numpy()
    outside = (frames < bounds["first_frame"].to_numpy()) | (frames > bounds["event_frame"].to_numpy())
    return detections[~outside].reset_index(drop=True)


def _invent_fates(cells: pd.DataFrame, plan: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Rows of the chosen cells with their invented fates; parents that were not chosen are not known."""
    facts = plan[[*CELL, "first_frame", "event_frame"]].assign(fate=truth["fate"].to_numpy())
    rest = cells.drop(columns=["first_frame", "last_frame", "fate", "event_frame"])
    invented = rest.merge(facts, on=CELL, validate="one_to_one").assign(last_frame=lambda rows: rows["event_frame"])
    named = pd.MultiIndex.from_frame(invented[CELL])
    mothers = pd.MultiIndex.from_arrays([invented["recording_id"], invented["parent_id"].fillna(-1)])
    invented["parent_id"] = invented["parent_id"].where(mothers.isin(named))
    return invented.astype({"event_frame": "Int64"})
