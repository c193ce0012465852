"""How Cellpose is called, and what is made of its answer; a module that stands in for it is injected."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.features import FeatureSettings
from cellfate.features.cellpose_masks import load_cellpose
from cellfate.features.segmentation import segment_cell

SIZE = 20
CELLPOSE = FeatureSettings(method="cellpose", min_area_px=4, max_offset_px=3.0)


@pytest.fixture(autouse=True)
def _forget_the_model() -> Iterator[None]:
    load_cellpose.cache_clear()
    yield
    load_cellpose.cache_clear()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the stand-in is called with; in every crop it finds a far cell 1 and a central cell 2."""
    made: list[tuple[str, Any]] = []

    class CellposeModel:
        def __init__(self, gpu: bool = False, pretrained_model: str = "cpsam_v2") -> None:
            made.append(("init", gpu))

        def eval(self, x: Any, batch_size: int = 8, min_size: int = 15, max_size_fraction: float = 0.4) -> Any:
            made.append(("eval", (x, min_size, max_size_fraction)))
            labels = np.zeros((SIZE, SIZE), dtype=np.uint16)
            labels[:4, :4], labels[9:13, 9:12] = 1, 2
            return [labels] * len(x), [], []

    models = ModuleType("cellpose.models")
    models.CellposeModel = CellposeModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cellpose", ModuleType("cellpose"))
    monkeypatch.setitem(sys.modules, "cellpose.models", models)
    return made


def crops(n_frames: int = 3) -> tuple[np.ndarray, np.ndarray]:
    frames = np.random.default_rng(0).integers(90, 110, (n_frames, 2, SIZE, SIZE)).astype(np.uint16)
    return frames, np.ones((n_frames, SIZE, SIZE), dtype=bool)


def test_the_cell_at_the_centre_is_taken(calls: list[tuple[str, Any]]) -> None:
    found = segment_cell(*crops(), None, (0, 1), CELLPOSE)
    expected = np.zeros((SIZE, SIZE), dtype=bool)
    expected[9:13, 9:12] = True
    np.testing.assert_array_equal(found, np.stack([expected] * 3))


def test_cellpose_is_given_grey_float_images_of_the_frames_without_a_mask(calls: list[tuple[str, Any]]) -> None:
    frames, inside = crops()
    given = np.zeros_like(inside)
    given[1, 5:9, 5:9] = True
    found = segment_cell(frames, inside, given, (1,), CELLPOSE)
    np.testing.assert_array_equal(found[1], given[1])
    (_, gpu), (_, (images, min_size, max_size_fraction)) = calls
    assert isinstance(images, list)  # a list is images, an array could be taken for a stack
    assert [(image.shape, image.dtype) for image in images] == [((SIZE, SIZE), np.float32)] * 2
    assert (gpu, min_size, max_size_fraction) == (True, 4, 1.0)


def test_the_model_is_loaded_once(calls: list[tuple[str, Any]]) -> None:
    for _ in range(2):
        segment_cell(*crops(), None, (0,), CELLPOSE)
    assert [name for name, _ in calls] == ["init", "eval", "eval"]


def test_what_is_too_small_or_too_far_is_a_failed_segmentation(calls: list[tuple[str, Any]]) -> None:
    for change in ({"min_area_px": 13}, {"max_offset_px": 0.0}):
        settings = CELLPOSE.model_copy(update=change)
        frames, inside = crops()
        if "max_offset_px" in change:
            inside[:, 10, 10] = False
        assert not segment_cell(frames, inside, None, (0,), settings).any()


def test_without_cellpose_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cellpose.models", None)
    with pytest.raises(InputError, match=r"features.method is 'cellpose'.*pip install -e '\.\[cellpose\]'"):
        segment_cell(*crops(), None, (0,), CELLPOSE)


def test_the_threshold_never_asks_for_cellpose(calls: list[tuple[str, Any]]) -> None:
    segment_cell(*crops(), None, (0,), FeatureSettings())
    assert calls == []
