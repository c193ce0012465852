"""Nodes of the `inference` pipeline: what is done to new recordings follows from the models of the study.

The *training run* is the one that made the models; references are fitted to all its cells. Recordings of both runs may
bear the same names.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import pandas as pd
from pydantic import Field, JsonValue, ValidationError

from cellfate.cohort.follow_ups import follow_cells, follow_open_cells
from cellfate.cohort.landmarks import list_forecast_frames, list_landmarks
from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import list_questions
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.settings import Settings, describe_faults
from cellfate.core.tables import (
    CELL,
    Alarms,
    AlarmSummary,
    Commitments,
    Comparisons,
    FollowUps,
    Forecasts,
    Landmarks,
    Metrics,
    NetBenefit,
)
from cellfate.crops.cutting import CropPlan
from cellfate.crops.store import CropStore
from cellfate.features.measurements import measure_cells
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.metrics.alarms import list_alarms, summarise_alarms
from cellfate.metrics.commitments import find_commitments
from cellfate.metrics.comparisons import compare_forecasts
from cellfate.metrics.net_benefit import weigh_benefit
from cellfate.metrics.references import forecast_references
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.prediction.cell_tables import tabulate_cells
from cellfate.prediction.forecasts import ALL_MEMBERS, NO_FOLD, forecast_new
from cellfate.prediction.new_recordings import ask_spot_features, cut_new_crops, take_new_traces, tell_lacking
from cellfate.prediction.records import TrainedModel
from cellfate.prediction.settings import AlarmSettings
from cellfate.prediction.trained_on import find_seen, leave_out_seen
from cellfate.tracks.importing import import_tracks
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_features import PARAMETER as SPOT_FEATURES

_log = logging.getLogger(__name__)
_GROUPS = re.compile(
    rf"(?<![\w./])(recordings\.({'|'.join(RecordingSettings.model_fields)})"
    rf"|tracks\.({'|'.join(TrackSettings.model_fields)}))\b"
)
"""Parameters of a study that parameter `inference` can change, as errors name them."""
_TRAINED, _NEW = "trained/", "new/"
AnySettings = TypeVar("AnySettings", bound=Settings)


class InferenceSettings(Settings):
    """How new recordings differ from those of the study in the way they are read."""

    recordings: dict[str, JsonValue] = Field(default_factory=dict)
    """Keys of parameter `recordings` that are others for new recordings."""
    tracks: dict[str, JsonValue] = Field(default_factory=dict)
    """Keys of parameter `tracks` that are others for new recordings."""


def choose_settings(
    folder: RecordingFolder,
    recordings: RecordingSettings,
    tracks: TrackSettings,
    inference: InferenceSettings,
    clock: TrainedModel,
) -> tuple[RecordingSettings, TrackSettings]:
    """Give the settings that new recordings are read with: the study's, but for what `inference` says.

    The tables of conditions and fates that the study names may be missing; those that `inference` names may not. Which
    spot features are read follows from the fate clock.

    Raises
    ------
    InputError
        If a key does not exist, its value is not allowed, or the tracks hold no spot features and the fate clock needs
        some.
    """
    if "spot_features" in inference.tracks:
        raise InputError(
            "Parameter inference.tracks names spot_features, but which are read follows from the fate clock "
            f"({', '.join(clock.clock_config.spot_features) or 'it was trained with none'}); take them from inference."
        )
    usual: dict[str, JsonValue] = {}
    name = recordings.conditions_file
    if "conditions_file" not in inference.recordings and name is not None and not (folder.root / name).exists():
        _log.warning("The new recordings have no conditions file %s: their doses are taken as not known", name)
        usual = {"conditions_file": None}
    missing: dict[str, JsonValue] = {} if "fates_file" in inference.tracks else {"missing_fates": "unscored"}
    bare = tracks.model_copy(update={"spot_features": ()})  # another format may hold none
    return (
        _change("recordings", recordings, usual | inference.recordings),
        ask_spot_features(clock.clock_config, _change("tracks", bare, missing | inference.tracks)),
    )


def _change(group: str, settings: AnySettings, changes: dict[str, JsonValue]) -> AnySettings:
    try:
        return settings.model_validate(settings.model_dump() | changes)
    except ValidationError as error:
        raise InputError(
            f"{'; '.join(describe_faults(f'inference.{group}', error))}; correct parameter inference."
        ) from error


def open_new_recordings(
    folder: RecordingFolder, settings: RecordingSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Open new recordings; see `open_recordings`."""
    with _pointing_at_inference():
        return open_recordings(folder, settings)


