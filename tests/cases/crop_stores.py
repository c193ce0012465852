"""A tiny crop store without images: cells whose fate is told by one bright channel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.cohort.splits import split_cells
from cellfate.core.tables import Cells, Detections, Recordings
from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops

CHANNELS = ("circadian", "p53", "cell_cycle")
FATES = ("apoptosis", "mitosis", "apoptosis", "mitosis", "censored")
DOSES = ("Control", "High")
IMAGE_PX = 64
FRAME_INTERVAL_MIN = 30.0


def tiny_store(
    tmp_path: Path,
    n_recordings: int = 6,
    cells_per_recording: int = 5,
    n_frames: int = 12,
    channels: int = 3,
    size: int = 16,
    seed: int = 0,
    signal: float = 400.0,
) -> tuple[CropStore, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write a crop store of random cells and give it with its tables.

    Cells of a recording take the fates apoptosis, mitosis, apoptosis, mitosis, censored, in turn. The second
    channel (or the only one) is brighter by `signal` in cells that will die. A cell starts at a frame
    of 0..2 and ends up to 2 frames before the last, so lengths differ. The cell with id 1 touches the image's corner.

    Returns
    -------
    CropStore, recordings, detections, cells
        Masks are given (a disc), parents are unknown, recordings take the doses Control and High in turn.
    """
    generator = np.random.default_rng(seed)
    names = (CHANNELS + tuple(f"channel_{c}" for c in range(3, channels)))[:channels]
    crops, detections, cells = [], [], []
    for number in range(n_recordings):
        recording_id = f"{number:02d}"
        tracks = [_track(generator, cell, n_frames) for cell in range(cells_per_recording)]
        detections.append(_detections(generator, recording_id, tracks))
        cells.append(_cells(recording_id, tracks))
        crops.append(_crops(generator, recording_id, names, tracks, detections[-1], size, signal))
    settings = CropSettings(height_px=size, width_px=size, chunk_frames=4)
    write_crops(tmp_path / "crops.zarr", crops, settings)
    recordings = _recordings(n_recordings, n_frames, names)
    tables = Recordings.validate(recordings), Detections.validate(pd.concat(detections, ignore_index=True))
    return CropStore(tmp_path / "crops.zarr"), *tables, Cells.validate(pd.concat(cells, ignore_index=True))


@dataclass(frozen=True, eq=False)
class TinyStudy:
    """A crop store with every table that `data_processing` makes of it."""

    crops: CropStore
    recordings: pd.DataFrame
    detections: pd.DataFrame
    cells: pd.DataFrame
    follow_ups: pd.DataFrame
    landmarks: pd.DataFrame
    splits: pd.DataFrame


TINY_FOLLOW_UP = FollowUpSettings(
    guard_h=0.5, bin_h=0.5, horizon_h=2.5, report_h=(1.0, 2.0), headline_h=2.0, min_frames=3, stride_frames=2
)
"""Follow-ups of 12 frames of 30 min: landmarks from the third frame of a cell on."""
TINY_SPLITS = SplitSettings(scheme="grouped_folds", n_folds=3, validation_share=0.25)


def tiny_study(
    tmp_path: Path,
    follow_up: FollowUpSettings = TINY_FOLLOW_UP,
    splits: SplitSettings = TINY_SPLITS,
    **store_arguments: int | float,
) -> TinyStudy:
    """The store of `tiny_store` (its arguments may follow) with follow-ups, landmarks and splits."""
    crops, recordings, detections, cells = tiny_store(tmp_path, **store_arguments)
    follow_ups, _ = follow_cells(detections, cells, recordings, follow_up)
    landmarks = list_landmarks(detections, follow_ups, follow_up)
    parts = split_cells(follow_ups, cells, detections, follow_up, splits)
    return TinyStudy(crops, recordings, detections, cells, follow_ups, landmarks, parts)


def _track(generator: np.random.Generator, cell: int, n_frames: int) -> dict[str, int | str]:
    first = int(generator.integers(0, 3))
    last = n_frames - 1 - int(generator.integers(0, 3))
    return {"cell_id": cell + 1, "first": first, "last": last, "fate": FATES[cell % len(FATES)]}


