"""Cumulative incidence and the chance of being watched: by hand, against scikit-survival, on real event tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.nonparametric import (
    CensoringDistributionEstimator,
    cumulative_incidence_competing_risks,
    kaplan_meier_estimator,
)
from sksurv.util import Surv

from cellfate.statistics.aalen_johansen import aalen_johansen, count_at_risk, watched_until
from cellfate.statistics.bootstrap import draw_groups
from tests.cases.hand_scored_lineages import read_lineages

CODES = {"censored": 0, "death": 1, "division": 2}


def _tied(seed, n=120, last=12, shares=(0.4, 0.25, 0.35)):
    """Ends on a coarse grid: events of both kinds and censorings share most times."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, last, n) / 3.0, rng.choice(3, n, p=shares), rng.integers(6, size=n)


def _assert_equal_to_scikit_survival(time, event):
    expected_time, expected = cumulative_incidence_competing_risks(event, time)
    (found,) = aalen_johansen(time, event, 2, expected_time)
    np.testing.assert_allclose(found.T, expected[1:], atol=1e-10, rtol=0)
    np.testing.assert_allclose(found.sum(axis=1), expected[0], atol=1e-10, rtol=0)


def test_incidence_by_hand_with_ties_between_causes_and_with_censoring():
    # 10 cells. At 1: one of each event and one lost: hazards 1/10, 1/10; 8/10 are left without an event.
    # At 2: of 7 at risk two divide: 8/10 * 2/7. At 3: two are lost. At 4: of 3 at risk one dies, one divides.
    time = [1, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    event = [1, 2, 0, 2, 2, 0, 0, 1, 2, 0]
    assert count_at_risk(time, [1, 2, 3, 4, 5]).tolist() == [10, 7, 5, 3, 1]
    free = 0.8 * 5 / 7
    expected = [[0, 0], [0.1, 0.1], [0.1, 0.1 + 1.6 / 7], [0.1 + free / 3, 0.1 + 1.6 / 7 + free / 3]]
    np.testing.assert_allclose(aalen_johansen(time, event, 2, [0.99, 1, 3.5, 9])[0], expected, atol=1e-15)
    assert count_at_risk(time, [0, 1, 1.5, 5, 5.5]).tolist() == [10, 10, 7, 1, 0]


def test_without_censoring_incidence_is_the_share_of_cells():
    time, event, _ = _tied(3, shares=(0.0, 0.4, 0.6))
    shares = [[np.mean((time <= t) & (event == e)) for e in (1, 2)] for t in (0.5, 1, 2, 4)]
    np.testing.assert_allclose(aalen_johansen(time, event, 2, [0.5, 1, 2, 4])[0], shares, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_incidence_equals_scikit_survival_on_tied_data(seed):
    time, event, _ = _tied(seed)
    _assert_equal_to_scikit_survival(time, event)


def test_equal_numbers_of_frames_tie_whatever_floating_point_says():
    # 3 * 0.1 > 0.3: taken as two times, the second would have one cell at risk and not two.
    np.testing.assert_allclose(aalen_johansen([3 * 0.1, 0.3, 1.0], [1, 2, 0], 2, 0.3), [[[1 / 3, 1 / 3]]])
    assert count_at_risk([3 * 0.1, 0.3, 1.0], [0.3, 3 * 0.1]).tolist() == [3, 3]


def test_an_event_that_never_happens_has_no_incidence_and_an_empty_table_none_at_all():
    assert aalen_johansen([1.0, 2.0], [1, 0], 2, 2.0).tolist() == [[[0.5, 0.0]]]
    assert np.isnan(aalen_johansen([], [], 2, [1.0, 2.0])).all()
    assert count_at_risk([], [1.0]).tolist() == [0]
    no_groups = np.array([], dtype=np.int64)
    assert np.isnan(aalen_johansen([], [], 2, [1.0, 2.0], no_groups, np.ones((2, 3)))).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_resamples_equal_listing_the_drawn_cells_and_weighing_them(seed):
    time, event, groups = _tied(seed)
    counts, at = draw_groups(6, 20, seed), [0.1, 1.0, 2.5, 3.0]
    estimates = aalen_johansen(time, event, 2, at, groups, counts)
    assert estimates.shape == (21, 4, 2)
    for row, estimate in zip(counts, estimates, strict=True):
        listed = np.repeat(np.arange(len(time)), row[groups].astype(int))
        np.testing.assert_allclose(estimate, aalen_johansen(time[listed], event[listed], 2, at)[0], atol=1e-12)


def test_resamples_in_chunks_are_the_same_and_those_without_a_cell_are_nan(monkeypatch):
    time, event, groups = _tied(1)
    counts = np.vstack([draw_groups(6, 9, 0), np.zeros(6)])
    whole = aalen_johansen(time, event, 2, [1.0, 2.0], groups, counts)
    assert np.isnan(whole[-1]).all()
    assert np.isfinite(whole[:-1]).all()
    monkeypatch.setattr("cellfate.statistics.aalen_johansen._MOST_WEIGHTS", 90)
    np.testing.assert_array_equal(whole, aalen_johansen(time, event, 2, [1.0, 2.0], groups, counts))


def test_being_watched_by_hand_with_events_before_censorings():
    # At 1: one event and one lost: of the 3 that had no event one is lost. At 2: of the 2 left, one is lost.
    found = watched_until([1, 1, 2, 2], [1, 0, 0, 2], [0.5, 1, 1.5, 2, 3])
    np.testing.assert_allclose(found, [1, 1, 2 / 3, 2 / 3, 0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_being_watched_equals_scikit_survival_on_tied_data(seed):
    time, event, _ = _tied(seed)
    reference = CensoringDistributionEstimator().fit(Surv.from_arrays(event > 0, time))
    at = np.unique(time)
    found = watched_until(time, event, at + 1e-3)  # theirs is just after a time, ours just before
    np.testing.assert_allclose(found, reference.predict_proba(at), atol=1e-10, rtol=0)


@pytest.mark.real
def test_the_hand_scored_sheets_hold_the_published_counts(real_data):
    cells = read_lineages(real_data / "thmm_au565")
    assert cells["sheet"].nunique() == 109
    assert cells["event"].value_counts().to_dict() == {"division": 4602, "death": 1046, "censored": 6291}
    # The plate map gives every well's drug: more gemcitabine or lapatinib, more deaths and fewer divisions.
    shares = cells.groupby(["drug", "dose_um"])["event"].value_counts(normalize=True)
    for drug, doses in (("gem", (0.0, 10.0, 30.0)), ("lap", (0.0, 50.0, 250.0))):
        assert np.all(np.diff([shares[drug, dose, "death"] for dose in doses]) > 0)
    assert cells["life_h"].min() >= 0
    assert not cells[["drug", "dose_um"]].isna().any(axis=None)


@pytest.mark.real
def test_incidence_equals_scikit_survival_on_the_hand_scored_sheets_and_in_every_dose(real_data):
    cells = read_lineages(real_data / "thmm_au565")
    event = cells["event"].map(CODES).to_numpy()
    frame_h, life_h = cells["frame"].to_numpy() * 0.5, cells["life_h"].to_numpy()
    # Ties between causes are many: they are what is tested.
    assert len(set(life_h[event == 1]) & set(life_h[event == 2])) > 100
    doses = [of_dose.to_numpy() for of_dose in cells.groupby(["drug", "dose_um"]).groups.values()]
    assert len(doses) == 13
    for kept in (np.arange(len(cells)), *doses):
        for time in (frame_h, life_h):
            _assert_equal_to_scikit_survival(time[kept], event[kept])


def test_cells_that_enter_late_by_hand():
    # At 1 h of two cells one dies (1/2); a third enters at 1 h; at 2 h of two one divides (1/2 * 1/2).
    entered = [0, 0, 1.0]
    (found,) = aalen_johansen([1.0, 3.0, 2.0], [1, 0, 2], 2, [0.5, 1.0, 2.0], entered_n=entered)
    assert found.tolist() == [[0, 0], [0.5, 0], [0.5, 0.25]]
    assert count_at_risk([1.0, 3.0, 2.0], [0.5, 1.0, 2.0, 3.0], entered).tolist() == [2, 2, 2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_no_event_with_entry_is_scikit_survivals_kaplan_meier_and_resamples_are_repeated_cells(seed):
    time, event, groups = _tied(seed)
    time = np.round(3 * time)  # whole hours tie in both
    entered = np.maximum(0, time - np.random.default_rng(seed).integers(1, 8, len(time)))
    entered[:30] = 0.0
    at, expected = kaplan_meier_estimator(event > 0, time, entered)
    (found,) = aalen_johansen(time, event, 2, at, entered_n=entered)
    np.testing.assert_allclose(1 - found.sum(axis=1), expected, atol=1e-10)
    counts = np.array([[1, 2, 0, 1, 1, 1.0]])
    (drawn,) = aalen_johansen(time, event, 2, at, groups, counts, entered)
    again = np.repeat(np.arange(len(time)), counts[0, groups].astype(int))
    (repeated,) = aalen_johansen(time[again], event[again], 2, at, entered_n=entered[again])
    np.testing.assert_allclose(drawn, repeated, atol=1e-10)
