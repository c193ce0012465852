"""Whether tracks lie on cells: simulated fluorescence and phase contrast, and a real recording."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from cellfate.core import tables
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.preflight import PreflightSettings
from cellfate.preflight import checking as preflight_checking
from cellfate.preflight.on_cells import check_on_cells, rank_positions, weigh_ranks
from cellfate.tracks.settings import TrackSettings

SIZE, CELL_PX = 256, 12
_DISTANCE = np.hypot(*np.mgrid[-12:13, -12:13])
DISC = 1.0 / (1 + np.exp((_DISTANCE - 6) * 2))
RING = np.exp(-((_DISTANCE - 6) ** 2) / 2) - DISC
"""A nucleus that shines; a cell in phase contrast: dark, in a bright halo."""


def draw(
    yx: np.ndarray, shape: np.ndarray, strength: float, noise: float, generator: np.random.Generator
) -> np.ndarray:
    """A square image with cells at these places, noise, and a lamp that is brighter at the left."""
    image = np.zeros((SIZE + 24, SIZE + 24))
    for y, x in yx.round().astype(int):
        image[y : y + 25, x : x + 25] += strength * shape
    lit = image[12:-12, 12:-12] + 1000 * (1 - 0.3 * np.arange(SIZE) / SIZE)
    return (lit + generator.normal(0, noise, lit.shape))[None]


def look(
    yx: np.ndarray, told_yx: np.ndarray, shape: np.ndarray, strength: float = 100, noise: float = 20, seed: int = 0
):
    """Ranks in four frames through which cells creep; what tracks tell may be something else."""
    generator, ranks = np.random.default_rng(seed), []
    for frame in range(4):
        image = draw(np.clip(yx + 2 * frame, 0, SIZE - 1), shape, strength, noise, generator)
        marks = pd.DataFrame(np.clip(told_yx + 2 * frame, 0, SIZE - 1), columns=["y_px", "x_px"])
        marks = marks.assign(recording_id="a", cell_id=range(len(marks)))
        ranks.append(rank_positions(image, ("c",), marks, CELL_PX))
    return pd.concat(ranks, ignore_index=True)


def name(ranks: pd.DataFrame) -> list[str]:
    found = pd.concat(check_on_cells(ranks, TrackSettings(format="csv"), PreflightSettings()), ignore_index=True)
    return tables.PreflightFindings.validate(found)["check"].tolist()


def scatter(n_cells: int, seed: int) -> np.ndarray:
    return np.random.default_rng(100 + seed).uniform(0, SIZE - 8, (n_cells, 2))


SHAPES = pytest.mark.parametrize("shape", [DISC, RING], ids=["fluorescence", "phase"])


@SHAPES
@pytest.mark.parametrize("n_cells", [16, 40, 150])
def test_tracks_on_cells_are_well_and_swapped_ones_are_told(shape, n_cells):
    for seed in range(5):
        yx = scatter(n_cells, seed)
        assert name(look(yx, yx, shape, seed=seed)) == []
        assert name(look(yx, yx[:, ::-1], shape, seed=seed)) == ["swapped"]


@SHAPES
@pytest.mark.parametrize("n_cells", [40, 80])
def test_tracks_of_another_recording_are_told(shape, n_cells):
    told = [name(look(scatter(n_cells, seed), scatter(n_cells, seed + 50), shape, seed=seed)) for seed in range(10)]
    assert ["swapped"] not in told
    assert told.count(["off_cells"]) >= 6


@SHAPES
def test_faint_cells_are_not_told(shape):
    """A cell as bright as the noise of one pixel."""
    for seed in range(10):
        yx = scatter(60, seed)
        assert name(look(yx, yx, shape, strength=20, seed=seed)) == []


def test_confluent_cells_are_not_told():
    """Texture everywhere, and the tracks follow its dark places, as those of cells in a dense layer do."""
    for seed in range(10):
        generator = np.random.default_rng(seed)
        layer = gaussian_filter(generator.normal(size=(SIZE, SIZE)), 5)
        layer *= 50 / layer.std()
        candidates = generator.uniform(10, SIZE - 10, (400, 2))
        dark = map_coordinates(layer, candidates.T, order=1) < -20
        marks = pd.DataFrame(candidates[dark][:80], columns=["y_px", "x_px"])
        marks = marks.assign(recording_id="a", cell_id=range(len(marks)))
        image = (1000 + layer + generator.normal(0, 20, layer.shape))[None]
        assert name(rank_positions(image, ("phase",), marks, CELL_PX)) == []


def test_few_cells_are_never_told():
    yx = scatter(9, 0)
    assert name(look(yx, yx[:, ::-1], DISC)) == []
    assert name(look(scatter(29, 0), scatter(29, 1), DISC)) == []


@SHAPES
def test_few_cells_are_told_where_other_recordings_confirm_it(shape):
    """Two recordings that lie nowhere are 40 cells together; beside one that lies on cells, a single one is told."""
    yx, other_yx = (scatter(20, seed) for seed in (0, 1))
    right, wrong = look(yx, yx, shape), look(yx, other_yx, shape)
    assert name(wrong) == []
    assert name(pd.concat([wrong, wrong.assign(recording_id="b")])) == ["off_cells", "off_cells"]
    assert name(pd.concat([wrong, right.assign(recording_id="b")])) == ["off_cells"]
    assert name(pd.concat([right, right.assign(recording_id="b")])) == []


def test_ranks_are_shares_of_random_places_by_hand():
    """A bright pixel ranks above every random place of a flat image; a flat place ties with all: one half."""
    image = np.zeros((1, 64, 64))
    image[0, 0, 0] = 1
    marks = pd.DataFrame({"recording_id": "a", "cell_id": [1, 2], "y_px": [0.0, 40.0], "x_px": [0.0, 30.0]})
    ranks = rank_positions(image, ("c",), marks, 2)
    means = ranks[ranks["measure"] == "deviation"].set_index("cell_id")
    assert means["own"].tolist() == [1.0, 0.5]
    (evidence,) = weigh_ranks(ranks).to_dict("records")
    # one half of (1 + .5), less .5; and a random place or two that have the corner in their surroundings
    assert evidence["own"] == pytest.approx(0.25, abs=0.01)
    assert evidence["error"] == pytest.approx((1 / 24) ** 0.5)
    assert evidence["n_cells"] == 2


def test_positions_that_lie_outside_when_transposed_do_not_count():
    image = np.zeros((1, 20, 60))
    image[0, 0, 0] = 1
    marks = pd.DataFrame({"recording_id": "a", "cell_id": [1, 2], "y_px": [5.0, 5.0], "x_px": [50.0, 10.0]})
    ranks = rank_positions(image, ("c",), marks, 4)
    assert ranks["transposed"].isna().tolist() == [True, False] * 2
    assert ranks["own"].notna().all()


def test_a_blank_frame_says_nothing():
    """An empty frame is told as such; it does not make the tracks wrong."""
    marks = pd.DataFrame({"recording_id": "a", "cell_id": range(40), "y_px": 20.0, "x_px": 30.0})
    assert rank_positions(np.full((2, 64, 64), 7), ("a", "b"), marks, 12).empty


def test_an_image_smaller_than_a_cell_says_nothing():
    marks = pd.DataFrame({"recording_id": "a", "cell_id": [1], "y_px": [0.0], "x_px": [0.0]})
    assert rank_positions(np.zeros((1, 2, 2)), ("c",), marks, 12).empty
    assert name(rank_positions(np.zeros((1, 2, 2)), ("c",), marks, 12)) == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda y, x: (y, x), set()),
        (lambda y, x: (x, y), {"swapped"}),
        (lambda y, x: (y, 1099 - x), {"off_cells"}),
        (lambda y, x: (y / 2, x / 2), {"off_cells", "crowded"}),
    ],
    ids=["as they are", "swapped", "mirrored", "half"],
)
def test_tracks_of_a_real_recording(real_data, monkeypatch, change, told):
    open_folder = preflight_checking.open_folder

    def open_changed(*args):
        opened = open_folder(*args)
        y, x = change(opened.detections["y_px"].copy(), opened.detections["x_px"].copy())
        opened.detections["y_px"], opened.detections["x_px"] = y, x
        return opened

    monkeypatch.setattr(preflight_checking, "open_folder", open_changed)
    layout = RecordingSettings(
        layout="cell_tracking_challenge", channels=("h2b",), frame_interval_min=30.0, labels="silver_truth"
    )
    folder = RecordingFolder(real_data / "ctc_hela")
    made = preflight_checking.run_preflight(folder, layout, TrackSettings(), (48, 48), PreflightSettings())
    assert set(made.findings["check"]) & {"swapped", "off_cells", "crowded"} == told
