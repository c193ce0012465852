"""What a model says at a landmark when frames or channels are absent, without encoding a frame twice.

An absent pixel is 0 after normalisation. A frame's embedding depends on the channels present in that frame alone, so
each frame is encoded once under each subset of channels that is asked for; a coalition then picks, frame by frame, the
embedding of the subset present there and re-runs only the Transformer. Positions stay as they are.

Shape suffixes: t frames shown, c channels, h rows, w columns, s subsets of channels, d embedding, b coalitions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MAX_CHANNELS = 6
"""More channels would need more than 64 embeddings of every frame."""


class FrameModel(Protocol):
    """A model that embeds frames one by one and reads sequences of embeddings."""

    def encode(self, frames_tchw: FloatArray) -> FloatArray:
        """Embed normalised frames (T, C, H, W), each by itself, (T, D)."""

    def logits(self, embeddings: Sequence[FloatArray], positions: Sequence[IntArray]) -> NDArray[np.floating[Any]]:
        """Logits (B, K) of sequences of embeddings (T, D); K is 1 for two outcomes. Log probabilities are logits."""


@dataclass(frozen=True, eq=False)
class FrameGame:
    """What is shown at a landmark, embedded under subsets of its channels, and the model that is asked about it.

    Attributes
    ----------
    model
        The model.
    outcome_number
        Which outcome's log odds are the value.
    subset_rows
        For each subset of channels (bit c set: channel c is present) its row in `embeddings_std`; -1 where not
        embedded.
    embeddings_std
        Embeddings, float32 (S, T, D).
    positions_t
        Frame numbers less the first one shown.
    """

    model: FrameModel
    outcome_number: int
    subset_rows: IntArray
    embeddings_std: FloatArray
    positions_t: IntArray

    def values(self, present_btc: BoolArray) -> NDArray[np.float64]:
        """Log odds of the outcome, (B,), when in each coalition only some channels of each frame are present."""
        n_coalitions, n_frames, n_channels = present_btc.shape
        rows_bt = self.subset_rows[present_btc @ (1 << np.arange(n_channels))]
        assert (rows_bt >= 0).all(), "a subset of channels was asked for that was not embedded"
        sequences = list(self.embeddings_std[rows_bt, np.arange(n_frames)])
        logits_bk = self.model.logits(sequences, [self.positions_t] * n_coalitions)
        return log_odds(logits_bk, self.outcome_number)


def build_game(
    model: FrameModel, frames_tchw: FloatArray, positions_t: IntArray, outcome_number: int, subsets: Sequence[int]
) -> FrameGame:
    """Embed prepared frames under the subsets of channels that will be asked for (bit c set: channel c is present)."""
    n_channels = frames_tchw.shape[1]
    wanted = sorted(set(subsets))
    embedded = [_embed_subset(model, frames_tchw, subset) for subset in wanted]
    subset_rows = np.full(1 << n_channels, -1, dtype=np.int64)
    subset_rows[wanted] = np.arange(len(wanted))
    return FrameGame(model, outcome_number, subset_rows, np.stack(embedded), positions_t)


def all_subsets(n_channels: int) -> range:
    """Every subset of the channels as a number whose bit c says whether channel c is present.

    Raises
    ------
    InputError
        When there are more than `MAX_CHANNELS`.
    """
    if n_channels > MAX_CHANNELS:
        raise InputError(
            f"The model has {n_channels} channels, but explanations look at every subset of them, of {MAX_CHANNELS} at "
            "most; train on fewer channels, or leave the explanations out."
        )
    return range(1 << n_channels)


def whole_subset(n_channels: int) -> tuple[int, ...]:
    """All channels present, and nothing else."""
    return ((1 << n_channels) - 1,)


def occlusion_subsets(n_channels: int) -> tuple[int, ...]:
    """No channel, all channels, and all but one."""
    everything = (1 << n_channels) - 1
    return (0, everything, *(everything & ~(1 << channel) for channel in range(n_channels)))


def _embed_subset(model: FrameModel, frames_tchw: FloatArray, subset: int) -> FloatArray:
    """Embeddings (T, D) of the frames with only a subset's channels; a blank frame is encoded once for all."""
    n_frames, n_channels = frames_tchw.shape[:2]
    if subset == 0:
        return np.repeat(model.encode(np.zeros_like(frames_tchw[:1])), n_frames, axis=0)
    present_c = (subset >> np.arange(n_channels)) & 1
    return model.encode(frames_tchw * present_c[:, None, None].astype(np.float32))


def log_odds(logits_bk: NDArray[np.floating], outcome_number: int) -> NDArray[np.float64]:
    """Log odds (B,) of one outcome against all others; K = 1: the logit of the first of two outcomes.

    Examples
    --------
    >>> log_odds(np.array([[2.0]]), 1).tolist()
    [-2.0]
    """
    from scipy.special import logsumexp

    logits = np.asarray(logits_bk, dtype=np.float64)
    if logits.shape[1] == 1:
        return logits[:, 0] if outcome_number == 0 else -logits[:, 0]
    others_b = logsumexp(np.delete(logits, outcome_number, axis=1), axis=1)
    return np.asarray(logits[:, outcome_number] - others_b, dtype=np.float64)
