"""Samples, opened for explanation: their time windows, and what the model says when parts of them are absent."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.games import FrameGame, FrameModel, build_game
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import TimeWindows, cut_time_windows, frames_in
from cellfate.core.errors import InputError
from cellfate.sequences.store import CellSequence, CropStore


class ExplainedMember(FrameModel, Protocol):
    """A member of a model that can be explained; `prediction.FoldModel` is one."""

    def prepare(self, sequence: CellSequence) -> NDArray[np.float32]:
        """Prepare the frames of a cell as in training, (T, C, H, W); 0 stands for absent."""


@runtime_checkable
class AttentiveMember(ExplainedMember, Protocol):
    """A member that has attention."""

    def attention(
        self, embeddings: Sequence[NDArray[np.float32]], positions: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float32]]:
        """Pooling attention, (T + 1,) a sequence, the class token's own share first."""

    def rollout(
        self, embeddings: Sequence[NDArray[np.float32]], positions: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float32]]:
        """Attention rolled out through all layers, likewise."""


@runtime_checkable
class DifferentiableMember(ExplainedMember, Protocol):
    """A member that gives gradients."""

    def input_gradients(
        self, frames_tchw: NDArray[np.float32], positions_t: NDArray[np.int64], outcome_number: int
    ) -> NDArray[np.float32]:
        """Gradient of an outcome's log odds with respect to every pixel, (T, C, H, W)."""


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
    member_of: Callable[[int], ExplainedMember],
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
    member_of
        Gives the member of a fold, for example `partial(load_fold, model)`.
    explanation
        Length and number of windows.
    outcome_number
        Outcome whose log odds are explained.
    subsets
        Subsets of channels: bit c set means that channel c is present.
    """
    wanted = list(subsets)
    for row in samples.to_dict("records"):
        member = member_of(int(row["fold"]))
        sequence, windows = read_windows(crops, row, explanation)
        frames_t = sequence.frame_numbers_t
        frames_tchw = member.prepare(sequence)
        game = build_game(member, frames_tchw, frames_t - frames_t[0], outcome_number, wanted)
        yield OpenedSample(row["sample_id"], windows, member, frames_tchw, game)


def read_windows(
    crops: CropStore, sample: Mapping[Hashable, Any], explanation: ExplanationSettings
) -> tuple[CellSequence, TimeWindows]:
    """Read a sample's crops and cut its time windows."""
    sequence = crops.read(sample["recording_id"], sample["cell_id"], sample["first_frame"], sample["last_frame"])
    window_frames = frames_in(explanation.window_h, sample["frame_interval_min"])
    return sequence, cut_time_windows(sequence.frame_numbers_t, window_frames, explanation.n_windows)


def explained_outcome(outcomes: tuple[str, ...], outcome: str | None) -> int:
    """Position of the outcome whose log odds are explained.

    Raises
    ------
    InputError
        When the outcome is not one of the model's.
    """
    if outcome is None:
        return 0
    if outcome not in outcomes:
        message = (
            f"Parameter explanation.outcome is {outcome!r}, but the model forecasts {', '.join(outcomes)}; "
            "name one of these, or null for the first."
        )
        raise InputError(message)
    return outcomes.index(outcome)
