"""An altered study beside the one whose pixels it has."""

import numpy as np
import pytest

from cellfate.alteration.altering import alter_study
from cellfate.alteration.settings import AlterationSettings
from cellfate.core.errors import InputError
from cellfate.crops.store import CropStore, write_crops
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from tests.cases.crop_stores import TINY_FOLLOW_UP, tiny_store

FEATURES = FeatureSettings(min_area_px=12, max_offset_px=6.0, neighbor_radius_px=40.0)
GIVEN = {"window_h": 1.5, "shortest_h": 4.0, "longest_h": 5.0, "max_cells": 100, "block_h": 8.0, "channel": "p53"}


def altered(tmp_path, **given: object):
    """The store of a tiny study, the altered one, and its tables."""
    crops, recordings, detections, cells = tiny_store(tmp_path)
    features = measure_cells(crops, detections, FEATURES)
    settings = AlterationSettings(**(GIVEN | given))
    made, *tables = alter_study(crops, detections, cells, recordings, features, settings, TINY_FOLLOW_UP, FEATURES)
    write_crops(tmp_path / "altered.zarr", made, made.settings)
    return crops, CropStore(tmp_path / "altered.zarr"), *tables


def test_pixels_change_in_the_hours_of_the_truth_in_the_channel_named_inside_the_mask_and_nowhere_else(tmp_path):
    before, after, _, cells, truth = altered(tmp_path, kind="brightness_dip", strength=0.3)
    assert len(after.tracks) == len(cells) == len(truth)
    assert truth["dies"].sum() == len(truth) // 2
    for row in truth.itertuples():
        now = after.read(row.recording_id, row.cell_id)
        was = before.read(row.recording_id, row.cell_id, now.frame_numbers_t[0], now.frame_numbers_t[-1])
        changed_t = (now.frames_tchw != was.frames_tchw).any(axis=(1, 2, 3))
        if not row.dies:
            assert not changed_t.any()
            continue
        window = (now.frame_numbers_t >= row.window_first_frame) & (now.frame_numbers_t <= row.window_last_frame)
        np.testing.assert_array_equal(changed_t, window)
        np.testing.assert_array_equal(now.frames_tchw[:, [0, 2]], was.frames_tchw[:, [0, 2]])
        np.testing.assert_array_equal(now.frames_tchw[:, 1][~was.masks_thw], was.frames_tchw[:, 1][~was.masks_thw])
        np.testing.assert_array_equal(now.masks_thw, was.masks_thw)
        for t in np.flatnonzero(window):
            own, around = was.masks_thw[t], was.inside_thw[t] & ~was.masks_thw[t]
            level = np.median(was.frames_tchw[t, 1][around])
            mean_was, mean_now = (each.frames_tchw[t, 1][own].mean() for each in (was, now))
            assert mean_now - level == pytest.approx(0.7 * (mean_was - level), abs=0.5)


def test_the_invented_event_is_the_last_frame_kept_and_other_cells_stay_neighbours(tmp_path):
    _, after, detections, cells, truth = altered(tmp_path, kind="none", max_cells=10)
    assert len(cells) == 10
    named = cells[["recording_id", "cell_id"]]
    kept = detections.merge(named).groupby(["recording_id", "cell_id"])["frame"].agg(["min", "max", "size"])
    facts = cells.set_index(["recording_id", "cell_id"])
    assert (kept["max"] == facts["event_frame"].reindex(kept.index)).all()
    assert (kept["size"] <= 10).all()  # 5 h
    assert len(detections) > kept["size"].sum()
    assert set(after.tracks["n_frames"]) <= set(kept["size"])
    merged = cells.merge(truth, on=["recording_id", "cell_id"])
    assert (merged["fate_x"] == merged["fate_y"]).all()


@pytest.mark.parametrize("kind", ["neighbour", "texture"])
def test_the_same_seed_gives_the_same_pixels(tmp_path, kind):
    stores = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stores.append(altered(tmp_path / name, kind=kind, strength=0.5)[1])
    assert stores[0].digest == stores[1].digest
    assert stores[0].digest != altered(tmp_path / "a", kind=kind, strength=0.5, seed=1)[1].digest


def test_a_channel_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"alteration\.channel is 'gfp', but the crops have the channels circadian"):
        altered(tmp_path, kind="texture", strength=2.0, channel="gfp")
