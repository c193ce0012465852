"""Trees written anew forecast the same; what is no tree never reaches LightGBM, which would end or hang the process."""

import json
import re

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.models.boosted_hazards import BoostedHazards, _checksum, fit_boosted_hazards
from cellfate.models.booster_text import rewrite_booster
from cellfate.models.settings import BoostingSettings

RNG = np.random.default_rng(5)
INPUTS = np.where(RNG.random((400, 3)) < 0.1, np.nan, RNG.normal(size=(400, 3)))
LABELS = (INPUTS[:, 0] > 0).astype(int) + (INPUTS[:, 2] > 1)


def train(n_classes: int, **parameters: object) -> lightgbm.Booster:
    goal = {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
    given = {**goal, "num_leaves": 5, "verbosity": -1, "num_threads": 1, **parameters}
    return lightgbm.train(given, lightgbm.Dataset(INPUTS, label=np.minimum(LABELS, n_classes - 1)), num_boost_round=4)


TEXTS = {n_classes: train(n_classes).model_to_string() for n_classes in (2, 3)}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_same_trees_forecast_and_explain_the_same(n_classes: int) -> None:
    rewritten = rewrite_booster(TEXTS[n_classes], 3, n_classes)
    ours, theirs = lightgbm.Booster(model_str=rewritten), train(n_classes)
    for contributions in (False, True):
        np.testing.assert_array_equal(*(one.predict(INPUTS, pred_contrib=contributions) for one in (ours, theirs)))
    assert rewrite_booster(rewritten, 3, n_classes) == rewritten
    assert len(rewritten) < len(TEXTS[n_classes])


def test_a_tree_of_one_leaf_is_a_tree() -> None:
    booster = train(2, min_data_in_leaf=300)
    ours = lightgbm.Booster(model_str=rewrite_booster(booster.model_to_string(), 3, 2))
    np.testing.assert_array_equal(ours.predict(INPUTS), booster.predict(INPUTS))


def test_a_split_of_missing_from_known_values_has_an_infinite_threshold() -> None:
    """As where a measurement is missing of many cells, and that it is missing tells."""
    inputs = np.where(LABELS[:, None] > 0, np.nan, INPUTS).round(1)
    given = {"objective": "binary", "num_leaves": 5, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1}
    booster = lightgbm.train(given, lightgbm.Dataset(inputs, label=LABELS.clip(0, 1)), num_boost_round=4)
    assert "threshold=inf" in booster.model_to_string()
    ours = lightgbm.Booster(model_str=rewrite_booster(booster.model_to_string(), 3, 2))
    np.testing.assert_array_equal(ours.predict(inputs), booster.predict(inputs))


IMPOSSIBLE = {
    "a loop": (r"left_child=\S+", "left_child=0", "reach|below"),
    "a leaf twice": (r"right_child=-\d+", "right_child=-1", "reach"),
    "a leaf that is none": (r"right_child=-\d+", "right_child=-999", "reach"),
    "an input that is none": (r"split_feature=\d+", "split_feature=99", "none of 3"),
    "a billion leaves": (r"num_leaves=\d+", "num_leaves=999999999", "999999999 leaves"),
    "no leaf": (r"num_leaves=\d+", "num_leaves=0", "0 leaves"),
    "too few values": (r"leaf_value=\S+ ", "leaf_value=", "leaf_value"),
    "a threshold that is none": (r"threshold=\S+", "threshold=nan", "threshold"),
    "categories": ("num_cat=0", "num_cat=7", "categorical"),
    "a kind of split": (r"decision_type=\d+", "decision_type=1", "unknown kind"),
    "other inputs": ("max_feature_idx=2", "max_feature_idx=900", "max_feature_idx"),
    "other classes": ("num_class=1", "num_class=3", "num_class"),
    "no trees": (r"\nTree=(.|\n)*", "", "0 trees"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_impossible_trees_are_refused(what: str) -> None:
    pattern, replacement, words = IMPOSSIBLE[what]
    changed = re.sub(pattern, replacement, TEXTS[2], count=1)
    assert changed != TEXTS[2]
    with pytest.raises(ValueError, match=words):
        rewrite_booster(changed, 3, 2)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_the_text_the_process_lives(data: st.DataObject) -> None:
    text = rewrite_booster(TEXTS[2], 3, 2)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:place]
            + data.draw(st.sampled_from(["", "-", "9", "1e300", " ", "\n", "=", "Tree=0\n"]))
            + text[place + 1 :]
        )
    try:
        rewritten = rewrite_booster(text, 3, 2)
    except ValueError:
        return
    assert np.isfinite(lightgbm.Booster(model_str=rewritten).predict(INPUTS, num_threads=1)).all()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("classes", [0, 7], "bin 1 has the classes"), ("classes", [0], "wrong number"), ("model", "tree", "version")],
)
def test_hazards_from_elsewhere_are_checked_though_their_checksum_fits(key: str, value: object, words: str) -> None:
    fitted = fit_boosted_hazards(pd.DataFrame(INPUTS), LABELS[:, None].clip(0, 1), 1, BoostingSettings(n_trees=2))
    body = fitted.model_dump(mode="json")
    body["bins"][0][key] = value
    with pytest.raises(InputError, match=words):
        BoostedHazards.from_text(json.dumps({"checksum": _checksum(body), **body}))
