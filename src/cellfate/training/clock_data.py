"""The data the fate clock is trained on in one fold: whole follow-ups, what was seen after each frame, and features.

Array suffixes: n packed frames of a batch, t frames of one cell, k bins of time, a inputs about age, f features, d
embedding, b cells of a batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, FRAME
from cellfate.crops.store import CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.features.summaries import crop_feature_columns
from cellfate.models.settings import ClockNetworkSettings, shows_mask
from cellfate.training.batch_plans import mixed_batches
from cellfate.training.batches import Batch, CropCache, FloatArray, IntArray, ShownCells
from cellfate.training.fold_data import FoldData, each_fold, fold_preprocessing
from cellfate.training.settings import ClockTrainingSettings

FARTHEST_FEATURE = 5.0
"""Standardised features are clipped to this, so that a few odd masks do not rule the loss."""
_SAME = 1e-9
"""A feature that varies by less than this share of its mean is the same everywhere, but for rounding."""


@dataclass(frozen=True, eq=False)
class FollowedCells(ShownCells):
    """Follow-ups of one part of a fold.

    Attributes
    ----------
    settings : ClockTrainingSettings
        How the clock is fitted.
    known : mapping of str to list of ndarray
        What is known of each cell at each frame that is shown, one array a cell: `positions_n` (T,); `labels_nk` (T,
        K), what was seen in each bin after it, see `statistics.incidence.label_bins`; `ages_na` (T, A); and
        `features_nf` (T, F), standardised, NaN where not measured; F is 0 where none are learnt.
    views : list of list of ndarray of float32, shape (T, D)
        Embeddings by an encoder that no longer learns, each view of other mirrored and turned crops; empty: batches
        hold crops.
    """

    settings: ClockTrainingSettings
    known: Mapping[str, Sequence[NDArray[Any]]]
    views: Sequence[Sequence[FloatArray]] = ()

    @property
    def n_features(self) -> int:
        """Features that are learnt beside the hazards; 0: none."""
        return int(self.known["features_nf"][0].shape[1])

    def plan_epoch(self, rng: np.random.Generator) -> list[IntArray]:
        """Part all cells into batches, in random order and company."""
        return mixed_batches(self.lengths_n, self.settings.max_frames_per_batch, rng)

    def batch(self, places_b: IntArray, rng: np.random.Generator | None = None) -> Batch:
        """Make a batch with what is known of every frame; with views it holds `embeddings_nd` instead of crops."""
        known = {name: np.concatenate([each[place] for place in places_b]) for name, each in self.known.items()}
        if not self.views:
            return super().batch(places_b, rng) | known
        viewed = [self.views[int(rng.integers(len(self.views))) if rng else 0][place] for place in places_b]
        lengths_b = np.array([len(embeddings_td) for embeddings_td in viewed], dtype=np.int64)
        return {"embeddings_nd": np.concatenate(viewed), "lengths_b": lengths_b} | known

    def embed(
        self, encode: Callable[[FloatArray], FloatArray], rng: np.random.Generator | None = None
    ) -> list[FloatArray]:
        """Embed the crops of every cell, mirrored and turned by random numbers or, without these, as they are."""
        return [encode(self.show(place, rng)[0]) for place in range(len(self))]


@dataclass(frozen=True, eq=False)
class ClockInputs:
    """What the fate clock is fitted with.

    Attributes
    ----------
    crops : CropStore
        Crop store.
    follow_ups, splits, normalisation, frame_features : DataFrame
        Tables `FollowUps`, `Splits`, `Normalisation`, `FrameFeatures`.
    events : sequence of str
        All events that compete, in order.
    follow_up : FollowUpSettings
        Bins of time, and events that are shown.
    network : ClockNetworkSettings
        Architecture.
    training : ClockTrainingSettings
        How to fit.
    features : FeatureSettings
        How cells are segmented, where the network sees their mask.
    """

    crops: CropStore
    follow_ups: pd.DataFrame
    splits: pd.DataFrame
    normalisation: pd.DataFrame
    frame_features: pd.DataFrame
    events: Sequence[str]
    follow_up: FollowUpSettings
    network: ClockNetworkSettings
    training: ClockTrainingSettings
    features: FeatureSettings


def open_clock_folds(given: ClockInputs) -> list[FoldData[FollowedCells]]:
    """Bring together what each fold of the fate clock is trained on.

    Raises
    ------
    InputError
        If a fold lacks training or validation cells, or in training an event that is shown.
    """
    crops, training, network = given.crops, given.training, given.network
    segment = partial(find_masks, channels=crops.channels, features=given.features) if shows_mask(network) else None
    reader = CropCache(crops, training.cache_limit_mb, segment)
    folds = []
    for fold, train, validation in each_fold(given.follow_ups, given.splits):
        if training.train_on == "decided":
            train = train[train["event_frame"].notna()].reset_index(drop=True)
        _check_events(fold, train, shown_events(tuple(given.events), given.follow_up))
        standardised = _standardise(given.frame_features, train) if training.learns_features else None
        preprocessing = fold_preprocessing(given.normalisation, fold, crops.channels, network)
        parts = []
        for cells in (train, validation):
            known = _know_frames(cells, crops, given.events, given.follow_up.edges_h, standardised)
            parts.append(FollowedCells(cells, reader, preprocessing, training, known))
        folds.append(FoldData(fold, parts[0], parts[1]))
    return folds


def _check_events(fold: int, train: pd.DataFrame, shown: Sequence[str]) -> None:
    for event in shown:
        if not (train["fate"] == event).any():
            raise InputError(
                f"None of the {len(train)} training cells of fold {fold} ends in {event}; leave it out of parameter "
                "follow_up.events, give more recordings, or change the split."
            )


def _know_frames(
    cells: pd.DataFrame,
    crops: CropStore,
    events: Sequence[str],
    edges_h: Sequence[float],
    features: pd.DataFrame | None,
) -> dict[str, list[NDArray[Any]]]:
    """Look up what is known at each frame of each cell; see `FollowedCells.known`."""
    shown = [_shown_frames(crops, cell) for _, cell in cells.iterrows()]
    frames = cells.loc[cells.index.repeat([len(frames_t) for frames_t in shown])].assign(frame=np.concatenate(shown))
    hours_n = frames["frame_interval_min"] / 60
    time_h = (frames["end_frame"] - frames["frame"]) * hours_n
    watchable_h = (frames["recording_frames"] - 1 - frames["frame"]) * hours_n
    labels_nk = label_landmarks(frames.assign(time_h=time_h, watchable_h=watchable_h), events, edges_h)
    if features is None:
        features_nf = np.zeros((len(frames), 0), np.float32)
    else:
        features_nf = features.reindex(pd.MultiIndex.from_frame(frames[FRAME])).to_numpy(np.float32)
    starts = np.cumsum([len(frames_t) for frames_t in shown])[:-1]
    hours = cells["frame_interval_min"] / 60
    return {
        "positions_n": [frames_t - frames_t[0] for frames_t in shown],
        "ages_na": [age_inputs(frames_t, hours_t) for frames_t, hours_t in zip(shown, hours, strict=True)],
        "labels_nk": np.split(labels_nk, starts),
        "features_nf": np.split(features_nf, starts),
    }


def _shown_frames(crops: CropStore, cell: "pd.Series[Any]") -> IntArray:
    """Tracked frames of a follow-up that are shown, ascending."""
    frames_t = crops.frame_numbers(str(cell["recording_id"]), int(cell["cell_id"]))
    return frames_t[(frames_t >= int(cell["first_frame"])) & (frames_t <= int(cell["last_frame"]))]


def _standardise(frame_features: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Features in standard deviations of the training cells, indexed by recording, cell and frame.

    Only those that can be seen in a crop: the network is taught them while it looks at one.
    """
    names = crop_feature_columns(frame_features)
    in_training = frame_features.merge(train[CELL], on=CELL)[names]
    mean, sd = in_training.mean(), in_training.std(ddof=0)
    kept = [name for name in names if sd[name] > _SAME * abs(mean[name])]
    scaled = ((frame_features[kept] - mean[kept]) / sd[kept]).clip(-FARTHEST_FEATURE, FARTHEST_FEATURE)
    return scaled.set_index(pd.MultiIndex.from_frame(frame_features[FRAME]))
