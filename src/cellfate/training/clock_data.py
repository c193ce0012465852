"""The data the fate clock is trained on in one fold: whole follow-ups, what was seen after each frame, and features.

Array suffixes: n packed frames of a batch, t frames of one cell, k bins of time, a inputs about age.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.ages import age_inputs
from cellfate.cohort.outcomes import label_landmarks
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.words import order_doses
from cellfate.crops.store import CropStore
from cellfate.features.context import Context
from cellfate.features.measured_frames import FrameSource
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.settings import ClockNetworkSettings
from cellfate.training.fold_data import (
    FoldData,
    each_fold,
    fold_preprocessing,
    open_frames,
    open_reader,
)
from cellfate.training.measured_cells import (
    MeasuredCells,
    list_shown_frames,
    look_up_features,
    standardise_features,
)
from cellfate.training.settings import ClockTrainingSettings


@dataclass(frozen=True, eq=False)
class FollowedCells(MeasuredCells):
    """Follow-ups of one part of a fold.

    Beside `features_nf`, `known` holds `labels_nk` (T, K), what was seen in each bin after each frame, see
    `statistics.incidence.label_bins`; and `ages_na` (T, A).
    """

    settings: ClockTrainingSettings


@dataclass(frozen=True, eq=False)
class ClockInputs:
    """What the fate clock is fitted with.

    Attributes
    ----------
    crops : CropStore, or None
        Crop store; None where there are no images.
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
    context : ContextSettings
        What a network that reads columns is told beside them.
    """

    crops: CropStore | None
    follow_ups: pd.DataFrame
    splits: pd.DataFrame
    normalisation: pd.DataFrame
    frame_features: pd.DataFrame
    events: Sequence[str]
    follow_up: FollowUpSettings
    network: ClockNetworkSettings
    training: ClockTrainingSettings
    features: FeatureSettings
    context: ContextSettings = ContextSettings()  # noqa: RUF009  # frozen

    @property
    def fitting(self) -> ClockTrainingSettings:
        """How to fit, as far as it concerns what the network reads."""
        return self.training if self.network.sees_pixels else self.training.without_pixels()

    @cached_property
    def source(self) -> FrameSource:
        """Where the frames of cells are read."""
        told = Context(self.context.names, self.follow_up.guard_h, tuple(order_doses(self.follow_ups["dose"])))
        return open_frames(self.crops, self.frame_features, self.follow_ups, self.network, told)


def open_clock_folds(given: ClockInputs) -> list[FoldData[FollowedCells]]:
    """Bring together what each fold of the fate clock is trained on.

    Raises
    ------
    InputError
        If a fold lacks training or validation cells, or in training an event that is shown.
    """
    crops, training, network, source = given.crops, given.fitting, given.network, given.source
    channels = () if crops is None else crops.channels
    reader = open_reader(source, crops, network, training, given.features)
    folds = []
    for fold, train, validation in each_fold(given.follow_ups, given.splits):
        if training.train_on == "decided":
            train = train[train["event_frame"].notna()].reset_index(drop=True)
        _check_events(fold, train, shown_events(tuple(given.events), given.follow_up))
        standardised = standardise_features(given.frame_features, train) if training.learns_features else None
        preprocessing = fold_preprocessing(given.normalisation, fold, channels, network, source, train)
        parts = []
        for cells in (train, validation):
            known = _know_frames(cells, source, given.events, given.follow_up.edges_h, standardised)
            parts.append(FollowedCells(cells, reader, preprocessing, training, known=known))
        folds.append(FoldData(fold, parts[0], parts[1], measured=parts[0]))
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
    source: FrameSource,
    events: Sequence[str],
    edges_h: Sequence[float],
    features: pd.DataFrame | None,
) -> dict[str, list[NDArray[Any]]]:
    """Look up what is known at each frame of each cell; see `FollowedCells.known`."""
    shown = list_shown_frames(cells, source)
    frames = cells.loc[cells.index.repeat([len(frames_t) for frames_t in shown])].assign(frame=np.concatenate(shown))
    hours_n = frames["frame_interval_min"] / 60
    time_h = (frames["end_frame"] - frames["frame"]) * hours_n
    watchable_h = (frames["recording_frames"] - 1 - frames["frame"]) * hours_n
    labels_nk = label_landmarks(frames.assign(time_h=time_h, watchable_h=watchable_h), events, edges_h)
    starts = np.cumsum([len(frames_t) for frames_t in shown])[:-1]
    hours = cells["frame_interval_min"] / 60
    return {
        "ages_na": [age_inputs(frames_t, hours_t) for frames_t, hours_t in zip(shown, hours, strict=True)],
        "labels_nk": np.split(labels_nk, starts),
        "features_nf": look_up_features(cells, shown, features),
    }
