"""Explanations of many samples by the members of a trained model."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.explained_models import (
    AttentiveMember,
    Explainable,
    ExplainedMember,
    ExplainedModel,
    Sample,
    view_model,
)
from cellfate.attribution.games import MAX_CHANNELS, all_subsets, occlusion_subsets
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import OpenedSample, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.core.errors import InputError
from cellfate.core.tables import Attention, Attributions
from cellfate.crops.store import CropStore

ReadShares = Callable[
    [AttentiveMember, Sequence[NDArray[np.float32]], Sequence[NDArray[np.int64]]], list[NDArray[np.float32]]
]


def read_attention(crops: CropStore, explained_samples: pd.DataFrame, model: Explainable) -> pd.DataFrame:
    """Read the attention of samples, as the model computed it.

    Of the classifier it is the pooling attention, the class-token row; of the fate clock the attention of the last
    layer at the last frame.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples
        Table of `selection.select_explained_samples`.
    model
        A model; each sample is read from the member of its fold.

    Returns
    -------
    pandas.DataFrame
        Table `Attention`, one row a sample and frame; empty for a model without attention. `hours_before_event` is NaN
        where the cell has no event.
    """
    return _read_shares(crops, explained_samples, model, lambda member, *of: member.attention(*of), "Reading attention")


def read_rollout(crops: CropStore, explained_samples: pd.DataFrame, model: Explainable) -> pd.DataFrame:
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
    return _read_shares(crops, explained_samples, model, lambda member, *of: member.rollout(*of), "Rolling out")


def _read_shares(
    crops: CropStore, explained_samples: pd.DataFrame, model: Explainable, read: ReadShares, title: str
) -> pd.DataFrame:
    """Read shares of all samples, one row a sample and frame."""
    view = view_model(model)
    rows = tqdm(explained_samples.to_dict("records"), desc=title, disable=None)
    parts = [part for row in rows for part in _shares_of(crops, row, view.member_for(row), read)]
    return Attention.validate(pd.concat(parts, ignore_index=True)) if parts else Attention.empty()


def _shares_of(crops: CropStore, sample: Sample, member: ExplainedMember, read: ReadShares) -> Iterator[pd.DataFrame]:
    """Shares of the frames of one sample; nothing where its member has no attention."""
    if not isinstance(member, AttentiveMember):
        return
    sequence = crops.read(sample["recording_id"], sample["cell_id"], sample["first_frame"], sample["last_frame"])
    frames_t = sequence.frame_numbers_t
    shares_s = read(member, [member.encode(member.prepare(sequence))], [frames_t - frames_t[0]])[0]
    event: float = np.nan if pd.isna(sample["event_frame"]) else float(sample["event_frame"])
    yield pd.DataFrame(
        {
            "sample_id": sample["sample_id"],
            "frame": frames_t,
            "hours_before_event": (event - frames_t) * float(sample["frame_interval_min"]) / 60.0,
            "attention": shares_s[1:].astype(np.float64),
            "class_token": float(shares_s[0]),
        }
    )


def occlude_inputs(
    crops: CropStore, explained_samples: pd.DataFrame, model: Explainable, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Occlude time windows, channels and channels in time windows of the samples marked `occluded`.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` (and `windows_back`, `window_h`, `explained_outcome`), methods `occlusion_window`,
        `occlusion_channel` and `occlusion_window_channel`; the value is f(x) - f(x without it) in logits.
    """
    view = view_model(model, explanation.outcome)
    channels = view.channels

    def explain(sample: OpenedSample) -> pd.DataFrame:
        return occlude(sample.game, sample.windows, channels, explanation.occluded_windows)

    chosen = explained_samples[explained_samples["occluded"]]
    return _explain_each(
        crops, chosen, view, explanation, occlusion_subsets(len(channels)), explain, "Occluding inputs"
    )


def compute_shapley_values(
    crops: CropStore, explained_samples: pd.DataFrame, model: Explainable, explanation: ExplanationSettings
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
    view = view_model(model, explanation.outcome)
    channels = view.channels
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
    return _explain_each(crops, chosen, view, explanation, all_subsets(len(channels)), explain, "Shapley values")


def attribute_gradients(
    crops: CropStore, explained_samples: pd.DataFrame, model: Explainable, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Gradient times input of the samples marked `shapley`, by window and channel.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`, method `gradient_x_input`, in logits.
    """
    view = view_model(model, explanation.outcome)
    channels, outcome = view.channels, view.outcome_number

    def explain(sample: OpenedSample) -> pd.DataFrame:
        return gradient_times_input(sample, channels, outcome)

    chosen = explained_samples[explained_samples["shapley"]]
    return _explain_each(crops, chosen, view, explanation, all_subsets(len(channels))[-1:], explain, "Gradients")


def _explain_each(
    crops: CropStore,
    samples: pd.DataFrame,
    view: ExplainedModel,
    explanation: ExplanationSettings,
    subsets: Iterable[int],
    explain: Callable[[OpenedSample], pd.DataFrame],
    title: str,
) -> pd.DataFrame:
    """Explain samples one by one; the table carries the settings that made it in its `attrs`."""
    parts: list[pd.DataFrame] = [Attributions.empty()] if samples.empty else []
    with one_thread():
        opened = open_samples(crops, samples, view.member_for, explanation, view.outcome_number, subsets)
        parts += [
            explain(sample).assign(sample_id=sample.sample_id)
            for sample in tqdm(opened, total=len(samples), desc=title, disable=None)
        ]
    table = Attributions.validate(pd.concat(parts, ignore_index=True))
    table = table.assign(explained_outcome=view.explained, window_h=explanation.window_h)
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
