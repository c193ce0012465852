"""Nodes of the `fate_clock` pipeline."""

from importlib.metadata import version
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.features.settings import FeatureSettings
from cellfate.metrics.settings import ScoreSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.models.settings import EnsembleSettings, ModelSettings
from cellfate.plots.filmstrip import draw_film_strips
from cellfate.plots.incidence_calibration import plot_incidence_calibration
from cellfate.plots.incidence_cells import plot_commitments, plot_incidence_heatmap
from cellfate.plots.incidence_scores import plot_incidence_comparisons
from cellfate.prediction.clock_ensemble import part_inputs, read_landmarks
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.records import ClockConfig, TrainedClock, describe_member, join_weights
from cellfate.report import ReportSettings, assemble_clock_report, build_clock_strips, choose_clock_examples
from cellfate.sequences.follow_ups import label_landmarks
from cellfate.sequences.settings import FollowUpSettings
from cellfate.sequences.store import CropStore
from cellfate.training.clock_fitting import fit_clock_members
from cellfate.training.fitting import history_table
from cellfate.training.fold_data import fold_statistics
from cellfate.training.settings import ClockTrainingSettings

VERSIONED = ("cellfate", "torch", "lightning", "lightgbm", "monai", "numpy")


def train_clock(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    network: ModelSettings,
    training: ClockTrainingSettings,
    features: FeatureSettings,
    ensemble: EnsembleSettings,
) -> tuple[TrainedClock, pd.DataFrame]:
    """Train one network a fold and put them together with everything needed to use them; boosters come later.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, splits, normalisation, frame_features
        Tables of the same names, the splits and statistics those of the follow-ups.
    follow_up, network, training, features, ensemble
        Settings.

    Returns
    -------
    model : TrainedClock
        One member a fold, without boosters.
    history : DataFrame
        Table `ClockHistory`.

    Raises
    ------
    InputError
        If a fold lacks cells or events, or the settings do not fit the cells.
    """
    tables = (follow_ups, splits, normalisation, frame_features)
    members, data_digest = fit_clock_members(crops, *tables, follow_up, network, training, features)
    config = ClockConfig(
        architecture=network,
        channels=crops.channels,
        follow_up=follow_up,
        features=features,
        ensemble=ensemble,
        crops=crops.settings,
        frame_interval_min=float(follow_ups["frame_interval_min"].median()),
        scheme=str(splits["scheme"].iloc[0]),
        members=tuple(
            describe_member(member, *fold_statistics(normalisation, member.fold, crops.channels)) for member in members
        ),
        training=training.model_dump(mode="json", exclude={"checkpoint_folder"}),
        data_digest=data_digest,
        versions={name: version(name) for name in VERSIONED},
    )
    return TrainedClock(config, join_weights(members), {}), history_table(members)


def boost_clock(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    model: TrainedClock,
) -> TrainedClock:
    """Fit the boosted hazards of the ensemble, in every fold on the landmarks of its training cells.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, landmarks, splits, frame_features
        Tables of the same names.
    model
        From `train_clock`.

    Returns
    -------
    TrainedClock
        With boosters.
    """
    boosters: dict[str, str] = {}
    for fold in model.config.folds:
        training = _training_landmarks(follow_ups, landmarks, splits, fold)
        boosters |= _boost_fold(crops, training, frame_features, model, fold)
    return TrainedClock(model.config, model.weights, boosters)


def _boost_fold(
    crops: CropStore, landmarks: pd.DataFrame, frame_features: pd.DataFrame, model: TrainedClock, fold: int
) -> dict[str, str]:
    """Fit the boosters of one fold: text by key."""
    follow_up, ensemble = model.config.follow_up, model.config.ensemble
    labels_nk = label_landmarks(landmarks, follow_up)
    _, embedded = read_landmarks(crops, landmarks, load_clock_member(model, fold))
    boosted = {}
    for part in ensemble.parts:
        if part != "network":
            inputs = part_inputs(part, embedded, frame_features, landmarks, ensemble.history_h)
            text = fit_boosted_hazards(inputs, labels_nk, len(follow_up.events), ensemble.boosting).to_text()
            boosted[f"fold_{fold}.{part}"] = text
    return boosted


def _training_landmarks(
    follow_ups: pd.DataFrame, landmarks: pd.DataFrame, splits: pd.DataFrame, fold: int
) -> pd.DataFrame:
    in_training = splits.loc[(splits["fold"] == fold) & (splits["part"] == "train"), "sample_id"]
    cells = follow_ups.loc[follow_ups["sample_id"].isin(in_training), ["recording_id", "cell_id"]]
    return landmarks.merge(cells, on=["recording_id", "cell_id"])


def plot_headline_comparisons(incidence_comparisons: pd.DataFrame, follow_up: FollowUpSettings) -> go.Figure:
    """Draw paired differences, those of the headline horizon first."""
    return plot_incidence_comparisons(incidence_comparisons, follow_up.headline_h)


def plot_headline_calibration(incidence_calibration: pd.DataFrame, follow_up: FollowUpSettings) -> go.Figure:
    """Draw forecast against observed incidence at the headline horizon."""
    return plot_incidence_calibration(incidence_calibration, follow_up.headline_h)


def plot_headline_heatmap(incidence: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> go.Figure:
    """Draw the forecast of every event at the headline horizon, cell by cell, aligned at the event that came."""
    return plot_incidence_heatmap(incidence, follow_ups, None, follow_up.headline_h)


def plot_committed_cells(commitments: pd.DataFrame, follow_up: FollowUpSettings) -> go.Figure:
    """Draw how long before the event cells were committed to their fate."""
    return plot_commitments(commitments, follow_up.events)


def draw_clock_strips(
    crops: CropStore,
    commitments: pd.DataFrame,
    incidence: pd.DataFrame,
    follow_ups: pd.DataFrame,
    settings: ReportSettings,
) -> go.Figure:
    """Choose example cells by rule and draw their frames with the forecast under them."""
    examples = choose_clock_examples(commitments, incidence, follow_ups)
    return draw_film_strips(build_clock_strips(crops, examples, incidence, settings), settings.brightness_percentiles)


def assemble_clock_page(
    model: TrainedClock, parameters: dict[str, Any], settings: ReportSettings, scores: ScoreSettings, **artefacts: Any
) -> str:
    """Assemble the page of the fate clock from the tables and figures of the run, given by catalog name."""
    return assemble_clock_report(artefacts, model.config.model_dump(mode="json"), parameters, settings, scores)
