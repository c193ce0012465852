"""What a model says at a landmark when frames or channels are absent, without encoding a frame twice.

Other pixels stand in for absent ones, in one draw or several. A frame's embedding depends on the channels present in
that frame alone, so each frame is encoded once under each subset of channels that is asked for and each draw; a
coalition then picks, frame by frame, the embedding of the subset present there and re-runs only the Transformer.
Positions stay as they are. Columns of measurements need no encoding: a coalition puts their numbers together as it is
asked, so there may be any number of them.

What is forecast without some parts is the mean, over what they could be, of the probability: with nothing present it is
the mean forecast, which of a calibrated model is the base rate. A mean of log odds would lie the farther from it the
surer the model is.

Shape suffixes: t frames shown, c channels, h rows, w columns, s subsets of channels, e embeddings kept, r draws,
d embedding, b coalitions, x numbers of columns. Channels are those of pixels, then columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cellfate.attribution.inputs import Inputs
from cellfate.core.errors import InputError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MAX_CHANNELS = 6
"""More channels of pixels would need more than 64 embeddings of every frame."""


COALITIONS = 128
"""Coalitions that are read at once; bounds memory."""


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
    rows_rs
        For each draw and subset of channels of pixels (bit c set: channel c is present) the place in `embeddings_etd`;
        -1 where not embedded.
    weights_r
        What the probability in each draw counts; they add up to 1.
    embeddings_etd
        Embeddings of pixels, float32 (E, T, D).
    positions_t
        Frame numbers less the first one shown.
    inputs
        What lies where in the frames.
    numbers_tx, absent_rtx
        Numbers of the columns, and what stands in for them in each draw.
    """

    model: FrameModel
    outcome_number: int
    rows_rs: IntArray
    weights_r: NDArray[np.float64]
    embeddings_etd: FloatArray
    positions_t: IntArray
    inputs: Inputs
    numbers_tx: FloatArray
    absent_rtx: FloatArray

    @property
    def whole_td(self) -> FloatArray:
        """All that is shown, encoded, (T, D + X)."""
        return cast(FloatArray, np.concatenate((self.embeddings_etd[self.rows_rs[0, -1]], self.numbers_tx), axis=1))

    def values(self, present_btc: BoolArray) -> NDArray[np.float64]:
        """Log odds of the outcome, (B,), when in each coalition only some channels of each frame are present."""
        starts = range(0, len(present_btc), COALITIONS)
        return np.concatenate([self._values(present_btc[start : start + COALITIONS]) for start in starts])

    def _values(self, present_btc: BoolArray) -> NDArray[np.float64]:
        """Log odds of as many coalitions as are read at once, in all draws."""
        n_pixels = self.inputs.n_pixels
        subsets_bt = present_btc[..., :n_pixels] @ (1 << np.arange(n_pixels))
        rows_rbt = self.rows_rs[:, subsets_bt]
        assert (rows_rbt >= 0).all(), "a subset of channels was asked for that was not embedded"
        embedded_rbtd = self.embeddings_etd[rows_rbt, np.arange(rows_rbt.shape[2])]
        present_btx = self.inputs.spread_columns(present_btc)
        numbers_rbtx = np.where(present_btx, self.numbers_tx, self.absent_rtx[:, None])
        encoded_rbtd = np.concatenate((embedded_rbtd, numbers_rbtx), axis=-1)
        sequences = list(encoded_rbtd.reshape(-1, *encoded_rbtd.shape[2:]))
        logits_nk = self.model.logits(sequences, [self.positions_t] * len(sequences))
        drawn_rb = log_odds(logits_nk, self.outcome_number).reshape(rows_rbt.shape[:2])
        return average_log_odds(drawn_rb, self.weights_r)


