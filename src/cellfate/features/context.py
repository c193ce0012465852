"""Context: what a person knows of a landmark without its images: age, time, dose, crowding, mother and sister."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.guard import guard_frames
from cellfate.core.amounts import is_untreated, rank_amount
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.core.tables import FRAME
from cellfate.core.words import order_doses
from cellfate.features.settings import ContextName

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Context:
    """What is told of a landmark beside measurements.

    Attributes
    ----------
    names
        What is told, in order; see `ContextSettings`.
    guard_h
        Hours that an event of the sister stays unknown.
    doses
        Doses of the training recordings, of which `dose` makes its columns.
    """

    names: tuple[ContextName, ...] = ("age",)
    guard_h: float = 0.0
    doses: tuple[str, ...] = ()


AGE_ALONE: Final = Context()
"""The context of models of earlier versions."""


def describe_context(landmarks: pd.DataFrame, frame_features: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Describe the context of landmarks; nothing after a landmark is looked at.

    Parameters
    ----------
    landmarks
        Table `Landmarks`, or one with the columns that the names need: `first_frame`, `last_frame`,
        `frame_interval_min`; `treatment_h`; `dose`; `mother_cycle_h`; `sister_fate` and `sister_end_frame`.
    frame_features
        Table `FrameFeatures`, for `crowding`.
    context
        What is told.

    Returns
    -------
    pandas.DataFrame of float64
        One row a landmark, in their order and with their index; NaN where it is not known. `age`: `age_h` (hours since
        the track began), `born_in_view` (1 when it began after the recording did, else 0). `recording_time`:
        `recording_h`. `treatment_time`: `treated_h`, negative before the treatment. `dose`: `dose_amount` where all
        doses of the training are numbers of one unit (no treatment: 0), else a column of 0 and 1 a dose. `crowding`:
        `neighbors` in the last frame. `mother`: `mother_cycle_h`. `sister`: `sister_alive`, `sister_divided_h` and
        `sister_died_h` (hours since), all of it as it stood `guard_h` before the landmark.
    """
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "age": lambda: _age(landmarks),
        "recording_time": lambda: pd.DataFrame({"recording_h": _hours(landmarks, "last_frame")}),
        "treatment_time": lambda: _treated(landmarks),
        "dose": lambda: _dose(landmarks, context.doses),
        "crowding": lambda: _crowding(landmarks, frame_features),
        "mother": lambda: pd.DataFrame({"mother_cycle_h": _known(landmarks, "mother_cycle_h")}),
        "sister": lambda: _sister(landmarks, context.guard_h),
    }
    told = [makers[name]().set_axis(landmarks.index) for name in context.names]
    return pd.concat(told, axis=1).astype(np.float64) if told else pd.DataFrame(index=landmarks.index)


def _known(landmarks: pd.DataFrame, name: str) -> FloatArray:
    """Numbers of a column, NaN where they are not known or there is no such column."""
    if name not in landmarks:
        return np.full(len(landmarks), np.nan)
    return np.asarray(landmarks[name].to_numpy(np.float64, na_value=np.nan), dtype=np.float64)


def _hours(landmarks: pd.DataFrame, frames: str) -> FloatArray:
    """Hours from the first frame of the recording to a frame."""
    hours_n = _known(landmarks, frames) * landmarks["frame_interval_min"].to_numpy(np.float64) / 60
    return np.asarray(hours_n, dtype=np.float64)


def _age(landmarks: pd.DataFrame) -> pd.DataFrame:
    hours_per_frame = landmarks["frame_interval_min"].to_numpy(np.float64) / 60
    first = landmarks["first_frame"].to_numpy(np.int64)
    age_h = (landmarks["last_frame"].to_numpy(np.int64) - first) * hours_per_frame
    return pd.DataFrame({"age_h": age_h, "born_in_view": (first > 0).astype(np.float64)})


def _treated(landmarks: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"treated_h": _hours(landmarks, "last_frame") - _known(landmarks, "treatment_h")})


def _dose(landmarks: pd.DataFrame, doses: tuple[str, ...]) -> pd.DataFrame:
    """Amounts where the doses are, else which of them it is."""
    found = {dose: (0.0, "") if is_untreated(dose) else rank_amount(dose) for dose in landmarks["dose"].unique()}
    known = [(0.0, "") if is_untreated(dose) else rank_amount(dose) for dose in doses]
    units = {unit for number, unit in known if number != 0}  # of a word: the word
    if len(units) == 1 and not any(math.isnan(number) for number, _ in known):
        in_unit = {dose: number for dose, (number, unit) in found.items() if number == 0 or unit in units}
        return pd.DataFrame({"dose_amount": landmarks["dose"].map(in_unit)})
    return pd.DataFrame({f"dose_{dose}": (landmarks["dose"] == dose).to_numpy() for dose in order_doses(doses)})


def _crowding(landmarks: pd.DataFrame, frame_features: pd.DataFrame) -> pd.DataFrame:
    asked = landmarks[FRAME[:-1]].assign(frame=landmarks["last_frame"])
    found = asked.merge(frame_features[[*FRAME, "n_neighbors"]], on=FRAME, how="left", validate="many_to_one")
    return pd.DataFrame({"neighbors": found["n_neighbors"].to_numpy(np.float64)})


def _sister(landmarks: pd.DataFrame, guard_h: float) -> pd.DataFrame:
    """Tell what was known of the sister a guard before the landmark."""
    interval_min = landmarks["frame_interval_min"].to_numpy(np.float64)
    ended, at = _known(landmarks, "sister_end_frame"), landmarks["last_frame"].to_numpy(np.float64)
    fate = landmarks["sister_fate"].to_numpy(object) if "sister_fate" in landmarks else np.full(len(landmarks), None)
    has_event = np.isin(fate.astype(str), EVENTS)
    known_until = at - guard_frames(guard_h, interval_min)
    over = has_event & (ended <= known_until)
    watched = ~np.isnan(ended) & (has_event | (ended >= known_until))
    since_h = np.where(over, (at - ended) * interval_min / 60, np.nan)
    return pd.DataFrame(
        {
            "sister_alive": np.where(watched, (~over).astype(np.float64), np.nan),
            "sister_divided_h": np.where(fate == MITOSIS, since_h, np.nan),
            "sister_died_h": np.where(fate == APOPTOSIS, since_h, np.nan),
        }
    )
