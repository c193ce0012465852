"""At which landmarks forecasts are explained: one a cell, tested by the member that explains it."""

import logging

import numpy as np
import pandas as pd

from cellfate.attribution.explained_models import ModelView, view_model
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.stand_ins import STAND_IN_COLUMNS, STAND_INS, draw_stand_ins
from cellfate.core.tables import CELL
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel

logger = logging.getLogger(__name__)


def choose_explained_landmarks(
    crops: FrameSource,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Choose the landmarks of test cells to explain, one a cell, and their order.

    The classifier is explained at the last landmark of cells whose fate was seen. The fate clock is explained at one
    regular landmark a cell after which enough was seen to know the answer: of a cell that met an event the one nearest
    to half the horizon before it, of other cells one by chance. Outcomes take turns in the order, so that any first so
    many landmarks are spread over the outcomes.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells; says in which frames each was tracked.
    landmarks, splits
        Tables `Landmarks` and `Splits`; with several folds a cell is explained by the member of the fold that tests it.
    model
        Classifier or fate clock.
    explanation
        Which event, within how many hours, at how many landmarks; the seed.

    Returns
    -------
    pandas.DataFrame
        Table `Landmarks`, at most `max_attention_landmarks` rows in order of choice, with `fold`, `outcome`,
        `lead_time_h` (to the event; NaN without one), `shown_from` (first frame that the network sees),
        `reference_log_odds` (a forecast above it is one of the explained outcome), `stand_ins` and `stand_in_weights`
        and the same of curves and of occlusion (see `stand_ins.draw_stand_ins`; empty where other cells do not stand
        in), and two marks: `occluded` and `shapley`, the first `max_occlusion_landmarks` and `max_shapley_landmarks` of
        them. Empty for a model without members, and where no answer is known in a test cell.
    """
    chosen = _choose(crops, landmarks, splits, splits["part"] == "test", model, explanation)
    if chosen.empty:
        why = model.config.reason or "the answer to its question is known of no test cell"
        logger.warning("Nothing is explained of the %s: %s", model.config.kind, why)
    return _mark_explicable(chosen, crops, landmarks, splits, model, explanation)


def choose_training_landmarks(
    crops: FrameSource,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Choose landmarks of training cells of the first fold, whose attention is held apart from that of test cells.

    Parameters
    ----------
    crops, landmarks, splits, model, explanation
        As in `choose_explained_landmarks`.

    Returns
    -------
    pandas.DataFrame
        As there, without the marks.
    """
    trained = (splits["fold"] == splits["fold"].min()) & (splits["part"] == "train")
    return _choose(crops, landmarks, splits, trained, model, explanation)


def show_landmarks(crops: FrameSource, landmarks: pd.DataFrame, view: ModelView) -> pd.DataFrame:
    """Add to landmarks `shown_from`, the first frame that the network sees, and `lead_time_h`, NaN without an event."""
    lead_time_h = landmarks["time_h"].where(landmarks["event_frame"].notna())
    return landmarks.assign(lead_time_h=lead_time_h, shown_from=view.show_from(crops, landmarks))


def order_landmarks(answered: pd.DataFrame, members: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Order landmarks of some cells by chance, outcomes taking turns.

    Parameters
    ----------
    answered
        One landmark a cell, with `outcome`.
    members
        Rows of table `Splits`, one a cell that may be chosen.
    explanation
        How many, and the seed.

    Returns
    -------
    pandas.DataFrame
        At most `max_attention_landmarks` rows of `answered` in order of choice, with `fold`.
    """
    known = answered.merge(members[[*CELL, "fold"]], on=CELL, validate="one_to_one").sort_values("landmark_id")
    shuffled = known.iloc[np.random.default_rng([explanation.seed, 3]).permutation(len(known))]
    turn = shuffled.groupby("outcome").cumcount()
    ordered = shuffled.assign(turn=turn).sort_values(["turn", "outcome"], kind="stable").drop(columns="turn")
    return ordered.head(explanation.max_attention_landmarks).reset_index(drop=True)


def mark_landmarks(ordered: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Mark the first landmarks in order as `occluded` and `shapley`: those that get these values."""
    return ordered.assign(
        occluded=ordered.index < explanation.max_occlusion_landmarks,
        shapley=ordered.index < explanation.max_shapley_landmarks,
    )


def _choose(
    crops: FrameSource,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    chosen: pd.Series,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Choose one landmark of every cell in the chosen rows of `splits`, and order them."""
    if not model.config.members:
        nothing = landmarks.head(0).assign(outcome="", lead_time_h=0.0, shown_from=0, reference_log_odds=0.0)
        return order_landmarks(nothing, splits[chosen], explanation)
    view = view_model(model, explanation)
    answered = view.answer(landmarks)
    one_a_cell = keep_one_a_cell(answered, view.lead_h, explanation.seed)
    shown = show_landmarks(crops, order_landmarks(one_a_cell, splits[chosen], explanation), view)
    return refer_to_base_rate(shown, answered, splits, view)


def _mark_explicable(
    chosen: pd.DataFrame,
    crops: FrameSource,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Draw what stands in where other cells do, and mark landmarks, but for those where nothing can stand in."""
    marked = mark_landmarks(chosen, explanation)
    if chosen.empty or explanation.absent != "other_cells":
        nothing: pd.Series = pd.Series([[] for _ in range(len(chosen))], index=chosen.index, dtype=object)
        return marked.assign(**dict.fromkeys(STAND_IN_COLUMNS, nothing))
    view = view_model(model, explanation)
    drawn = draw_stand_ins(marked, show_landmarks(crops, view.answer(landmarks), view), splits, view)
    some = drawn[STAND_INS].map(len) > 0
    return drawn.assign(occluded=drawn["occluded"] & some, shapley=drawn["shapley"] & some)


def refer_to_base_rate(
    explained: pd.DataFrame, answered: pd.DataFrame, splits: pd.DataFrame, view: ModelView
) -> pd.DataFrame:
    """Add `reference_log_odds` to landmarks: as the settings say, or the base rate that the member of the fold knew.

    `explained` have `fold`; `answered` are all landmarks with a known answer, `splits` says which of them trained.
    """
    given = view.explanation.reference_log_odds
    if given is not None:
        return explained.assign(reference_log_odds=given)
    train = splits.loc[splits["part"] == "train", [*CELL, "fold"]].merge(answered[[*CELL, "outcome"]], on=CELL)
    base = {fold: view.base_log_odds(train[train["fold"] == fold]) for fold in explained["fold"].unique()}
    return explained.assign(reference_log_odds=explained["fold"].map(base).astype(np.float64))


def keep_one_a_cell(answered: pd.DataFrame, lead_h: float, seed: int) -> pd.DataFrame:
    """Keep of a cell that met an event the landmark nearest to `lead_h` before it, of other cells one by chance."""
    known = answered.sort_values("landmark_id", kind="stable")
    by_chance = pd.Series(np.random.default_rng([seed, 5]).random(len(known)), index=known.index)
    rank = (known["time_h"] - lead_h).abs().where(known["event_frame"].notna(), by_chance)
    ranked = known.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates(CELL)
    return ranked.drop(columns="rank").sort_index()
