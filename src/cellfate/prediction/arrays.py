"""Cells given as arrays in memory, and what is not known of them.

Axes: t frames of one cell, c channels, h rows, w columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import UNSCORED
from cellfate.core.spot_features import SPOT_KIND, spot_column
from cellfate.crops.store import CellSequence
from cellfate.features.measurements import find_masks, measure_cells
from cellfate.features.summaries import describe_landmarks
from cellfate.prediction.records import ClassifierConfig, ClockConfig

ARRAYS: Final = "arrays"
"""Recording of cells that come from none."""
OPTIONS: Final = {
    "masks": "mask",
    "frame_numbers": "frame numbers",
    "age_at_start_h": "age",
    "n_neighbors": "neighbours",
}
"""What need not be given, and what it is called where it is missing."""
LARGEST_PIXEL: Final = 1e12
"""Larger values are from no camera, and their squares overflow."""
OLDEST_H: Final = 1e6
"""Hours; no cell is older."""
_OF_MANY_CELLS = 5
"""Axes of an array of several cells; with fewer it is taken for one cell."""


@dataclass(frozen=True, eq=False)
class CellsInMemory:
    """Cells of the recording `arrays`; they are read as those of a `CropStore`.

    Attributes
    ----------
    channels : tuple of str
        Channel names, in the order of axis c.
    sequences : dict of int to CellSequence
        Their crops, by cell; frames are numbered from 0 where their numbers are not known.
    n_neighbors_n : ndarray of float64
        Neighbours in all frames, cell by cell; NaN: not known.
    follow_ups : DataFrame
        Columns of table `FollowUps`, and one a value of `OPTIONS`: whether it was given; indexed by cell. A track that
        began before the first frame given begins there.
    spot_features : DataFrame of float32
        Columns of spot features, of all frames, cell by cell; without columns where the model asks for none.
    """

    channels: tuple[str, ...]
    sequences: Mapping[int, CellSequence]
    n_neighbors_n: NDArray[np.float64]
    follow_ups: pd.DataFrame
    spot_features: pd.DataFrame

    @property
    def tracks(self) -> pd.DataFrame:
        """One row a cell."""
        return self.follow_ups

    @property
    def crop_px(self) -> tuple[int, int]:
        """Rows and columns of a crop."""
        height_px, width_px = next(iter(self.sequences.values())).inside_thw.shape[1:]
        return height_px, width_px

    @property
    def detections(self) -> pd.DataFrame:
        """One row a cell and frame, without positions."""
        frames = [sequence.frame_numbers_t for sequence in self.sequences.values()]
        cells_n = np.repeat(list(self.sequences), [len(frames_t) for frames_t in frames])
        return pd.DataFrame({"recording_id": ARRAYS, "cell_id": cells_n, "frame": np.concatenate(frames)})

    def read(
        self,
        recording_id: str,
        cell_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        with_masks: bool = True,
    ) -> CellSequence:
        """Read the crops of a cell; see `CropStore.read`."""
        frames_t = self.sequences[cell_id].frame_numbers_t
        first = frames_t[0] if first_frame is None else first_frame
        last = frames_t[-1] if last_frame is None else last_frame
        found = self.sequences[cell_id].take(np.flatnonzero((frames_t >= first) & (frames_t <= last)))
        return found if with_masks else replace(found, masks_thw=None)

    def with_masks(self, config: ClassifierConfig | ClockConfig) -> Self:
        """Find the masks of all cells once; measuring and the network would else both look for them."""
        found = {
            cell_id: replace(sequence, masks_thw=find_masks(sequence, self.channels, config.features))
            for cell_id, sequence in self.sequences.items()
        }
        return replace(self, sequences=found)

    def measure(self, config: ClassifierConfig | ClockConfig) -> pd.DataFrame:
        """Measure the cells in all frames: table `FrameFeatures`; what is not known of a cell is NaN."""
        measured = measure_cells(self, self.detections.head(0), config.features)
        return pd.concat([measured.assign(n_neighbors=self.n_neighbors_n), self.spot_features], axis=1)

    def describe(self, landmarks: pd.DataFrame, measured: pd.DataFrame, config: ClockConfig) -> pd.DataFrame:
        """Give what boosted hazards see of landmarks; what is not known of a cell is NaN."""
        inputs = describe_landmarks(measured, landmarks, config.blend.history_h, config.told)
        given = self.follow_ups.loc[landmarks["cell_id"]]
        aged_n, numbered_n = given["age"].to_numpy(bool), given["frame numbers"].to_numpy(bool)
        known = {"age_h": aged_n, "born_in_view": aged_n & numbered_n, "recording_h": numbered_n}
        return inputs.assign(**{name: inputs[name].where(known_n) for name, known_n in known.items() if name in inputs})


def hold_cells(
    frames: Any,
    channels: Sequence[str],
    frame_interval_min: float,
    asked_features: Sequence[str] = (),
    spot_features: Any = None,
    **options: Any,
) -> CellsInMemory:
    """Take arrays as cells; options are the names of `OPTIONS`, see `Predictor.forecast_arrays`.

    `asked_features` are the spot features that the model has to be given.

    Raises
    ------
    InputError
        If the arrays do not fit together.
    """
    single = getattr(frames, "ndim", _OF_MANY_CELLS) < _OF_MANY_CELLS
    arrays = [frames] if single else _list("frames", frames)
    said = {name: [option] if single else _spread(name, option, len(arrays)) for name, option in options.items()}
    if not arrays:
        raise InputError("No cell is given; give one array (T, C, H, W), or a list of such arrays.")
    of_cells = [dict(zip(said, of_cell, strict=True)) for of_cell in zip(*said.values(), strict=True)]
    measured = [spot_features] if single else _spread("spot_features", spot_features, len(arrays))
    sequences, known = {}, []
    for number, (array, of_cell) in enumerate(zip(arrays, of_cells, strict=True)):
        sequences[number] = _hold_cell(number, array, tuple(channels), frame_interval_min, of_cell)
        known.append(_read_neighbors(number, of_cell["n_neighbors"], len(sequences[number].frame_numbers_t)))
    given = pd.DataFrame([{OPTIONS[name]: of_cell[name] is not None for name in OPTIONS} for of_cell in of_cells])
    ages_h = [_read_age_h(number, of_cell["age_at_start_h"]) for number, of_cell in enumerate(of_cells)]
    follow_ups = pd.concat([follow_arrays(list(sequences.values()), ages_h), given], axis=1)
    features = [
        _read_spot_features(number, of_cell, len(sequences[number].frame_numbers_t), asked_features)
        for number, of_cell in enumerate(measured)
    ]
    by_tracker = pd.concat(features, ignore_index=True)
    return CellsInMemory(tuple(channels), sequences, np.concatenate(known), follow_ups, by_tracker)


def name_channels(channels: Any, frame_interval_min: Any) -> tuple[str, ...]:
    """Give channel names as a tuple; an InputError if these are no names, or the interval is no number of minutes."""
    if isinstance(channels, str) or not isinstance(channels, Iterable):
        raise InputError(f"channels is {channels!r:.60}, but expected is a list of the names of axis C.")
    if not isinstance(frame_interval_min, int | float | np.number):
        raise InputError(f"frame_interval_min is {frame_interval_min!r:.60}, but expected is a number of minutes.")
    return tuple(map(str, channels))


def _list(name: str, given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        message = f"{name} is {given!r:.60}, but expected is a list with an entry a cell, or one cell as an array."
        raise InputError(message)
    return list(given)


def _spread(name: str, option: Any, n_cells: int) -> list[Any]:
    """Give what is said of each of several cells."""
    listed = [None] * n_cells if option is None else _list(name, option)
    if len(listed) != n_cells:
        raise InputError(f"{name} has {len(listed)} entries, but there are {n_cells} cells; give one (or None) a cell.")
    return listed


def _hold_cell(
    number: int, frames: Any, channels: tuple[str, ...], frame_interval_min: float, said: dict[str, Any]
) -> CellSequence:
    frames_tchw = _read_numbers(number, "frames", frames)
    shape, expected = frames_tchw.shape, "frames (T, C, H, W) of finite numbers, at least one"
    _check(number, len(shape) == 4 and shape[0] > 0, f"an array of shape {shape}", expected)
    n_odd = int((~((frames_tchw >= -LARGEST_PIXEL) & (frames_tchw <= LARGEST_PIXEL))).sum())
    _check(number, n_odd == 0, f"{n_odd} pixels that are not finite, or beyond {LARGEST_PIXEL:g}", expected)
    frames_t = _read_frame_numbers(number, said["frame_numbers"], shape[0])
    return CellSequence(
        frames_tchw=frames_tchw,
        masks_thw=_read_masks(number, said["masks"], (shape[0], *shape[2:])),
        inside_thw=_find_inside(frames_tchw),
        frame_numbers_t=frames_t,
        y0_px=np.zeros(shape[0], dtype=np.int64),
        x0_px=np.zeros(shape[0], dtype=np.int64),
        recording_id=ARRAYS,
        cell_id=number,
        channels=channels,
        frame_interval_min=float(frame_interval_min),
    )


def _read_numbers(number: int, name: str, given: Any) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except ValueError as error:  # lists of different lengths
        raise InputError(
            f"Cell {number} of the arrays has {name} that are no array ({error}); give an array."
        ) from error
    _check(number, array.dtype.kind in "biuf", f"{name} of type {array.dtype}", "numbers")
    return array


def _read_frame_numbers(number: int, given: Any, n_frames: int) -> NDArray[np.int64]:
    if given is None:
        return np.arange(n_frames)
    frames_t = _read_numbers(number, "frame numbers", given)
    whole = frames_t.shape == (n_frames,) and (frames_t == np.floor(frames_t)).all() and frames_t.max() < 2**31
    ascending = whole and frames_t[0] >= 0 and (np.diff(frames_t.astype(np.int64)) > 0).all()
    found = f"frame numbers {frames_t.tolist()!s:.80}"
    _check(number, ascending, found, f"{n_frames} ascending ones, whole, counted from 0")
    return frames_t.astype(np.int64)


def _read_masks(number: int, given: Any, shape_thw: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if given is None:
        return None
    masks_thw = _read_numbers(number, "masks", given)
    _check(number, masks_thw.shape == shape_thw, f"a mask of shape {masks_thw.shape}", f"one of {shape_thw}")
    for mask_hw in masks_thw:
        found = np.unique(mask_hw[mask_hw != 0])
        said = f"a mask with the values {found[:3].tolist()} in one frame"
        _check(number, len(found) <= 1 and (found == np.floor(found)).all(), said, "0 and one whole number, the cell")
    return masks_thw.astype(bool)


def _read_age_h(number: int, given: Any) -> float:
    age_h = _read_numbers(number, "age_at_start_h", 0 if given is None else given)
    known = age_h.shape == () and bool(0 <= age_h <= OLDEST_H)
    _check(number, known, f"age_at_start_h {given!r:.60}", f"0 or more hours, at most {OLDEST_H:g}, or None")
    return float(age_h)


def _read_neighbors(number: int, given: Any, n_frames: int) -> NDArray[np.float64]:
    counts = _read_numbers(number, "n_neighbors", np.nan if given is None else given).astype(np.float64)
    _check(number, counts.shape in ((), (n_frames,)), f"n_neighbors of shape {counts.shape}", f"one of {(n_frames,)}")
    odd = counts[~(np.isnan(counts) | ((counts >= 0) & np.isfinite(counts)))]
    _check(number, not odd.size, f"n_neighbors {odd[:3].tolist()}", "counts of cells, NaN where not known")
    return np.broadcast_to(counts, n_frames)


def _read_spot_features(number: int, given: Any, n_frames: int, asked: Sequence[str]) -> pd.DataFrame:
    """Columns of the spot features that the model asks for."""
    known = given if isinstance(given, Mapping) else {}
    columns = {}
    for name in asked:
        said = f"the spot feature {name}, one of those that the model was trained with ({', '.join(asked)}), in "
        _check(number, name in known, f"spot_features {list(known)}", f"{said}a mapping of names to arrays (T,)")
        values = _read_numbers(number, name, known[name])
        found = f"the spot feature {name} of shape {values.shape}"
        _check(number, values.shape == (n_frames,), found, f"one of {(n_frames,)}, NaN where it was not measured")
        columns[spot_column(name)] = values.astype(SPOT_KIND)
    return pd.DataFrame(columns, index=range(n_frames))


def _check(number: int, holds: object, found: str, expected: str) -> None:
    if not holds:
        raise InputError(f"Cell {number} of the arrays has {found}, but expected is {expected}.")


def _find_inside(frames_tchw: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels lie in the image: all but rows and columns at the border that are 0 in every channel."""
    lit_thw = (frames_tchw != 0).any(axis=1)
    between = []
    for lit_tn in (lit_thw.any(axis=2), lit_thw.any(axis=1)):
        from_first_tn = np.logical_or.accumulate(lit_tn, axis=1)
        between.append(from_first_tn & np.logical_or.accumulate(lit_tn[:, ::-1], axis=1)[:, ::-1])
    return np.asarray(between[0][:, :, None] & between[1][:, None, :])


def follow_arrays(sequences: Sequence[CellSequence], ages_h: Sequence[float]) -> pd.DataFrame:
    """Follow cells that had been tracked for so many hours at their first frame: columns of table `FollowUps`."""
    ids = [sequence.cell_id for sequence in sequences]
    last = np.array([sequence.frame_numbers_t[-1] for sequence in sequences])
    first = [
        sequence.frame_numbers_t[0] - round(age_h * 60 / sequence.frame_interval_min)
        for sequence, age_h in zip(sequences, ages_h, strict=True)
    ]
    return pd.DataFrame(
        {
            "recording_id": ARRAYS,
            "cell_id": ids,
            "group_id": ARRAYS,
            "dose": "unknown",
            "first_frame": first,
            "last_frame": last,
            "n_frames": [len(sequence.frame_numbers_t) for sequence in sequences],
            "fate": UNSCORED,
            "event_frame": pd.NA,
            "end_frame": last,
            "frame_interval_min": sequences[0].frame_interval_min,
            "recording_frames": last + 1,
        },
        index=pd.Index(ids),
    )
