"""Samples, opened for explanation: their time windows, and what the model says when parts of them are absent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_models import ExplainedMember, MemberFor, Sample
from cellfate.attribution.games import FrameGame, build_game
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import TimeWindows, cut_time_windows, frames_in
from cellfate.crops.store import CellSequence, CropStore


@dataclass(frozen=True, eq=False)
class OpenedSample:
    """A sample, its windows and its game.

    Attributes
    ----------
    sample_id
        As in table `Samples`.
    windows
        Its time windows.
    member
        The member that explains itself.
    frames_tchw
        The frames as the member sees them.
    game
        What the member says when parts are absent.
    """

    sample_id: str
    windows: TimeWindows
    member: ExplainedMember
    frames_tchw: NDArray[np.float32]
    game: FrameGame


def open_samples(
    crops: CropStore,
    samples: pd.DataFrame,
    member_for: MemberFor,
    explanation: ExplanationSettings,
    outcome_number: int,
    subsets: Iterable[int],
) -> Iterator[OpenedSample]:
    """Open samples one by one: read their crops, cut their windows, embed them under subsets of the channels.

    Parameters
    ----------
    crops
        Crop store.
    samples
        Table of `selection.select_explained_samples`.
    member_for
        Gives the member that explains a sample, for example `view_model(model).member_for`.
    explanation
        Length and number of windows.
    outcome_number
        Outcome whose log odds are explained.
    subsets
        Subsets of channels: bit c set means that channel c is present.
    """
    wanted = list(subsets)
    for row in samples.to_dict("records"):
        member = member_for(row)
        sequence, windows = read_windows(crops, row, explanation)
        frames_t = sequence.frame_numbers_t
        frames_tchw = member.prepare(sequence)
        game = build_game(member, frames_tchw, frames_t - frames_t[0], outcome_number, wanted)
        yield OpenedSample(row["sample_id"], windows, member, frames_tchw, game)


def read_windows(
    crops: CropStore, sample: Sample, explanation: ExplanationSettings
) -> tuple[CellSequence, TimeWindows]:
    """Read a sample's crops and cut its time windows."""
    sequence = crops.read(sample["recording_id"], sample["cell_id"], sample["first_frame"], sample["last_frame"])
    window_frames = frames_in(explanation.window_h, sample["frame_interval_min"])
    return sequence, cut_time_windows(sequence.frame_numbers_t, window_frames, explanation.n_windows)
