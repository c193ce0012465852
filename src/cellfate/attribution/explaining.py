"""Explanations of many samples by the members of a trained model."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.attribution.games import MAX_CHANNELS, FrameGame, all_subsets, occlusion_subsets
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import explained_outcome, open_samples
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.windows import TimeWindows
from cellfate.core.errors import InputError
from cellfate.core.tables import Attention, Attributions
from cellfate.prediction import TrainedModel, embed_samples, load_fold
from cellfate.sequences.store import CropStore

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
    parts = [
        _attention_of(crops, chunk, model, fold)
        for fold, chunk in tqdm(list(_chunks(explained_samples)), desc="Reading attention", disable=None)
    ]
    return Attention.validate(pd.concat(parts, ignore_index=True)) if parts else Attention.empty()


def _chunks(samples: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield samples fold by fold, a bounded number at a time."""
    for fold in sorted(samples["fold"].unique()):
        rows = samples[samples["fold"] == fold]
        for start in range(0, len(rows), CHUNK_SAMPLES):
            yield int(fold), rows.iloc[start : start + CHUNK_SAMPLES]


def _attention_of(crops: CropStore, samples: pd.DataFrame, model: TrainedModel, fold: int) -> pd.DataFrame:
    """Attention of some samples of one fold."""
    embedded = embed_samples(crops, samples, model, fold)
    weights = load_fold(model, fold).attention(embedded.embeddings, embedded.positions)
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

    def explain(sample_id: str, game: FrameGame, windows: TimeWindows) -> pd.DataFrame:
        return occlude(game, windows, channels)

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

    def explain(sample_id: str, game: FrameGame, windows: TimeWindows) -> pd.DataFrame:
        seed = zlib.crc32(f"{explanation.seed}:{sample_id}".encode())
        return shapley_values(game, windows, channels, explanation.n_permutations, seed)

    chosen = explained_samples[explained_samples["shapley"]]
    return _explain_each(crops, chosen, model, explanation, all_subsets(len(channels)), explain, "Shapley values")


def _explain_each(
    crops: CropStore,
    samples: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    subsets: Iterable[int],
    explain: Callable[[str, FrameGame, TimeWindows], pd.DataFrame],
    title: str,
) -> pd.DataFrame:
    """Explain samples one by one; the table carries the settings that made it in its `attrs`."""
    outcome_number = explained_outcome(model.config.outcomes, explanation.outcome)
    parts: list[pd.DataFrame] = [Attributions.empty()] if samples.empty else []
    with one_thread():
        opened = open_samples(crops, samples, partial(load_fold, model), explanation, outcome_number, subsets)
        parts += [
            explain(sample.sample_id, sample.game, sample.windows).assign(sample_id=sample.sample_id)
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