def import_new_tracks(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    settings: RecordingSettings,
    tracks: TrackSettings,
    clock: TrainedModel,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Import the tracks of new recordings, with the spot features of the fate clock; see `import_tracks`."""
    try:
        with _pointing_at_inference():
            return import_tracks(folder, recordings, frame_files, settings, tracks)
    except InputError as error:
        if error.parameter != SPOT_FEATURES:
            raise
        raise tell_lacking(clock.clock_config, str(error).split(", which ")[0]) from error


@contextmanager
def _pointing_at_inference() -> Iterator[None]:
    """Name in an error the parameters that new recordings are read with, not those of the study."""
    try:
        yield
    except InputError as error:
        advice = _GROUPS.sub(r"inference.\g<0>", str(error))
        advice = re.sub(r"\brecordings_root\b", "new_recordings_root", advice)
        advice = re.sub(r"\bparameter (recordings|tracks)\b(?!\.\w)", r"parameter inference.\g<1>", advice)
        raise InputError(advice, error.parameter) from error


def cut_crops_for_models(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    classifier: TrainedModel,
    clock: TrainedModel,
    settings: RecordingSettings,
) -> CropPlan:
    """Plan crops of the size that the models were trained on; see `cut_new_crops`."""
    model = _trained(classifier, clock)[0]
    return cut_new_crops(folder, recordings, frame_files, detections, model, settings)


def measure_new_cells(crops: CropStore, detections: pd.DataFrame, clock: TrainedModel) -> pd.DataFrame:
    """Measure new cells as those of the study were: table `FrameFeatures`."""
    return measure_cells(crops, detections, clock.clock_config.features)


def measure_new_traces(recordings: pd.DataFrame, detections: pd.DataFrame, clock: TrainedModel) -> pd.DataFrame:
    """Take the values of new traces for measurements; see `take_new_traces`."""
    return take_new_traces(recordings, detections, clock.clock_config)


def follow_new_cells(
    recordings: pd.DataFrame,
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    clock: TrainedModel,
    classifier: TrainedModel | None = None,
    crops: CropStore | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Follow new cells whether or not their fate is known, and list the landmarks that forecasts are scored at.

    Parameters
    ----------
    recordings, detections, cells
        Of the new recordings.
    clock, classifier, crops
        The models, and crops of the cells; neither classifier nor crops without images.

    Returns
    -------
    follow_ups : DataFrame
        Table `FollowUps`; a cell without an event is shown to its last frame.
    landmarks : DataFrame
        Table `Landmarks`. Every track ends with the guard here, those without an event too, so that the end of what is
        shown does not tell how a cell ended. Without rows where no event is known.
    scored_follow_ups : DataFrame
        Table `FollowUps` of the cells that are scored, shown up to there; likewise without rows. Cells that trained a
        model are not scored.
    """
    follow_up = _trained(classifier, clock)[0].config.follow_up
    cropped = recordings if crops is None else recordings[recordings["recording_id"].isin(crops.recording_ids)]
    follow_ups = follow_open_cells(detections, cells, cropped, follow_up)
    if not competing_events(follow_ups):
        return follow_ups, Landmarks.empty(), FollowUps.empty()
    scored, _ = follow_cells(detections, cells, cropped, follow_up)
    scored = leave_out_seen(scored, _trained(classifier, clock), crops, follow_ups)
    if not competing_events(scored):
        return follow_ups, Landmarks.empty(), FollowUps.empty()
    return follow_ups, list_landmarks(detections, scored, follow_up), scored


def forecast_new_cells(
    detections: pd.DataFrame,
    follow_ups: pd.DataFrame,
    frame_features: pd.DataFrame,
    clock: TrainedModel,
    classifier: TrainedModel | None = None,
    crops: CropStore | None = None,
) -> pd.DataFrame:
    """Forecast new cells by every model of the study that was trained: table `Forecasts`."""
    tables = [
        forecast_new(model, crops, detections, follow_ups, frame_features) for model in _trained(classifier, clock)
    ]
    return Forecasts.validate(pd.concat(tables, ignore_index=True))


def tabulate_new_cells(
    forecasts: pd.DataFrame,
    recordings: pd.DataFrame,
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    follow_ups: pd.DataFrame,
    clock: TrainedModel,
    alarm: AlarmSettings,
    set_thresholds: pd.DataFrame,
    classifier: TrainedModel | None = None,
    crops: CropStore | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write the forecasts for a reader, and which cells trained a model; see `tabulate_cells`.

    The tested groups of the study calibrated `set_thresholds`.
    """
    models = _trained(classifier, clock)
    seen = pd.concat(
        [find_seen(model, crops, follow_ups).assign(predictor=model.predictor) for model in models], ignore_index=True
    )
    headline_h = models[0].config.follow_up.headline_h
    of_new = set_thresholds[set_thresholds["group_id"].isna()]  # a new group may have the name of a tested one
    return tabulate_cells(forecasts, recordings, detections, cells, follow_ups, headline_h, alarm, of_new, seen)


def forecast_new_references(
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    detections: pd.DataFrame,
    frame_features: pd.DataFrame,
    new_follow_ups: pd.DataFrame,
    new_landmarks: pd.DataFrame,
    new_detections: pd.DataFrame,
    new_frame_features: pd.DataFrame,
    clock: TrainedModel,
    references: ReferenceSettings,
    classifier: TrainedModel | None = None,
) -> pd.DataFrame:
    """Fit the references to all followed cells of the training run and forecast every scored frame of new recordings.

    Parameters
    ----------
    follow_ups, landmarks, detections, frame_features
        Of the training run.
    new_follow_ups, new_landmarks, new_detections, new_frame_features
        Of the new recordings; the follow-ups are those of the cells that are scored.
    classifier, clock
        The models.
    references
        Which references.

    Returns
    -------
    DataFrame
        Table `Forecasts`; without rows where no fate is known.
    """
    if new_landmarks.empty:
        return Forecasts.empty()
    follow_up = _trained(classifier, clock)[0].config.follow_up
    pairs = (follow_ups, new_follow_ups), (landmarks, new_landmarks), (detections, new_detections)
    followed, marked, detected, measured = (
        pd.concat([_rename(trained, _TRAINED), _rename(new, _NEW)], ignore_index=True)
        for trained, new in (*pairs, (frame_features, new_frame_features))
    )
    is_new = followed["recording_id"].str.startswith(_NEW)
    splits = followed[CELL].assign(scheme=ALL_MEMBERS, fold=NO_FOLD, part=np.where(is_new, "test", "train").tolist())
    questions = list_questions(follow_ups, landmarks, follow_up)
    frames = list_forecast_frames(detected, followed, follow_up)
    table = forecast_references(followed, marked, splits, detected, measured, questions, follow_up, references, frames)
    return table.assign(recording_id=table["recording_id"].str.removeprefix(_NEW))


def score_new_cells(
    forecasts: pd.DataFrame,
    reference_forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    clock: TrainedModel,
    scores: ScoreSettings,
    classifier: TrainedModel | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score forecasts of new recordings by the fates that are known.

    Returns
    -------
    metrics, comparisons, commitments : DataFrame
        Tables `Metrics`, `Comparisons` and `Commitments`; without rows where no fate is known.
    """
    if landmarks.empty:
        return Metrics.empty(), Comparisons.empty(), Commitments.empty()
    known = _known_events(landmarks, _trained(classifier, clock)[0])
    stacked = pd.concat([forecasts, reference_forecasts], ignore_index=True)
    metrics, comparisons = (score(stacked, landmarks, known, scores) for score in (score_forecasts, compare_forecasts))
    return metrics, comparisons, find_commitments(forecasts, follow_ups, known)


def score_new_alarms(
    forecasts: pd.DataFrame,
    reference_forecasts: pd.DataFrame,
    scored_follow_ups: pd.DataFrame,
    clock: TrainedModel,
    alarm: AlarmSettings,
    scores: ScoreSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Say how often alarms in new recordings are right, by the fates that are known.

    Alarms look back only, so those up to the guard are what they would be had nobody forecast the frames after it.

    Returns
    -------
    alarms, alarm_summary, net_benefit : DataFrame
        Tables `Alarms`, `AlarmSummary` and `NetBenefit`; without rows where no fate is known or no fate clock was
        trained.
    """
    if scored_follow_ups.empty or not clock.config.members:
        return Alarms.empty(), AlarmSummary.empty(), NetBenefit.empty()
    stacked = pd.concat([forecasts, reference_forecasts], ignore_index=True)
    shown = stacked.merge(scored_follow_ups[[*CELL, "last_frame"]], on=CELL, validate="many_to_one")
    shown = shown[shown["frame"] <= shown["last_frame"]].drop(columns="last_frame")
    asked = shown, scored_follow_ups, _known_events(scored_follow_ups, clock), alarm
    return list_alarms(*asked), summarise_alarms(*asked, scores), weigh_benefit(*asked, scores)


def _trained(classifier: TrainedModel | None, clock: TrainedModel) -> list[TrainedModel]:
    """Those that have members, of traces the clock; an InputError if none has, or they are of different studies."""
    models = [clock] if classifier is None else [classifier, clock]
    trained = [model for model in models if model.config.members]
    if not trained:
        reasons = "; ".join(f"{model.config.kind}: {model.config.reason}" for model in models)
        raise InputError(f"No model of this study was trained ({reasons}), so nothing can be forecast.")
    if classifier is None:
        return trained
    configs = classifier.classifier_config, clock.clock_config
    shared = {"channels", "frame_interval_min", "crops", "follow_up"}
    first, second = (pd.json_normalize(config.model_dump(include=shared)).iloc[0] for config in configs)
    for name in first.index:
        if first[name] != second[name]:
            raise InputError(
                f"The classifier was trained with {name} {first[name]} and the fate clock with {second[name]}, but new "
                "cells are read once for both; train both on one study."
            )
    return trained


def _known_events(landmarks: pd.DataFrame, model: TrainedModel) -> FollowUpSettings:
    """Leave out events that end no track of these recordings: their annotation may not know them."""
    follow_up = model.config.follow_up
    found = competing_events(landmarks)
    return follow_up.model_copy(update={"events": tuple(event for event in follow_up.events if event in found)})


def _rename(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Set apart recordings of the same name."""
    names = [name for name in ("recording_id", "landmark_id") if name in table]
    return table.assign(**{name: prefix + table[name].astype(str) for name in names})
