"""From crops to the table of frame features, and neighbours."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameFeatures
from cellfate.features import FeatureSettings, measure_cells
from cellfate.features.neighbors import count_neighbors


@dataclass(frozen=True)
class Sequence:
    frames_tchw: np.ndarray
    masks_thw: np.ndarray | None
    inside_thw: np.ndarray
    frame_numbers_t: np.ndarray
    frame_interval_min: float = 30.0


@dataclass(frozen=True)
class Store:
    """A crop store in memory."""

    channels: tuple[str, ...]
    sequences: dict[tuple[str, int], Sequence]
    crop_px: tuple[int, int] = (24, 24)

    @property
    def tracks(self) -> pd.DataFrame:
        return pd.DataFrame(list(self.sequences), columns=["recording_id", "cell_id"])

    def read(self, recording_id: str, cell_id: int) -> Sequence:
        return self.sequences[recording_id, cell_id]


def bright_disc(radius: float, n_frames: int = 3, first_frame: int = 4) -> Sequence:
    rows, columns = np.mgrid[:24, :24]
    cell = np.hypot(rows - 12, columns - 12) <= radius
    rng = np.random.default_rng(1)
    frames = 50 + rng.normal(0, 2, (n_frames, 2, 24, 24)) + cell * np.array([100.0, 40.0])[:, None, None]
    inside = np.ones((n_frames, 24, 24), dtype=bool)
    return Sequence(frames.astype(np.uint16), None, inside, np.arange(first_frame, first_frame + n_frames))


def detections_of(store: Store) -> pd.DataFrame:
    rows = [
        (recording, cell, int(frame), 12.0 + 10 * cell, 12.0)
        for (recording, cell), sequence in store.sequences.items()
        for frame in sequence.frame_numbers_t
    ]
    return pd.DataFrame(rows, columns=["recording_id", "cell_id", "frame", "y_px", "x_px"])


STORE = Store(("a", "b"), {("r1", 1): bright_disc(6), ("r1", 2): bright_disc(4), ("r2", 1): bright_disc(-1)})


def test_the_table_holds_one_row_a_cell_and_frame() -> None:
    table = measure_cells(STORE, detections_of(STORE), FeatureSettings())
    FrameFeatures.validate(table)
    assert len(table) == 9
    cell = table.query("recording_id == 'r1' and cell_id == 1")
    assert cell["frame"].tolist() == [4, 5, 6]
    assert cell["segmented"].all()
    np.testing.assert_allclose(cell["intensity_a"], 100, atol=12)
    np.testing.assert_allclose(cell["intensity_b"], 40, atol=6)
    assert (cell["n_neighbors"] == 1).all()
    assert cell["consistent"].all()
    assert np.isnan(cell["mask_overlap"].iloc[0])
    assert (cell["mask_overlap"].iloc[1:] > 0.8).all()
    np.testing.assert_allclose(cell["rate_intensity_a"].iloc[1:], np.diff(cell["intensity_a"]) / 0.5)
    np.testing.assert_allclose(cell["texture_a"], 1, atol=0.2)  # a flat disc under noise
    blank = table.query("recording_id == 'r2'")
    assert not blank["segmented"].any()
    assert blank[["area", "solidity", "intensity_a", "texture_b", "rate_area", "mask_overlap"]].isna().all(axis=None)
    assert not blank["consistent"].any()
    assert (blank["n_neighbors"] == 0).all()


def test_some_cells_are_measured_as_among_all() -> None:
    whole = measure_cells(STORE, detections_of(STORE), FeatureSettings())
    some = measure_cells(STORE, detections_of(STORE), FeatureSettings(), STORE.tracks.iloc[[1]])
    pd.testing.assert_frame_equal(some, whole.query("recording_id == 'r1' and cell_id == 2").reset_index(drop=True))


def test_no_cells_leave_the_columns() -> None:
    empty = Store(("a",), {})
    table = measure_cells(empty, detections_of(STORE), FeatureSettings())
    FrameFeatures.validate(table)
    assert len(table) == 0
    assert "intensity_a" in table.columns


def test_an_unknown_segmentation_channel_is_named() -> None:
    with pytest.raises(InputError, match=r"segmentation_channel is 'nucleus'.*channels a, b"):
        measure_cells(STORE, detections_of(STORE), FeatureSettings(segmentation_channel="nucleus"))


def test_neighbours_by_hand() -> None:
    detections = pd.DataFrame(
        [
            ("r", 1, 0, 0.0, 0.0),
            ("r", 2, 0, 0.0, 5.0),
            ("r", 3, 0, 0.0, 11.0),
            ("r", 1, 1, 0.0, 0.0),
            ("s", 1, 0, 0.0, 1.0),
        ],
        columns=["recording_id", "cell_id", "frame", "y_px", "x_px"],
    )
    assert count_neighbors(detections, 6.0)["n_neighbors"].tolist() == [1, 2, 1, 0, 0]
    assert count_neighbors(detections, 4.9)["n_neighbors"].tolist() == [0, 0, 0, 0, 0]
