"""Normalisation against NumPy on all pixels at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cellfate.cohort.samples import make_samples
from cellfate.cohort.settings import SampleSettings, SplitSettings
from cellfate.cohort.splits import split_samples
from cellfate.core.errors import InputError
from cellfate.core.tables import Normalisation
from cellfate.crops.normalisation import fit_normalisation, normalise
from cellfate.crops.store import CropStore
from tests.cases.crop_stores import tiny_store
from tests.unit.crops.cases import WrittenCell, span, store_of

LANDMARK = SampleSettings(
    kind="landmark", events=("mitosis",), guard_h=0.5, history_frames=3, stride_frames=2, horizon_h=1.5, max_frames=4
)


def pixels_of_training(store: CropStore, samples: pd.DataFrame, splits: pd.DataFrame, fold: int) -> np.ndarray:
    """Pixels (C, n) of the training samples of a fold; a frame that several samples show is taken once."""
    trained = splits[(splits["fold"] == fold) & (splits["part"] == "train")]["sample_id"]
    pixels, seen = [], set()
    for row in samples[samples["sample_id"].isin(trained)].itertuples():
        sequence = store.read(row.recording_id, row.cell_id, row.first_frame, row.last_frame)
        for t, frame in enumerate(sequence.frame_numbers_t):
            if (row.recording_id, row.cell_id, frame) not in seen:
                seen.add((row.recording_id, row.cell_id, frame))
                pixels.append(sequence.frames_tchw[t][:, sequence.inside_thw[t]])
    return np.concatenate(pixels, axis=1).astype(np.float64)


@pytest.mark.parametrize("kind", ["whole_track", "landmark"])
def test_statistics_equal_numpy_over_all_training_pixels(tmp_path: Path, kind: str) -> None:
    store, recordings, detections, cells = tiny_store(tmp_path, n_recordings=6)
    settings = LANDMARK if kind == "landmark" else SampleSettings(kind="whole_track", guard_h=0.5)
    samples, _ = make_samples(store, recordings, cells, settings)
    splits = split_samples(samples, cells, detections, SplitSettings(scheme="grouped_folds", n_folds=3))
    table = fit_normalisation(store, samples, splits)
    Normalisation.validate(table)
    assert table[["fold", "channel"]].to_numpy().tolist() == [[k, c] for k in range(3) for c in store.channels]
    for fold, of_fold in table.groupby("fold"):
        pixels = pixels_of_training(store, samples, splits, fold)
        assert_allclose(of_fold["mean"], pixels.mean(axis=1), rtol=1e-12)
        assert_allclose(of_fold["sd"], pixels.std(axis=1), rtol=1e-10)  # float64 sums in another order
        assert (of_fold["n_pixels"] == pixels.shape[1]).all()


def test_validation_and_test_cells_are_not_looked_at(tmp_path: Path) -> None:
    cells = [WrittenCell(cell, span(10 * cell, 10 * cell + 4), "mitosis", 10 * cell + 5) for cell in (1, 2, 3)]
    store, _, _ = store_of(tmp_path, *cells)  # pixels hold the frame number
    samples = pd.DataFrame(
        {
            "sample_id": ["one", "two", "three"],
            "recording_id": "r",
            "cell_id": [1, 2, 3],
            "first_frame": [11, 20, 30],
            "last_frame": [13, 24, 34],
        }
    )
    splits = pd.DataFrame({"fold": 0, "sample_id": samples["sample_id"], "part": ["train", "validation", "test"]})
    table = fit_normalisation(store, samples, splits)
    assert table["mean"].tolist() == [12.0]
    assert table["sd"].tolist() == [pytest.approx(np.sqrt(2 / 3))]
    assert table["n_pixels"].tolist() == [3 * 64]


def test_a_constant_channel_is_refused(tmp_path: Path) -> None:
    store, _, _ = store_of(tmp_path, WrittenCell(1, (7,)))
    samples = pd.DataFrame(
        {"sample_id": ["one"], "recording_id": "r", "cell_id": 1, "first_frame": [7], "last_frame": [7]}
    )
    splits = pd.DataFrame({"fold": [0], "sample_id": ["one"], "part": ["train"]})
    with pytest.raises(InputError, match=r"Channel 'only' has the same value \(7\) in all 64 pixels"):
        fit_normalisation(store, samples, splits)


def test_normalised_pixels_and_what_lies_outside() -> None:
    frames = np.full((2, 2, 3, 3), 32768, dtype=np.uint16)
    frames[:, 1] = 100
    frames[0, 0, 1, 1] = 32868
    inside = np.ones((2, 3, 3), dtype=bool)
    inside[1, 0] = False
    before = frames.copy()
    scaled = normalise(frames, inside, np.array([32768.0, 90.0]), np.array([50.0, 5.0]))
    assert scaled.dtype == np.float32
    assert scaled[0, 0, 1, 1] == 2.0
    assert scaled[0, 0].sum() == 2.0
    assert_array_equal(scaled[:, 1][inside], 2.0)
    assert_array_equal(scaled[1, :, 0], 0.0)
    assert_array_equal(frames, before)
