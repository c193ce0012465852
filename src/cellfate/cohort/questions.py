"""Questions: what can be asked of a study, and what cannot, and why."""

import logging
import math
from typing import Final

import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import competing_events, label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS
from cellfate.core.tables import CELL, Questions
from cellfate.statistics.incidence import UNOBSERVED

logger = logging.getLogger(__name__)

WHICH_FATE: Final = "which_fate"
WITHIN_HOURS: Final = "within_hours"


def list_questions(follow_ups: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Say of each question whether it is asked, of how many cells and landmarks, and what keeps it from being asked.

    Parameters
    ----------
    follow_ups, landmarks : DataFrame
        Tables `FollowUps` and `Landmarks`.
    follow_up : FollowUpSettings
        Questions that are wanted, events, and the headline horizon.

    Returns
    -------
    DataFrame
        Table `Questions`: which fate comes (at the last landmark of cells whose fate was seen), and what happens within
        some hours (at the regular landmarks of every cell).

    Raises
    ------
    InputError
        If the horizon is longer than any landmark was watched. A study of which nothing can be asked has two rows that
        say so.
    """
    fated = landmarks[asks_which_fate(landmarks)]
    regular = landmarks[landmarks["regular"]]
    rows = [
        _question(WHICH_FATE, math.nan, fated, _why_not_which(fated, follow_up), None),
        _question(
            WITHIN_HOURS,
            follow_up.headline_h,
            regular,
            _why_not_within(follow_ups, follow_up),
            _reservation(follow_ups, follow_up),
        ),
    ]
    if rows[1]["asked"] and len(regular):
        _check_horizon(regular, competing_events(follow_ups), follow_up)
    for row in rows:
        if row["remark"]:
            logger.warning("Question %s: %s", row["question"], row["remark"])
    return Questions.validate(pd.DataFrame(rows))


def _check_horizon(landmarks: pd.DataFrame, events: tuple[str, ...], follow_up: FollowUpSettings) -> None:
    """Check that in every bin up to the horizon something could be seen."""
    edges_h = follow_up.edges_h
    unseen_k = (label_landmarks(landmarks, events, edges_h) == UNOBSERVED).all(axis=0)
    if not unseen_k.any():
        return
    seen_h = edges_h[int(unseen_k.argmax())]
    advice = f"set follow_up.horizon_h to {seen_h:g} at most, and report_h and headline_h within it"
    if seen_h == edges_h[0]:
        advice = "give longer recordings, or lower follow_up.min_frames or guard_h"
    raise InputError(
        f"None of {len(landmarks)} landmarks was watched for longer than {seen_h:g} h after it, but hazards are "
        f"learned up to {follow_up.horizon_h:g} h (follow_up.horizon_h); {advice}."
    )


def is_asked(questions: pd.DataFrame, question: str) -> bool:
    """Whether a question is asked; from table `Questions`."""
    return bool(questions.loc[questions["question"] == question, "asked"].any())


def why_not(questions: pd.DataFrame, question: str) -> str:
    """Why a question is not asked, one sentence; from table `Questions`."""
    return str(questions.loc[questions["question"] == question, "remark"].iloc[0])


def shown_events(events: tuple[str, ...], follow_up: FollowUpSettings) -> tuple[str, ...]:
    """Events that compete in the study and are shown."""
    return tuple(event for event in events if event in follow_up.events)


def _question(
    name: str, within_h: float, landmarks: pd.DataFrame, why_not_asked: str | None, reservation: str | None
) -> dict[str, object]:
    return {
        "question": name,
        "within_h": within_h,
        "asked": why_not_asked is None,
        "n_cells": len(landmarks[CELL].drop_duplicates()),
        "n_landmarks": len(landmarks),
        "remark": why_not_asked or reservation,
    }


def _why_not_which(fated: pd.DataFrame, follow_up: FollowUpSettings) -> str | None:
    if WHICH_FATE not in follow_up.questions:
        return "not asked: it is not listed in follow_up.questions."
    found = competing_events(fated)
    if len(found) == len(EVENTS):
        return None
    seen = f"all {len(fated)} cells whose fate was seen end in {found[0]}" if found else "no cell's fate was seen"
    return f"not asked: {seen}, and it takes cells of both fates to tell them apart."


def _why_not_within(follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> str | None:
    if WITHIN_HOURS not in follow_up.questions:
        return "not asked: it is not listed in follow_up.questions."
    if shown_events(competing_events(follow_ups), follow_up):
        return None
    found = ", ".join(f"{n} {fate}" for fate, n in follow_ups["fate"].value_counts().items())
    wanted = " or ".join(follow_up.events)
    return f"not asked: none of {len(follow_ups)} followed cells ends in {wanted} ({found})."


def _reservation(follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> str | None:
    found = competing_events(follow_ups)
    unseen = [event for event in follow_up.events if event not in found]
    if unseen:
        return f"no followed cell ends in {' or '.join(unseen)}, so that is not forecast."
    if not (follow_ups["fate"] == CENSORED).any():
        return "no followed cell is censored: check that cells without a fate were kept."
    return None
