"""Landmarks, opened for explanation: their time windows, and what the model says when parts of them are absent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.explained_models import ExplainedMember, ModelView
from cellfate.attribution.games import FrameGame, build_game
from cellfate.attribution.stand_ins import StandIns, find_stand_ins
from cellfate.attribution.windows import TimeWindows, cut_time_windows, frames_in
from cellfate.features.measured_frames import FrameSource
from cellfate.models.threads import at_most_threads


@dataclass(frozen=True, eq=False)
class OpenedLandmark:
    """A landmark, its windows and its game.

    Attributes
    ----------
    landmark_id, group_id
        As in table `Landmarks`.
    reference_log_odds
        Log odds above which a forecast is one of the explained outcome.
    windows, channels
        Its time windows, and the names of the channels, those of columns included.
    member
        The member that explains it.
    frames_tchw
        The frames shown, as the member sees them.
    stand_ins
        What stands in for absent parts.
    game
        What the member says when parts are absent.
    """

    landmark_id: str
    group_id: str
    reference_log_odds: float
    windows: TimeWindows
    channels: tuple[str, ...]
    member: ExplainedMember
    frames_tchw: NDArray[np.float32]
    stand_ins: StandIns
    game: FrameGame


def open_landmarks(
    crops: FrameSource, landmarks: pd.DataFrame, view: ModelView, subsets: Callable[[int], Iterable[int]], title: str
) -> Iterator[OpenedLandmark]:
    """Open landmarks one by one: read their crops, cut their windows, embed them under subsets of the channels.

    Until the last one is done torch computes on one thread: on batches this small, waiting threads cost more than they
    give.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells.
    landmarks
        Table of `explained_landmarks.choose_explained_landmarks`.
    view
        The model, and what is asked of it; length and number of windows.
    subsets
        Gives, for a number of channels of pixels, the subsets of them that will be asked for.
    title
        What is done with them, for the progress bar.
    """
    wanted = list(subsets(view.n_pixel_channels))
    with at_most_threads(1):
        for row in tqdm(landmarks.to_dict("records"), desc=title, disable=None):
            member = view.member_for(row)
            sequence = crops.read(row["recording_id"], row["cell_id"], row["shown_from"], row["last_frame"])
            frames_t, frames_tchw = sequence.frame_numbers_t, member.prepare(sequence)
            window_frames = frames_in(view.explanation.window_h, row["frame_interval_min"])
            windows = cut_time_windows(frames_t, window_frames, view.explanation.n_windows)
            absent = find_stand_ins(crops, row, view, member, sequence, frames_tchw)
            asked = member, frames_tchw, frames_t - frames_t[0], view.outcome_number, wanted
            game = build_game(*asked, absent.frames_dtchw, absent.weights_d, view.inputs(int(row["fold"])))
            named = row["landmark_id"], row["group_id"], row["reference_log_odds"]
            yield OpenedLandmark(*named, windows, view.channels, member, frames_tchw, absent, game)