def _recordings(n_recordings: int, n_frames: int, names: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        {
            "recording_id": f"{number:02d}",
            "source": f"{number:02d}",
            "axes": "TCYX",
            "channels": "|".join(names),
            "n_frames": n_frames,
            "height_px": IMAGE_PX,
            "width_px": IMAGE_PX,
            "dtype": "uint16",
            "frame_interval_min": FRAME_INTERVAL_MIN,
            "pixel_size_um": 0.65,
            "condition": DOSES[number % 2],
            "dose": DOSES[number % 2],
            "group_id": f"{number:02d}",
        }
        for number in range(n_recordings)
    ]
    return pd.DataFrame(rows)


def _detections(generator: np.random.Generator, recording_id: str, tracks: list[dict[str, int | str]]) -> pd.DataFrame:
    tables = []
    for track in tracks:
        frames = np.arange(int(track["first"]), int(track["last"]) + 1)
        start = np.array([1.0, 1.0]) if track["cell_id"] == 1 else generator.uniform(12, IMAGE_PX - 12, 2)
        centres = start + np.cumsum(generator.normal(0, 0.2, (len(frames), 2)), axis=0)
        tables.append(
            pd.DataFrame(
                {
                    "recording_id": recording_id,
                    "cell_id": track["cell_id"],
                    "frame": frames,
                    "y_px": centres[:, 0],
                    "x_px": centres[:, 1],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _cells(recording_id: str, tracks: list[dict[str, int | str]]) -> pd.DataFrame:
    censored = [track["fate"] == "censored" for track in tracks]
    return pd.DataFrame(
        {
            "recording_id": recording_id,
            "cell_id": [track["cell_id"] for track in tracks],
            "parent_id": pd.array([pd.NA] * len(tracks), dtype="Int64"),
            "lineage_id": pd.Series([None] * len(tracks), dtype=object),
            "first_frame": [track["first"] for track in tracks],
            "last_frame": [track["last"] for track in tracks],
            "fate": [track["fate"] for track in tracks],
            "event_frame": pd.array(
                [pd.NA if lost else int(track["last"]) + 1 for track, lost in zip(tracks, censored, strict=True)],
                dtype="Int64",
            ),
            "group_id": recording_id,
        }
    )


def _crops(
    generator: np.random.Generator,
    recording_id: str,
    names: tuple[str, ...],
    tracks: list[dict[str, int | str]],
    detections: pd.DataFrame,
    size: int,
    signal: float,
) -> RecordingCrops:
    n = len(detections)
    centres = np.floor(detections[["y_px", "x_px"]].to_numpy() + 0.5).astype(np.int64)
    y0_px, x0_px = (centres - size // 2).T
    distances = np.hypot(*(np.indices((size, size)) - (size - 1) / 2))
    disc_hw = distances <= size / 4
    inside_nhw = ((y0_px[:, None] + np.arange(size)) >= 0)[:, :, None] & ((x0_px[:, None] + np.arange(size)) >= 0)[
        :, None
    ]
    frames = generator.normal(1000, 50, (n, len(names), size, size)) + 300 * disc_hw
    dying = {track["cell_id"] for track in tracks if track["fate"] == "apoptosis"}
    frames[detections["cell_id"].isin(dying).to_numpy(), min(1, len(names) - 1)] += signal * disc_hw
    lengths = [int(track["last"]) - int(track["first"]) + 1 for track in tracks]
    return RecordingCrops(
        recording_id=recording_id,
        channels=names,
        frame_interval_min=FRAME_INTERVAL_MIN,
        height_px=IMAGE_PX,
        width_px=IMAGE_PX,
        frames_nchw=np.where(inside_nhw[:, None], frames, 0).astype(np.uint16),
        masks_nhw=disc_hw & inside_nhw,
        cell_ids=np.array([track["cell_id"] for track in tracks], dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        frame_numbers=detections["frame"].to_numpy(np.int64),
        y0_px=y0_px,
        x0_px=x0_px,
    )