def build_game(
    model: FrameModel,
    frames_tchw: FloatArray,
    positions_t: IntArray,
    outcome_number: int,
    subsets: Sequence[int],
    stand_ins_rtchw: FloatArray | None = None,
    weights_r: NDArray[np.float64] | None = None,
    inputs: Inputs | None = None,
) -> FrameGame:
    """Embed prepared frames under the subsets of channels of pixels that will be asked for (bit c set: c is present).

    Where a channel is absent the frames of each draw stand in for it, the draws weighted; None: 0, in one draw.
    `inputs` says what lies where in the frames; None: all channels are pixels.
    """
    held = Inputs.of_pixels(frames_tchw.shape[1]) if inputs is None else inputs
    drawn_rtchw = np.zeros_like(frames_tchw)[None] if stand_ins_rtchw is None else stand_ins_rtchw
    weights = np.full(len(drawn_rtchw), 1 / len(drawn_rtchw)) if weights_r is None else weights_r
    whole = (1 << held.n_pixels) - 1
    rows_rs = np.full((len(drawn_rtchw), whole + 1), -1, dtype=np.int64)
    embedded: list[FloatArray] = []
    for subset in sorted(set(subsets)):
        for draw, absent_tchw in enumerate(drawn_rtchw if subset != whole else drawn_rtchw[:1]):
            rows_rs[slice(None) if subset == whole else draw, subset] = len(embedded)
            embedded.append(_embed_subset(model, frames_tchw, absent_tchw, subset, held))
    absent_rtx = np.stack([held.numbers(absent_tchw) for absent_tchw in drawn_rtchw])
    numbers = held.numbers(frames_tchw), absent_rtx
    return FrameGame(model, outcome_number, rows_rs, weights, np.stack(embedded), positions_t, held, *numbers)


def all_subsets(n_channels: int) -> range:
    """Every subset of the channels of pixels as a number whose bit c says whether channel c is present.

    Raises
    ------
    InputError
        When there are more than `MAX_CHANNELS`.
    """
    if n_channels > MAX_CHANNELS:
        raise InputError(
            f"The model has {n_channels} channels of pixels, but explanations look at every subset of them, of "
            f"{MAX_CHANNELS} at most; train on fewer channels, or leave the explanations out."
        )
    return range(1 << n_channels)


def whole_subset(n_channels: int) -> tuple[int, ...]:
    """All channels of pixels present, and nothing else."""
    return ((1 << n_channels) - 1,)


def occlusion_subsets(n_channels: int) -> tuple[int, ...]:
    """No channel of pixels, all of them, and all but one."""
    everything = (1 << n_channels) - 1
    return (0, everything, *(everything & ~(1 << channel) for channel in range(n_channels)))


def _embed_subset(
    model: FrameModel, frames_tchw: FloatArray, absent_tchw: FloatArray, subset: int, inputs: Inputs
) -> FloatArray:
    """Embeddings of pixels (T, D) with only a subset's channels; what never changes is encoded once for all."""
    n_frames, n_pixels = len(frames_tchw), inputs.n_pixels
    if not n_pixels:
        return np.zeros((n_frames, 0), np.float32)
    if subset == 0 and (absent_tchw[:, :n_pixels] == absent_tchw[:1, :n_pixels]).all():
        encoded_td = np.repeat(model.encode(absent_tchw[:1]), n_frames, axis=0)
    else:
        present_c = ((subset >> np.arange(frames_tchw.shape[1])) & 1).astype(bool)
        encoded_td = model.encode(np.where(present_c[:, None, None], frames_tchw, absent_tchw))
    return encoded_td[:, : encoded_td.shape[1] - inputs.n_numbers]


def average_log_odds(log_odds_rb: NDArray[np.float64], weights_r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds (B,) of the weighted mean of the probabilities of R draws.

    Examples
    --------
    The mean of 1/2 and 1/4 is 3/8, whose odds are 3 to 5:

    >>> drawn = np.log([[1.0], [1 / 3]])
    >>> bool(np.isclose(average_log_odds(drawn, np.array([0.5, 0.5])), np.log(3 / 5)).item())
    True
    """
    log_weights = np.log(np.asarray(weights_r, dtype=np.float64))[:, None]
    for_b = np.logaddexp.reduce(log_weights - np.logaddexp(0.0, -log_odds_rb), axis=0)
    against_b = np.logaddexp.reduce(log_weights - np.logaddexp(0.0, log_odds_rb), axis=0)
    return np.asarray(for_b - against_b, dtype=np.float64)


def log_odds(logits_bk: NDArray[np.floating], outcome_number: int) -> NDArray[np.float64]:
    """Log odds (B,) of one outcome against all others; K = 1: the logit of the first of two outcomes.

    Examples
    --------
    >>> log_odds(np.array([[2.0]]), 1).tolist()
    [-2.0]
    """
    logits = np.asarray(logits_bk, dtype=np.float64)
    if logits.shape[1] == 1:
        return logits[:, 0] if outcome_number == 0 else -logits[:, 0]
    others_b = np.logaddexp.reduce(np.delete(logits, outcome_number, axis=1), axis=1)
    return np.asarray(logits[:, outcome_number] - others_b, dtype=np.float64)
