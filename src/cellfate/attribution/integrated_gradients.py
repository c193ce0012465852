"""Integrated gradients, with segments of time kept as they are: TIMING.

The gradient of the log odds is averaged along a straight path from an absent part to the part as it is, and multiplied
by the difference of the two (Sundararajan et al. 2017). TIMING (Jang et al. 2025, ICML, arXiv 2506.05035) keeps, at
every step of the path, random segments of single channels as they are, and averages for every pixel over the steps at
which it was not kept: it asks what a part adds while others are whole, not only while all fade together, and the
network sees more of what it knows.

Without kept segments the values add up to f(x) - f(nothing), but for the steps of the path. With them they need not
(proposition 4.4 there): a part that everything else is kept beside gets what occlusion gives it, so what two parts say
only together counts in both. Where parts do not interact, both are the same.

Shape suffixes: s steps, t frames, c channels, h rows, w columns.
"""

import zlib
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.gradients import sum_pixels
from cellfate.attribution.inputs import Inputs
from cellfate.attribution.methods import TIMING
from cellfate.attribution.opening import OpenedLandmark
from cellfate.attribution.settings import ExplanationSettings

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


def temporal_integrated_gradients(opened: OpenedLandmark, explanation: ExplanationSettings) -> pd.DataFrame:
    """Attribute the log odds at a landmark to windows and channels by integrated gradients.

    Parameters
    ----------
    opened
        The landmark. Where several draws stand in for what is absent, there is a path from each, and the values are
        their weighted mean (expected gradients, Erion et al. 2021), which add up to the mean of log odds, not to
        the log odds of the mean probability that the game gives.
    explanation
        Steps of the path, segments that are kept (0: plain integrated gradients), seed.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `landmark_id`, one row a window and channel, in logits.
    """
    game, shape = opened.game, (len(opened.frames_tchw), len(opened.channels))
    shortest = int(np.bincount(opened.windows.window_of_t).max())
    generator = np.random.default_rng(zlib.crc32(f"{explanation.seed}:path:{opened.landmark_id}".encode()))
    kept_stc = keep_segments(shape, explanation.n_path_steps, explanation.kept_segments, shortest, generator)

    def differentiate(frames_tchw: FloatArray) -> FloatArray:
        return opened.member.input_gradients(frames_tchw, game.positions_t, game.outcome_number)

    absent = opened.stand_ins
    paths = [
        weight * integrate_gradients(differentiate, opened.frames_tchw, absent_tchw, kept_stc, game.inputs)
        for absent_tchw, weight in zip(absent.frames_dtchw, absent.weights_d, strict=True)
    ]
    return sum_pixels(opened, np.sum(paths, axis=0)).assign(method=TIMING)


def integrate_gradients(
    differentiate: Callable[[FloatArray], FloatArray],
    frames_tchw: FloatArray,
    absent_tchw: FloatArray,
    kept_stc: BoolArray,
    inputs: Inputs | None = None,
) -> NDArray[np.float64]:
    """Integrate gradients from what stands in for absent frames to the frames, by the midpoint rule.

    Parameters
    ----------
    differentiate
        Gives the gradient by every pixel at frames (T, C, H, W).
    frames_tchw, absent_tchw
        The frames, and what stands in for them.
    kept_stc
        At each step of the path, which frames and channels stay as they are.
    inputs
        What lies where in the frames; None: all channels are pixels.

    Returns
    -------
    ndarray of float64, shape (T, C, H, W)
        Relevance of every pixel: its difference times its mean gradient over the steps at which it was not kept; NaN
        where it always was.

    Examples
    --------
    The integral of the gradient of x squared is x squared; three steps of the midpoint rule find it exactly:

    >>> frames = np.full((1, 1, 1, 1), 3.0, dtype=np.float32)
    >>> integrate_gradients(lambda x: 2 * x, frames, 0 * frames, np.zeros((3, 1, 1), dtype=bool)).item()
    9.0
    """
    n_steps, held = len(kept_stc), Inputs.of_pixels(frames_tchw.shape[1]) if inputs is None else inputs
    difference_tchw, summed_tchw = frames_tchw - absent_tchw, np.zeros(frames_tchw.shape)
    for step, kept_tc in enumerate(kept_stc):
        scale_tc = np.where(kept_tc, 1.0, (step + 0.5) / n_steps).astype(np.float32)
        gradient_tchw = differentiate(absent_tchw + difference_tchw * held.spread(scale_tc, frames_tchw))
        summed_tchw += gradient_tchw * ~held.spread(kept_tc, frames_tchw)
    counts_tc = n_steps - kept_stc.sum(axis=0)
    means_tchw = summed_tchw / held.spread(np.where(counts_tc > 0, counts_tc, np.nan), frames_tchw)
    return np.asarray(difference_tchw * means_tchw, dtype=np.float64)


def keep_segments(
    shape_tc: tuple[int, int], n_steps: int, per_channel: int, shortest: int, generator: np.random.Generator
) -> BoolArray:
    """Draw the segments that are kept at each step of the path.

    At every step `per_channel` times the number of channels are drawn: a channel by chance, and a length from
    `shortest` frames to all of them, as in the paper, whose lengths go up to that of the series too. The step in the
    middle keeps nothing, so that every pixel has a gradient.

    Returns
    -------
    ndarray of bool, shape (S, T, C)
    """
    n_frames, n_channels = shape_tc
    kept_stc = np.zeros((n_steps, n_frames, n_channels), dtype=bool)
    for kept_tc in kept_stc:
        for _ in range(per_channel * n_channels):
            length = int(generator.integers(min(shortest, n_frames), n_frames + 1))
            start = int(generator.integers(0, n_frames - length + 1))
            kept_tc[start : start + length, generator.integers(n_channels)] = True
    kept_stc[n_steps // 2] = False
    return kept_stc
