"""Boosted hazards find hazards that are known, and a saved text gives the same ones back."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.models.boosted_hazards import BoostedHazards, fit_boosted_hazards
from cellfate.models.settings import BoostingSettings
from cellfate.statistics.incidence import UNOBSERVED, label_bins

FREE = BoostingSettings(n_trees=200, learning_rate=0.3, min_samples_leaf=1, l2_regularization=0, max_leaf_nodes=2)
"""So many trees, without a penalty, that hazards come out at the shares that were counted."""


def _study(n=600, n_inputs=4, seed=3):
    """Times of two events that depend on the first two inputs; some are censored, some inputs are missing."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_inputs))
    hours = rng.exponential(3 * np.exp(-values[:, 0]))
    end = rng.uniform(2, 8, n)
    event = np.where(hours < end, 1 + (values[:, 1] > 0), 0)
    values[rng.random(values.shape) < 0.05] = np.nan
    inputs = pd.DataFrame(values, columns=[f"input {i}" for i in range(n_inputs)])
    return inputs, label_bins(np.minimum(hours, end), event, np.full(n, 9.0), [0, 1, 2, 3])


@pytest.fixture(scope="module")
def fitted():
    inputs, labels = _study()
    return inputs, labels, fit_boosted_hazards(inputs, labels, 2, BoostingSettings(n_trees=20))


def test_hazards_are_the_shares_counted_at_each_value_of_a_binary_input():
    # input 0: of 40 at risk 10 have event 1 and 4 event 2 in bin 1; of 20 watched on, 5 have event 2 in bin 2.
    # input 1: of 40 at risk 20 have event 2 in bin 1; of the other 20 none has an event in bin 2.
    zero = [[1, UNOBSERVED]] * 10 + [[2, UNOBSERVED]] * 4 + [[0, UNOBSERVED]] * 6 + [[0, 2]] * 5 + [[0, 0]] * 15
    one = [[2, UNOBSERVED]] * 20 + [[0, 0]] * 20
    inputs = pd.DataFrame({"bright": [0.0] * 40 + [1.0] * 40})
    hazards = fit_boosted_hazards(inputs, np.array(zero + one), 2, FREE).hazards(pd.DataFrame({"bright": [0.0, 1.0]}))
    expected = [[[10 / 40, 4 / 40], [0, 5 / 20]], [[0, 20 / 40], [0, 0]]]
    np.testing.assert_allclose(
        hazards, expected, atol=2e-3
    )  # 200 steps come so close to a share of 0, and closer to others


def test_weights_count_like_repeated_landmarks():
    inputs = pd.DataFrame({"bright": [0.0] * 40 + [1.0] * 40})
    labels = np.array([1] * 10 + [0] * 30 + [1] * 20 + [0] * 20)[:, None]
    weights = np.where(labels[:, 0] == 1, 3.0, 1.0)
    hazards = fit_boosted_hazards(inputs, labels, 1, FREE, weights).hazards(inputs.iloc[[0, -1]])
    np.testing.assert_allclose(hazards[:, 0, 0], [30 / 60, 60 / 80], atol=1e-4)


def test_bins_that_were_not_watched_teach_nothing():
    inputs, labels = _study()
    unseen = pd.DataFrame(np.full((50, 4), 7.0), columns=inputs.columns)
    more = np.concatenate([labels, np.full((50, 3), UNOBSERVED)])
    before, after = (
        fit_boosted_hazards(table, values, 2, BoostingSettings(n_trees=10)).hazards(inputs)
        for table, values in ((inputs, labels), (pd.concat([inputs, unseen]), more))
    )
    np.testing.assert_array_equal(before, after)


def test_hazards_are_probabilities_and_follow_the_inputs(fitted):
    inputs, labels, boosted = fitted
    hazards = boosted.hazards(inputs)
    assert hazards.shape == (600, 3, 2)
    assert (hazards >= 0).all()
    assert (hazards.sum(axis=2) <= 1 + 1e-9).all()
    soon, late = (hazards[inputs["input 0"].between(*bounds), 0].sum(axis=1).mean() for bounds in ((1, 9), (-9, -1)))
    assert soon > 2 * late
    watched = labels[:, 0] != UNOBSERVED
    assert hazards[watched, 0].sum(axis=1).mean() == pytest.approx((labels[watched, 0] > 0).mean(), abs=0.01)


