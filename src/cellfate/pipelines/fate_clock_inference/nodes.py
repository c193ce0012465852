"""Nodes of the `fate_clock_inference` pipeline: what is done to new recordings follows from the model.

The *training run* is the one that made the model: its tables choose the thresholds of calls, and the references are
fitted to all its cells. Recordings of both runs may bear the same names.
"""

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd

from cellfate.cohort.follow_ups import follow_cells, follow_open_cells, list_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.core.predictors import ENSEMBLE
from cellfate.core.tables import Incidence, IncidenceComparisons, IncidenceMetrics, Landmarks, Table
from cellfate.crops.store import CropStore
from cellfate.features.measurements import measure_cells
from cellfate.metrics.commitments import choose_thresholds, commit_cells, select_tested
from cellfate.metrics.incidence_comparisons import compare_incidence
from cellfate.metrics.incidence_references import forecast_references
from cellfate.metrics.incidence_scoring import score_incidence
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.prediction.clock_predictor import ALL_MEMBERS, NO_FOLD, ClockPredictor
from cellfate.prediction.records import TrainedClock

logger = logging.getLogger(__name__)

Score = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, FollowUpSettings, ScoreSettings], pd.DataFrame]
_TRAINED, _NEW = "trained/", "new/"


def measure_new_cells(crops: CropStore, detections: pd.DataFrame, model: TrainedClock) -> pd.DataFrame:
    """Measure new cells as those the model was trained on: table `FrameFeatures`."""
    return measure_cells(crops, detections, model.config.features)


def follow_new_cells(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, model: TrainedClock
) -> pd.DataFrame:
    """Follow new cells whether or not their fate is known: table `FollowUps`.

    Raises
    ------
    InputError
        If no cell can be followed.
    """
    return follow_open_cells(crops, recordings, cells, model.config.follow_up)


def list_known_landmarks(
    crops: CropStore,
    recordings: pd.DataFrame,
    cells: pd.DataFrame,
    follow_ups: pd.DataFrame,
    model: TrainedClock,
    trained_crops: CropStore,
) -> pd.DataFrame:
    """List the landmarks that forecasts of new cells are scored at; none where no fate of a cell is known.

    A recording that the model was trained on is scored too, with a warning: its scores are too good.

    Parameters
    ----------
    crops, recordings, cells
        Of the new recordings.
    follow_ups
        From `follow_new_cells`.
    model
        The trained fate clock.
    trained_crops
        Crops of the training run.

    Returns
    -------
    DataFrame
        Table `Landmarks`. Every track ends with the guard here, those without a fate too, so that the end of what is
        shown does not tell how a cell ended.
    """
    settings = model.config.follow_up
    old_enough = follow_ups[follow_ups["age_frames"] >= settings.min_frames - 1]
    known = _known_events(old_enough, settings)
    if known is None:
        return Landmarks.empty()
    _warn_of_seen(crops, trained_crops)
    followed, _ = follow_cells(crops, recordings, cells, known)
    return list_landmarks(crops, recordings, followed, known)


def _warn_of_seen(crops: CropStore, trained_crops: CropStore) -> None:
    """Say which of the new recordings taught the model: they have the same crops."""
    trained = {entry["digest"] for entry in trained_crops.manifest["recordings"]}
    entries = crops.manifest["recordings"]
    seen = [str(entry["recording_id"]) for entry in entries if entry["digest"] in trained]
    if seen:
        logger.warning(
            "The model was trained on %d of %d new recordings (%s): scores of these are too good; give others",
            *(len(seen), len(entries), ", ".join(seen)),
        )


def _known_events(table: pd.DataFrame, settings: FollowUpSettings) -> FollowUpSettings | None:
    """Keep only those events in which some cell of the table ends; None if there is none.

    An event that never ends a track may be one that the annotation of these recordings leaves out.
    """
    events = tuple(event for event in settings.events if (table["fate"] == event).any())
    return settings.model_copy(update={"events": events}) if events else None


def forecast_new_cells(
    crops: CropStore, follow_ups: pd.DataFrame, frame_features: pd.DataFrame, model: TrainedClock
) -> pd.DataFrame:
    """Forecast every shown frame of every new cell: table `Incidence`."""
    return ClockPredictor(model).forecast(crops, follow_ups, frame_features)


