"""What can be asked of a study, and what is said of what cannot."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.outcomes import competing_events, label_landmarks, outcomes_within
from cellfate.cohort.questions import is_asked, list_questions, why_not
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Questions
from tests.unit.cohort.test_follow_ups import DIVIDING, DYING, HOURLY, LOST, tables_of


def questions_of(*written, follow_up: FollowUpSettings = HOURLY) -> pd.DataFrame:
    detections, cells, recordings = tables_of(*written)
    follow_ups, _ = follow_cells(detections, cells, recordings, follow_up)
    return list_questions(follow_ups, list_landmarks(detections, follow_ups, follow_up), follow_up)


def test_with_both_fates_and_a_lost_cell_everything_is_asked() -> None:
    table = Questions.validate(questions_of(DIVIDING, DYING, LOST))
    assert table["asked"].tolist() == [True, True]
    assert table["remark"].isna().all()
    assert table["n_cells"].tolist() == [2, 3]


def test_one_fate_leaves_what_happens_within_hours() -> None:
    table = questions_of(DIVIDING, LOST)
    assert not is_asked(table, "which_fate")
    assert "all 1 cells whose fate was seen end in mitosis" in why_not(table, "which_fate")
    assert is_asked(table, "within_hours")
    assert "no followed cell ends in apoptosis, so that is not forecast" in why_not(table, "within_hours")


def test_no_fate_at_all_leaves_nothing_and_says_so() -> None:
    table = questions_of(LOST)
    assert not table["asked"].any()
    assert "none of 1 followed cells ends in apoptosis or mitosis (1 censored)" in why_not(table, "within_hours")
    assert "no cell's fate was seen" in why_not(table, "which_fate")


def test_no_censored_cell_is_remarked() -> None:
    table = questions_of(DIVIDING, DYING)
    assert table["asked"].all()
    assert "no followed cell is censored" in why_not(table, "within_hours")


@pytest.mark.parametrize("name", ["which_fate", "within_hours"])
def test_a_question_that_nobody_wants_is_not_asked(name: str) -> None:
    other = {"which_fate": "within_hours", "within_hours": "which_fate"}[name]
    table = questions_of(DIVIDING, DYING, LOST, follow_up=HOURLY.model_copy(update={"questions": (other,)}))
    assert not is_asked(table, name)
    assert is_asked(table, other)
    assert "follow_up.questions" in why_not(table, name)


def test_a_horizon_beyond_what_was_watched_is_told_at_once() -> None:
    """The latest that any of these landmarks was watched for is known by hand: their cells are followed to frame 12."""
    longer = HOURLY.model_copy(update={"horizon_h": HOURLY.guard_h + 40 * HOURLY.bin_h})
    with pytest.raises(
        InputError, match=r"landmarks was watched for longer than (\d+) h .* set follow_up\.horizon_h to \1 "
    ):
        questions_of(DIVIDING, DYING, LOST, follow_up=longer)


def test_late_landmarks_carry_no_outcome_information() -> None:
    # Every cell meets its event or is lost with constant odds a frame, and all recordings end at frame 39. Near that
    # end an event would be known and its absence would not: among landmarks whose answer within 2 h (4 frames) is
    # known, the share of events must not depend on how much of the recording is left, and in the last 4 frames none
    # is known at all.
    rng = np.random.default_rng(0)
    n, length, odds = 4000, 40, 0.05
    start = rng.integers(0, length - 1, n)
    life = rng.geometric(odds, n)
    seen = start + life < length
    landmarks = pd.DataFrame(
        {
            "time_h": np.where(seen, life, length - 1 - start) / 2,
            "watchable_h": (length - 1 - start) / 2,
            "fate": np.where(seen, "apoptosis", "censored"),
        }
    )
    outcome = outcomes_within(landmarks, ("apoptosis",), 2.0)
    assert outcome[landmarks["watchable_h"] < 2.0].isna().all()
    known = landmarks.assign(event=outcome == "apoptosis")[outcome.notna()]
    truth = 1 - (1 - odds) ** 4
    late, early = known[known["watchable_h"] < 6.0], known[known["watchable_h"] >= 6.0]
    for part in (late, early):
        assert part["event"].mean() == pytest.approx(truth, abs=3 * np.sqrt(truth * (1 - truth) / len(part)))
    # the bins that teach hazards keep to the same rule: each bin of 1 h has the hazard of two frames
    labels_nk = label_landmarks(landmarks, ("apoptosis",), (0.0, 1.0, 2.0))
    at_risk = labels_nk >= 0
    hazards = (labels_nk == 1).sum(axis=0) / at_risk.sum(axis=0)
    of_bin = 1 - (1 - odds) ** 2
    assert hazards == pytest.approx([of_bin, of_bin], abs=3 * np.sqrt(of_bin / at_risk.sum(axis=0).min()))
    assert (at_risk[:, 1] <= (landmarks["watchable_h"] >= 2.0)).all()


def test_events_that_occur_compete_whether_or_not_they_are_shown() -> None:
    assert competing_events(pd.DataFrame({"fate": ["censored", "mitosis", "apoptosis"]})) == ("apoptosis", "mitosis")
    assert competing_events(pd.DataFrame({"fate": ["mitosis", "unscored"]})) == ("mitosis",)
