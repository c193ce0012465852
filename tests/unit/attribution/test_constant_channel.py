"""Channels that are the same everywhere decide nothing; what cannot be scored has its reason and is counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution import sanity
from cellfate.attribution.agreement import correlate_parts
from cellfate.attribution.explaining import attribute_gradients, compute_shapley_values, occlude_inputs
from cellfate.attribution.faithfulness import GAINS, trace_faithfulness
from cellfate.attribution.random_networks import CONSTANT
from cellfate.attribution.sanity import check_sanity
from cellfate.attribution.scoring import score_attributions
from cellfate.core.tables import AttributionCells
from cellfate.crops.store import CropStore

EXPLAIN = {"shapley": compute_shapley_values, "occlusion": occlude_inputs, "gradients": attribute_gradients}


@pytest.fixture
def flatten(monkeypatch):
    """Make channels of all cells the same in every frame and pixel, those of cells that stand in too."""

    def flat_channels(*channels):
        read = CropStore.read

        def flat(self, *asked):
            sequence = read(self, *asked)
            frames_tchw = sequence.frames_tchw.copy()
            frames_tchw[:, channels] = 9
            masks_thw = None if sequence.masks_thw is None else np.ones_like(sequence.masks_thw)
            inside_thw = np.ones_like(sequence.inside_thw)
            return replace(sequence, frames_tchw=frames_tchw, masks_thw=masks_thw, inside_thw=inside_thw)

        monkeypatch.setattr(CropStore, "read", flat)

    return flat_channels


@pytest.mark.parametrize("explain", EXPLAIN.values(), ids=EXPLAIN)
def test_a_constant_channel_is_given_nothing_and_the_other_keeps_its_values(explained, flatten, explain):
    flatten(0)
    table = explain(*explained.asked)
    by_channel = table.assign(size=table["value"].abs()).groupby("channel")["size"].max()
    assert by_channel[explained.channels[0]] < 1e-5
    assert by_channel[explained.channels[1]] > 1e-4


def test_where_all_channels_are_constant_no_score_has_a_value_but_all_have_the_reason_and_are_counted(
    explained, flatten
):
    flatten(0, 1)
    values = compute_shapley_values(*explained.asked)
    assert (values["value"].abs() < 1e-5).all()
    chosen = explained.landmarks[explained.landmarks["shapley"]]
    table = values.merge(chosen[["landmark_id", "group_id"]], on="landmark_id").assign(towards=1.0)
    traced, _ = trace_faithfulness(explained.study.crops, explained.landmarks, table, *explained.asked[2:])
    noise, _ = check_sanity(*explained.asked)
    scores = score_attributions(traced, noise, AttributionCells.empty(), explained.settings)
    shapley = scores[scores["method"] == "shapley"].set_index("score")
    ordered = shapley.loc[[*GAINS, "seed_stability"]]
    assert ordered["value"].isna().all()
    assert set(ordered["reason"]) == {CONSTANT}
    assert (ordered["n_cells"] == 0).all()
    assert ordered["n_failed"].to_list() == [len(chosen)] * len(GAINS) + [2]
    assert np.isnan(shapley.loc["randomised_weights", "value"])
    assert shapley.loc["value_size", "value"] < 1e-5


def values_of(*values):
    parts = {"windows_back": range(len(values)), "channel": "a"}
    return pd.DataFrame({"landmark_id": "a", "group_id": "g", "method": "shapley", **parts, "value": values})


def test_values_that_differ_by_what_is_rounded_off_go_along_with_nothing():
    noise, rising = values_of(*(1e-6 * np.arange(8.0))), values_of(*np.arange(8.0))
    assert correlate_parts(rising, rising, ["windows_back"])["value"].item() == pytest.approx(1)
    assert np.isnan(correlate_parts(noise, rising, ["windows_back"])["value"].item())
    assert np.isnan(correlate_parts(rising, noise, ["windows_back"])["value"].item())
    compared = sanity._compare_enough(noise, rising)
    assert compared["reason"].to_list() == [CONSTANT]
