"""Cells given as arrays in memory, and what is not known of them.

Axes: t frames of one cell, c channels, h rows, w columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.cohort.follow_ups import CELL
from cellfate.core.errors import InputError
from cellfate.core.fates import UNSCORED
from cellfate.crops.store import CellSequence
from cellfate.features.landmarks import describe_landmarks
from cellfate.features.measurements import measure_cells
from cellfate.prediction.records import ClockConfig

ARRAYS: Final = "arrays"
"""Recording of cells that come from none."""


@dataclass(frozen=True, eq=False)
class CellInMemory:
    """One cell.

    Attributes
    ----------
    sequence : CellSequence
        Its crops; numbered from 0 where frame numbers are not known.
    numbered : bool
        Whether frame numbers are known.
    age_frames : int or None
        Frames for which it was tracked before the first that is given; None: not known.
    n_neighbors : ndarray of float64, shape (T,)
        Neighbours in each frame; NaN: not known.
    """

    sequence: CellSequence
    numbered: bool
    age_frames: int | None
    n_neighbors: NDArray[np.float64]

    def missing(self, kind: str) -> str:
        """Name what a kind of model would have used and was not given."""
        known = {"frame numbers": self.numbered}
        if kind == "clock":
            known |= {
                "mask": self.sequence.masks_thw is not None,
                "age": self.age_frames is not None,
                "neighbours": not np.isnan(self.n_neighbors).any(),
            }
        return ", ".join(name for name, is_known in known.items() if not is_known)


@dataclass(frozen=True, eq=False)
class CellsInMemory:
    """Cells of the recording `arrays`, numbered from 0; they are read as those of a `CropStore`."""

    channels: tuple[str, ...]
    cells: tuple[CellInMemory, ...]

    def read(
        self,
        recording_id: str,
        cell_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        with_masks: bool = True,
    ) -> CellSequence:
        """Read the crops of a cell; see `CropStore.read`."""
        sequence = self.cells[cell_id].sequence
        frames_t = sequence.frame_numbers_t
        first = frames_t[0] if first_frame is None else first_frame
        last = frames_t[-1] if last_frame is None else last_frame
        found = sequence.take(np.flatnonzero((frames_t >= first) & (frames_t <= last)))
        return found if with_masks else replace(found, masks_thw=None)

    @property
    def tracks(self) -> pd.DataFrame:
        """One row a cell: recording_id, cell_id, first_frame, last_frame, n_frames."""
        return self.follow_ups[[*CELL, "first_frame", "last_frame", "n_frames"]]

    @property
    def detections(self) -> pd.DataFrame:
        """One row a cell and frame, without positions."""
        frames = [cell.sequence.frame_numbers_t for cell in self.cells]
        numbers = np.repeat(np.arange(len(frames)), [len(frames_t) for frames_t in frames])
        return pd.DataFrame({"recording_id": ARRAYS, "cell_id": numbers, "frame": np.concatenate(frames)})

    @property
    def follow_ups(self) -> pd.DataFrame:
        """Columns of table `FollowUps`; a track that began before the first given frame begins there."""
        frames = [cell.sequence.frame_numbers_t for cell in self.cells]
        last = np.array([frames_t[-1] for frames_t in frames])
        first = [frames_t[0] - (cell.age_frames or 0) for cell, frames_t in zip(self.cells, frames, strict=True)]
        return pd.DataFrame(
            {
                "recording_id": ARRAYS,
                "cell_id": np.arange(len(frames)),
                "group_id": ARRAYS,
                "dose": "unknown",
                "first_frame": np.array(first, dtype=np.int64),
                "last_frame": last,
                "n_frames": [len(frames_t) for frames_t in frames],
                "fate": UNSCORED,
                "event_frame": pd.array([pd.NA] * len(frames), dtype="Int64"),
                "end_frame": last,
                "frame_interval_min": [cell.sequence.frame_interval_min for cell in self.cells],
                "recording_frames": last + 1,
            }
        )

    def describe(self, landmarks: pd.DataFrame, config: ClockConfig) -> pd.DataFrame:
        """Give what boosted hazards see of landmarks; what is not known of a cell is NaN."""
        measured = measure_cells(self, self.detections.head(0), config.features)
        measured["n_neighbors"] = np.concatenate([cell.n_neighbors for cell in self.cells])
        inputs = describe_landmarks(measured, landmarks, config.blend.history_h)
        cells = [self.cells[cell_id] for cell_id in landmarks["cell_id"]]
        aged = np.array([cell.age_frames is not None for cell in cells])
        numbered = np.array([cell.numbered for cell in cells])
        return inputs.assign(
            age_h=inputs["age_h"].where(aged), born_in_view=inputs["born_in_view"].where(aged & numbered)
        )


def hold_cells(
    frames: ArrayLike | Sequence[ArrayLike],
    channels: Sequence[str],
    frame_interval_min: float,
    masks: Any = None,
    frame_numbers: Any = None,
    age_at_start_h: Any = None,
    n_neighbors: Any = None,
) -> CellsInMemory:
    """Take arrays as cells; see `Predictor.forecast_arrays`.

    Raises
    ------
    InputError
        If the arrays do not fit together.
    """
    single = isinstance(frames, np.ndarray) and frames.ndim == 4
    options = {"masks": masks, "frame_numbers": frame_numbers, "age_at_start_h": age_at_start_h}
    options |= {"n_neighbors": n_neighbors}
    arrays: list[Any] = [frames] if single else list(frames)  # type: ignore[arg-type]
    given = {name: [option] if single else _spread(name, option, len(arrays)) for name, option in options.items()}
    if not arrays:
        raise InputError("No cell is given; give one array (T, C, H, W), or a list of such arrays.")
    cells = [
        _hold_cell(number, array, tuple(channels), frame_interval_min, *(listed[number] for listed in given.values()))
        for number, array in enumerate(arrays)
    ]
    return CellsInMemory(tuple(channels), tuple(cells))


def _spread(name: str, option: Any, n_cells: int) -> list[Any]:
    """Give what is said of each of several cells."""
    listed = [None] * n_cells if option is None else list(option)
    if len(listed) != n_cells:
        raise InputError(f"{name} has {len(listed)} entries, but there are {n_cells} cells; give one (or None) a cell.")
    return listed


def _hold_cell(
    number: int,
    frames: ArrayLike,
    channels: tuple[str, ...],
    frame_interval_min: float,
    mask: ArrayLike | None,
    frame_numbers: ArrayLike | None,
    age_at_start_h: float | None,
    n_neighbors: ArrayLike | None,
) -> CellInMemory:
    frames_tchw = np.asarray(frames)
    expected = "frames (T, C, H, W) of finite numbers, at least one"
    is_whole = frames_tchw.ndim == 4 and len(frames_tchw) > 0 and np.isfinite(frames_tchw).all()
    _check(number, is_whole, f"an array of shape {frames_tchw.shape}", expected)
    n_frames = len(frames_tchw)
    frames_t = np.arange(n_frames) if frame_numbers is None else np.asarray(frame_numbers, dtype=np.int64)
    ascending = frames_t.shape == (n_frames,) and frames_t[0] >= 0 and bool((np.diff(frames_t) > 0).all())
    _check(number, ascending, f"frame numbers {frames_t.tolist()}", f"{n_frames} ascending ones from 0 on")
    masks_thw = None if mask is None else np.asarray(mask, dtype=bool)
    shape_thw = (n_frames, *frames_tchw.shape[2:])
    if masks_thw is not None:
        _check(number, masks_thw.shape == shape_thw, f"a mask of shape {masks_thw.shape}", f"{shape_thw}")
    old = age_at_start_h is None or 0 <= age_at_start_h < np.inf
    _check(number, old, f"the age {age_at_start_h} h at its first frame", "0 h or more, or None")
    known = np.full(n_frames, np.nan) if n_neighbors is None else np.asarray(n_neighbors, dtype=np.float64)
    _check(number, known.shape in ((), (n_frames,)), f"neighbours of shape {known.shape}", f"a number or ({n_frames},)")
    no_place = np.zeros(n_frames, dtype=np.int64)
    places = {"y0_px": no_place, "x0_px": no_place, "recording_id": ARRAYS, "cell_id": number}
    sequence = CellSequence(
        frames_tchw=frames_tchw,
        masks_thw=masks_thw,
        inside_thw=_find_inside(frames_tchw),
        frame_numbers_t=frames_t,
        channels=channels,
        frame_interval_min=float(frame_interval_min),
        **places,  # type: ignore[arg-type]
    )
    age_frames = None if age_at_start_h is None else round(age_at_start_h * 60 / frame_interval_min)
    return CellInMemory(sequence, frame_numbers is not None, age_frames, np.broadcast_to(known, n_frames).copy())


def _check(number: int, holds: object, found: str, expected: str) -> None:
    if not holds:
        raise InputError(f"Cell {number} of the arrays has {found}, but expected is {expected}.")


def _find_inside(frames_tchw: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels lie in the image: all but rows and columns at the border that are 0 in every channel."""
    lit_thw = (frames_tchw != 0).any(axis=1)
    rows_th, columns_tw = _between_first_and_last(lit_thw.any(axis=2)), _between_first_and_last(lit_thw.any(axis=1))
    return rows_th[:, :, None] & columns_tw[:, None, :]


def _between_first_and_last(lit_tn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    after_first_tn = np.logical_or.accumulate(lit_tn, axis=1)
    return after_first_tn & np.logical_or.accumulate(lit_tn[:, ::-1], axis=1)[:, ::-1]
