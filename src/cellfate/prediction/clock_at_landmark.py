"""The fate clock at one landmark, as explanations ask it: what it says when parts of the shown frames are changed.

The network is asked, not the blend. The age of the cell is what it is in every question: it is context, not a part
that can be absent.

Axes: t shown frames, c channels, h rows, w columns, d embedding, b sequences, k bins of time, e events; f = e + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.crops.store import CellSequence
from cellfate.prediction.clock_member import ClockMember, ages_since
from cellfate.prediction.member import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ClockAtLandmark:
    """A member of the fate clock, bound to one landmark of one cell and to a horizon.

    Attributes
    ----------
    member
        The member.
    first_tracked_frame
        First frame of the cell's track: the age counts from there.
    first_shown_frame
        First frame that is shown; what lies before it is beyond the reach of the network.
    frame_interval_min
        Time between two frames, in minutes.
    bin_number
        Bin of time that ends at the horizon.
    """

    member: ClockMember
    first_tracked_frame: int
    first_shown_frame: int
    frame_interval_min: float
    bin_number: int

    def prepare(self, sequence: CellSequence) -> FloatArray:
        """Prepare the frames of a cell as in training, the mask as last channel; see `Member.prepare`."""
        return self.member.prepare(sequence)

    def encode(self, frames_tchw: FloatArray) -> FloatArray:
        """Embed prepared frames, each by itself, (T, D)."""
        return self.member.encode(frames_tchw)

    def logits(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> NDArray[np.float64]:
        """Log probabilities at the last frame of sequences of embeddings.

        Parameters
        ----------
        embeddings
            One array (T, D) a sequence of shown frames.
        positions
            One array (T,) a sequence: frame number minus the first shown frame.

        Returns
        -------
        ndarray of float64, shape (B, E + 1)
            Log of the cumulative incidence of each event within the horizon and, last, of no event.
        """
        log_probabilities_bf = np.zeros((len(embeddings), len(self.member.config.events) + 1))
        for places, part_bf in self.member.read_in_batches(embeddings, positions, self._read):
            log_probabilities_bf[places] = part_bf.cpu().numpy()
        return log_probabilities_bf

    def input_gradients(self, frames_tchw: FloatArray, positions_t: IntArray, outcome_number: int) -> FloatArray:
        """Gradient of an event's log odds at the last frame with respect to every pixel; see `Member.differentiate`."""
        return self.member.differentiate(
            frames_tchw, outcome_number, lambda embeddings_td: self._read(embeddings_td, [positions_t])[0]
        )

    def _read(self, embeddings_nd: Any, positions: Sequence[IntArray]) -> Any:
        """Log probabilities (B, E + 1) at the last frame of packed sequences, as a tensor."""
        from cellfate.models.fate_clock import log_incidence_of

        tensor, frames = self.member.tensor, [positions_t + self.first_shown_frame for positions_t in positions]
        ages = [ages_since(self.first_tracked_frame, frames_t, self.frame_interval_min) for frames_t in frames]
        lengths_b = tensor(np.array([len(frames_t) for frames_t in frames]), np.int64)
        places_n = tensor(np.concatenate(frames) - self.first_tracked_frame, np.int64)
        last_bke = self.member.network.read_last(
            embeddings_nd, places_n, lengths_b, tensor(np.concatenate(ages), np.float32)
        )
        return log_incidence_of(last_bke.double())[:, self.bin_number]


class AttentiveClockAtLandmark(ClockAtLandmark):
    """The same for a network with attention; there is no class token, so its share is 0."""

    def attention(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Attention of the last layer at the last frame, (T + 1,) a sequence: 0, then a share a frame."""
        return [self._look_back(*sequence)[0] for sequence in zip(embeddings, positions, strict=True)]

    def rollout(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> list[FloatArray]:
        """Attention rolled out through all layers to the last frame, likewise."""
        return [self._look_back(*sequence)[1] for sequence in zip(embeddings, positions, strict=True)]

    def _look_back(self, embeddings_td: FloatArray, positions_t: IntArray) -> tuple[FloatArray, FloatArray]:
        """Attention and rollout of one sequence."""
        places_t = positions_t + self.first_shown_frame - self.first_tracked_frame
        tensor = self.member.tensor
        with self.member.computing():
            shares = self.member.network.look_back(tensor(embeddings_td, np.float32), tensor(places_t, np.int64))
        attention_s, rolled_s = (np.append(np.float32(0), shares_t.cpu().numpy()) for shares_t in shares)
        return attention_s, rolled_s