@given(st.permutations(range(30)), st.permutations(range(4)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_and_of_columns_does_not_matter(rows, columns):
    inputs, boosted = _FITTED
    hazards = boosted.hazards(inputs.iloc[:30])
    np.testing.assert_array_equal(boosted.hazards(inputs.iloc[rows, columns]), hazards[rows])


_INPUTS, _LABELS = _study(200)
_FITTED = (_INPUTS, fit_boosted_hazards(_INPUTS, _LABELS, 2, BoostingSettings(n_trees=5)))


def test_a_text_gives_the_same_hazards_back(fitted):
    inputs, _, boosted = fitted
    back = BoostedHazards.from_text(boosted.to_text())
    np.testing.assert_array_equal(back.hazards(inputs), boosted.hazards(inputs))
    assert back.columns == boosted.columns
    assert back.settings == boosted.settings
    assert back.to_text() == boosted.to_text()


def test_a_fit_is_repeatable_and_any_number_of_threads_gives_it(fitted):
    inputs, labels, boosted = fitted
    for n_threads in (1, 2):
        again = fit_boosted_hazards(inputs, labels, 2, BoostingSettings(n_trees=20, n_threads=n_threads))
        np.testing.assert_array_equal(again.hazards(inputs), boosted.hazards(inputs))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:500], "Unterminated string"),
        (lambda text: text.replace("leaf_value=", "leaf_value=9", 1), "checksum does not fit"),
        (lambda text: text.replace('"n_events": 2', '"n_events": 3'), "checksum does not fit"),
        (lambda text: json.dumps({"columns": ["a"]}), "no checksum"),
        (lambda text: "[]", "no checksum"),
        (lambda text: "", "Expecting value"),
    ],
)
def test_a_damaged_text_is_an_input_error(fitted, damage, words):
    with pytest.raises(InputError, match=f"{words}.*take a whole copy"):
        BoostedHazards.from_text(damage(fitted[2].to_text()))


def test_an_event_that_never_occurs_has_no_hazard():
    inputs, labels = _study()
    only_first = np.where(labels == 2, 0, labels)
    hazards = fit_boosted_hazards(inputs, only_first, 2, BoostingSettings(n_trees=5)).hazards(inputs)
    assert (hazards[:, :, 1] == 0).all()
    assert (hazards[:, :, 0] > 0).all()
    boosted = fit_boosted_hazards(inputs, np.minimum(labels, 0), 2, BoostingSettings(n_trees=5))
    assert (BoostedHazards.from_text(boosted.to_text()).hazards(inputs) == 0).all()


def test_a_bin_that_nobody_was_watched_in_is_refused():
    inputs, labels = _study(50)
    labels[:, 2] = UNOBSERVED
    with pytest.raises(InputError, match=r"None of 50 landmarks was watched to the end of bin 3 of 3"):
        fit_boosted_hazards(inputs, labels, 2, BoostingSettings())


def test_few_landmarks_and_no_landmarks_are_no_problem(fitted):
    inputs, labels, boosted = fitted
    few = fit_boosted_hazards(inputs[:6], labels[:6, :1].clip(0), 2, BoostingSettings()).hazards(inputs[:6])
    assert np.isfinite(few).all()
    assert boosted.hazards(inputs[:0]).shape == (0, 3, 2)


def test_a_missing_input_is_named(fitted):
    inputs, _, boosted = fitted
    with pytest.raises(InputError, match=r"no column 'input 1' \(2 of 4 inputs are missing\)"):
        boosted.hazards(inputs[["input 0", "input 2"]])


def test_names_of_inputs_are_free():
    inputs, labels = _study(100)
    odd = inputs.set_axis(['mean "p53" [a,b]', "a:b", "ü", "a b"], axis=1)
    boosted = fit_boosted_hazards(odd, labels, 2, BoostingSettings(n_trees=3))
    back = BoostedHazards.from_text(boosted.to_text())
    np.testing.assert_array_equal(back.hazards(odd), boosted.hazards(odd))


def test_settings_are_refused():
    with pytest.raises(ValidationError, match="max_leaf_nodes"):
        BoostingSettings(max_leaf_nodes=1)
