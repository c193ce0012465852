"""The fate clock at one landmark, as explanations ask it: what it says when parts of the shown frames are changed.

The network is asked, not the ensemble. The age of the cell is what it is in every question: it is context, not a part
that can be absent.

Axes: t shown frames, c channels, h rows, w columns, d embedding, b sequences, k bins of time, e events; f = e + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.crops.store import CellSequence
from cellfate.prediction.clock_member import ClockMember
from cellfate.prediction.fold_model import batches_of_like_length, outcome_log_odds

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


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
        """Prepare the frames of a cell as in training, the mask as last channel; see `ClockMember.prepare`."""
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
        import torch

        lengths_b = np.array([len(positions_t) for positions_t in positions], dtype=np.int64)
        log_probabilities_bf = np.zeros((len(lengths_b), len(self.member.config.follow_up.events) + 1))
        for members in batches_of_like_length(lengths_b):
            embeddings_nd = torch.from_numpy(np.concatenate([embeddings[member] for member in members]))
            with torch.inference_mode():
                part_bf = self._read(embeddings_nd, [positions[member] for member in members])
            log_probabilities_bf[members] = part_bf.cpu().numpy()
        return log_probabilities_bf

    def input_gradients(self, frames_tchw: FloatArray, positions_t: IntArray, outcome_number: int) -> FloatArray:
        """Gradient of an event's log odds at the last frame with respect to every pixel, (T, C, H, W)."""
        import torch

        network = self.member.network
        device = next(network.parameters()).device
        pixels = torch.from_numpy(np.ascontiguousarray(frames_tchw, dtype=np.float32)).to(device).requires_grad_()
        log_probabilities_bf = self._read(network.encode(pixels), [positions_t])
        (gradient,) = torch.autograd.grad(outcome_log_odds(log_probabilities_bf[0], outcome_number), pixels)
        return cast(FloatArray, gradient.cpu().numpy())

    def _read(self, embeddings_nd: Any, positions: Sequence[IntArray]) -> Any:
        """Log probabilities (B, E + 1) at the last frame of packed sequences, as a tensor."""
        import torch

        from cellfate.models.fate_clock import log_incidence_of

        network = self.member.network
        device = next(network.parameters()).device
        lengths_b = torch.tensor([len(positions_t) for positions_t in positions])
        ages_na = torch.from_numpy(np.concatenate([self._ages(positions_t) for positions_t in positions]))
        arguments = (embeddings_nd, self._positions(np.concatenate(positions)), lengths_b, ages_na)
        logits_nke = network.read(*(argument.to(device) for argument in arguments))
        last_bke = logits_nke[(lengths_b.cumsum(dim=0) - 1).to(device)]
        return log_incidence_of(last_bke.double())[:, self.bin_number]

    def _positions(self, positions_t: IntArray) -> Any:
        """Positions as the network counts them: from the first tracked frame."""
        import torch

        return torch.from_numpy(positions_t + self.first_shown_frame - self.first_tracked_frame)

    def _ages(self, positions_t: IntArray) -> FloatArray:
        """Give what the network is told about the age of the cell at shown frames."""
        frames_t = np.concatenate(([self.first_tracked_frame], positions_t + self.first_shown_frame))
        return age_inputs(frames_t, self.frame_interval_min / 60)[1:]


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
        import torch

        network = self.member.network
        device = next(network.parameters()).device
        with torch.inference_mode():
            shares = network.look_back(
                torch.from_numpy(embeddings_td).to(device), self._positions(positions_t).to(device)
            )
        attention_s, rolled_s = (np.append(np.float32(0), shares_t.cpu().numpy()) for shares_t in shares)
        return attention_s, rolled_s
