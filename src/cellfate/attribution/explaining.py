"""Explanations of many samples by the members of a trained model."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.games import MAX_CHANNELS, all_subsets, occlusion_subsets
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import OpenedSample, explained_outcome, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.errors import InputError
from cellfate.core.tables import Attention, Attributions
from cellfate.prediction import FoldModel, TrainedModel, embed_samples, load_fold
from cellfate.sequences.store import CropStore

ReadShares = Callable[
    [FoldModel, Sequence[NDArray[np.float32]], Sequence[NDArray[np.int64]]], list[NDArray[np.float32]]
]
CHUNK_SAMPLES = 256
"""Samples whose embeddings are held at once while attention is read."""


def read_attention(crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel) -> pd.DataFrame:
    """Read the pooling attention of samples: the class-token row, as the model computed it.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples
        Table of `selection.select_explained_samples`.
    model
        Trained model; each sample is read from the member of its fold.

    Returns
    -------
    pandas.DataFrame
        Table `Attention`, one row a sample and frame. `hours_before_event` is NaN where the cell has no event.
    """
    return _read_shares(crops, explained_samples, model, FoldModel.attention, "Reading attention")


def read_rollout(crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel) -> pd.DataFrame:
    """Read the attention of samples rolled out through all layers of the model (Abnar and Zuidema 2020).

    Parameters
    ----------
    crops, explained_samples, model
        As in `read_attention`.

    Returns
    -------
    pandas.DataFrame
        Table `Attention`.
    """
    return _read_shares(crops, explained_samples, model, FoldModel.rollout, "Rolling out attention")


def _read_shares(
    crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel, read: ReadShares, title: str
) -> pd.DataFrame:
    """Read shares of all samples, one row a sample and frame."""
    parts = [
        _shares_of(crops, chunk, model, fold, read)
        for fold, chunk in tqdm(list(_chunks(explained_samples)), desc=title, disable=None)
    ]
    return Attention.validate(pd.concat(parts, ignore_index=True)) if parts else Attention.empty()


def _chunks(samples: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield samples fold by fold, a bounded number at a time."""
    for fold in sorted(samples["fold"].unique()):
        rows = samples[samples["fold"] == fold]
        for start in range(0, len(rows), CHUNK_SAMPLES):
            yield int(fold), rows.iloc[start : start + CHUNK_SAMPLES]


def _shares_of(
    crops: CropStore, samples: pd.DataFrame, model: TrainedModel, fold: int, read: ReadShares
) -> pd.DataFrame:
    """Shares of the frames of some samples of one fold."""
    embedded = embed_samples(crops, samples, model, fold)
    weights = read(load_fold(model, fold), embedded.embeddings, embedded.positions)
    lengths = [len(frames) for frames in embedded.frame_numbers]
    frames = np.concatenate(embedded.frame_numbers)
    event = np.repeat(samples["event_frame"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), lengths)
    hours_a_frame = np.repeat(samples["frame_interval_min"].to_numpy(dtype=np.float64) / 60.0, lengths)
    return pd.DataFrame(
        {
            "sample_id": np.repeat(samples["sample_id"].to_numpy(), lengths),
            "frame": frames,
            "hours_before_event": (event - frames) * hours_a_frame,
            "attention": np.concatenate([row[1:] for row in weights]).astype(np.float64),
            "class_token": np.repeat([float(row[0]) for row in weights], lengths),
        }
    )


def occlude_inputs(
    crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Occlude time windows, channels and channels in time windows of the samples marked `occluded`.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` (and `windows_back`, `window_h`, `explained_outcome`), methods `occlusion_window`,
        `occlusion_channel` and `occlusion_window_channel`; the value is f(x) - f(x without it) in logits.
    """
    channels = model.config.channels

    def explain(sample: OpenedSample) -> pd.DataFrame:
        return occlude(sample.game, sample.windows, channels, explanation.occluded_windows)

    chosen = explained_samples[explained_samples["occluded"]]
    return _explain_each(
        crops, chosen, model, explanation, occlusion_subsets(len(channels)), explain, "Occluding inputs"
    )


def compute_shapley_values(
    crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Shapley values of (time window x channel) of the samples marked `shapley`.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` (and `windows_back`, `window_h`, `explained_outcome`), method `shapley`, with `prediction`
        and `baseline`; a sample's values add up to their difference within 1e-4, in logits.

    Raises
    ------
    InputError
        When there are more than 6 channels: every frame would be encoded under each subset of them.
    """
    channels = model.config.channels
    if len(channels) > MAX_CHANNELS:
        message = (
            f"The model has {len(channels)} channels, but Shapley values are computed for at most {MAX_CHANNELS}; "
            "train on fewer channels, or leave node compute_shapley_values out."
        )
        raise InputError(message)

    def explain(sample: OpenedSample) -> pd.DataFrame:
        seed = zlib.crc32(f"{explanation.seed}:{sample.sample_id}".encode())
        return shapley_values(sample.game, sample.windows, channels, explanation.n_permutations, seed)

    chosen = explained_samples[explained_samples["shapley"]]
    return _explain_each(crops, chosen, model, explanation, all_subsets(len(channels)), explain, "Shapley values")


def attribute_gradients(
    crops: CropStore, explained_samples: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Gradient times input of the samples marked `shapley`, by window and channel.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`, method `gradient_x_input`, in logits.
    """
    channels, outcome = model.config.channels, explained_outcome(model.config.outcomes, explanation.outcome)

    def explain(sample: OpenedSample) -> pd.DataFrame:
        return gradient_times_input(sample, channels, outcome)

    chosen = explained_samples[explained_samples["shapley"]]
    return _explain_each(crops, chosen, model, explanation, all_subsets(len(channels))[-1:], explain, "Gradients")


def _explain_each(
    crops: CropStore,
    samples: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    subsets: Iterable[int],
    explain: Callable[[OpenedSample], pd.DataFrame],
    title: str,
) -> pd.DataFrame:
    """Explain samples one by one; the table carries the settings that made it in its `attrs`."""
    outcome_number = explained_outcome(model.config.outcomes, explanation.outcome)
    parts: list[pd.DataFrame] = [Attributions.empty()] if samples.empty else []
    with one_thread():
        opened = open_samples(crops, samples, partial(load_fold, model), explanation, outcome_number, subsets)
        parts += [
            explain(sample).assign(sample_id=sample.sample_id)
            for sample in tqdm(opened, total=len(samples), desc=title, disable=None)
        ]
    table = Attributions.validate(pd.concat(parts, ignore_index=True))
    table = table.assign(explained_outcome=model.config.outcomes[outcome_number], window_h=explanation.window_h)
    table.attrs["settings"] = explanation.model_dump(mode="json")
    return table


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread: on batches this small, waiting threads cost more than they give."""
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
