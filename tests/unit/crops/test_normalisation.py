"""Normalisation against NumPy on all pixels at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.core.tables import Normalisation
from cellfate.crops.normalisation import fit_normalisation, normalise
from tests.cases.crop_stores import TinyStudy, tiny_study
from tests.unit.crops.cases import WrittenCell, span, store_of


def pixels_of_training(study: TinyStudy, fold: int) -> np.ndarray:
    """Pixels (C, n) of the shown frames of a fold's training cells."""
    pixels = []
    for row in select_part(study.follow_ups, study.splits, fold, "train").itertuples():
        sequence = study.crops.read(row.recording_id, row.cell_id, row.first_frame, row.last_frame)
        pixels += [frame[:, inside] for frame, inside in zip(sequence.frames_tchw, sequence.inside_thw, strict=True)]
    return np.concatenate(pixels, axis=1).astype(np.float64)


def test_statistics_equal_numpy_over_all_training_pixels(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, n_recordings=6)
    table = fit_normalisation(study.crops, study.follow_ups, study.splits)
    Normalisation.validate(table)
    assert table[["fold", "channel"]].to_numpy().tolist() == [[k, c] for k in range(3) for c in study.crops.channels]
    for fold, of_fold in table.groupby("fold"):
        pixels = pixels_of_training(study, fold)
        assert_allclose(of_fold["mean"], pixels.mean(axis=1), rtol=1e-12)
        assert_allclose(of_fold["sd"], pixels.std(axis=1), rtol=1e-10)  # float64 sums in another order
        assert (of_fold["n_pixels"] == pixels.shape[1]).all()


def test_validation_and_test_cells_are_not_looked_at(tmp_path: Path) -> None:
    cells = [WrittenCell(cell, span(10 * cell, 10 * cell + 4), "mitosis", 10 * cell + 5) for cell in (1, 2, 3)]
    store, _, _ = store_of(tmp_path, *cells)  # pixels hold the frame number
    follow_ups = pd.DataFrame(
        {
            "recording_id": "r",
            "cell_id": [1, 2, 3],
            "first_frame": [11, 20, 30],
            "last_frame": [13, 24, 34],
        }
    )
    splits = follow_ups[["recording_id", "cell_id"]].assign(fold=0, part=["train", "validation", "test"])
    table = fit_normalisation(store, follow_ups, splits)
    assert table["mean"].tolist() == [12.0]
    assert table["sd"].tolist() == [pytest.approx(np.sqrt(2 / 3))]
    assert table["n_pixels"].tolist() == [3 * 64]


def test_a_constant_channel_is_refused(tmp_path: Path) -> None:
    store, _, _ = store_of(tmp_path, WrittenCell(1, (7,)))
    follow_ups = pd.DataFrame({"recording_id": ["r"], "cell_id": 1, "first_frame": [7], "last_frame": [7]})
    splits = pd.DataFrame({"fold": [0], "recording_id": "r", "cell_id": 1, "part": ["train"]})
    with pytest.raises(InputError, match=r"Channel 'only' has the same value \(7\) in all 64 pixels"):
        fit_normalisation(store, follow_ups, splits)


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
