"""Nodes of the `fate_clock` pipeline."""

import logging
from importlib.metadata import version
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.explained_models import ClockView
from cellfate.attribution.explaining import (
    attribute_gradients,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    read_rollout,
)
from cellfate.attribution.faithfulness import trace_faithfulness
from cellfate.attribution.landmark_samples import choose_landmarks, sample_landmarks, split_landmarks
from cellfate.attribution.sanity import check_sanity
from cellfate.attribution.scoring import score_attributions
from cellfate.attribution.selection import select_explained_samples
from cellfate.attribution.settings import ClockExplanationSettings, ExplanationSettings
from cellfate.attribution.tree_shapley import attribute_trees
from cellfate.cohort.follow_ups import label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import AttributionAgreement, FaithfulnessCurves, RandomisedWeights
from cellfate.crops.store import CropStore
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
from cellfate.training.clock_fitting import fit_clock_members
from cellfate.training.fitting import history_table
from cellfate.training.fold_data import fold_statistics
from cellfate.training.settings import ClockTrainingSettings

logger = logging.getLogger(__name__)

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


def choose_explained_landmarks(
    crops: CropStore,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedClock,
    explanation: ExplanationSettings,
    clock_explanation: ClockExplanationSettings,
) -> pd.DataFrame:
    """Choose one landmark a test cell to explain; see `choose_landmarks` and `select_explained_samples`.

    Parameters
    ----------
    crops, landmarks, follow_ups, splits
        Crop store and tables of the same names.
    model
        The fate clock.
    explanation, clock_explanation
        How many; which event, and within how many hours.

    Returns
    -------
    DataFrame
        Table `Samples`: frames that the network sees up to each landmark, and what followed within the horizon. Empty
        where that is known of no test cell.
    """
    clock = ClockView(model, clock_explanation)
    samples = sample_landmarks(crops, landmarks, clock)
    chosen = choose_landmarks(samples, clock.horizon_h, explanation)
    parts = split_landmarks(chosen, follow_ups, splits)
    if not (parts["part"] == "test").any():
        logger.warning("No test cell was watched for %g h after a landmark: nothing is explained", clock.horizon_h)
        return chosen.head(0).assign(fold=0, occluded=False, shapley=False)
    return select_explained_samples(chosen, parts, explanation)


def attribute_clock(
    crops: CropStore,
    explained_samples: pd.DataFrame,
    model: TrainedClock,
    explanation: ExplanationSettings,
    clock_explanation: ClockExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Attribute the network's log odds at the explained landmarks by every method that it allows.

    Parameters
    ----------
    crops
        Crop store.
    explained_samples
        From `choose_explained_landmarks`.
    model
        The fate clock.
    explanation, clock_explanation
        How finely; which event, and within how many hours.

    Returns
    -------
    attention, rollout : DataFrame
        Tables `Attention`, empty without Transformer layers.
    occlusion, shapley, gradients : DataFrame
        Tables `Attributions`.
    """
    asked = (crops, explained_samples, ClockView(model, clock_explanation))
    return (
        read_attention(*asked),
        read_rollout(*asked),
        occlude_inputs(*asked, explanation),
        compute_shapley_values(*asked, explanation),
        attribute_gradients(*asked, explanation),
    )


def attribute_clock_trees(
    crops: CropStore,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    explained_samples: pd.DataFrame,
    model: TrainedClock,
    explanation: ExplanationSettings,
    clock_explanation: ClockExplanationSettings,
) -> pd.DataFrame:
    """Explain a boosting on features of the same hours that forecasts the same event; see `attribute_trees`.

    It is fitted on the landmarks of the training cells whose outcome within the horizon is known, without weights for
    censoring: it is there to be explained, not to be scored.

    Parameters
    ----------
    crops, landmarks, follow_ups, splits, frame_features
        Crop store and tables of the same names.
    explained_samples, model, explanation, clock_explanation
        As in `attribute_clock`.

    Returns
    -------
    DataFrame
        Table `Attributions`.
    """
    clock = ClockView(model, clock_explanation)
    samples = sample_landmarks(crops, landmarks, clock)
    known = samples[samples["outcome"].notna()]
    of_landmarks = split_landmarks(known, follow_ups, splits)
    of_event = explanation.model_copy(update={"outcome": clock.event})
    return attribute_trees(frame_features, known, of_landmarks, explained_samples, of_event)


def score_clock_attributions(
    crops: CropStore,
    explained_samples: pd.DataFrame,
    attributions: pd.DataFrame,
    model: TrainedClock,
    explanation: ExplanationSettings,
    clock_explanation: ClockExplanationSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Put the attributions of the fate clock to the test.

    No clock is trained on permuted fates or trained again, which would cost as much as the clock itself: these scores
    are empty, with that reason.

    Parameters
    ----------
    crops, explained_samples, model, explanation, clock_explanation
        As in `attribute_clock`.
    attributions
        From `gather_attributions`.

    Returns
    -------
    scores, faithfulness_curves, agreement, randomised_weights : DataFrame
        Tables `AttributionScores`, `FaithfulnessCurves`, `AttributionAgreement` and `RandomisedWeights`.
    """
    if not explained_samples["shapley"].any():
        none = pd.DataFrame(columns=["sample_id", "group_id", "method", "score", "value"])
        scores = score_attributions(none, none, none, explanation)
        return scores, FaithfulnessCurves.empty(), AttributionAgreement.empty(), RandomisedWeights.empty()
    clock = ClockView(model, clock_explanation)
    faithful, curves = trace_faithfulness(crops, explained_samples, attributions, clock, explanation)
    agreeing, agreement = compare_methods(attributions, explanation)
    sane, randomised = check_sanity(crops, explained_samples, clock, None, None, explanation)
    return score_attributions(faithful, agreeing, sane, explanation), curves, agreement, randomised


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