def tabulate_clock(
    incidence: pd.DataFrame, follow_ups: pd.DataFrame, recordings: pd.DataFrame, model: TrainedClock
) -> pd.DataFrame:
    """Write the ensemble's forecasts within the headline horizon for a reader: one row a cell and frame.

    Parameters
    ----------
    incidence
        From `forecast_new_cells`.
    follow_ups, recordings
        Of the new recordings.
    model
        The trained fate clock.

    Returns
    -------
    DataFrame
        Table `ClockTable`, by recording, cell and frame.
    """
    of_ensemble = incidence[incidence["predictor"] == ENSEMBLE]
    rows = select_tested(of_ensemble, model.config.follow_up).sort_values(["recording_id", "cell_id", "frame"])
    interval_min = rows["recording_id"].map(recordings.set_index("recording_id")["frame_interval_min"])
    first = rows[["recording_id", "cell_id"]].merge(follow_ups, how="left", validate="many_to_one")["first_frame"]
    probabilities = [probability_column(outcome) for outcome in listed_outcomes(rows.columns)]
    timed = rows.assign(
        time_h=rows["frame"] * interval_min / 60,
        watched_h=(rows["frame"] - first.to_numpy(np.int64)) * interval_min / 60,
    )
    columns = ["recording_id", "cell_id", "frame", "time_h", "watched_h", "within_h", *probabilities, "expected_h"]
    return timed[columns].reset_index(drop=True)


def commit_new_cells(
    new_incidence: pd.DataFrame,
    new_follow_ups: pd.DataFrame,
    incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    model: TrainedClock,
) -> pd.DataFrame:
    """Find from when on each new cell is called, by the mean of the thresholds that the folds chose on validation.

    Parameters
    ----------
    new_incidence, new_follow_ups
        Of the new recordings.
    incidence, landmarks
        Of the training run.
    model
        The trained fate clock.

    Returns
    -------
    DataFrame
        Table `Commitments`.
    """
    settings = model.config.follow_up
    chosen = choose_thresholds(incidence, landmarks, settings).groupby(level="predictor").mean()
    thresholds = chosen.assign(fold=NO_FOLD).set_index("fold", append=True)
    return commit_cells(select_tested(new_incidence, settings), thresholds, new_follow_ups, settings)


def forecast_new_references(
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    frame_features: pd.DataFrame,
    new_follow_ups: pd.DataFrame,
    new_landmarks: pd.DataFrame,
    new_frame_features: pd.DataFrame,
    model: TrainedClock,
    references: ReferenceSettings,
) -> pd.DataFrame:
    """Fit the references to all followed cells of the training run and forecast the landmarks of the new recordings.

    Parameters
    ----------
    follow_ups, landmarks, frame_features
        Of the training run.
    new_follow_ups, new_landmarks, new_frame_features
        Of the new recordings.
    model
        The trained fate clock.
    references
        Which references.

    Returns
    -------
    DataFrame
        Table `Incidence`; without rows where there is no landmark.
    """
    if new_landmarks.empty:
        return Incidence.empty()
    followed, marked, measured = (
        pd.concat([_rename(trained, _TRAINED), _rename(new, _NEW)], ignore_index=True)
        for trained, new in (
            (follow_ups, new_follow_ups),
            (landmarks, new_landmarks),
            (frame_features, new_frame_features),
        )
    )
    is_new = followed["recording_id"].str.startswith(_NEW)
    splits = followed[["sample_id"]].assign(
        scheme=ALL_MEMBERS, fold=NO_FOLD, part=np.where(is_new, "test", "train").tolist()
    )
    table = forecast_references(followed, marked, splits, measured, model.config.follow_up, references)
    return table.assign(recording_id=table["recording_id"].str.removeprefix(_NEW))


def _rename(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Set apart recordings of the same name."""
    names = [name for name in ("recording_id", "sample_id") if name in table]
    return table.assign(**{name: prefix + table[name].astype(str) for name in names})


def score_new_incidence(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    model: TrainedClock,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Score forecasts of new recordings by the fates that are known: table `IncidenceMetrics`, without rows if none."""
    return _score_known(score_incidence, IncidenceMetrics, (incidence, reference_incidence, landmarks), model, scores)


def compare_new_incidence(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    model: TrainedClock,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Paired differences on new recordings: table `IncidenceComparisons`, without rows where no fate is known."""
    tables = (incidence, reference_incidence, landmarks)
    return _score_known(compare_incidence, IncidenceComparisons, tables, model, scores)


def _score_known(
    score: Score,
    schema: type[Table],
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    model: TrainedClock,
    scores: ScoreSettings,
) -> pd.DataFrame:
    known = _known_events(tables[-1], model.config.follow_up)
    return schema.empty() if known is None else score(*tables, known, scores)
